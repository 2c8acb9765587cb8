import { expect, test } from 'vitest';
import { Rate } from '../../../../transcode/ingest/rate.ts';

/** @param startMs - of the local clock */
function fed(perSecond: number, bytes: number, seconds: number, startMs = 0): Rate {
  const rate = new Rate();
  for (let index = 0; index <= perSecond * seconds; index++) {
    rate.add(bytes, startMs + (index * 1000) / perSecond);
  }
  return rate;
}

test.each<[number, number, number]>([
  [25, 10_000, 2_000_000],
  [50, 1_000, 400_000],
])('%i messages of %i bytes a second are %i bit/s', (perSecond, bytes, expected) => {
  for (const startMs of [0, 123_456.7]) {
    const rate = fed(perSecond, bytes, 2, startMs);
    expect(rate.bitrateBps).toBe(expected);
    expect(rate.perSecond).toBeCloseTo(perSecond, 6);
  }
});

test('nothing is said of less than 2 s', () => {
  const rate = fed(25, 1_000, 1.9);
  expect([rate.bitrateBps, rate.perSecond]).toEqual([0, 0]);
});

test('what came before the last 2 s does not count', () => {
  const rate = fed(25, 1_000, 2);
  for (let ms = 2_040; ms <= 4_000; ms += 40) rate.add(3_000, ms);
  expect(rate.bitrateBps).toBe(600_000);
});
