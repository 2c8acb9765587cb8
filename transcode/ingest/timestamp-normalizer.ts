export type StreamKind = 'audio' | 'video';

/** What is put right in a source's timestamps, so far. */
export interface TimestampRepairs {
  /** They went on from somewhere else: the encoder's clock was set, or started again. */
  jumps: number;
  /** One lay before its predecessor. */
  steps: number;
}

/** Mended time begins here, ms: what belongs a little before the first message has room. */
const ORIGIN_MS = 10_000;
/** Further than this from where it should be, a timestamp is another clock's. */
const JUMP_MS = 3_000;
/** A stream that the other one's shift fits so well jumped together with it. */
const TOGETHER_MS = 1_000;

interface Stream {
  /** Of 32-bit time to mended time, ms. */
  shift: number;
  /** 32-bit time without its turns, ms. */
  unwrapped: number;
  /** Mended. */
  last: number;
  /** Local time of that. */
  lastAt: number;
}

/**
 * Makes one steady clock of an encoder's timestamps: 32-bit milliseconds that may start anywhere, pass 2^32 (RTMP 1.0,
 * section 5.3.1), jump or step back. Sound and picture stay together as far as they were. Pure.
 */
export class TimestampNormalizer {
  readonly repairs: TimestampRepairs = { jumps: 0, steps: 0 };
  #streams: Record<StreamKind, Stream | undefined> = { audio: undefined, video: undefined };

  /**
   * @param timestamp - ms, 32 bit unsigned
   * @param now - local time, ms
   * @returns ms, never less than for the message of that kind before
   */
  mend(kind: StreamKind, timestamp: number, now: number): number {
    const other = this.#streams[kind === 'audio' ? 'video' : 'audio'];
    const present = this.#streams[kind];
    const stream = present ?? start(timestamp, now, other);
    this.#streams[kind] = stream;
    if (!present && !other) return stream.last;
    // The nearest time that looks like this in 32 bits.
    stream.unwrapped += (timestamp - stream.unwrapped) | 0;
    // A pause is no jump: what did not come for a while goes on later.
    const expected = stream.last + Math.round(now - stream.lastAt);
    // Nor is it one to come to where the other stream is: what was kept back arrives at once, less what was left out.
    const furthest = Math.max(expected, other?.last ?? expected);
    let mended = stream.unwrapped + stream.shift;
    const behind = stream.last - mended;
    const joins = other !== undefined && Math.abs(stream.unwrapped + other.shift - expected) < TOGETHER_MS;
    const limitMs = joins ? TOGETHER_MS : JUMP_MS;
    if (behind > limitMs || mended - furthest > limitMs) {
      this.repairs.jumps++;
      stream.shift = joins ? other.shift : Math.max(expected, stream.last + 1) - stream.unwrapped;
      mended = stream.unwrapped + stream.shift;
    } else if (behind > 0) this.repairs.steps++;
    stream.last = Math.max(mended, stream.last);
    stream.lastAt = now;
    return stream.last;
  }
}

/** The second stream is on the first one's clock, unless that is plainly not so. */
function start(timestamp: number, now: number, other: Stream | undefined): Stream {
  if (!other) return { shift: ORIGIN_MS - timestamp, unwrapped: timestamp, last: ORIGIN_MS, lastAt: now };
  const unwrapped = other.unwrapped + ((timestamp - other.unwrapped) | 0);
  const expected = other.last + Math.round(now - other.lastAt);
  const shared = unwrapped + other.shift;
  const isShared = Math.abs(shared - expected) <= JUMP_MS;
  const last = isShared ? shared : expected;
  return { shift: last - unwrapped, unwrapped, last, lastAt: now };
}
