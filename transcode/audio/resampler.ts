import type { MixRate } from './mix-format.ts';

/**
 * Taps of the filter for each phase, counted at the lower of the two rates. With a Kaiser window of
 * this shape: flat to 0.43 of the lower rate (3.4 of 8 kHz), 60 dB down from 0.57 of it.
 */
const TAPS_PER_PHASE = 24;
const KAISER_BETA = 5.65;
/** Longest input of one call: 120 ms at 48 kHz. */
const MAX_INPUT = 5760;

/**
 * Changes the sample rate by an integer ratio up or down (polyphase FIR filter), frame by frame without
 * seams. Delays by 12 samples of the lower rate.
 */
export class Resampler {
  readonly #ratio: number;
  readonly #isUp: boolean;
  /** Of each phase, in the order of the input's samples; one phase when going down. */
  readonly #phases: Float64Array[];
  readonly #taps: number;
  /** The last samples of the previous input, which the first outputs of the next one need, then the input. */
  readonly #line: Float64Array;

  constructor(from: MixRate, to: MixRate) {
    this.#isUp = to > from;
    this.#ratio = this.#isUp ? to / from : from / to;
    this.#taps = this.#isUp ? TAPS_PER_PHASE : TAPS_PER_PHASE * this.#ratio;
    this.#phases = this.#isUp ? split(lowPass(this.#ratio), this.#ratio) : [lowPass(this.#ratio)];
    this.#line = new Float64Array(this.#taps - 1 + MAX_INPUT);
  }

  /**
   * @param input - 120 ms at the most, in whole multiples of 2.5 ms
   * @param output - room for as many samples as the ratio makes of them
   * @returns samples written
   */
  process(input: Int16Array, output: Int16Array): number {
    if (this.#ratio === 1) {
      output.set(input);
      return input.length;
    }
    const line = this.#line;
    const kept = this.#taps - 1;
    for (let index = 0; index < input.length; index++) line[kept + index] = input[index]!;
    const written = this.#isUp ? this.#raise(input.length, output) : this.#lower(input.length, output);
    line.copyWithin(0, input.length, input.length + kept);
    return written;
  }

  /** Another stream begins. */
  reset(): void {
    this.#line.fill(0);
  }

  #raise(count: number, output: Int16Array): number {
    const ratio = this.#ratio;
    for (let phase = 0; phase < ratio; phase++) {
      const taps = this.#phases[phase]!;
      for (let at = 0; at < count; at += 4) {
        filterFour(this.#line, at, 1, taps, output, at * ratio + phase, ratio);
      }
    }
    return count * ratio;
  }

  #lower(count: number, output: Int16Array): number {
    const ratio = this.#ratio;
    const written = count / ratio;
    for (let at = 0; at < written; at += 4) {
      filterFour(this.#line, at * ratio, ratio, this.#phases[0]!, output, at, 1);
    }
    return written;
  }
}

/**
 * Four output samples at once, which takes half the time of one after the other.
 * @param start - where the filter is laid on the line for the first of them; `step` further for each other
 * @param at - where the first is written; `stride` further for each other
 */
function filterFour(
  line: Float64Array,
  start: number,
  step: number,
  taps: Float64Array,
  output: Int16Array,
  at: number,
  stride: number,
): void {
  let first = 0;
  let second = 0;
  let third = 0;
  let fourth = 0;
  const toSecond = start + step;
  const toThird = toSecond + step;
  const toFourth = toThird + step;
  for (let index = 0; index < taps.length; index++) {
    const tap = taps[index]!;
    first += line[start + index]! * tap;
    second += line[toSecond + index]! * tap;
    third += line[toThird + index]! * tap;
    fourth += line[toFourth + index]! * tap;
  }
  output[at] = saturate(first);
  output[at + stride] = saturate(second);
  output[at + 2 * stride] = saturate(third);
  output[at + 3 * stride] = saturate(fourth);
}

/** Rounded, and full scale where it would exceed that. */
function saturate(sample: number): number {
  return sample >= 32767 ? 32767 : sample <= -32768 ? -32768 : Math.round(sample);
}

/** A windowed sinc with its edge at half of the lower rate, in the higher rate's samples; the sum of its taps is 1. */
function lowPass(ratio: number): Float64Array {
  const length = TAPS_PER_PHASE * ratio;
  const center = (length - 1) / 2;
  const taps = Float64Array.from({ length }, (_, tap) => {
    const x = (tap - center) / ratio;
    const window = bessel(KAISER_BETA * Math.sqrt(1 - ((tap - center) / center) ** 2));
    return (Math.sin(Math.PI * x) / (Math.PI * x)) * window;
  });
  const sum = taps.reduce((total, tap) => total + tap, 0);
  return taps.map((tap) => tap / sum);
}

/** The taps that meet samples of the input when all others between them are zero: one set for each output of one input. */
function split(taps: Float64Array, ratio: number): Float64Array[] {
  return Array.from({ length: ratio }, (_, phase) =>
    Float64Array.from({ length: TAPS_PER_PHASE }, (_, tap) => {
      // The newest sample, which is the last of the line, meets the filter's first taps.
      return taps[(TAPS_PER_PHASE - 1 - tap) * ratio + phase]! * ratio;
    }),
  );
}

/** Modified Bessel function of the first kind, order zero. */
function bessel(x: number): number {
  let sum = 1;
  let term = 1;
  for (let k = 1; term > sum * 1e-12; k++) {
    term *= (x / (2 * k)) ** 2;
    sum += term;
  }
  return sum;
}
