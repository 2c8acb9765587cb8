import { describe, expect, test } from 'vitest';
import { limit } from '../../../../transcode/audio/limiter.ts';

const limited = (sums: readonly number[]) => {
  const output = new Int16Array(sums.length);
  limit(Int32Array.from(sums), output);
  return [...output];
};

describe('limiter', () => {
  test('changes nothing up to the knee', () => {
    const sums = Array.from({ length: 2 * 23_200 + 1 }, (_, index) => index - 23_200);
    expect(limited(sums)).toEqual(sums);
  });

  test('rises with the sum, ever less, up to full scale', () => {
    const sums = Array.from({ length: 150_000 }, (_, index) => index);
    const output = limited(sums);
    const falls = output.filter((sample, index) => index > 0 && sample < output[index - 1]!);
    expect(falls).toEqual([]);
    const tooSteep = output.filter((sample, index) => index > 0 && sample > output[index - 1]! + 1);
    expect(tooSteep).toEqual([]);
    expect(output[32_767]).toBeGreaterThan(27_000);
    expect(output[65_534]).toBeGreaterThan(30_000);
  });

  test('treats both signs alike', () => {
    const sums = Array.from({ length: 2000 }, (_, index) => index * 100);
    expect(limited(sums.map((sum) => -sum)).map((sample) => 0 - sample)).toEqual(limited(sums));
  });

  test.each([2 ** 31 - 1, -(2 ** 31), 200 * 32_767, -200 * 32_768])('never wraps: %i', (sum) => {
    const [sample] = limited([sum]);
    expect(Math.sign(sample!)).toBe(Math.sign(sum));
    expect(Math.abs(sample!)).toBeGreaterThan(32_700);
    expect(Math.abs(sample!)).toBeLessThanOrEqual(32_767);
  });
});
