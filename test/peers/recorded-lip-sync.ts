import { FLASH_PERIOD_MS } from './flash-clip.ts';
import { runFfmpeg } from './flv-clip.ts';

/** Sides of the picture whose mean is its brightness. */
const SIDE = 2;
/** Between the test picture's and white. */
const WHITE = 200;
const RATE = 48_000;
/** Half of the tone's amplitude, as loud as it is in a mix. */
const LOUD = 0.2 * 32_768;
const SILENCE_MS = 300;

/**
 * Of a recording of a flash clip (see flash-clip.ts), by its timestamps.
 * @returns how much later than the bursts their flashes are, ms; in the order of the flashes, those without a burst left out
 */
export async function recordedOffsetsMs(file: string): Promise<number[]> {
  const [flashes, bursts] = await Promise.all([flashesMs(file), burstsMs(file)]);
  return flashes.flatMap((flash) => {
    const burst = bursts.find((at) => Math.abs(at - flash) < FLASH_PERIOD_MS / 2);
    return burst === undefined ? [] : [flash - burst];
  });
}

async function flashesMs(file: string): Promise<number[]> {
  const times = await runFfmpeg([
    ...['-v', 'info', '-copyts', '-i', file, '-an', '-fps_mode', 'passthrough'],
    ...['-vf', `scale=${SIDE}:${SIDE},format=gray`],
    ...['-enc_time_base', '1:1000', '-f', 'framehash', '-hash', 'adler32', '-'],
  ]);
  const pictures = await runFfmpeg([
    ...['-v', 'error', '-copyts', '-i', file, '-an', '-fps_mode', 'passthrough'],
    ...['-vf', `scale=${SIDE}:${SIDE},format=gray`, '-f', 'rawvideo', '-'],
  ]);
  // stream, dts, pts, duration, size, hash
  const lines = times.toString().split('\n');
  const pts = lines.flatMap((line) => (/^\d/.test(line) ? [Number(line.split(',')[2])] : []));
  const found: number[] = [];
  let wasWhite = true; // one that has begun before the recording says nothing
  for (const [index, at] of pts.entries()) {
    const pixels = pictures.subarray(index * SIDE * SIDE, (index + 1) * SIDE * SIDE);
    const isWhite = pixels.reduce((sum, value) => sum + value, 0) / pixels.length > WHITE;
    if (isWhite && !wasWhite) found.push(at);
    wasWhite = isWhite;
  }
  return found;
}

async function burstsMs(file: string): Promise<number[]> {
  const bytes = await runFfmpeg([
    ...['-v', 'error', '-copyts', '-i', file, '-vn', '-af', 'aresample=async=1:first_pts=0'],
    ...['-ac', '1', '-ar', String(RATE), '-f', 's16le', '-'],
  ]);
  const found: number[] = [];
  let silentSince = 0;
  for (let at = 0; at * 2 + 1 < bytes.length; at++) {
    if (Math.abs(bytes.readInt16LE(at * 2)) < LOUD) continue;
    if (((at - silentSince) * 1000) / RATE > SILENCE_MS) found.push((at * 1000) / RATE);
    silentSince = at;
  }
  return found;
}
