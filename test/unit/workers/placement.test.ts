import { expect, test } from 'vitest';
import { leastLoaded } from '../../../src/workers/placement.ts';

test.each<[string, number[], number | undefined]>([
  ['no workers: nowhere', [], undefined],
  ['one worker: there', [7], 0],
  ['equal loads: the first', [2, 2, 2], 0],
  ['the least is the last', [3, 2, 1], 2],
  ['the least is in the middle', [3, 1, 2], 1],
  ['two of the least: the first of them', [3, 1, 1], 1],
  ['an empty one', [1, 0, 5], 1],
])('%s', (_, loads, expected) => {
  const workers = loads.map((load, index) => ({ load, index }));
  expect(leastLoaded(workers, ({ load }) => load)?.index).toBe(expected);
});

test('rooms placed one after the other spread evenly', () => {
  const workers = [{ rooms: 0 }, { rooms: 0 }, { rooms: 0 }];
  for (let i = 0; i < 7; i++) leastLoaded(workers, ({ rooms }) => rooms)!.rooms++;
  expect(workers.map(({ rooms }) => rooms)).toEqual([3, 2, 2]);
});
