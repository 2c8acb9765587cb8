const FIRST_MS = 500;
const LONGEST_MS = 30_000;

/**
 * How long to wait before the next attempt: 0.5 s, doubled each time up to 30 s, of which half is left to chance, so
 * that those who lost a server at the same time do not come back at the same time.
 */
export class Backoff {
  #random: () => number;
  #ceilingMs = FIRST_MS;

  /** @param random - like Math.random */
  constructor(random: () => number) {
    this.#random = random;
  }

  /** After a failed attempt. @returns ms, whole */
  next(): number {
    const half = this.#ceilingMs / 2;
    this.#ceilingMs = Math.min(2 * this.#ceilingMs, LONGEST_MS);
    return Math.round(half + half * this.#random());
  }

  /** It went well: the next failure is the first again. */
  reset(): void {
    this.#ceilingMs = FIRST_MS;
  }
}
