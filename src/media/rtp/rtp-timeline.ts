import { timestampDistance } from './sequence.ts';

const TICKS_PER_MS = 90;
/** Networks hold packets up for less. A timestamp further from what has passed here is of another clock. */
const MAX_DIFFERENCE_MS = 10_000;

/**
 * Time of a stream of pictures by its RTP timestamps (90 kHz), which wrap and start anywhere: unwrapped, from 0 on. It
 * never goes back: where timestamps do, or are far from the time that has passed, the source has started anew, and the
 * time goes on by what has passed here.
 */
export class RtpTimeline {
  #ticks = 0;
  #timestamp: number | undefined;
  #heardAt = 0;

  /**
   * @param timestamp - of the next picture, 32 bits
   * @param now - ms of a monotonic clock
   * @returns whole ms
   */
  timeOf(timestamp: number, now: number): number {
    if (this.#timestamp !== undefined) {
      const passed = Math.max(0, now - this.#heardAt) * TICKS_PER_MS;
      const step = timestampDistance(timestamp, this.#timestamp);
      const isOurs = step >= 0 && Math.abs(step - passed) <= MAX_DIFFERENCE_MS * TICKS_PER_MS;
      this.#ticks += isOurs ? step : passed;
    }
    this.#timestamp = timestamp;
    this.#heardAt = now;
    return Math.round(this.#ticks / TICKS_PER_MS);
  }
}
