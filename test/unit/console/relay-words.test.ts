import { expect, test } from 'vitest';
import {
  airState,
  formatBitrate,
  formatDuration,
  type RelayState,
} from '../../../src/console/client/relay-words.ts';

test.each<[RelayState[], string, boolean, boolean]>([
  [['live'], 'LIVE', true, true],
  [['live', 'live'], 'LIVE', true, true],
  [['live', 'stalled', 'failed'], 'LIVE on 1 of 3', false, true],
  [['connecting', 'live'], 'LIVE on 1 of 2', false, true],
  [['connecting', 'connecting'], 'Connecting', false, false],
  [['connecting', 'waiting'], 'Not live', false, false],
  [['failed'], 'Not live', false, false],
])('relays that are %j: %s', (states, words, whole, live) => {
  expect(airState(states)).toEqual({ words, whole, live });
});

test('without relays there is nothing to say', () => {
  expect(airState([])).toBeUndefined();
});

test.each([
  [0, '0 kbit/s'],
  [128_400, '128 kbit/s'],
  [2_649_000, '2.6 Mbit/s'],
])('%i bit/s are %s', (bps, words) => {
  expect(formatBitrate(bps)).toBe(words);
});

test.each([
  [0, '0:00'],
  [7_999, '0:07'],
  [754_000, '12:34'],
  [3_600_000, '1:00:00'],
  [3_723_000, '1:02:03'],
  [360_000_000, '100:00:00'],
])('%i ms are %s', (ms, words) => {
  expect(formatDuration(ms)).toBe(words);
});
