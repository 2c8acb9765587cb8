/** A moving test picture (testsrc2: colours, a running clock and a frame counter), closed GOPs. */
export interface EncodedVideo {
  /** Width x height in pixels; '640x360' if not said. */
  readonly size?: '640x360' | '1280x720' | '1920x1080' | (string & {});
  /** Frames a second; 30 if not said. */
  readonly rate?: number;
  /** B-frames between two others, always exactly so many; 0 if not said. OBS: 2 or 3. */
  readonly bFrames?: number;
  /** Frames from one key frame to the next, always exactly; two seconds' worth if not said. OBS: 250. */
  readonly gop?: number;
  /** H.264 profile; 'baseline' if not said, or 'main' with B-frames. high422 and high10 change the pixels too. */
  readonly profile?: 'baseline' | 'main' | 'high' | 'high422' | 'high10';
  /** 'flv1' (Sorenson) is for what a server does not take; 'libx265' is only for `makeHevcClip`. */
  readonly codec?: 'libx264' | 'libx265' | 'flv1';
  /** Preset of x264 or x265; 'ultrafast' if not said. */
  readonly preset?: string;
  /** Mean and peak (one second's buffer); 800 if not said. */
  readonly bitrateKbps?: number;
  /** The whole picture in this hue, so that it is told from others; as testsrc2 has it if not said. */
  readonly tint?: keyof typeof TINTS;
}

/** A sine, the same in every channel (but silence in the LFE channel of 5.1). */
export interface EncodedAudio {
  readonly toneHz: number;
  /** 48000 for AAC and 44100 for MP3 if not said. FLV has no MP3 at 48000. */
  readonly rate?: 44100 | 48000;
  /** 2 if not said. */
  readonly channels?: 1 | 2 | 6;
  readonly codec?: 'aac' | 'libmp3lame';
  /** 128 if not said. */
  readonly bitrateKbps?: number;
  /** Peak in dBFS; -6 (half of full scale) if not said. */
  readonly levelDb?: number;
}

export interface Encoding {
  /** Small and without B-frames if not said. */
  readonly video?: 'none' | EncodedVideo;
  /** 440 Hz, AAC, 48 kHz, stereo if not said. */
  readonly audio?: 'none' | EncodedAudio;
  /** It ends by itself after so long; never if not said. */
  readonly seconds?: number;
}

/** Colour differences, 8 bits, of all pixels. */
const TINTS = { red: { u: 90, v: 200 }, blue: { u: 200, v: 100 } } as const;
const PIXELS = { high422: 'yuv422p', high10: 'yuv420p10le' } as const;
const SPREAD: Readonly<Record<number, string>> = {
  1: 'mono|c0=c0',
  2: 'stereo|c0=c0|c1=c0',
  6: '5.1|c0=c0|c1=c0|c2=c0|c3=0*c0|c4=c0|c5=c0',
};

/** ffmpeg's arguments for the inputs and the encoders, without the output. `paced`: on real time. */
export function encodingArguments(encoding: Encoding, paced: boolean): string[] {
  const { video = {}, audio = { toneHz: 440 }, seconds } = encoding;
  const pace = paced ? ['-re'] : [];
  const inputs: string[] = [];
  const encoders: string[] = [];
  if (video !== 'none') {
    const { size = '640x360', rate = 30, tint } = video;
    const tinted = tint ? `,lutyuv=u=${TINTS[tint].u}:v=${TINTS[tint].v}` : '';
    inputs.push(...pace, '-f', 'lavfi', '-i', `testsrc2=size=${size}:rate=${rate}${tinted}`);
    encoders.push(...videoEncoder(video, rate));
  }
  if (audio !== 'none') {
    const { codec = 'aac', channels = 2, bitrateKbps = 128, levelDb } = audio;
    // The source's own peak is 1/8.
    const volume = levelDb === undefined ? 4 : 8 * 10 ** (levelDb / 20);
    const rate = audio.rate ?? (codec === 'libmp3lame' ? 44100 : 48000);
    const sine = `sine=frequency=${audio.toneHz}:sample_rate=${rate},volume=${volume},pan=${SPREAD[channels]}`;
    inputs.push(...pace, '-f', 'lavfi', '-i', sine);
    encoders.push('-c:a', codec, '-b:a', `${bitrateKbps}k`);
  }
  const end = seconds === undefined ? [] : ['-t', String(seconds)];
  return ['-hide_banner', '-nostdin', '-loglevel', 'error', ...inputs, ...encoders, ...end];
}

function videoEncoder(video: EncodedVideo, rate: number): string[] {
  const { bFrames = 0, gop = rate * 2, preset = 'ultrafast', codec = 'libx264', bitrateKbps = 800 } = video;
  const limits = ['-b:v', `${bitrateKbps}k`, '-maxrate', `${bitrateKbps}k`, '-bufsize', `${bitrateKbps}k`];
  const frames = ['-g', String(gop), '-keyint_min', String(gop), '-sc_threshold', '0'];
  const pixels = (pixelFormat: string) => ['-pix_fmt', pixelFormat, '-threads', '1'];
  if (codec === 'flv1') return ['-c:v', codec, ...limits, ...frames, ...pixels('yuv420p')];
  if (codec === 'libx265') {
    const x265 = `log-level=error:bframes=${bFrames}:b-adapt=0:keyint=${gop}:min-keyint=${gop}:scenecut=0:open-gop=0`;
    return ['-c:v', codec, '-preset', preset, ...limits, '-x265-params', x265, ...pixels('yuv420p')];
  }
  const profile = video.profile ?? (bFrames > 0 ? 'main' : 'baseline');
  // x264 writes the lowest profile that its tools need, and the fast presets switch the tools off.
  const tools = { baseline: [], main: ['cabac=1'] }[profile as string] ?? ['cabac=1', '8x8dct=1'];
  const x264 = [...tools, `bframes=${bFrames}`, 'b-adapt=0', 'b-pyramid=normal', 'open-gop=0'].join(':');
  return [
    ...['-c:v', codec, '-preset', preset, '-profile:v', profile, ...limits, ...frames],
    ...['-bf', String(bFrames), '-x264-params', x264],
    ...pixels(PIXELS[profile as keyof typeof PIXELS] ?? 'yuv420p'),
  ];
}
