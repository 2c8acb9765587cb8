/** The least that is told (RFC 6464), dBFS. */
const SILENCE_DB = -127;

/** @returns how loud samples of 16 bits are in the mean, dBFS, -127 to 0 */
export function levelOf(samples: Int16Array): number {
  let sum = 0;
  for (let index = 0; index < samples.length; index++) sum += samples[index]! * samples[index]!;
  if (sum === 0) return SILENCE_DB;
  return Math.max(SILENCE_DB, Math.min(0, 10 * Math.log10(sum / samples.length / 2 ** 30)));
}
