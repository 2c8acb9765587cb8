import { type AccessUnit, isVideo } from '../../src/media/access-unit.ts';
import type { MediaKind } from '../../src/media/codec.ts';

/**
 * One destination's time, over all its connections: it begins with the first video frame and goes on with the program,
 * whatever was left out, so that audio and video stay as far apart as they are. Pure.
 */
export class ProgramTimeline {
  /** The program's time of the first frame ever sent: whole ms, so that containers that count in ms round all times alike. */
  #originUs: number | undefined;
  /** The program's time of the frame that this connection began with. */
  #beganUs = 0;
  /** Of units that were sent, in the program's time; on any connection, and up to this one's beginning. */
  #sentUs: Record<MediaKind, number> = { audio: Number.NEGATIVE_INFINITY, video: Number.NEGATIVE_INFINITY };
  #sentBeforeUs = this.#sentUs;

  /** @param originUs - of the time that a predecessor in another process began; undefined: it begins anew */
  constructor(originUs?: number) {
    this.#originUs = originUs;
  }

  /** Undefined before the first connection began. */
  get originUs(): number | undefined {
    return this.#originUs;
  }

  /** A connection may begin with a key frame that is newer than what was sent. */
  canBeginWith(unit: AccessUnit): boolean {
    return isVideo(unit) && unit.key && unit.dtsUs > this.#sentUs.video;
  }

  begin(keyFrame: AccessUnit): void {
    this.#originUs ??= Math.round(keyFrame.dtsUs / 1000) * 1000;
    this.#beganUs = keyFrame.dtsUs;
    this.#sentBeforeUs = { ...this.#sentUs };
  }

  /** Whether it belongs to this connection: it is no older than the frame that this began with, and new. */
  takes(unit: AccessUnit): boolean {
    return unit.dtsUs >= this.#beganUs && unit.dtsUs > this.#sentBeforeUs[unit.format.kind];
  }

  /** A unit is sent now. */
  note(unit: AccessUnit): void {
    this.#sentUs[unit.format.kind] = unit.dtsUs;
  }
}
