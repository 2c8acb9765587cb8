import { expect, test } from 'vitest';
import { SentRate } from '../../../../transcode/delivery/sent-rate.ts';

/** Sampled each 500 ms from time 100 on. */
function rateOf(totals: readonly number[]): SentRate {
  const rate = new SentRate();
  for (const [index, bytes] of totals.entries()) rate.sample(bytes, 100 + 500 * index);
  return rate;
}

test.each<[string, number[], number]>([
  ['nothing yet', [], 0],
  ['one sample', [5_000], 0],
  ['what was before the first sample does not count', [1_000_000, 1_000_500], 8_000],
  ['two seconds', [0, 100, 100, 900, 1_000], 4_000],
  ['only the last five', [0, 1_000_000, ...new Array(10).fill(1_000_000), 1_006_250], 10_000],
])('%s', (_, totals, expected) => {
  expect(rateOf(totals).bitrateBps).toBe(expected);
});

test('begins again', () => {
  const rate = rateOf([0, 1_000_000]);
  rate.clear();
  expect(rate.bitrateBps).toBe(0);
  rate.sample(10, 5_000);
  rate.sample(1_010, 6_000);
  expect(rate.bitrateBps).toBe(8_000);
});
