import { ABSENT_DB } from '../signals/tone-meter.ts';
import type { PhoneReceiver } from './phone-receiver.ts';
import type { Watch } from './phone-watch.ts';

const LIMIT_MS = 15_000;
/** How often it listens closely: measuring costs more than decoding. */
const INTERVAL_MS = 100;
/** So long a tone must be away before it counts as gone. */
const GONE_MS = 1000;

/** Someone who listens to a phone and says what tones are there. */
export class PhoneListener {
  #receiver: PhoneReceiver;
  #watch: Watch;

  constructor(receiver: PhoneReceiver, watch: Watch) {
    this.#receiver = receiver;
    this.#watch = watch;
  }

  /** Resolves once all these tones were heard, together or one after the other. */
  async hears(...tonesHz: number[]): Promise<void> {
    const missing = new Set(tonesHz);
    await this.#listen(
      () => {
        for (const hz of missing) if (this.#receiver.meter.hears(hz)) missing.delete(hz);
        return missing.size === 0;
      },
      LIMIT_MS,
      () => `${[...missing]} Hz not heard, but ${this.#description()}`,
    );
  }

  /** Resolves once that tone has been away for a second. */
  async hearsNoMore(toneHz: number): Promise<void> {
    let heardAt = performance.now();
    await this.#listen(
      () => {
        if (this.#receiver.meter.level(toneHz) > ABSENT_DB) heardAt = performance.now();
        return performance.now() - heardAt >= GONE_MS;
      },
      LIMIT_MS,
      () => `${toneHz} Hz still heard: ${this.#description()}`,
    );
  }

  /** Listens for so long. @returns which of these tones were there at any moment */
  async heardDuring(tonesHz: readonly number[], seconds: number): Promise<number[]> {
    const heard = new Set<number>();
    await this.#listenFor(seconds, () => {
      for (const hz of tonesHz) if (this.#receiver.meter.hears(hz)) heard.add(hz);
    });
    return tonesHz.filter((hz) => heard.has(hz));
  }

  /** Listens for so long. @returns all tones that were there at any moment, in Hz rounded to tens, rising */
  async tonesDuring(seconds: number): Promise<number[]> {
    const heard = new Set<number>();
    await this.#listenFor(seconds, () => {
      for (const hz of this.#receiver.meter.tones()) heard.add(hz);
    });
    return [...heard].sort((a, b) => a - b);
  }

  async #listenFor(seconds: number, listen: () => void): Promise<void> {
    const endAt = performance.now() + seconds * 1000;
    await this.#listen(
      () => {
        listen();
        return performance.now() >= endAt;
      },
      seconds * 1000 + LIMIT_MS,
      () => 'the clock of the phone stood still',
    );
  }

  #listen(isDone: () => boolean, limitMs: number, otherwise: () => string): Promise<boolean> {
    let listenedAt = Number.NEGATIVE_INFINITY;
    return this.#watch.until(
      () => {
        if (performance.now() - listenedAt < INTERVAL_MS) return false;
        listenedAt = performance.now();
        return isDone();
      },
      limitMs,
      otherwise,
    );
  }

  #description(): string {
    const { meter, received } = this.#receiver;
    const tones = meter.tones().map((hz) => `${hz} Hz (${meter.level(hz).toFixed(0)} dBFS)`);
    const counts = `${received.packets} packets, ${received.lost} lost, payload types ${[...received.payloadTypes.keys()]}`;
    return `${tones.join(', ') || 'no tone'}, all in all ${meter.power().toFixed(0)} dBFS; ${counts}`;
  }
}
