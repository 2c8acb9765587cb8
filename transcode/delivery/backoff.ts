const FIRST_MS = 500;
const LONGEST_MS = 30_000;
/** A connection that carried the program for so long halves what its predecessors' failures made of the wait. */
const HALF_LIFE_MS = 5_000;
/** A connection that lived shorter carried nothing worth speaking of. */
const CARRIED_MS = 1_000;

/**
 * How long to wait before the next attempt: 0.5 s, doubled with each failure up to 30 s, of which half is left to chance, so
 * that those who lost a server at the same time do not come back at the same time. What a connection carried counts for
 * it: a server that cuts every connection after some seconds is not off the air longer than on it.
 */
export class Backoff {
  #random: () => number;
  #ceilingMs = FIRST_MS;

  /** @param random - like Math.random */
  constructor(random: () => number) {
    this.#random = random;
  }

  /** After an attempt that is over. @param carriedMs - how long it was live @returns ms, whole */
  next(carriedMs = 0): number {
    const share = carriedMs < CARRIED_MS ? LONGEST_MS : carriedMs / 2;
    const ceiling = Math.min(this.#ceilingMs * 2 ** (-carriedMs / HALF_LIFE_MS), share);
    const half = Math.max(FIRST_MS, ceiling) / 2;
    this.#ceilingMs = Math.min(4 * half, LONGEST_MS);
    return Math.round(half + half * this.#random());
  }
}
