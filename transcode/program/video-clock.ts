/** What is wanted wavers with how things arrive: so much of each frame's wish counts. */
const WEIGHT = 1 / 16;
/** Less than this is not put right: nobody sees it. What is more is put right wholly. */
const TOLERANCE_MS = 25;
/** What one frame may move by: servers that work at a constant frame rate drop and repeat frames that move by more. */
const STEP_MS = 0.5;
const LARGE_STEP_MS = 1;
/** Off by more than this, it takes the large ones. */
const FAR_MS = 60;
/** Farther than this, the source's time went on from somewhere else. */
const JUMP_MS = 500;
/** No two frames have the same time in containers that count whole ms. */
const LEAST_STEP_MS = 1;
/** Sound that is later than that is in trouble, and pictures do not follow it there. */
const MAX_DELAY_MS = 400;

/**
 * Gives a source's pictures their times in the program, so that each is shown with the sound of its moment. What is
 * wanted wavers with how things arrive: distances between pictures stay those of the source, but for some milliseconds now
 * and then. Times never go back, whatever the source's do.
 */
export class VideoClock {
  /** From source time to program time; undefined before the first picture. */
  #shiftMs: number | undefined;
  /** From source time to when the latest picture was due. */
  #dueShiftMs = 0;
  #isMoving = false;
  /** The shift that is wanted, smoothed. */
  #wantedMs = 0;
  /** Decoding time of the latest picture, program time. */
  #lastMs: number;
  /** When the last of them is shown. */
  #lastShownMs: number;

  /** @param afterMs - of the last picture of another source: what comes now has to be later, and catches up */
  constructor(afterMs: number) {
    this.#lastMs = afterMs;
    this.#lastShownMs = afterMs;
  }

  /** Of the latest picture, program time. */
  get lastMs(): number {
    return this.#lastMs;
  }

  /** When the last picture is shown, program time: with B-frames that is not the latest. */
  get lastShownMs(): number {
    return this.#lastShownMs;
  }

  /**
   * Whether a picture would be shown after all that were.
   *
   * @param showMs - source time
   * @param dueMs - when it is due, program time
   */
  isLater(showMs: number, dueMs: number): boolean {
    if (this.#shiftMs === undefined) return true;
    const shift = this.#shiftMs + this.#jump(dueMs - showMs);
    return Math.round(showMs + shift) > Math.round(this.#lastShownMs);
  }

  /**
   * @param decodeMs - source time, as is the next
   * @param dueMs - when the moment at which it is to be shown is due, program time
   * @param delayMs - by how much the audio of that moment is late
   * @returns program time
   */
  place(decodeMs: number, showMs: number, dueMs: number, delayMs = 0): { dtsUs: number; ptsUs: number } {
    const dueShift = dueMs - showMs;
    const delay = Math.min(delayMs, MAX_DELAY_MS);
    if (this.#shiftMs === undefined) {
      this.#wantedMs = dueShift + delay;
      this.#shiftMs = Math.max(this.#wantedMs, this.#lastMs + LEAST_STEP_MS - decodeMs);
    } else {
      const jump = this.#jump(dueShift);
      this.#shiftMs += jump;
      this.#wantedMs += jump;
    }
    this.#dueShiftMs = dueShift;
    this.#wantedMs += (dueShift + delay - this.#wantedMs) * WEIGHT;
    this.#shiftMs += this.#step(this.#wantedMs - this.#shiftMs);
    const decode = Math.max(this.#lastMs + LEAST_STEP_MS, decodeMs + this.#shiftMs);
    const shown = Math.max(decode, showMs + this.#shiftMs);
    this.#lastMs = decode;
    this.#lastShownMs = Math.max(this.#lastShownMs, shown);
    return { dtsUs: Math.round(decode * 1000), ptsUs: Math.round(shown * 1000) };
  }

  /** @returns by how much the source's time went on from somewhere else, ms; 0 where it did not */
  #jump(dueShiftMs: number): number {
    const jump = dueShiftMs - this.#dueShiftMs;
    return Math.abs(jump) > JUMP_MS ? jump : 0;
  }

  #step(offMs: number): number {
    const off = Math.abs(offMs);
    if (off > TOLERANCE_MS) this.#isMoving = true;
    else if (off <= STEP_MS) this.#isMoving = false;
    if (!this.#isMoving) return 0;
    return Math.sign(offMs) * (off > FAR_MS ? LARGE_STEP_MS : STEP_MS);
  }
}
