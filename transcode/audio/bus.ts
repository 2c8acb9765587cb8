import type { Contributor, Origin } from './contributor.ts';
import { EncodedFrames, type Encoding, isSameEncoding } from './encoded-frames.ts';
import { limit } from './limiter.ts';
import { type MixFormat, type MixRate, rateOf, samplesPerFrame } from './mix-format.ts';
import type { MixListener } from './mix-listener.ts';

/** One sound that several hear, encoded once a tick for each of their encodings, and only if somebody takes it. */
interface SharedEncode {
  readonly frames: EncodedFrames;
  /** The tick that it was encoded of. */
  tick: number;
}

/**
 * All listeners of one format who hear the same contributors. The sum is made once; who does not speak
 * gets it as it is, encoded once for all of a codec; who speaks gets it without himself.
 */
export class Bus {
  readonly format: MixFormat;
  /** Undefined: contributors of any origin are heard. */
  readonly origin: Origin | undefined;
  readonly listeners = new Set<MixListener>();
  #sum: Int32Array;
  #own: Int32Array;
  /** The sum within 16 bits. */
  #mix: Int16Array;
  #mixOfLastTick: Int16Array;
  #ownMix: Int16Array;
  #shared: SharedEncode[] = [];
  /** The one that was asked for last: mostly by the next listener, too. */
  #latest: SharedEncode | undefined;
  #tick = 0;

  constructor(format: MixFormat, origin: Origin | undefined) {
    const samples = samplesPerFrame(format);
    this.format = format;
    this.origin = origin;
    this.#sum = new Int32Array(samples);
    this.#own = new Int32Array(samples);
    this.#mix = new Int16Array(samples);
    this.#mixOfLastTick = new Int16Array(samples);
    this.#ownMix = new Int16Array(samples);
  }

  get rate(): MixRate {
    return rateOf(this.format);
  }

  /** Whether that contributor is part of it. */
  hears(contributor: Contributor): boolean {
    return this.origin === undefined || this.origin === contributor.origin;
  }

  /** Whether somebody else than himself hears him here. */
  wants(contributor: Contributor): boolean {
    if (!this.hears(contributor)) return false;
    for (const listener of this.listeners) if (listener.own !== contributor) return true;
    return false;
  }

  /** @param audible - the contributors that speak at this tick */
  tick(audible: readonly Contributor[]): void {
    this.#tick++;
    const last = this.#mixOfLastTick;
    this.#mixOfLastTick = this.#mix;
    this.#mix = last;
    this.#sum.fill(0);
    for (const contributor of audible) this.#add(contributor);
    limit(this.#sum, this.#mix);
    for (const listener of this.listeners) this.#serve(listener);
  }

  #add(contributor: Contributor): void {
    const frame = this.hears(contributor) ? contributor.frame(this.format) : undefined;
    if (!frame) return;
    const sum = this.#sum;
    for (let at = 0; at < sum.length; at++) sum[at]! += frame[at]!;
  }

  #serve(listener: MixListener): void {
    const { own } = listener;
    const ownFrame = own?.audible && this.hears(own) ? own.frame(this.format) : undefined;
    if (listener.takesOwn(ownFrame !== undefined)) {
      listener.encode(ownFrame ? this.#without(ownFrame) : this.#mix, this.#mixOfLastTick);
    } else {
      listener.deliver(this.#sharedFor(listener.encoding));
    }
  }

  #sharedFor(encoding: Encoding): EncodedFrames {
    const latest = this.#latest;
    if (latest && latest.tick === this.#tick && isSameEncoding(latest.frames.encoding, encoding))
      return latest.frames;
    let shared = this.#shared.find(({ frames }) => isSameEncoding(frames.encoding, encoding));
    if (!shared) {
      this.#forgetUnused();
      shared = { frames: new EncodedFrames(encoding, this.format), tick: -1 };
      this.#shared.push(shared);
    }
    if (shared.tick !== this.#tick) {
      // Nobody took it at the tick before: whoever does now heard another encoder until then.
      if (shared.tick < this.#tick - 1) shared.frames.startAfter(this.#mixOfLastTick);
      shared.frames.encode(this.#mix);
      shared.tick = this.#tick;
    }
    this.#latest = shared;
    return shared.frames;
  }

  /** Encodings that nobody has any more. */
  #forgetUnused(): void {
    const wanted = [...this.listeners].map(({ encoding }) => encoding);
    this.#shared = this.#shared.filter(({ frames }) =>
      wanted.some((one) => isSameEncoding(one, frames.encoding)),
    );
  }

  /** The mix without one who is in it: mix-minus. */
  #without(frame: Int16Array): Int16Array {
    const own = this.#own;
    const sum = this.#sum;
    for (let at = 0; at < own.length; at++) own[at] = sum[at]! - frame[at]!;
    limit(own, this.#ownMix);
    return this.#ownMix;
  }
}
