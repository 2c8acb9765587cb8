/** Less than this is not put right: nobody sees it. */
const TOLERANCE_MS = 25;
/** What one picture may move by without being seen; and what is better seen than heard apart from its sound. */
const STEP_MS = 1;
const LARGE_STEP_MS = 4;
/** Off by more than this, it takes the large ones. */
const FAR_MS = 100;
/** Farther than this, the source's time went on from somewhere else. */
const JUMP_MS = 500;
/** Sound that is later than that is in trouble, and pictures do not follow it there. */
const MAX_DELAY_MS = 400;
/** A source that takes over may begin behind what was shown before; it catches up by so much a picture. */
const CATCH_UP_MS = 4;

/**
 * Gives a source's pictures their times in the program, so that each is shown with the sound of its moment. What is
 * wanted wavers with how things arrive: distances between pictures stay those of the source, but for a millisecond now
 * and then. Times never go back, whatever the source's do.
 */
export class PictureClock {
  /** From source time to when it is due in the program; undefined before the first. */
  #shiftMs: number | undefined;
  /** By how much pictures are shown later than due, for their sound is. */
  #delayMs = 0;
  /** By how much they are behind that, since another source was shown until then. */
  #behindMs = 0;
  /** Decoding time of the latest picture, program time. */
  #lastMs: number;

  /** @param afterMs - of the last picture of another source: what comes now has to be later */
  constructor(afterMs: number) {
    this.#lastMs = afterMs;
  }

  /** Of the latest picture, program time. */
  get lastMs(): number {
    return this.#lastMs;
  }

  /**
   * @param decodeMs - source time, as is the next
   * @param dueMs - when the moment at which it is to be shown is due, program time
   * @param delayMs - by how much the sound of that moment is late
   * @returns whole ms of program time; it is shown compositionMs later than decoded
   */
  place(
    decodeMs: number,
    showMs: number,
    dueMs: number,
    delayMs = 0,
  ): { decodeMs: number; compositionMs: number } {
    const wantedShift = dueMs - showMs;
    const wantedDelay = Math.min(delayMs, MAX_DELAY_MS);
    if (this.#shiftMs === undefined) {
      this.#delayMs = wantedDelay;
      this.#behindMs = Math.max(0, this.#lastMs + 1 - decodeMs - wantedShift - wantedDelay);
      this.#shiftMs = wantedShift;
    }
    if (Math.abs(wantedShift - this.#shiftMs) > JUMP_MS) this.#shiftMs = wantedShift;
    this.#shiftMs += stepTo(wantedShift - this.#shiftMs);
    this.#delayMs += stepTo(wantedDelay - this.#delayMs);
    this.#behindMs = Math.max(0, this.#behindMs - CATCH_UP_MS);
    const shift = this.#shiftMs + this.#delayMs + this.#behindMs;
    const decode = Math.max(this.#lastMs + 1, Math.round(decodeMs + shift));
    this.#lastMs = decode;
    return { decodeMs: decode, compositionMs: Math.max(0, Math.round(showMs + shift) - decode) };
  }
}

function stepTo(offMs: number): number {
  if (Math.abs(offMs) <= TOLERANCE_MS) return 0;
  return Math.sign(offMs) * (Math.abs(offMs) > FAR_MS ? LARGE_STEP_MS : STEP_MS);
}
