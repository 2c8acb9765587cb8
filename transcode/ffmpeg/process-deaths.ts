import type { Clock } from '../../src/base/clock.ts';

/** A child that dies so often within that time is not started again. */
const MOST_DEATHS = 3;
const WITHIN_MS = 60_000;

/** Remembers when a child died, for whoever replaces it. */
export class ProcessDeaths {
  total = 0;
  #clock: Clock;
  #times: number[] = [];

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** It died. @returns whether it may be started again */
  note(): boolean {
    const now = this.#clock.now();
    this.total++;
    this.#times = [...this.#times.filter((at) => now - at < WITHIN_MS), now];
    return this.#times.length < MOST_DEATHS;
  }
}
