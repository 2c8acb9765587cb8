import { flvHeader, flvTag } from '../../src/media/containers/flv/flv-tags.ts';
import { encodingArguments } from '../peers/ffmpeg-encoding.ts';
import { type ClipOptions, type FlvTag, readFlv, runFfmpeg } from '../peers/flv-clip.ts';
import type { RelayFrame } from './relay-frame.ts';

/** From the beginning of one mark to that of the next: more than pictures ever take to the CDN. */
export const MARK_PERIOD_MS = 5_000;
/** So long the picture is white. */
const MARK_MS = 100;
/** Of 255: a picture is white when all of it is; without a mark much of it is far below. */
const WHITE = 200;
/** Pictures are looked at in this size. */
const SAMPLES = 16 * 16;

/** A clip with marks; its length is a multiple of their period. */
export async function makeMarkedClip(options: ClipOptions): Promise<FlvTag[]> {
  const isWhite = `lt(mod(t,${MARK_PERIOD_MS / 1000}),${MARK_MS / 1000})`;
  const white = `drawbox=color=white:thickness=fill:enable='${isWhite}'`;
  return readFlv(await runFfmpeg([...encodingArguments(options, false), '-vf', white, '-f', 'flv', '-']));
}

/**
 * @param frames - pictures with their bodies, from a key frame on, each shown in the order in which it is decoded
 * @returns those with which a mark begins
 */
export async function markedFrames(config: Buffer, frames: readonly RelayFrame[]): Promise<RelayFrame[]> {
  const file = Buffer.concat([
    flvHeader(false, true),
    flvTag('video', frames[0]!.timestampMs, config),
    ...frames.map(({ timestampMs, body }) => flvTag('video', timestampMs, body!)),
  ]);
  const input = ['-v', 'error', '-f', 'flv', '-i', 'pipe:0'];
  const small = ['-vf', 'scale=16:16:flags=area', '-pix_fmt', 'gray', '-fps_mode', 'passthrough'];
  const samples = await runFfmpeg([...input, ...small, '-f', 'rawvideo', '-'], file);
  if (samples.length !== frames.length * SAMPLES) {
    throw new Error(`Of ${frames.length} pictures ${samples.length / SAMPLES} were decoded.`);
  }
  const isMarked = (at: number) =>
    samples.subarray(at * SAMPLES, (at + 1) * SAMPLES).every((sample) => sample >= WHITE);
  return frames.filter((_, at) => at > 0 && isMarked(at) && !isMarked(at - 1));
}
