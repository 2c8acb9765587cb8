import type { FramedUnit } from './unit-framing.ts';

/** One picture, whole. */
export interface JoinedPicture {
  readonly framed: FramedUnit;
  readonly timestampMs: number;
  readonly compositionMs: number;
  /** Whether its container calls it a key frame. */
  readonly key: boolean;
}

/** After so many pictures that each came in one message, the next ones are believed to, and wait for nothing. */
const TRUSTED_AFTER = 3;
/** Slices that an encoder stamps one by one are at most so far apart; two pictures are further. */
const MAX_SPREAD_MS = 12;
/** A picture is whole when so much later no other one has come. */
const MAX_WAIT_MS = 250;
const MAX_PARTS = 256;
const MAX_BYTES = 16 * 1024 * 1024;

/**
 * Makes whole pictures of what encoders put into their messages. A message should hold an access unit, but some encoders
 * send each slice in one of its own, or SEI ahead of its picture. A picture is whole when the next one begins, which costs
 * a frame of delay: so it is waited for at the beginning, and for good once a picture came in parts.
 */
export class PictureJoiner {
  #emit: (picture: JoinedPicture) => void;
  #parts: JoinedPicture[] = [];
  #bytes = 0;
  #wholes = 0;
  #comesInParts = false;

  constructor(emit: (picture: JoinedPicture) => void) {
    this.#emit = emit;
  }

  /** @param part - what one message holds */
  add(part: JoinedPicture): void {
    const { framed } = part;
    const present = this.#parts.find(({ framed: { hasSlice } }) => hasSlice);
    if (framed.hasSlice && !framed.beginsPicture) this.#comesInParts = true;
    const continues = framed.hasSlice && !framed.beginsPicture && isNear(part, present);
    if (!continues) this.flush();
    this.#parts.push(part);
    this.#bytes += framed.data.length;
    if (this.#parts.length > MAX_PARTS || this.#bytes > MAX_BYTES) this.clear();
    if (framed.hasSlice && !this.#comesInParts && this.#wholes >= TRUSTED_AFTER) this.flush();
  }

  /** Something later came, so that what waits is whole. What has no slice yet goes on waiting for its picture. */
  flush(): void {
    const first = this.#parts.find(({ framed }) => framed.hasSlice);
    if (!first) return;
    const parts = this.#parts;
    this.clear();
    this.#wholes++;
    this.#emit(parts.length === 1 ? first : join(parts, first));
  }

  /** The time of something else that came: audio tells that a picture of an earlier time is whole, unless it comes in between. */
  passed(timestampMs: number): void {
    const first = this.#parts.find(({ framed }) => framed.hasSlice);
    const patienceMs = this.#comesInParts ? MAX_WAIT_MS : 0;
    if (first && timestampMs > first.timestampMs + patienceMs) this.flush();
  }

  clear(): void {
    this.#parts = [];
    this.#bytes = 0;
  }
}

function isNear(part: JoinedPicture, present: JoinedPicture | undefined): boolean {
  return present !== undefined && Math.abs(part.timestampMs - present.timestampMs) <= MAX_SPREAD_MS;
}

function join(parts: readonly JoinedPicture[], first: JoinedPicture): JoinedPicture {
  const units = parts.map(({ framed }) => framed);
  const slices = units.filter(({ hasSlice }) => hasSlice);
  return {
    ...first,
    key: parts.some(({ key, framed }) => key && framed.hasSlice),
    framed: {
      data: Buffer.concat(units.map(({ data }) => data)),
      sps: units.flatMap(({ sps }) => sps),
      pps: units.flatMap(({ pps }) => pps),
      hasSlice: true,
      beginsPicture: true,
      isIdr: slices.some(({ isIdr }) => isIdr),
      isRecoveryPoint: units.some(({ isRecoveryPoint }) => isRecoveryPoint),
      isDisposable: slices.every(({ isDisposable }) => isDisposable),
    },
  };
}
