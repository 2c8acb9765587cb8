import { signal } from '@preact/signals';
import { explainDeviceError, INSECURE_PAGE } from './words.ts';

type DeviceKind = 'microphone' | 'camera';

/** One microphone or camera: off, on, or why it does not work. */
class LocalDevice {
  readonly kind: DeviceKind;
  readonly track = signal<MediaStreamTrack | undefined>(undefined);
  readonly problem = signal<string | undefined>(undefined);
  readonly deviceId: ReturnType<typeof signal<string>>;
  #constraints: () => MediaTrackConstraints;

  constructor(kind: DeviceKind, constraints: () => MediaTrackConstraints) {
    this.kind = kind;
    this.#constraints = constraints;
    this.deviceId = signal(localStorage.getItem(`patchroom.${kind}`) ?? '');
  }

  /** Turns it on, anew if it is on. What fails is told in `problem`. */
  async start(): Promise<void> {
    if (!navigator.mediaDevices) {
      this.problem.value = INSECURE_PAGE;
      return;
    }
    const id = this.deviceId.value;
    const constraints = { ...this.#constraints(), ...(id ? { deviceId: { ideal: id } } : {}) };
    try {
      const stream = await navigator.mediaDevices.getUserMedia(
        this.kind === 'microphone' ? { audio: constraints } : { video: constraints },
      );
      this.#replace(stream.getTracks()[0]);
      this.problem.value = undefined;
      await listDevices(); // their names are known only now
    } catch (error) {
      this.#replace(undefined);
      this.problem.value = explainDeviceError(error, this.kind);
    }
  }

  stop(): void {
    this.#replace(undefined);
  }

  async choose(deviceId: string): Promise<void> {
    this.deviceId.value = deviceId;
    localStorage.setItem(`patchroom.${this.kind}`, deviceId);
    if (this.track.value) await this.start();
  }

  #replace(track: MediaStreamTrack | undefined): void {
    const before = this.track.value;
    if (track) {
      track.onended = () => {
        if (this.track.value !== track) return;
        this.track.value = undefined;
        this.problem.value = `The ${this.kind} was unplugged or turned off.`;
      };
    }
    this.track.value = track;
    before?.stop();
  }
}

/** Music and tests want what the microphone hears; echo cancellation and the like are for speech. */
export const originalSound = signal(localStorage.getItem('patchroom.original-sound') === 'yes');

export function setOriginalSound(on: boolean): void {
  originalSound.value = on;
  localStorage.setItem('patchroom.original-sound', on ? 'yes' : 'no');
  if (microphone.track.value) void microphone.start();
}

export const microphone = new LocalDevice('microphone', () => ({
  echoCancellation: !originalSound.value,
  noiseSuppression: !originalSound.value,
  autoGainControl: !originalSound.value,
}));

export const camera = new LocalDevice('camera', () => ({
  width: { ideal: 1280 },
  height: { ideal: 720 },
  frameRate: { ideal: 30 },
}));

/** Microphones and cameras to choose from; without names until one was allowed. */
export const devices = signal<readonly MediaDeviceInfo[]>([]);

export async function listDevices(): Promise<void> {
  devices.value = (await navigator.mediaDevices?.enumerateDevices()) ?? [];
}
navigator.mediaDevices?.addEventListener('devicechange', () => void listDevices());

/**
 * Watches how loud a track is.
 * @param onLevel - called about 20 times a second with 0 (silence) to 1
 * @returns ends it
 */
export function watchLevel(track: MediaStreamTrack, onLevel: (level: number) => void): () => void {
  const context = new AudioContext();
  const analyser = new AnalyserNode(context, { fftSize: 512 });
  context.createMediaStreamSource(new MediaStream([track])).connect(analyser);
  const samples = new Float32Array(analyser.fftSize);
  const timer = setInterval(() => {
    analyser.getFloatTimeDomainData(samples);
    const power = samples.reduce((sum, sample) => sum + sample * sample, 0) / samples.length;
    // -60 dBFS to -6 dBFS fill the meter.
    onLevel(Math.min(1, Math.max(0, (10 * Math.log10(power + 1e-9) + 60) / 54)));
  }, 50);
  return () => {
    clearInterval(timer);
    void context.close();
  };
}
