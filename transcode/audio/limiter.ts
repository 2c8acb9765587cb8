/** Above this the soft limiter begins to bend; below it nothing is changed. About -3 dBFS. */
const KNEE = 23_200;
/** Full scale, which is approached and never exceeded; the same for both signs, so that no DC arises. */
const CEILING = 32_767;
const ROOM = CEILING - KNEE;

/**
 * Brings a sum of several voices back into 16 bits without the crackle of clipping: what is above the
 * knee approaches full scale smoothly. Sample by sample, with no memory.
 * @param sums - 32-bit sums of 16-bit samples
 * @param output - at least as many 16-bit samples
 */
export function limit(sums: Int32Array, output: Int16Array): void {
  for (let index = 0; index < sums.length; index++) {
    const sample = sums[index]!;
    if (sample <= KNEE && sample >= -KNEE) output[index] = sample;
    else output[index] = sample > 0 ? bend(sample) : -bend(-sample);
  }
}

/** Equal value and slope at the knee, and full scale only at infinity. */
function bend(magnitude: number): number {
  const over = magnitude - KNEE;
  return KNEE + (ROOM * over) / (ROOM + over);
}
