import type { Clock } from '../../src/base/clock.ts';
import { FlvTime } from '../../src/media/containers/flv/flv-time.ts';

export interface GatedFrame {
  /** When it is shown, ms. */
  readonly timestampMs: number;
  readonly key: boolean;
  /** It is decoded for those after it, and not shown. */
  readonly hidden?: boolean;
  /** No other frame needs it. */
  readonly disposable?: boolean;
}

/** Show: decode and encode it. Hide: only decode it, for those after it. Drop: don't decode it either. */
export type Verdict = 'show' | 'hide' | 'drop';

/** A frame that came out. */
export interface GatedOutput {
  timestampMs: number;
  /** How long it took, or undefined for one that was given up. */
  latencyMs: number | undefined;
}

/** A start takes its time, and what has gathered meanwhile is worked off. */
const START_MS = 2000;
/** In a stream with B-frames so many others have to be given before a frame comes out. */
const REORDERED_FRAMES = 4;
/** Frames under way at the most: 17 s at 60 frames a second. */
const MAX_UNDER_WAY = 1024;
/** By so many times the longest wait, even decoding is too slow. */
const HOPELESS = 3;
/** Times on their way through the child begin here, because frames may be shown before the first one given. */
const ORIGIN_MS = 10_000;

/**
 * Decides which frames a re-encoder gets so that what comes out is never much late, and keeps account of those under
 * way. The longer the oldest has waited, the more is left out:
 * half of `maxWaitMs`: the disposable ones and every second of the others;
 * all of it: all, until those under way are out;
 * three times: nothing more is even decoded until the source's next key frame.
 * In the first two steps the others are still decoded, which takes a third of the work, so that they end as soon as
 * the encoder keeps up again, wherever the source's next key frame is. All that is left out counts as dropped.
 */
export class FrameGate {
  /** Frames that were to be shown and won't be. */
  dropped = 0;
  #clock: Clock;
  #maxWaitMs: number;
  /** In the order they were given; `place` is their time on the way through the child. */
  #underWay: { place: number; timestampMs: number; givenAt: number; number: number }[] = [];
  #originMs: number | undefined;
  #outputTime = new FlvTime();
  /** Frames given, shown or not. */
  #given = 0;
  /** No reason to drop anything before; unknown until something has come out. */
  #startsUntil = Number.POSITIVE_INFINITY;
  /** By how much frames are shown after those given behind them, at the most. */
  #reorderMs = 0;
  #newestMs = Number.NEGATIVE_INFINITY;
  #awaitsKey = true;
  #skippedLast = false;

  constructor(clock: Clock, maxWaitMs: number) {
    this.#clock = clock;
    this.#maxWaitMs = maxWaitMs;
  }

  /** Frames to be shown that have not come out yet. */
  get underWay(): number {
    return this.#underWay.length;
  }

  /** @param queuedBytes - that the child has not read yet */
  judge(frame: GatedFrame, queuedBytes: number): Verdict {
    const verdict = this.#judge(frame, queuedBytes);
    if (verdict !== 'show' && !frame.hidden) this.dropped++;
    return verdict;
  }

  /** @returns the frame's time on its way through the child, a whole number of ms, not negative for what is not dropped */
  place(timestampMs: number): number {
    this.#originMs ??= Math.round(timestampMs) - ORIGIN_MS;
    return Math.round(timestampMs) - this.#originMs;
  }

  /** The child took it. */
  given(frame: GatedFrame, verdict: 'show' | 'hide'): void {
    this.#given++;
    if (verdict === 'hide') return;
    const { timestampMs } = frame;
    this.#reorderMs = Math.max(this.#reorderMs, Math.min(this.#newestMs - timestampMs, this.#maxWaitMs));
    this.#newestMs = Math.max(this.#newestMs, timestampMs);
    this.#underWay.push({
      place: this.place(timestampMs),
      timestampMs,
      givenAt: this.#clock.now(),
      number: this.#given,
    });
  }

  /** The child did not take it: those after it can't be decoded. */
  refused(frame: GatedFrame): void {
    if (!frame.hidden) this.dropped++;
    this.#awaitsKey = true;
  }

  /** @param tagMs - the time with which it came out of the child; what is shown before it has been lost */
  came(tagMs: number): GatedOutput {
    const now = this.#clock.now();
    if (this.#startsUntil === Number.POSITIVE_INFINITY) this.#startsUntil = now + START_MS;
    const place = this.#outputTime.unwrap(tagMs);
    const output: GatedOutput = { timestampMs: place + this.#originMs!, latencyMs: undefined };
    let kept = 0;
    for (const frame of this.#underWay) {
      if (frame.place > place) this.#underWay[kept++] = frame;
      else if (frame.place < place) this.dropped++;
      else {
        output.timestampMs = frame.timestampMs;
        output.latencyMs = now - frame.givenAt;
      }
    }
    this.#underWay.length = kept;
    // It was given up, and counted.
    if (output.latencyMs === undefined) this.dropped--;
    return output;
  }

  #judge(frame: GatedFrame, queuedBytes: number): Verdict {
    if (this.place(frame.timestampMs) < 0) {
      this.#awaitsKey = true;
      return 'drop';
    }
    if (this.#awaitsKey) {
      // While the child has yet to read what it was given before, one more key frame makes nothing better.
      if (!frame.key || (queuedBytes > 0 && this.#given > 0)) return 'drop';
      this.#awaitsKey = false;
      this.#giveUp();
    }
    if (frame.hidden) return frame.disposable ? 'drop' : 'hide';
    const waits = this.#waitMs() / this.#maxWaitMs;
    if (waits > HOPELESS || this.#underWay.length >= MAX_UNDER_WAY) {
      this.#awaitsKey = true;
      return 'drop';
    }
    if (waits <= 0.5) return 'show';
    if (frame.disposable) return 'drop';
    this.#skippedLast = waits > 1 || !this.#skippedLast;
    return this.#skippedLast ? 'hide' : 'show';
  }

  /** What is under way may still come out, but says no more about how fast the child is. */
  #giveUp(): void {
    this.dropped += this.#underWay.length;
    this.#underWay.length = 0;
    this.#reorderMs = 0;
  }

  /** How long the oldest frame has waited for the child, beyond what it has to wait for other frames. */
  #waitMs(): number {
    const now = this.#clock.now();
    const oldest = this.#underWay[0];
    if (now < this.#startsUntil || !oldest || this.#given - oldest.number < REORDERED_FRAMES) return 0;
    return now - oldest.givenAt - 2 * this.#reorderMs;
  }
}
