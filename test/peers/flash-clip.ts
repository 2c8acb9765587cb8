import { encodingArguments } from './ffmpeg-encoding.ts';
import { type ClipOptions, type FlvTag, readFlv, runFfmpeg } from './flv-clip.ts';

/** From the beginning of one to that of the next. */
export const FLASH_PERIOD_MS = 1000;
/** So long the picture is white, and the tone is heard; a whole number of pictures at 30 and at 20 a second. */
export const FLASH_MS = 100;

const PERIOD_S = FLASH_PERIOD_MS / 1000;
const DARK = `gte(mod(t,${PERIOD_S}),${FLASH_MS / 1000})`;
/** What an envelope follows to within a millisecond. */
const STEP_SAMPLES = 48;

/**
 * A clip whose picture turns white at the moment at which its tone, otherwise quiet, begins: each second.
 * @param quiet - how loud the tone is between bursts, of 1; 0: silent
 */
export async function makeFlashClip(options: ClipOptions, quiet = 0): Promise<FlvTag[]> {
  const white = `drawbox=color=white:thickness=fill:enable='not(${DARK})'`;
  const burst = `asetnsamples=n=${STEP_SAMPLES},volume=volume=${quiet}:enable='${DARK}'`;
  const args = [...encodingArguments(options, false), '-vf', white, '-af', burst];
  return readFlv(await runFfmpeg([...args, '-f', 'flv', '-']));
}
