import { encodeMuLaw, MU_LAW_TO_LINEAR } from '../../src/media/g711.ts';

/** What the callers of a load say, and how the mark in it is found again in what they hear. PCMU, 8000 Hz. */

export const FRAME_MS = 20;
export const FRAME_SAMPLES = 160;
export const SAMPLES_PER_MS = 8;
export const SILENCE = Buffer.alloc(FRAME_SAMPLES, 0xff);

const RATE = 8000;
/** Eight samples a period. Nothing that is said has anything near it. */
export const MARK_HZ = 1000;
export const MARK_SAMPLES = 640;
export const MARK_AMPLITUDE = 8000;
/** Length of the filter that looks for the mark: 8 ms, 125 Hz wide. */
const WINDOW = 64;

const TALK_SYLLABLES = 12;
const TALK_AMPLITUDE = 600;

/**
 * Voiced syllables of 120 to 280 ms with pauses between them, which can be repeated.
 * @param voice - each number gives another voice
 * @returns payloads of 20 ms
 */
export function talk(voice: number): Buffer[] {
  const random = generator(voice + 1);
  const samples: number[] = [];
  for (let syllable = 0; syllable < TALK_SYLLABLES; syllable++) {
    const length = Math.round((120 + 160 * random()) * SAMPLES_PER_MS);
    const pitchHz = 100 + 25 * voice + 30 * random();
    const harmonics = Array.from({ length: 30 }, (_, index) => (index + 1) * pitchHz).filter(
      (hz) => hz < 3000 && Math.abs(hz - MARK_HZ) > 250,
    );
    const phases = harmonics.map(() => 2 * Math.PI * random());
    for (let at = 0; at < length; at++) {
      let sum = 0;
      for (const [index, hz] of harmonics.entries())
        sum += Math.sin(phases[index]! + (2 * Math.PI * hz * at) / RATE) / (1 + hz / 1000);
      samples.push(TALK_AMPLITUDE * Math.sin((Math.PI * at) / length) ** 2 * sum);
    }
    // The last one is long: a breath.
    const pauseMs = syllable === TALK_SYLLABLES - 1 ? 700 : 40 + 60 * random();
    for (let at = 0; at < pauseMs * SAMPLES_PER_MS; at++) samples.push(0);
  }
  while (samples.length % FRAME_SAMPLES > 0) samples.push(0);
  return frames(samples);
}

/** 80 ms of the mark after `offset` samples of silence, as payloads. @param offset - 0 to 159 */
export function mark(offset: number): Buffer[] {
  const length = Math.ceil((offset + MARK_SAMPLES) / FRAME_SAMPLES) * FRAME_SAMPLES;
  const samples = Array.from({ length }, (_, at) => (at < offset ? 0 : markSample(at - offset)));
  return frames(samples);
}

/** A sample of the mark, counted from its first. @param rate - of the samples, Hz */
export function markSample(at: number, rate = RATE): number {
  return at < (MARK_SAMPLES * rate) / RATE
    ? MARK_AMPLITUDE * Math.sin((2 * Math.PI * MARK_HZ * at) / rate)
    : 0;
}

/** Where marks begin in what was heard. @param codes - PCMU @returns positions in samples */
export function findMarks(codes: Uint8Array): number[] {
  return findMarksIn(Int16Array.from(codes, (code) => MU_LAW_TO_LINEAR[code]!));
}

/** The same in linear samples at 8000 Hz. A mark is within half a millisecond of where it is said to be. */
export function findMarksIn(samples: Int16Array): number[] {
  const found: number[] = [];
  let cosine = 0;
  let sine = 0;
  let armed = true;
  for (let at = 0; at < samples.length; at++) {
    // The window is a whole number of periods, so that what leaves it has the factors of what comes in.
    const change = samples[at]! - (samples[at - WINDOW] ?? 0);
    cosine += change * COSINE[at % COSINE.length]!;
    sine += change * SINE[at % SINE.length]!;
    const amplitude = (2 / WINDOW) * Math.hypot(cosine, sine);
    if (armed && amplitude > MARK_AMPLITUDE / 2) {
      // The mark fills half of the window.
      found.push(at - WINDOW / 2 + 1);
      armed = false;
    } else if (amplitude < MARK_AMPLITUDE / 5) armed = true;
  }
  return found;
}

const PERIOD = RATE / MARK_HZ;
const COSINE = Float64Array.from({ length: PERIOD }, (_, at) => Math.cos((2 * Math.PI * at) / PERIOD));
const SINE = Float64Array.from({ length: PERIOD }, (_, at) => Math.sin((2 * Math.PI * at) / PERIOD));

function frames(samples: readonly number[]): Buffer[] {
  const codes = Buffer.from(samples.map((sample) => encodeMuLaw(Math.round(sample))));
  return Array.from({ length: codes.length / FRAME_SAMPLES }, (_, frame) =>
    codes.subarray(frame * FRAME_SAMPLES, (frame + 1) * FRAME_SAMPLES),
  );
}

/** Numbers from 0 to 1 that are the same in every run. */
function generator(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}
