import { expect, test } from 'vitest';
import { levelOf } from '../../../../transcode/ingest/sample-level.ts';
import { Tone } from '../../../signals/tone.ts';

test.each<[string, number[], number]>([
  ['silence', [0, 0, 0, 0], -127],
  ['as loud as can be', [-32_768, -32_768], 0],
  ['half of that', [16_384, -16_384], -6.02],
  ['one channel of two', [16_384, 0], -9.03],
  ['the least there is', [1, -1], -90.31],
  ['no samples', [], -127],
])('%s: %j', (_, samples, expected) => {
  expect(levelOf(Int16Array.from(samples))).toBeCloseTo(expected, 2);
});

test('it never is below what can be told', () => {
  const samples = new Int16Array(10_000);
  samples[0] = 1;
  expect(levelOf(samples)).toBe(-127);
});

test('a sine is 3 dB below a square of its height', () => {
  const samples = new Int16Array(4_800);
  new Tone(48_000, 1_000, -20).fill(samples);
  expect(levelOf(samples)).toBeCloseTo(-23.01, 1);
});
