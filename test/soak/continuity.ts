import type { RelayFrame } from '../bench/relay-frame.ts';

type Kind = RelayFrame['kind'];

/** From one frame to the next of its kind, in the stream's own time: what viewers miss. */
export interface Gap {
  readonly kind: Kind;
  readonly ms: number;
  /** When the frame behind it came, machine time. */
  readonly atMs: number;
}

/** What came since it was last looked. */
export interface Interval {
  readonly largestMs: Readonly<Record<Kind, number>>;
  /** By how much later than the earliest ever the latest frame came, ms. */
  readonly lagMs: number;
  readonly frames: number;
}

/** Less is no gap that anybody would look into. */
const NOTED_MS = 250;
const MOST_NOTED = 200;

/** Whether a stream goes on without a break, over all the time that it is watched. Pure. */
export class Continuity {
  /** The first that were worth noting. */
  readonly gaps: Gap[] = [];
  /** Frames that came with a time before that of the frame before. */
  backward = 0;
  /** The largest ever, by kind. */
  readonly largestMs: Record<Kind, number> = { audio: 0, video: 0 };
  #last: Partial<Record<Kind, number>> = {};
  /** Of arrival and the stream's time, the least difference. */
  #leastMs = Number.POSITIVE_INFINITY;

  /** @param frames - all that came since the last call, in the order of arrival */
  look(frames: readonly RelayFrame[]): Interval {
    const largestMs = { audio: 0, video: 0 };
    let lagMs = 0;
    for (const { kind, timestampMs, atMs } of frames) {
      const ms = timestampMs - (this.#last[kind] ?? timestampMs);
      this.#last[kind] = timestampMs;
      if (ms < 0) this.backward++;
      largestMs[kind] = Math.max(largestMs[kind], ms);
      this.largestMs[kind] = Math.max(this.largestMs[kind], ms);
      if (ms >= NOTED_MS && this.gaps.length < MOST_NOTED) this.gaps.push({ kind, ms, atMs });
      this.#leastMs = Math.min(this.#leastMs, atMs - timestampMs);
      lagMs = atMs - timestampMs - this.#leastMs;
    }
    return { largestMs, lagMs, frames: frames.length };
  }
}
