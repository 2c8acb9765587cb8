import { magnitudes } from './spectrum.ts';

/** A tone above this is there, if it also stands out of its neighbourhood. dBFS. */
export const PRESENT_DB = -40;
/** A tone below this is not there. dBFS. */
export const ABSENT_DB = -50;
/** What levels of nothing at all are given as. dBFS. */
const FLOOR_DB = -120;
/** By so much a tone is louder than the median of the frequencies around it. */
const DOMINANCE_DB = 15;
/** Where these lie, in units of 1 / window: outside of the tone's own lobe, which is 2 wide to each side. */
const NEIGHBOURS = [-28, -22, -17, -13, -10, -8, 8, 10, 13, 17, 22, 28];
/** Lowest frequency that is looked for, in Hz. */
const LOWEST_HZ = 60;
/**
 * A tone that starts, stops or has gaps spreads. What is so close to a louder one is no tone of its own, and
 * farther away it must not be that much quieter.
 */
const SPREAD_NEAR_HZ = 35;
const SPREAD_FAR_HZ = 100;
const SPREAD_FAR_DB = 12;

/**
 * Says which tones are in the sound of the last moments (half a second by default). Levels are in dBFS:
 * a sine that just fills 16 bits has 0.
 */
export class ToneMeter {
  readonly rate: number;
  #samples: Float64Array;
  #next = 0;
  /** Hann: lets a tone leak but little into other frequencies. */
  #window: Float64Array;
  #windowSum: number;

  /** @param rate - samples a second */
  constructor(rate: number, windowMs = 500) {
    this.rate = rate;
    const length = Math.round((rate * windowMs) / 1000);
    this.#samples = new Float64Array(length);
    this.#window = Float64Array.from(
      { length },
      (_, index) => 0.5 - 0.5 * Math.cos((2 * Math.PI * index) / length),
    );
    this.#windowSum = this.#window.reduce((sum, weight) => sum + weight, 0);
  }

  /** Adds what was heard next; as much falls out at the other end. */
  push(samples: Int16Array): void {
    for (const sample of samples) this.#add(sample / 32768);
  }

  pushSilence(samples: number): void {
    for (let count = Math.min(samples, this.#samples.length); count > 0; count--) this.#add(0);
  }

  /** Level of one frequency (Goertzel's algorithm). */
  level(hz: number): number {
    const length = this.#samples.length;
    const coefficient = 2 * Math.cos((2 * Math.PI * hz) / this.rate);
    let last = 0;
    let lastButOne = 0;
    for (let index = 0, at = this.#next; index < length; index++) {
      const now = this.#samples[at]! * this.#window[index]! + coefficient * last - lastButOne;
      lastButOne = last;
      last = now;
      at = at + 1 === length ? 0 : at + 1;
    }
    const power = last * last + lastButOne * lastButOne - coefficient * last * lastButOne;
    return decibels((2 * Math.sqrt(Math.max(0, power))) / this.#windowSum);
  }

  /** Level of everything together. */
  power(): number {
    const sum = this.#samples.reduce((total, sample) => total + sample * sample, 0);
    return decibels(Math.sqrt((2 * sum) / this.#samples.length));
  }

  /** @returns whether that tone is there: loud enough, and standing out, so that noise is not taken for it */
  hears(hz: number): boolean {
    const level = this.level(hz);
    if (level <= PRESENT_DB) return false;
    const unit = this.rate / this.#samples.length;
    const around = NEIGHBOURS.map((offset) => this.level(Math.abs(hz + offset * unit)));
    // The median, because one of them may be another tone.
    const median = around.sort((a, b) => a - b)[around.length / 2]!;
    return level - median > DOMINANCE_DB;
  }

  /** All tones that are there, in Hz, rounded to tens, rising; of two within 35 Hz only the louder one. */
  tones(): number[] {
    const length = this.#samples.length;
    const padded = new Float64Array(2 ** Math.ceil(Math.log2(length)));
    for (let index = 0; index < length; index++) {
      padded[index] = this.#samples[(this.#next + index) % length]! * this.#window[index]!;
    }
    const levels = magnitudes(padded).map((magnitude) => decibels((2 * magnitude) / this.#windowSum));
    const stepHz = this.rate / padded.length;
    const peaks: { hz: number; level: number }[] = [];
    for (let index = Math.ceil(LOWEST_HZ / stepHz); index < levels.length - 1; index++) {
      const [before, level, after] = [levels[index - 1]!, levels[index]!, levels[index + 1]!];
      if (level <= PRESENT_DB || level < before || level <= after) continue;
      // The peak of a parabola through the three.
      const hz = (index + (before - after) / (2 * (before - 2 * level + after))) * stepHz;
      peaks.push({ hz, level });
    }
    const tones = peaks.filter(({ hz, level }) => {
      const isShadowed = peaks.some((other) => {
        const distance = Math.abs(other.hz - hz);
        const isNear = distance < SPREAD_NEAR_HZ && other.level > level;
        return isNear || (distance < SPREAD_FAR_HZ && other.level - level > SPREAD_FAR_DB);
      });
      return !isShadowed && this.hears(hz);
    });
    return [...new Set(tones.map(({ hz }) => Math.round(hz / 10) * 10))];
  }

  #add(sample: number): void {
    this.#samples[this.#next] = sample;
    this.#next = this.#next + 1 === this.#samples.length ? 0 : this.#next + 1;
  }
}

function decibels(amplitude: number): number {
  return Math.max(FLOOR_DB, 20 * Math.log10(amplitude));
}
