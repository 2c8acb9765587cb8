import { GopCache } from '../../../src/media/gop-cache.ts';
import type { SourceConfig, SourcePicture } from '../../../src/media/picture-source.ts';

/** Who takes an encoder's pictures as they come. */
export interface PictureTap {
  configure(config: SourceConfig): void;
  send(picture: SourcePicture): void;
  close(): void;
}

/**
 * An encoder's pictures for programs: as they came, with those since the last key frame for whoever joins. Nothing
 * goes out while they are muted, nor what came meanwhile.
 */
export class PictureTaps {
  #taps = new Map<string, PictureTap>();
  #config: SourceConfig | undefined;
  #recent = new GopCache<SourcePicture>();
  #muted = false;
  /** Whether the next picture has to be a key frame. */
  #awaitsKey = false;

  add(id: string, tap: PictureTap): void {
    this.#taps.get(id)?.close();
    this.#taps.set(id, tap);
    if (!this.#config) return;
    tap.configure(this.#config);
    for (const picture of this.#recent.frames) tap.send(picture);
  }

  remove(id: string): void {
    this.#taps.get(id)?.close();
    this.#taps.delete(id);
  }

  setMuted(muted: boolean): void {
    if (muted === this.#muted) return;
    this.#muted = muted;
    this.#awaitsKey = true;
    this.#recent.clear();
  }

  /** Pictures of another form begin, with a key frame. */
  configure(config: SourceConfig): void {
    this.#config = config;
    this.#recent.clear();
    this.#awaitsKey = true;
    for (const tap of this.#taps.values()) tap.configure(config);
  }

  send(picture: SourcePicture): void {
    if (this.#muted || !this.#config) return;
    if (picture.key) this.#awaitsKey = false;
    if (this.#awaitsKey) return;
    this.#recent.add(picture);
    for (const tap of this.#taps.values()) tap.send(picture);
  }

  close(): void {
    for (const tap of this.#taps.values()) tap.close();
    this.#taps.clear();
    this.#recent.clear();
  }
}
