import type { Clock, Timer } from '../../../src/base/clock.ts';

interface Due {
  readonly at: number;
  readonly action: () => void;
}

/** 2023-11-14T22:13:20Z */
const WALL_CLOCK_AT_START = 1_700_000_000_000;

/** Time that stands still until a test lets it pass. */
export class FakeClock implements Clock {
  #now = 0;
  #due = new Set<Due>();

  now(): number {
    return this.#now;
  }

  wallClock(): number {
    return WALL_CLOCK_AT_START + this.#now;
  }

  after(delayMs: number, action: () => void): Timer {
    const entry = { at: this.#now + delayMs, action };
    this.#due.add(entry);
    return { cancel: () => this.#due.delete(entry) };
  }

  /** How many timers are set. */
  get pending(): number {
    return this.#due.size;
  }

  /** Lets time pass; the timers that fall due meanwhile fire in their order, also those that they set. */
  advance(ms: number): void {
    const end = this.#now + ms;
    for (let next = this.#nextUntil(end); next; next = this.#nextUntil(end)) {
      this.#due.delete(next);
      this.#now = next.at;
      next.action();
    }
    this.#now = end;
  }

  #nextUntil(end: number): Due | undefined {
    let next: Due | undefined;
    for (const entry of this.#due) {
      if (entry.at <= end && (!next || entry.at < next.at)) next = entry;
    }
    return next;
  }
}
