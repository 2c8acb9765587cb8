import type { DecodedStream } from './decoded-stream.ts';
import { channelsOf, type MixFormat, rateOf, samplesPerFrame } from './mix-format.ts';
import { Resampler } from './resampler.ts';

/** A mono stream's frames in another format: at another rate, and in stereo the same on both sides. */
export class ResampledStream {
  /** This tick's frame: a view that stays the same. */
  readonly frame: Int16Array;
  readonly #from: DecodedStream;
  readonly #resampler: Resampler;
  readonly #isStereo: boolean;

  /** @param from - mono */
  constructor(from: DecodedStream, format: MixFormat) {
    this.#from = from;
    this.#resampler = new Resampler(rateOf(from.format), rateOf(format));
    this.#isStereo = channelsOf(format) === 2;
    this.frame = new Int16Array(samplesPerFrame(format));
  }

  /** Takes over the frame that the stream has now. */
  advance(): void {
    const count = this.#resampler.process(this.#from.frame, this.frame);
    if (this.#isStereo) spread(this.frame, count);
  }

  /** Another stream begins. */
  reset(): void {
    this.#resampler.reset();
  }
}

/** Gives both channels the first `count` samples, in place: from the end, so that none is written over before it was read. */
function spread(samples: Int16Array, count: number): void {
  for (let at = count - 1; at >= 0; at--) {
    const sample = samples[at]!;
    samples[2 * at] = sample;
    samples[2 * at + 1] = sample;
  }
}
