import { A_LAW_TO_LINEAR, MU_LAW_TO_LINEAR } from '../../src/media/g711.ts';

/** Louder than this above the noise counts as speech. */
const MARGIN_DB = 9;
/** Speech at any noise: a phone's speech is at about -20 dBFS. */
const SURELY_SPEECH_DB = -30;
/** Too quiet for speech on the quietest line. */
const NEVER_SPEECH_DB = -60;
/** Goes on counting as speech after the last loud frame (300 ms), so that the ends of words are not cut. */
const HANGOVER_FRAMES = 15;
/** The noise floor falls fast, with each pause between words, and rises slowly (2.5 dB/s), so that speech does not become it. */
const FLOOR_FALL = 0.25;
const FLOOR_RISE_DB = 0.05;
const FLOOR_AT_START_DB = -55;
const LOWEST_FLOOR_DB = NEVER_SPEECH_DB - MARGIN_DB;
const HIGHEST_FLOOR_DB = SURELY_SPEECH_DB - MARGIN_DB;

/** Tells speech from silence by level, frame by frame (20 ms each). */
export class VoiceActivity {
  #floorDb = FLOOR_AT_START_DB;
  #hangover = 0;

  /** @param levelDb - of the frame, dBFS. @returns whether it is speech, or just after it */
  next(levelDb: number): boolean {
    const loud =
      levelDb > SURELY_SPEECH_DB || (levelDb > NEVER_SPEECH_DB && levelDb > this.#floorDb + MARGIN_DB);
    this.#follow(levelDb);
    if (!loud && this.#hangover === 0) return false;
    this.#hangover = loud ? HANGOVER_FRAMES : this.#hangover - 1;
    return true;
  }

  #follow(levelDb: number): void {
    const above = levelDb - this.#floorDb;
    const floorDb = this.#floorDb + (above < 0 ? above * FLOOR_FALL : Math.min(above, FLOOR_RISE_DB));
    this.#floorDb = Math.min(Math.max(floorDb, LOWEST_FLOOR_DB), HIGHEST_FLOOR_DB);
  }
}

/** Of digital silence: the lowest level of RFC 6464, section 3. */
const SILENCE_DB = -127;
/** Mean square of a full-scale square wave. */
const FULL_SCALE = 32768 * 32768;

const MU_LAW_SQUARES = Float64Array.from(MU_LAW_TO_LINEAR, (sample) => sample * sample);
const A_LAW_SQUARES = Float64Array.from(A_LAW_TO_LINEAR, (sample) => sample * sample);

/**
 * Level of 16-bit samples.
 * @returns dBFS, 0 to -127: 0 is a square wave of full scale, a sine of full scale is -3
 */
export function levelOf(samples: Int16Array): number {
  let energy = 0;
  for (let index = 0; index < samples.length; index++) energy += samples[index]! * samples[index]!;
  return level(energy, samples.length);
}

/** Level of a μ-law payload, without decoding it to samples. @returns dBFS, 0 to -127 */
export function levelOfMuLaw(payload: Uint8Array): number {
  return levelOfCodes(payload, MU_LAW_SQUARES);
}

/** Level of an A-law payload, without decoding it to samples. @returns dBFS; silence is at -72, A-law's smallest step */
export function levelOfALaw(payload: Uint8Array): number {
  return levelOfCodes(payload, A_LAW_SQUARES);
}

function levelOfCodes(payload: Uint8Array, squares: Float64Array): number {
  let energy = 0;
  for (let index = 0; index < payload.length; index++) energy += squares[payload[index]!]!;
  return level(energy, payload.length);
}

function level(energy: number, count: number): number {
  return energy === 0 ? SILENCE_DB : Math.max(SILENCE_DB, 10 * Math.log10(energy / count / FULL_SCALE));
}
