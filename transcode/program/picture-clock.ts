/** Less than this is not put right: nobody sees it. */
const TOLERANCE_MS = 25;
/** What one picture may move by without being seen. */
const STEP_MS = 1;
/** Farther than this, the source's time went on from somewhere else. */
const JUMP_MS = 500;

/**
 * Gives a source's pictures their times in the program, so that each is shown with the sound of its moment. What is
 * wanted wavers with how things arrive: distances between pictures stay those of the source, but for a millisecond now
 * and then. Times never go back, whatever the source's do.
 */
export class PictureClock {
  /** From source time to program time. */
  #shiftMs: number | undefined;
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
   * @param wantedMs - when it is to be shown, program time
   * @returns whole ms of program time; it is shown compositionMs later than decoded
   */
  place(decodeMs: number, showMs: number, wantedMs: number): { decodeMs: number; compositionMs: number } {
    const wantedShift = wantedMs - showMs;
    const earliest = this.#lastMs + 1 - decodeMs;
    const off = this.#shiftMs === undefined ? 0 : wantedShift - this.#shiftMs;
    if (this.#shiftMs === undefined || Math.abs(off) > JUMP_MS)
      this.#shiftMs = Math.max(wantedShift, earliest);
    else if (Math.abs(off) > TOLERANCE_MS) this.#shiftMs += Math.sign(off) * STEP_MS;
    const decode = Math.max(this.#lastMs + 1, Math.round(decodeMs + this.#shiftMs));
    this.#lastMs = decode;
    return { decodeMs: decode, compositionMs: Math.max(0, Math.round(showMs + this.#shiftMs) - decode) };
  }
}
