import { expect, test } from 'vitest';
import { Backoff } from '../../../../transcode/delivery/backoff.ts';
import { seededRandom } from '../../../signals/random.ts';

const waits = (backoff: Backoff, count: number) => Array.from({ length: count }, () => backoff.next());

test.each<[string, number, number[]]>([
  ['the shortest', 0, [250, 500, 1_000, 2_000, 4_000, 8_000, 15_000, 15_000]],
  ['the longest', 1, [500, 1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000]],
])('the waits between failures grow up to half a minute: %s', (_, chance, expected) => {
  expect(waits(new Backoff(() => chance), 8)).toEqual(expected);
});

test.each<[number, number]>([
  [0, 16_000], // as if it had never been live
  [999, Math.round(16_000 * 2 ** (-999 / 5_000))], // that is nothing worth speaking of, either
  [1_000, 500],
  [2_000, 1_000],
  [5_000, 2_500], // half of what it carried, which is less than half of the wait
  [10_000, 4_000],
  [15_000, 2_000],
  [20_000, 1_000],
  [25_000, 500],
  [3_600_000, 500], // never less
])(
  'after five failures and a connection that carried the program for %d ms, the wait is %d ms',
  (carriedMs, expected) => {
    const backoff = new Backoff(() => 1);
    waits(backoff, 5);
    expect(backoff.next(carriedMs)).toBe(expected);
  },
);

test.each<[string, number, number]>([
  ['does not let us in at all', 0, 30_000],
  ['cuts each connection at once', 100, 30_000],
  ['cuts each after a second', 1_000, 500],
  ['cuts each after six seconds', 6_000, 3_000],
  ['cuts each after a minute', 60_000, 500],
])('a server that %s is waited for no longer than makes sense', (_, carriedMs, longest) => {
  const backoff = new Backoff(() => 1);
  const found = Array.from({ length: 30 }, () => backoff.next(carriedMs));
  expect(Math.max(...found)).toBeLessThanOrEqual(longest);
  // Never off the air longer than on it.
  if (carriedMs >= 1_000) expect(Math.max(...found)).toBeLessThanOrEqual(Math.max(500, carriedMs / 2));
  else expect(found.at(-1)).toBeGreaterThan(15_000);
});

test('two destinations that lost the same server at once come back at different times', () => {
  const [one, other] = [1, 2].map((seed) => waits(new Backoff(seededRandom(seed)), 20));
  expect(one!.filter((wait, index) => wait === other![index])).toEqual([]);
  expect(Math.max(...one!, ...other!)).toBeLessThanOrEqual(30_000);
  expect(one!.every(Number.isInteger)).toBe(true);
});
