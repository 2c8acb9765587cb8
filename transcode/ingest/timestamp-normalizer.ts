import { ClockSpeed } from './clock-speed.ts';

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
/** Arrivals waver; the distance between two is believed to be what it is on average, and corrected by so much. */
const AVERAGED_ARRIVALS = 16;

interface Stream {
  /** Added to 32-bit time it makes mended time, ms. */
  shift: number;
  /** 32-bit time without its turns, ms. */
  unwrapped: number;
  /** Mended. */
  last: number;
  /** The local time at which that came. */
  lastAt: number;
  readonly speed: ClockSpeed;
  /** The average distance of two messages, ms, while arrivals say when they are; absent while timestamps do. */
  arrivalMs?: number;
  isAhead: boolean;
}

/**
 * Makes one steady clock of an encoder's timestamps: 32-bit milliseconds that may start anywhere, pass 2^32 (RTMP 1.0,
 * section 5.3.1), jump, step back, stand still, or run at another speed. Audio and video stay as far apart as they were. Pure.
 */
export class TimestampNormalizer {
  readonly repairs: TimestampRepairs = { jumps: 0, steps: 0 };
  #streams: Record<StreamKind, Stream | undefined> = { audio: undefined, video: undefined };
  /** Local time of the first message. */
  #origin: number | undefined;

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
    this.#origin ??= now;
    if (!present && !other) {
      stream.speed.note(stream.unwrapped, now);
      return stream.last;
    }
    // The nearest time that looks like this in 32 bits.
    const advanced = (timestamp - stream.unwrapped) | 0;
    stream.unwrapped += advanced;
    if (Math.abs(advanced) > JUMP_MS) stream.speed.restart();
    stream.speed.note(stream.unwrapped, now);
    this.#choose(stream, now);
    if (stream.arrivalMs !== undefined) return this.#arrive(stream, stream.arrivalMs, other, now);
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

  /** Whether the latest message of that kind had run ahead of its arrival, so that it says nothing of when it is due. */
  isAhead(kind: StreamKind): boolean {
    return this.#streams[kind]?.isAhead ?? false;
  }

  /** Whether timestamps or arrivals say when messages are. */
  #choose(stream: Stream, now: number): void {
    if (stream.arrivalMs === undefined && stream.speed.isWrong) {
      this.repairs.jumps++;
      stream.arrivalMs = Math.max(1, now - stream.lastAt);
    } else if (stream.arrivalMs !== undefined && stream.speed.isRight) {
      this.repairs.jumps++;
      stream.shift = stream.last + Math.round(now - stream.lastAt) - stream.unwrapped;
      stream.isAhead = false;
      delete stream.arrivalMs;
    }
  }

  #arrive(stream: Stream, averageMs: number, other: Stream | undefined, now: number): number {
    stream.arrivalMs = averageMs + (now - stream.lastAt - averageMs) / AVERAGED_ARRIVALS;
    const follows = other !== undefined && other.arrivalMs === undefined;
    const arrived = follows ? other.last + now - other.lastAt : ORIGIN_MS + now - this.#origin!;
    const smooth = stream.last + stream.arrivalMs;
    const far = Math.abs(arrived - smooth) > TOGETHER_MS;
    const mended = Math.round(far ? arrived : smooth + (arrived - smooth) / AVERAGED_ARRIVALS);
    // What had run ahead waits, by small steps, until it is there.
    stream.isAhead = mended < stream.last;
    stream.last = Math.max(mended, stream.last + 1);
    stream.lastAt = now;
    return stream.last;
  }
}

/** The second stream is on the first one's clock, unless that is plainly not so. */
function start(timestamp: number, now: number, other: Stream | undefined): Stream {
  const fresh = { lastAt: now, speed: new ClockSpeed(), isAhead: false };
  if (!other) return { ...fresh, shift: ORIGIN_MS - timestamp, unwrapped: timestamp, last: ORIGIN_MS };
  const unwrapped = other.unwrapped + ((timestamp - other.unwrapped) | 0);
  const expected = other.last + Math.round(now - other.lastAt);
  const shared = unwrapped + other.shift;
  const isShared = Math.abs(shared - expected) <= JUMP_MS;
  const last = isShared ? shared : expected;
  return { ...fresh, shift: last - unwrapped, unwrapped, last };
}
