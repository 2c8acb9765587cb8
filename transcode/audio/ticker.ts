import type { Clock, Timer } from '../../src/base/clock.ts';
import { FRAME_MS } from './mix-format.ts';

/** After a longer stall than this the missed ticks are skipped, in ms: nobody wants to hear them any more. */
const LONGEST_CATCH_UP_MS = 200;

/**
 * A beat of 20 ms by an injected clock. A tick that comes late is followed at once by those that were
 * missed, so that on average there is one every 20 ms whatever the process was busy with.
 */
export class Ticker {
  /** Ticks that were given up after a stall. */
  skipped = 0;
  /** The latest that a tick ever came, in ms. */
  worstLagMs = 0;
  #clock: Clock;
  #onTick: (skipped: number) => void;
  #timer: Timer | undefined;
  #dueAt = 0;

  /** @param onTick - told how many ticks were skipped before this one */
  constructor(clock: Clock, onTick: (skipped: number) => void) {
    this.#clock = clock;
    this.#onTick = onTick;
  }

  get running(): boolean {
    return this.#timer !== undefined;
  }

  start(): void {
    if (this.#timer) return;
    this.#dueAt = this.#clock.now() + FRAME_MS;
    this.#wait();
  }

  stop(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  #wait(): void {
    this.#timer?.cancel(); // it may have been stopped and started within a tick
    this.#timer = this.#clock.after(Math.max(0, this.#dueAt - this.#clock.now()), this.#beat);
  }

  #beat = (): void => {
    // Timers run before sockets are read: what arrived during a stall is to be heard in the ticks that make up for it.
    if (this.#clock.now() - this.#dueAt >= FRAME_MS) this.#timer = this.#clock.after(0, this.#catchUp);
    else this.#catchUp();
  };

  #catchUp = (): void => {
    const lagMs = this.#clock.now() - this.#dueAt;
    this.worstLagMs = Math.max(this.worstLagMs, lagMs);
    let skip = 0;
    if (lagMs > LONGEST_CATCH_UP_MS) {
      skip = Math.floor(lagMs / FRAME_MS);
      this.skipped += skip;
      this.#dueAt += skip * FRAME_MS;
    }
    while (this.#timer && this.#dueAt <= this.#clock.now()) {
      this.#dueAt += FRAME_MS;
      this.#onTick(skip);
      skip = 0;
    }
    if (this.#timer) this.#wait();
  };
}
