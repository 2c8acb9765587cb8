/** FFmpeg writes times of FLV with 31 bits. */
const PERIOD_MS = 2 ** 31;

/** Makes times that begin anew after 24 days into times that go on. */
export class FlvTime {
  #lastMs = 0;

  /** @param timestampMs - of a tag, less than 12 days from the one before */
  unwrap(timestampMs: number): number {
    const periods = Math.round((this.#lastMs - timestampMs) / PERIOD_MS);
    this.#lastMs = timestampMs + periods * PERIOD_MS;
    return this.#lastMs;
  }
}
