import type { Clock, Timer } from '../../../src/gateway.ts';
import { T1_MS, T2_MS } from './timers.ts';

/**
 * A 2xx to INVITE on its way: repeated until the ACK comes, over any transport, and given up after
 * 64*T1 (RFC 3261, section 13.3.1.4).
 */
export class Acceptance {
  #clock: Clock;
  #send: () => void;
  #timer: Timer;
  #giveUp: Timer;

  constructor(clock: Clock, send: () => void, onNoAck: () => void) {
    this.#clock = clock;
    this.#send = send;
    this.#timer = this.#repeatAfter(T1_MS);
    this.#giveUp = clock.after(64 * T1_MS, () => {
      this.end();
      onNoAck();
    });
  }

  /** The ACK came, or the dialog ended another way. */
  end(): void {
    this.#timer.cancel();
    this.#giveUp.cancel();
  }

  #repeatAfter(intervalMs: number): Timer {
    return this.#clock.after(intervalMs, () => {
      this.#send();
      this.#timer = this.#repeatAfter(Math.min(intervalMs * 2, T2_MS));
    });
  }
}
