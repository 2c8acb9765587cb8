import { expect, test } from 'vitest';
import type { RelayFrame } from '../../bench/relay-frame.ts';
import { pairByTime } from '../../bench/relay-pairs.ts';

const frame = (shownMs: number): RelayFrame => ({
  ...{ key: 'key', kind: 'video', isKey: false, timestampMs: shownMs, shownMs, tail: '', atMs: 0 },
});

/** In the order of decoding, as with B-frames. */
const SENT = [0, 100, 33, 67, 200, 133, 167].map(frame);

test.each<[string, number[], number, Record<number, number>]>([
  [
    'all at one distance',
    [500, 533, 567, 600, 633, 667, 700],
    67,
    { 0: 500, 33: 533, 67: 567, 100: 600, 133: 633, 167: 667, 200: 700 },
  ],
  [
    'some moved little by little, farther than half a period in all',
    [455, 497, 540, 582, 624, 667, 709],
    100,
    { 0: 455, 33: 497, 67: 540, 100: 582, 133: 624, 167: 667, 200: 709 },
  ],
  [
    'one left out, and one more',
    [500, 533, 600, 615, 633, 667, 700],
    100,
    { 0: 500, 33: 533, 100: 600, 133: 633, 167: 667, 200: 700 },
  ],
  ['the ends not there', [567, 600], 67, { 67: 567, 100: 600 }],
])('pictures are paired: %s', (_, times, knownMs, expected) => {
  const came = times.map(frame);
  const known = SENT.find(({ shownMs }) => shownMs === knownMs)!;
  const pairs = pairByTime(SENT, came, [known, came.find(({ shownMs }) => shownMs === expected[knownMs])!]);
  const found = [...pairs].map(([one, other]) => [one.shownMs, other.shownMs]);
  expect(Object.fromEntries(found)).toEqual(expected);
});
