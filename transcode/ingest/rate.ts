const WINDOW_MS = 2_000;

/** Bytes and messages a second, over the last 2 s that are over. */
export class Rate {
  bitrateBps = 0;
  perSecond = 0;
  #bytes = 0;
  #count = 0;
  /** The first message only begins it: what is counted came within the time. */
  #since: number | undefined;

  add(bytes: number, now: number): void {
    if (this.#since === undefined) {
      this.#since = now;
      return;
    }
    this.#bytes += bytes;
    this.#count++;
    const elapsed = now - this.#since;
    if (elapsed < WINDOW_MS) return;
    this.bitrateBps = Math.round((this.#bytes * 8000) / elapsed);
    this.perSecond = (this.#count * 1000) / elapsed;
    this.#bytes = 0;
    this.#count = 0;
    this.#since = now;
  }
}
