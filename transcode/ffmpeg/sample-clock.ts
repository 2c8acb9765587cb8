/** Further apart, a stamp is not late or early, but of another time. */
const JUMP_MS = 100;
/** How fast the samples' times follow the stamps: 0.2 ms behind when the clocks differ by 200 ppm. */
const TIME_CONSTANT_MS = 1000;

/**
 * Says when samples were taken, from the stamps that came with them and their number. Stamps are rounded to
 * milliseconds, so that they jitter; samples are counted by a clock that is not the stamps', so that they drift.
 * The times given follow the stamps smoothly, and jump where the stamps do.
 */
export class SampleClock {
  #rate: number;
  /** When the next sample is due. */
  #nextMs: number | undefined;
  /** How often the stamps jumped. */
  jumps = 0;

  /** @param rate - samples a second */
  constructor(rate: number) {
    this.#rate = rate;
  }

  /**
   * @param stampMs - of the first of the samples
   * @param samples - how many these are, of one channel
   * @returns the time of the first of them, ms, with fractions
   */
  advance(stampMs: number, samples: number): number {
    const durationMs = (samples * 1000) / this.#rate;
    const errorMs = this.#nextMs === undefined ? 0 : stampMs - this.#nextMs;
    let firstMs = this.#nextMs ?? stampMs;
    if (Math.abs(errorMs) > JUMP_MS) {
      this.jumps++;
      firstMs = stampMs;
    } else {
      firstMs += errorMs * Math.min(1, durationMs / TIME_CONSTANT_MS);
    }
    this.#nextMs = firstMs + durationMs;
    return firstMs;
  }
}
