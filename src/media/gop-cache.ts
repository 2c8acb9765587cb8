/** A picture that waits in case somebody needs it. */
export interface CachedPicture {
  readonly data: Buffer;
  readonly key: boolean;
}

/** As OBS's 250 frames at 60 a second with room, and at 20 Mbit/s. */
const MAX_FRAMES = 1_200;
const MAX_BYTES = 24 * 1024 * 1024;

/**
 * The pictures since the last key frame: what a decoder that starts now has to be given first, for RTMP cannot be
 * asked for a key frame. With more than its bounds it is empty until the next one.
 */
export class GopCache<Picture extends CachedPicture> {
  #frames: Picture[] = [];
  #bytes = 0;

  get frames(): readonly Picture[] {
    return this.#frames;
  }

  add(frame: Picture): void {
    if (frame.key) this.clear();
    else if (this.#frames.length === 0) return;
    this.#frames.push(frame);
    this.#bytes += frame.data.length;
    if (this.#frames.length > MAX_FRAMES || this.#bytes > MAX_BYTES) this.clear();
  }

  clear(): void {
    this.#frames = [];
    this.#bytes = 0;
  }
}
