import { expect, test } from 'vitest';
import { Backoff } from '../../../../transcode/delivery/backoff.ts';
import { seededRandom } from '../../../signals/random.ts';

const waits = (backoff: Backoff, count: number) => Array.from({ length: count }, () => backoff.next());

test.each<[string, number, number[]]>([
  ['the shortest', 0, [250, 500, 1_000, 2_000, 4_000, 8_000, 15_000, 15_000]],
  ['the longest', 1, [500, 1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000]],
])('waits, %s', (_, chance, expected) => {
  expect(waits(new Backoff(() => chance), 8)).toEqual(expected);
});

test('begins again after a success', () => {
  const backoff = new Backoff(() => 1);
  waits(backoff, 5);
  backoff.reset();
  expect(waits(backoff, 2)).toEqual([500, 1_000]);
});

test('two that lost the same server at once come back at different times', () => {
  const [one, other] = [1, 2].map((seed) => waits(new Backoff(seededRandom(seed)), 20));
  expect(one!.filter((wait, index) => wait === other![index])).toEqual([]);
  expect(Math.max(...one!, ...other!)).toBeLessThanOrEqual(30_000);
  expect(one!.every(Number.isInteger)).toBe(true);
});
