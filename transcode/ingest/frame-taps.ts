import type { SourceUnit } from '../../src/media/access-unit.ts';
import type { FrameSender } from '../../src/media/frame-sender.ts';
import type { GopCache } from '../../src/media/gop-cache.ts';

/**
 * A publisher's video for programs: as it came, with the units since the last key frame for whoever joins. Nothing goes
 * out while it is muted, nor what came meanwhile.
 */
export class FrameTaps {
  #taps = new Map<string, FrameSender>();
  /** The publisher's own, which the encoder begins with too. */
  #recent: GopCache<SourceUnit>;
  #muted = false;
  /** Whether the next unit has to be a key frame. */
  #awaitsKey = true;

  constructor(recent: GopCache<SourceUnit>) {
    this.#recent = recent;
  }

  add(id: string, tap: FrameSender): void {
    this.#taps.get(id)?.close();
    this.#taps.set(id, tap);
    if (this.#muted || this.#awaitsKey) return;
    for (const unit of this.#recent.frames) tap.send(unit);
  }

  remove(id: string): void {
    this.#taps.get(id)?.close();
    this.#taps.delete(id);
  }

  setMuted(muted: boolean): void {
    if (muted === this.#muted) return;
    this.#muted = muted;
    this.#awaitsKey = true;
  }

  send(unit: SourceUnit): void {
    if (this.#muted) return;
    if (unit.key) this.#awaitsKey = false;
    if (this.#awaitsKey) return;
    for (const tap of this.#taps.values()) tap.send(unit);
  }

  close(): void {
    for (const tap of this.#taps.values()) tap.close();
    this.#taps.clear();
  }
}
