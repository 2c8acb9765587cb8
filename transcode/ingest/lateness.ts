/** How much of a new value counts: a second or so of frames makes the mean. */
const WEIGHT = 0.05;

/** By how much something comes later than it could, in the mean; ms. */
export class Lateness {
  #ms: number | undefined;

  get ms(): number {
    return this.#ms ?? 0;
  }

  note(ms: number): void {
    this.#ms = this.#ms === undefined ? ms : this.#ms + WEIGHT * (ms - this.#ms);
  }
}
