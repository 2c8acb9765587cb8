import { sequenceDistance } from './sequence.ts';

/** Packets that may lie between the one missing and the newest. */
const CAPACITY = 512;
const MAX_WAIT_MS = 150;
/** What lies further ahead or behind is of a source that started anew (RFC 3550, appendix A.1: MAX_DROPOUT). */
const MAX_JUMP = 3000;
/** When only old numbers came for so long, the source started anew a little way back. */
const MAX_LATE_MS = 1000;

export interface PacketOrderEvents<Packet> {
  /** The next one in order. */
  packet(packet: Packet): void;
  /** Before the next one, so many are missing for good; 0 when the source started anew, and nobody knows how many. */
  gap(missing: number): void;
}

/**
 * Puts packets in order by their sequence numbers. One that is missing is waited for, as it may have been asked for
 * again: until a packet comes that is 150 ms younger than the first one after it, or 512 packets ahead of it. There is
 * no timer: without another packet, nothing is given up. What comes later than that, or twice, is dropped.
 *
 * Holds what is given to it: it must not change until it has come out.
 */
export class PacketOrder<Packet extends object> {
  #events: PacketOrderEvents<Packet>;
  #slots: (Packet | undefined)[] = new Array(CAPACITY).fill(undefined);
  /** When each of them came. */
  #arrivals = new Float64Array(CAPACITY);
  /** Number of the one due, unwrapped; undefined before the first. Those held are after it. */
  #due: number | undefined;
  #held = 0;
  /** Since when the one due is known to be missing, if any are held. */
  #missingSince = 0;
  /** When the first came of those that were too old, since any were not. */
  #lateSince: number | undefined;
  #lost = 0;
  #discarded = 0;

  constructor(events: PacketOrderEvents<Packet>) {
    this.#events = events;
  }

  /** Packets that were given up. */
  get lost(): number {
    return this.#lost;
  }

  /** Packets that came twice, or after they were given up. */
  get discarded(): number {
    return this.#discarded;
  }

  /**
   * @param sequenceNumber - 16 bits
   * @param now - ms of a monotonic clock
   */
  push(sequenceNumber: number, packet: Packet, now: number): void {
    this.#due ??= sequenceNumber;
    let ahead = sequenceDistance(sequenceNumber, this.#due);
    if (this.#isRestart(ahead, now)) {
      while (this.#held > 0) this.#giveUp();
      this.#events.gap(0);
      this.#due = sequenceNumber;
      ahead = 0;
    }
    if (ahead < 0) this.#discarded++;
    else this.#take(this.#due + ahead, packet, now);
    while (this.#held > 0 && now - this.#missingSince >= MAX_WAIT_MS) this.#giveUp();
  }

  #isRestart(ahead: number, now: number): boolean {
    if (ahead >= 0) {
      this.#lateSince = undefined;
      return ahead > MAX_JUMP;
    }
    this.#lateSince ??= now;
    if (ahead >= -MAX_JUMP && now - this.#lateSince < MAX_LATE_MS) return false;
    this.#lateSince = undefined;
    return true;
  }

  #take(number: number, packet: Packet, now: number): void {
    while (this.#held > 0 && number - this.#due! >= CAPACITY) this.#giveUp();
    if (number - this.#due! >= CAPACITY) this.#skipTo(number);
    if (number === this.#due) {
      this.#due++;
      this.#events.packet(packet);
      this.#release();
      return;
    }
    const slot = number % CAPACITY;
    if (this.#slots[slot] !== undefined) {
      this.#discarded++;
      return;
    }
    if (this.#held === 0) this.#missingSince = now;
    this.#slots[slot] = packet;
    this.#arrivals[slot] = now;
    this.#held++;
  }

  /** Goes on behind what is missing. Only while something is held. */
  #giveUp(): void {
    let first = this.#due!;
    while (this.#slots[first % CAPACITY] === undefined) first++;
    this.#skipTo(first);
    this.#release();
  }

  #skipTo(number: number): void {
    const missing = number - this.#due!;
    this.#due = number;
    this.#lost += missing;
    this.#events.gap(missing);
  }

  /** Lets out what is in order now. */
  #release(): void {
    if (this.#held === 0) return;
    const from = this.#due!;
    for (;;) {
      const slot = this.#due! % CAPACITY;
      const packet = this.#slots[slot];
      if (packet === undefined) break;
      this.#slots[slot] = undefined;
      this.#held--;
      this.#due!++;
      this.#events.packet(packet);
    }
    // Another one is missing now: since what came first of those after it.
    if (this.#held === 0 || this.#due === from) return;
    this.#missingSince = Number.POSITIVE_INFINITY;
    for (const [slot, held] of this.#slots.entries()) {
      if (held !== undefined) this.#missingSince = Math.min(this.#missingSince, this.#arrivals[slot]!);
    }
  }
}
