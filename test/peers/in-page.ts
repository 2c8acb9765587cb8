/// <reference lib="dom" />

/* These functions run in the browser's page: they must not refer to anything outside themselves. */

export function countPeerConnections(): void {
  const all: RTCPeerConnection[] = [];
  Object.assign(window, { peerConnections: all });
  const Original = window.RTCPeerConnection;
  window.RTCPeerConnection = class extends Original {
    constructor(configuration?: RTCConfiguration) {
      super(configuration);
      all.push(this);
    }
  };
}

/** The microphone gives a steady tone instead of the fake device's beeps. */
export function speakTone(hz: number): void {
  const { mediaDevices } = navigator;
  const original = mediaDevices.getUserMedia.bind(mediaDevices);
  mediaDevices.getUserMedia = async (constraints) => {
    const stream = await original(constraints);
    if (!constraints?.audio) return stream;
    const context = new AudioContext();
    const oscillator = new OscillatorNode(context, { frequency: hz });
    const volume = new GainNode(context, { gain: 0.25 });
    const destination = new MediaStreamAudioDestinationNode(context, { channelCount: 1 });
    oscillator.connect(volume).connect(destination);
    oscillator.start();
    const [tone] = destination.stream.getAudioTracks();
    tone!.getSettings = () => stream.getAudioTracks()[0]!.getSettings();
    return new MediaStream([tone!]);
  };
}

/** The camera gives pictures of that width, 16:9, whatever size the page would like: they cost less. */
export function narrowCamera(width: number): void {
  const { mediaDevices } = navigator;
  const original = mediaDevices.getUserMedia.bind(mediaDevices);
  mediaDevices.getUserMedia = (constraints) => {
    if (typeof constraints?.video !== 'object') return original(constraints);
    const size = { width: { exact: width }, height: { exact: (width * 9) / 16 } };
    return original({ ...constraints, video: { ...constraints.video, ...size } });
  };
}

/** Resolves once that many pictures more have been shown in the tile of that name, by the element that is there then. */
export async function waitForPictures({ name, pictures }: { name: string; pictures: number }): Promise<void> {
  let current: HTMLVideoElement | null = null;
  let before = 0;
  await new Promise<void>((resolve) => {
    const timer = setInterval(() => {
      const tiles = [...document.querySelectorAll('.tile')];
      const tile = tiles.find((one) => one.querySelector('footer .name')?.textContent?.includes(name));
      const video = tile?.querySelector('video') ?? null;
      const shown = video?.getVideoPlaybackQuality().totalVideoFrames ?? 0;
      if (video !== current) {
        current = video;
        before = shown;
      }
      if (shown - before < pictures) return;
      clearInterval(timer);
      resolve();
    }, 50);
  });
}

export async function waitForTones(wanted: number[]): Promise<void> {
  const missing = new Set(wanted);
  const context = new AudioContext();
  const bins = new Float32Array(4096);
  const listeners = new Map<MediaStream, AnalyserNode>();
  await new Promise<void>((resolve) => {
    const timer = setInterval(() => {
      for (const audio of document.querySelectorAll('audio')) {
        const stream = audio.srcObject as MediaStream | null;
        if (!stream || listeners.has(stream)) continue;
        const analyser = new AnalyserNode(context, { fftSize: 8192, smoothingTimeConstant: 0 });
        context.createMediaStreamSource(stream).connect(analyser);
        listeners.set(stream, analyser);
      }
      for (const analyser of listeners.values()) {
        analyser.getFloatFrequencyData(bins);
        for (const hz of missing) {
          const bin = Math.round((hz * 8192) / context.sampleRate);
          if (Math.max(...bins.slice(bin - 2, bin + 3)) > -45) missing.delete(hz);
        }
      }
      if (missing.size > 0) return;
      clearInterval(timer);
      resolve();
    }, 100);
  });
  await context.close();
}

/** Resolves once the tone has been away for a whole second. */
export async function waitForSilence(hz: number): Promise<void> {
  const context = new AudioContext();
  const bins = new Float32Array(4096);
  const analyser = new AnalyserNode(context, { fftSize: 8192, smoothingTimeConstant: 0 });
  for (const audio of document.querySelectorAll('audio')) {
    if (audio.srcObject) context.createMediaStreamSource(audio.srcObject as MediaStream).connect(analyser);
  }
  await new Promise<void>((resolve) => {
    let heardAt = context.currentTime;
    const timer = setInterval(() => {
      analyser.getFloatFrequencyData(bins);
      const bin = Math.round((hz * 8192) / context.sampleRate);
      if (Math.max(...bins.slice(bin - 2, bin + 3)) > -60) heardAt = context.currentTime;
      if (context.currentTime - heardAt < 1) return;
      clearInterval(timer);
      resolve();
    }, 50);
  });
  await context.close();
}

export async function listenFor({ tones, seconds }: { tones: number[]; seconds: number }): Promise<number[]> {
  const heard = new Set<number>();
  const context = new AudioContext();
  const bins = new Float32Array(4096);
  const analyser = new AnalyserNode(context, { fftSize: 8192, smoothingTimeConstant: 0 });
  for (const audio of document.querySelectorAll('audio')) {
    context.createMediaStreamSource(audio.srcObject as MediaStream).connect(analyser);
  }
  await new Promise<void>((resolve) => {
    const endAt = context.currentTime + seconds;
    const timer = setInterval(() => {
      analyser.getFloatFrequencyData(bins);
      for (const hz of tones) {
        const bin = Math.round((hz * 8192) / context.sampleRate);
        if (Math.max(...bins.slice(bin - 2, bin + 3)) > -60) heard.add(hz);
      }
      if (context.currentTime < endAt) return;
      clearInterval(timer);
      resolve();
    }, 50);
  });
  await context.close();
  return [...heard];
}

/** One property of the selected pair's local candidate, of every connection that has one. */
export async function selectedCandidates(property: 'protocol' | 'candidateType'): Promise<string[]> {
  const values: string[] = [];
  const all = (window as unknown as { peerConnections: RTCPeerConnection[] }).peerConnections;
  for (const connection of all.filter(({ connectionState }) => connectionState === 'connected')) {
    const stats = [...(await connection.getStats()).values()] as Record<string, unknown>[];
    const pair = stats.find(
      ({ type, nominated, state }) => type === 'candidate-pair' && nominated && state === 'succeeded',
    );
    values.push(String(stats.find(({ id }) => id === pair?.localCandidateId)?.[property]));
  }
  return values;
}

/** RTP packets that this page has received so far. */
export async function packetsReceived(): Promise<number> {
  let packets = 0;
  const all = (window as unknown as { peerConnections: RTCPeerConnection[] }).peerConnections;
  for (const connection of all.filter(({ connectionState }) => connectionState === 'connected')) {
    for (const entry of (await connection.getStats()).values() as Iterable<Record<string, unknown>>) {
      if (entry.type === 'inbound-rtp') packets += Number(entry.packetsReceived);
    }
  }
  return packets;
}

export interface PictureCounts {
  framesReceived: number;
  framesDecoded: number;
  packetsLost: number;
}

/** Of all pictures that come to this page now. */
export async function countPictures(): Promise<PictureCounts> {
  const counts = { framesReceived: 0, framesDecoded: 0, packetsLost: 0 };
  const all = (window as unknown as { peerConnections: RTCPeerConnection[] }).peerConnections;
  for (const connection of all.filter(({ connectionState }) => connectionState === 'connected')) {
    for (const entry of (await connection.getStats()).values() as Iterable<Record<string, unknown>>) {
      if (entry.type !== 'inbound-rtp' || entry.kind !== 'video') continue;
      for (const name of Object.keys(counts) as (keyof PictureCounts)[])
        counts[name] += Number(entry[name] ?? 0);
    }
  }
  return counts;
}
