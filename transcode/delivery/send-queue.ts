import { type AccessUnit, isVideo } from '../../src/media/access-unit.ts';
import type { MediaKind } from '../../src/media/codec.ts';

export interface SendQueueLimits {
  /** Of all units together. */
  readonly maxBytes: number;
  /** How long anything waits. */
  readonly maxAgeMs: number;
}

/** Packets that are held although they were given out, while others wait. */
const MAX_GIVEN_OUT = 256;

/**
 * What waits for one destination, in the order it came. With more than its bounds it leaves out pictures from the
 * oldest up to the next key frame, and the oldest sound, so that what goes out is never much late. A frame is never
 * given out when one that it may refer to was left out.
 */
export class SendQueue {
  /** Video frames left out. */
  framesDropped = 0;
  /** Audio frames left out. */
  audioDropped = 0;
  #limits: SendQueueLimits;
  #units: AccessUnit[] = [];
  /** When each came, ms; beside them, so that nothing is allocated for a packet that goes right through. */
  #cameAt: number[] = [];
  /** Those before it were given out. */
  #head = 0;
  #bytes = 0;
  #awaitsKey = true;
  #blockedSince: number | undefined;

  constructor(limits: SendQueueLimits) {
    this.#limits = limits;
  }

  /** Packets. */
  get length(): number {
    return this.#units.length - this.#head;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** How long something has waited here without anything being taken, ms; 0 while nothing waits. */
  blockedMs(now: number): number {
    return this.#blockedSince === undefined ? 0 : now - this.#blockedSince;
  }

  /** @param now - ms, never less than before */
  push(unit: AccessUnit, now: number): void {
    if (isVideo(unit)) {
      if (unit.key) this.#awaitsKey = false;
      else if (this.#awaitsKey) {
        this.framesDropped++;
        return;
      }
    }
    this.#units.push(unit);
    this.#cameAt.push(now);
    this.#bytes += unit.data.length;
    this.#blockedSince ??= now;
    const isLate = now - this.#cameAt[this.#head]! > this.#limits.maxAgeMs;
    if (isLate || this.#bytes > this.#limits.maxBytes) this.#shed(now);
  }

  /** @returns the oldest, or undefined when nothing waits */
  shift(now: number): AccessUnit | undefined {
    if (this.length === 0) {
      this.#blockedSince = undefined;
      return undefined;
    }
    const unit = this.#units[this.#head++]!;
    this.#bytes -= unit.data.length;
    this.#blockedSince = now;
    if (this.length === 0) this.#empty();
    else if (this.#head >= MAX_GIVEN_OUT) this.#keep(() => true);
    return unit;
  }

  /** Forgets all without counting it. As at first, pictures have to begin with a key frame. */
  clear(): void {
    this.#empty();
    this.#awaitsKey = true;
  }

  #empty(): void {
    this.#units.length = 0;
    this.#cameAt.length = 0;
    this.#head = 0;
    this.#bytes = 0;
    this.#blockedSince = undefined;
  }

  #shed(now: number): void {
    const { maxBytes, maxAgeMs } = this.#limits;
    const isLate = (index: number) => index >= 0 && now - this.#cameAt[index]! > maxAgeMs;
    while (isLate(this.#find('video'))) this.#dropFrames();
    this.#keep((unit, index) => !isLate(index) || isVideo(unit));
    while (this.#bytes > maxBytes && this.#find('video') >= 0) this.#dropFrames();
    while (this.#bytes > maxBytes && this.#find('audio') >= 0) {
      const oldest = this.#find('audio');
      this.#keep((_, index) => index !== oldest);
    }
  }

  /** From the oldest that waits up to the next key frame, or all of them when there is none yet. */
  #dropFrames(): void {
    const from = this.#find('video');
    const next = this.#units.findIndex((unit, index) => index > from && isVideo(unit) && unit.key);
    this.#awaitsKey ||= next < 0;
    const to = next < 0 ? this.#units.length : next;
    this.#keep((unit, index) => index < from || index >= to || !isVideo(unit));
  }

  /** @returns the index of the oldest unit of that kind, -1 for none */
  #find(kind: MediaKind): number {
    for (let index = this.#head; index < this.#units.length; index++) {
      if (this.#units[index]!.format.kind === kind) return index;
    }
    return -1;
  }

  /** Leaves out what is not to be kept. */
  #keep(isKept: (unit: AccessUnit, index: number) => boolean): void {
    const units: AccessUnit[] = [];
    const cameAt: number[] = [];
    let bytes = 0;
    for (let index = this.#head; index < this.#units.length; index++) {
      const unit = this.#units[index]!;
      if (isKept(unit, index)) {
        units.push(unit);
        cameAt.push(this.#cameAt[index]!);
        bytes += unit.data.length;
      } else if (isVideo(unit)) this.framesDropped++;
      else this.audioDropped++;
    }
    this.#units = units;
    this.#cameAt = cameAt;
    this.#head = 0;
    this.#bytes = bytes;
  }
}
