import type { LoadLeg } from './phone-load-leg.ts';
import { percentile } from './phone-load-percentile.ts';
import { Recording } from './phone-load-recording.ts';
import { FRAME_MS, mark, SAMPLES_PER_MS, talk } from './phone-load-sound.ts';

/** So many have what they hear looked through for marks. */
const MAX_LISTENERS = 16;
/** Those who say marks take turns, as each has another place in the 20 ms: at most so many. */
const MAX_MARKERS = 4;
const FRAMES_A_MARK = 50;
/** Coprime to the frame, so that offsets differ from mark to mark. */
const OFFSET_STEP = 67;
/** A mark that was not heard so long after it was said is missed. */
const LONGEST_MS = 900;
/** Spreads any number of callers, and any few of them in a row, over the 20 ms. */
const GOLDEN = (Math.sqrt(5) - 1) / 2;

/** What came of a load in the time it was measured. */
export interface LoadFigures {
  readonly received: number;
  /** By sequence numbers. */
  readonly lost: number;
  /** Frames that were never sent though time went on. */
  readonly skipped: number;
  /** From the mouth to the ear, of each mark and listener that heard it. */
  readonly delaysMs: readonly number[];
  /** Marks that a listener should have heard and did not. */
  readonly missed: number;
  /** How late the load itself sent its packets, 99th percentile. */
  readonly lateMs: number;
}

interface Said {
  readonly by: LoadLeg;
  readonly at: number;
}

interface Slot {
  readonly leg: LoadLeg;
  /** When in each 20 ms it sends. */
  readonly afterMs: number;
  /** What it says again and again. */
  readonly says: readonly Buffer[] | undefined;
}

/** The callers of a load: sends for all of them by one clock. The first ones talk, the last ones say the marks. */
export class PhoneCrowd {
  #legs: readonly LoadLeg[];
  #slots: Slot[];
  #markers: readonly LoadLeg[];
  #turn = 0;
  #frame = 0;
  #cycleAt = performance.now();
  #marks = 0;
  #said: Said[] = [];
  #late: number[] = [];
  #timer: NodeJS.Timeout;

  constructor(legs: readonly LoadLeg[], talkers: number) {
    this.#legs = legs;
    this.#slots = legs
      .map((leg, index) => ({
        leg,
        afterMs: ((index * GOLDEN) % 1) * FRAME_MS,
        says: index < talkers ? talk(index) : undefined,
      }))
      .sort((one, other) => one.afterMs - other.afterMs);
    this.#markers = legs.slice(talkers).slice(-MAX_MARKERS);
    this.#timer = setTimeout(this.#run, 0);
  }

  async measure(seconds: number): Promise<LoadFigures> {
    const listeners = this.#legs
      .slice(0, MAX_LISTENERS)
      .map((leg) => ({ leg, recording: new Recording(seconds) }));
    for (const leg of this.#legs) leg.reset();
    for (const { leg, recording } of listeners) leg.recording = recording;
    this.#said = [];
    this.#late = [];
    const until = performance.now() + seconds * 1000;
    await new Promise((resolve) => setTimeout(resolve, seconds * 1000));
    for (const { leg } of listeners) leg.recording = undefined;
    const sum = (count: (leg: LoadLeg) => number) => this.#legs.reduce((total, leg) => total + count(leg), 0);
    const figures = {
      received: sum(({ received }) => received),
      lost: sum(({ lost }) => lost),
      skipped: sum(({ skipped }) => skipped),
      lateMs: percentile(this.#late, 99),
    };
    const said = this.#said.filter(({ at }) => at < until - LONGEST_MS);
    const delaysMs: number[] = [];
    let missed = 0;
    for (const { leg, recording } of listeners) {
      const heard = recording.marks();
      for (const { by, at } of said) {
        if (by === leg) continue;
        const heardAt = heard.find((one) => one > at && one < at + LONGEST_MS);
        if (heardAt === undefined) missed++;
        else delaysMs.push(heardAt - at);
      }
    }
    return { ...figures, delaysMs, missed };
  }

  close(): void {
    clearTimeout(this.#timer);
    for (const leg of this.#legs) leg.close();
  }

  /** Paced by the clock, not by the timer: what one turn is late, the next is early. */
  #run = (): void => {
    for (;;) {
      const slot = this.#slots[this.#turn]!;
      const dueAt = this.#cycleAt + slot.afterMs;
      const now = performance.now();
      if (now < dueAt) break;
      this.#late.push(now - dueAt);
      this.#send(slot, now);
      this.#turn++;
      if (this.#turn < this.#slots.length) continue;
      this.#turn = 0;
      this.#frame++;
      this.#cycleAt += FRAME_MS;
    }
    this.#timer = setTimeout(this.#run, 1);
  };

  #send({ leg, says }: Slot, now: number): void {
    const isMarker = leg === this.#markers[this.#marks % this.#markers.length];
    if (isMarker && this.#frame >= (this.#marks + 1) * FRAMES_A_MARK) {
      const offset = (this.#marks * OFFSET_STEP) % 160;
      leg.queue.push(...mark(offset));
      // A packet leaves when its last sample has been said.
      this.#said.push({ by: leg, at: now - FRAME_MS + offset / SAMPLES_PER_MS });
      this.#marks++;
    }
    leg.send(says?.[this.#frame % says.length]);
  }
}
