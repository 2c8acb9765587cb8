/** Samples at 8000 Hz; the figures are those of ITU-T Rec. G.711, Appendix I (1999). */

/** Periods of 200 Hz down to 66 Hz. */
const MIN_PITCH = 40;
const MAX_PITCH = 120;
/** Blended where repetitions meet: a quarter of a period. */
const MAX_OVERLAP = MAX_PITCH / 4;
const MAX_PERIODS = 3;
const HISTORY = MAX_PITCH * MAX_PERIODS + MAX_OVERLAP;
/** Compared to find the pitch: 20 ms. */
const CORRELATED = 160;
/** Below this the energy of what is compared says nothing. */
const MIN_ENERGY = 250 * CORRELATED;
/** Steps of 10 ms, in which the attenuation grows and, twice, a period more is repeated. */
const STEP = 80;
const ATTENUATION_PER_STEP = 0.2;
/** One step at full level, then five in which it falls: 60 ms. */
const SILENT_AFTER = 6 * STEP;
/** The return to the real signal takes 4 ms more for each further step of loss, up to 10 ms. */
const RETURN_GROWTH = 32;
const MAX_RETURN = 80;

/**
 * Packet loss concealment for speech at 8000 Hz in the manner of G.711's Appendix I: repeats the last
 * pitch periods, ever quieter. Unlike the Appendix's it adds no delay: the end of the last good frame is
 * not held back to be blended into the repetition; the step between them fades instead. As long as
 * nothing is lost, it costs no more than a copy of the samples.
 */
export class Concealment {
  /** The newest samples in their order, those that were made up included. */
  #history = new Int16Array(HISTORY);
  /** The history when the loss began; its end is blended so that the repeated part fits its own beginning. */
  #source = new Float64Array(HISTORY);
  /** The end of the source as it was. */
  #end = new Float64Array(MAX_OVERLAP);
  #pitch = 0;
  #overlap = 0;
  /** Samples at the end of the source that are repeated, and where reading is in them. */
  #repeated = 0;
  #position = 0;
  /** What the repetition fades in from, and how much of that is still to come. */
  #tail = new Float64Array(MAX_OVERLAP);
  #tailLeft = 0;
  /** Samples made up since the last good one. */
  #elapsed = 0;

  /**
   * Good samples came. The first ones after a loss are blended with what would have been made up.
   * @param samples - `count` of them, from the start
   */
  received(samples: Int16Array, count: number): void {
    if (this.#elapsed > 0) this.#return(samples, count);
    this.#remember(samples, count);
  }

  /** Makes up for samples that are lost. @param count - how many to write to `output`, from its start */
  conceal(output: Int16Array, count: number): void {
    for (let index = 0; index < count; index++) output[index] = this.#next();
    this.#remember(output, count);
  }

  /** Another stream begins. */
  reset(): void {
    this.#history.fill(0);
    this.#elapsed = 0;
  }

  #remember(samples: Int16Array, count: number): void {
    const history = this.#history;
    const kept = Math.min(count, HISTORY);
    history.copyWithin(0, kept);
    for (let index = 1; index <= kept; index++) history[HISTORY - index] = samples[count - index]!;
  }

  #return(samples: Int16Array, count: number): void {
    const steps = Math.ceil(this.#elapsed / STEP);
    const length = Math.min(this.#overlap + (steps - 1) * RETURN_GROWTH, MAX_RETURN, count);
    for (let index = 0; index < length; index++) {
      const weight = (index + 1) / (length + 1);
      const made = this.#next();
      samples[index] = Math.round(made + weight * (samples[index]! - made));
    }
    this.#elapsed = 0;
  }

  /** The next sample that is made up. */
  #next(): number {
    const elapsed = this.#elapsed++;
    if (elapsed >= SILENT_AFTER) return 0;
    if (elapsed === 0) this.#begin();
    else if (elapsed === STEP || elapsed === 2 * STEP) this.#repeatMore();
    const attenuation = Math.max(0, elapsed / STEP - 1) * ATTENUATION_PER_STEP;
    const sample = Math.round(this.#read() * (1 - attenuation));
    return Math.max(-32768, Math.min(32767, sample));
  }

  #begin(): void {
    const history = this.#history;
    this.#source.set(history);
    this.#pitch = findPitch(history);
    this.#overlap = this.#pitch >> 2;
    for (let index = 0; index < this.#overlap; index++) {
      this.#end[index] = history[HISTORY - this.#overlap + index]!;
    }
    this.#repeat(this.#pitch, 0);
    const step = history[HISTORY - 1]! - history[HISTORY - this.#pitch - 1]!;
    for (let index = 0; index < this.#overlap; index++) {
      this.#tail[index] = this.#source[HISTORY - this.#pitch + index]! + step;
    }
  }

  /** Another period, so that the sound is not too regular. */
  #repeatMore(): void {
    const position = this.#position % this.#pitch;
    for (let index = 0; index < this.#overlap; index++) this.#tail[index] = this.#read();
    this.#repeat(this.#repeated + this.#pitch, position);
  }

  /** Repeats the last `length` samples, from `position` in them on, fading in from the tail. */
  #repeat(length: number, position: number): void {
    this.#repeated = length;
    this.#position = position;
    this.#tailLeft = this.#overlap;
    const end = HISTORY - this.#overlap;
    for (let index = 0; index < this.#overlap; index++) {
      const weight = (index + 1) / (this.#overlap + 1);
      const before = this.#source[end - length + index]!;
      this.#source[end + index] = this.#end[index]! + weight * (before - this.#end[index]!);
    }
  }

  #read(): number {
    const sample = this.#source[HISTORY - this.#repeated + this.#position]!;
    this.#position = (this.#position + 1) % this.#repeated;
    if (this.#tailLeft === 0) return sample;
    const weight = this.#tailLeft / (this.#overlap + 1);
    const faded = this.#tail[this.#overlap - this.#tailLeft]!;
    this.#tailLeft--;
    return sample + weight * (faded - sample);
  }
}

/** The lag at which the end of the history is most like itself: a coarse search, then a fine one around its result. */
function findPitch(history: Int16Array): number {
  const coarse = bestLag(history, MIN_PITCH, MAX_PITCH, 2);
  return bestLag(history, Math.max(MIN_PITCH, coarse - 1), Math.min(MAX_PITCH, coarse + 1), 1);
}

function bestLag(history: Int16Array, from: number, to: number, stride: number): number {
  let best = from;
  let bestScore = Number.NEGATIVE_INFINITY;
  for (let lag = from; lag <= to; lag += stride) {
    let correlation = 0;
    let energy = 0;
    for (let index = HISTORY - CORRELATED; index < HISTORY; index += stride) {
      const earlier = history[index - lag]!;
      correlation += history[index]! * earlier;
      energy += earlier * earlier;
    }
    const score = correlation / Math.sqrt(Math.max(energy, MIN_ENERGY));
    if (score > bestScore) {
      best = lag;
      bestScore = score;
    }
  }
  return best;
}
