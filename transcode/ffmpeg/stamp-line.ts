/** A stamp that is earlier than the one before, or so much later, begins a new piece. */
const MAX_STEP_MS = 200;
/** Leaves room for what comes from before the first stamp. */
const START_MS = 1000;
/** Beyond, a tag of FLV has no time. */
const END_MS = 2 ** 32 - 1;
/** Stamps that are a little too early, as those of two threads that were interleaved, count as equal to the one before. */
const TOLERANCE_MS = 20;

/**
 * Puts stamps that may jump, back as well as forth, onto a line that only goes forward and in small steps, because
 * FFmpeg alters stamps that don't; and says of a place on the line what its stamp was.
 */
export class StampLine {
  readonly startMs = START_MS;
  /** Where pieces of the line begin, and what to add there to get the stamp; the oldest first. */
  #pieces: { fromMs: number; shiftMs: number }[] = [];
  #lastMs = START_MS;

  /** @returns the place of a stamp, a whole number; undefined when the line has come to its end, after 49 days */
  place(stampMs: number): number | undefined {
    const piece = this.#pieces.at(-1);
    const stepMs = piece ? Math.round(stampMs - piece.shiftMs) - this.#lastMs : Number.NaN;
    if (stepMs >= -TOLERANCE_MS && stepMs <= MAX_STEP_MS) {
      this.#lastMs += Math.max(0, stepMs);
    } else {
      if (piece) this.#lastMs += MAX_STEP_MS;
      this.#pieces.push({ fromMs: this.#lastMs, shiftMs: stampMs - this.#lastMs });
    }
    return this.#lastMs > END_MS ? undefined : this.#lastMs;
  }

  /**
   * The opposite, for places in rising order; what lies before is forgotten.
   *
   * @param placeMs - may be off by less than half of a step between pieces
   */
  source(placeMs: number): number {
    while (this.#pieces[1] && placeMs > this.#pieces[1].fromMs - MAX_STEP_MS / 2) this.#pieces.shift();
    return placeMs + (this.#pieces[0]?.shiftMs ?? 0);
  }
}
