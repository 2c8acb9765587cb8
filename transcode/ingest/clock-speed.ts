/** So long a clock is compared with ours at a time, as long as messages come evenly: no pause as long as that. */
const WINDOW_MS = 1_500;
const PAUSE_MS = 1_000;
/** A clock is wrong that runs slower than that, or faster than that and ahead of all before, in two windows in a row; it is right again after four. */
const SLOWEST = 0.6;
const FASTEST = 1.25;
const AHEAD_MS = 250;
const WRONG_WINDOWS = 2;
const RIGHT_WINDOWS = 4;

/**
 * Compares a source's clock with ours, over windows in which messages came evenly. A stall makes it look slow and then
 * fast, up to where it was: neither is wrong. Pure.
 */
export class ClockSpeed {
  #begunAt: number | undefined;
  #begunMs = 0;
  #lastAt = 0;
  /** The furthest that its time was ahead of ours, ms. */
  #furthestMs = Number.NEGATIVE_INFINITY;
  #slow = 0;
  #fast = 0;
  #right = 0;

  get isWrong(): boolean {
    return this.#slow >= WRONG_WINDOWS || this.#fast >= WRONG_WINDOWS;
  }

  get isRight(): boolean {
    return this.#right >= RIGHT_WINDOWS;
  }

  /** @param sourceMs - without turns */
  note(sourceMs: number, now: number): void {
    const paused = now - this.#lastAt > PAUSE_MS;
    this.#lastAt = now;
    if (this.#begunAt !== undefined && !paused && now - this.#begunAt < WINDOW_MS) return;
    if (this.#begunAt !== undefined && !paused)
      this.#judge((sourceMs - this.#begunMs) / (now - this.#begunAt), sourceMs - now);
    this.#furthestMs = Math.max(this.#furthestMs, sourceMs - now);
    this.#begunAt = now;
    this.#begunMs = sourceMs;
  }

  /** The clock was set. */
  restart(): void {
    this.#begunAt = undefined;
    this.#furthestMs = Number.NEGATIVE_INFINITY;
  }

  #judge(speed: number, aheadMs: number): void {
    const isSlow = speed < SLOWEST;
    const isFast = speed > FASTEST && aheadMs > this.#furthestMs + AHEAD_MS;
    this.#slow = isSlow ? this.#slow + 1 : 0;
    this.#fast = isFast ? this.#fast + 1 : 0;
    this.#right = isSlow || speed > FASTEST ? 0 : this.#right + 1;
  }
}
