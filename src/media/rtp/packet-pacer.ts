import type { Clock, Timer } from '../../base/clock.ts';

/** Go out at once: an ordinary picture. */
const BURST = 32;
const INTERVAL_MS = 1;

/**
 * Spreads a key frame's packets over some milliseconds, so that the hub's socket holds them while its loop is busy.
 * Ordinary pictures pass at once. The packets must stay as they are until they went out.
 */
export class PacketPacer {
  #send: (packet: Buffer) => void;
  #clock: Clock;
  /** Packets that wait, in a ring. */
  #waiting: (Buffer | undefined)[];
  #head = 0;
  #length = 0;
  /** That may still go out before the timer. */
  #allowance = BURST;
  #timer: Timer | undefined;

  /** @param capacity - packets that can wait; one more makes the first ones go out at once */
  constructor(clock: Clock, capacity: number, send: (packet: Buffer) => void) {
    this.#clock = clock;
    this.#send = send;
    this.#waiting = new Array(capacity).fill(undefined);
  }

  get waiting(): number {
    return this.#length;
  }

  push(packet: Buffer): void {
    if (this.#length === 0 && this.#allowance > 0) {
      this.#allowance--;
      this.#send(packet);
    } else {
      if (this.#length === this.#waiting.length) this.#shift();
      this.#waiting[(this.#head + this.#length) % this.#waiting.length] = packet;
      this.#length++;
    }
    this.#timer ??= this.#clock.after(INTERVAL_MS, this.#onTimer);
  }

  close(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#length = 0;
    this.#waiting.fill(undefined);
  }

  #onTimer = (): void => {
    this.#timer = undefined;
    this.#allowance = BURST;
    while (this.#length > 0 && this.#allowance > 0) {
      this.#allowance--;
      this.#shift();
    }
    if (this.#length > 0) this.#timer = this.#clock.after(INTERVAL_MS, this.#onTimer);
  };

  #shift(): void {
    const packet = this.#waiting[this.#head]!;
    this.#waiting[this.#head] = undefined;
    this.#head = (this.#head + 1) % this.#waiting.length;
    this.#length--;
    this.#send(packet);
  }
}
