import { type AccessUnit, isVideo, type VideoFormat } from '../../src/media/access-unit.ts';

/** Of 4 s of pictures at 60 a second and their sound, with room; and at 40 Mbit/s. */
const MAX_UNITS = 1_200;
const MAX_BYTES = 24 * 1024 * 1024;

/** What somebody who comes now begins with: pictures since the last key frame, and the sound of that time. */
export class ProgramCache {
  #units: AccessUnit[] = [];
  #bytes = 0;
  #format: VideoFormat | undefined;

  /** In the order they came; the first picture is a key frame. */
  get units(): readonly AccessUnit[] {
    return this.#units;
  }

  add(unit: AccessUnit): void {
    if (isVideo(unit) && unit.format !== this.#format) {
      // Those before cannot be decoded as what comes now.
      this.#format = unit.format;
      this.#clear();
    }
    if (isVideo(unit) && unit.key) this.#beginWith(unit);
    else if (this.#units.length > 0) this.#units.push(unit);
    else return;
    this.#bytes += unit.data.length;
    if (this.#units.length > MAX_UNITS || this.#bytes > MAX_BYTES) this.#clear();
  }

  #clear(): void {
    this.#units = [];
    this.#bytes = 0;
  }

  /** Audio may have come before the frame that it belongs to. */
  #beginWith(keyFrame: AccessUnit): void {
    const audio = this.#units.filter((unit) => !isVideo(unit) && unit.dtsUs >= keyFrame.dtsUs);
    this.#units = [keyFrame, ...audio];
    this.#bytes = audio.reduce((bytes, { data }) => bytes + data.length, 0);
  }
}
