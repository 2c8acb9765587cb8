import type { SourceUnit, VideoFormat } from '../../src/media/access-unit.ts';
import type { FrameSender } from '../../src/media/frame-sender.ts';
import type { GopCache } from '../../src/media/gop-cache.ts';

interface Tap {
  readonly sender: FrameSender;
  /** The format that it was sent last; absent while it waits for a key frame. */
  format?: VideoFormat;
}

/**
 * A publisher's video for programs: as it came, with the units since the last key frame for whoever joins. Nothing goes
 * out while it is muted, nor what came meanwhile.
 */
export class FrameTaps {
  #taps = new Map<string, Tap>();
  /** The publisher's own, which the encoder begins with too. */
  #recent: GopCache<SourceUnit>;
  #muted = false;
  /** Some of what is kept came while it was muted, up to the next key frame. */
  #awaitsKey = true;

  constructor(recent: GopCache<SourceUnit>) {
    this.#recent = recent;
  }

  add(id: string, sender: FrameSender): void {
    this.remove(id);
    const tap: Tap = { sender };
    this.#taps.set(id, tap);
    if (this.#muted || this.#awaitsKey) return;
    for (const unit of this.#recent.frames) send(tap, unit);
  }

  remove(id: string): void {
    this.#taps.get(id)?.sender.close();
    this.#taps.delete(id);
  }

  setMuted(muted: boolean): void {
    if (muted === this.#muted) return;
    this.#muted = muted;
    this.#awaitsKey = true;
    for (const tap of this.#taps.values()) delete tap.format;
  }

  send(unit: SourceUnit): void {
    if (this.#muted) return;
    if (unit.key) this.#awaitsKey = false;
    for (const tap of this.#taps.values()) send(tap, unit);
  }

  close(): void {
    for (const { sender } of this.#taps.values()) sender.close();
    this.#taps.clear();
  }
}

/** Each format begins with a key frame. */
function send(tap: Tap, unit: SourceUnit): void {
  if (unit.format !== tap.format && !unit.key) return;
  tap.format = unit.format;
  tap.sender.send(unit);
}
