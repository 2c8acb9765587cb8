/** How long an arrival counts as one of the earliest lately. */
const WINDOW_MS = 5_000;

/**
 * Tells when a moment of a source's time is due here: when it would have come had nothing held it up. The earliest
 * arrivals of the last 5 to 10 s say so, which follows clocks that run differently.
 */
export class SourceClock {
  /** Smallest difference of local and source time in the present window and the one before, ms. */
  #offset = Number.POSITIVE_INFINITY;
  #before = Number.POSITIVE_INFINITY;
  #windowEndsAt = 0;

  /** @param sourceMs - of something that arrived now, mended */
  heard(sourceMs: number, now: number): void {
    if (now >= this.#windowEndsAt) {
      const isOld = now >= this.#windowEndsAt + WINDOW_MS; // nothing was heard for a while
      this.#before = isOld ? Number.POSITIVE_INFINITY : this.#offset;
      this.#offset = Number.POSITIVE_INFINITY;
      this.#windowEndsAt = now + WINDOW_MS;
    }
    this.#offset = Math.min(this.#offset, now - sourceMs);
  }

  /** @returns by how much something of that time is late now, ms; 0 before anything was heard */
  latenessOf(sourceMs: number, now: number): number {
    const offset = Math.min(this.#offset, this.#before);
    return Number.isFinite(offset) ? now - sourceMs - offset : 0;
  }
}
