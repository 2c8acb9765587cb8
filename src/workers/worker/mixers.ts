import { Mixer } from '../../../transcode/audio/mixer.ts';
import { Ticker } from '../../../transcode/audio/ticker.ts';
import type { Clock } from '../../base/clock.ts';

/** The mixers of the rooms that this worker carries, and the beat that drives them: only while somebody listens. */
export class Mixers {
  #mixers = new Map<string, Mixer>();
  #listening: Mixer[] = [];
  #ticker: Ticker;

  constructor(clock: Clock) {
    this.#ticker = new Ticker(clock, (skipped) => {
      for (const mixer of this.#listening) mixer.tick(skipped);
    });
  }

  /** A room's mixer, made on first use. It goes with the last that takes part in it. @param id - the room's sid */
  get(id: string): Mixer {
    const present = this.#mixers.get(id);
    if (present) return present;
    const mixer = new Mixer(() => this.#follow(id));
    this.#mixers.set(id, mixer);
    return mixer;
  }

  get statistics() {
    let decoders = 0;
    for (const mixer of this.#mixers.values()) decoders += mixer.decoders;
    const worstLagMs = this.#ticker.worstLagMs;
    this.#ticker.worstLagMs = 0;
    return { mixers: this.#mixers.size, decoders, ticksSkipped: this.#ticker.skipped, tickLagMs: worstLagMs };
  }

  close(): void {
    this.#ticker.stop();
    this.#mixers.clear();
    this.#listening = [];
  }

  /** Somebody came or went. */
  #follow(id: string): void {
    const mixer = this.#mixers.get(id);
    if (mixer?.listenerCount === 0 && mixer.contributorCount === 0) this.#mixers.delete(id);
    this.#listening = [...this.#mixers.values()].filter(({ listenerCount }) => listenerCount > 0);
    if (this.#listening.length > 0) this.#ticker.start();
    else this.#ticker.stop();
  }
}
