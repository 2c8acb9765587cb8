import type { ClipOptions } from '../peers/flv-clip.ts';

/** What a good line carries: 720p30 at 2.5 Mbit/s, AAC at 128 kbit/s. */
const VIDEO = { size: '1280x720', rate: 30, bitrateKbps: 2500, preset: 'superfast' } as const;

/** Passes through. @param gopSeconds - from key frame to key frame */
export function plainClip(gopSeconds: number): ClipOptions {
  return { video: { ...VIDEO, profile: 'main', gop: VIDEO.rate * gopSeconds }, seconds: 10 };
}

/** From key frame to key frame, in OBS as it is installed. */
export const OBS_GOP_MS = (250 * 1000) / VIDEO.rate;

/** Has to be re-encoded: B-frames, and three times 8.3 s to the next key frame. */
export const OBS_CLIP: ClipOptions = {
  video: { ...VIDEO, profile: 'high', bFrames: 2, gop: 250 },
  seconds: (3 * OBS_GOP_MS) / 1000,
};

/** After a key frame somebody comes; the next one is 4.3 s away. */
export const LATE_MS = 4_000;
