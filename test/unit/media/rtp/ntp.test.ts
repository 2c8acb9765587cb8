import { expect, test } from 'vitest';
import {
  ntpDelay,
  ntpFraction,
  ntpMiddle,
  ntpSeconds,
  roundTripMs,
  wallClockOf,
} from '../../../../src/media/rtp/ntp.ts';

test.each([
  ['the start of 1970', 0, 0x83aa7e80, 0],
  ['half a second later', 500, 0x83aa7e80, 0x80000000],
  ['a quarter', 250, 0x83aa7e80, 0x40000000],
  ["RFC 3550's example", Date.UTC(1995, 10, 10, 11, 33, 25, 125), 0xb44db705, 0x20000000],
  ['the last second of the first era', Date.UTC(2036, 1, 7, 6, 28, 15), 0xffffffff, 0],
  ['the first second of the next', Date.UTC(2036, 1, 7, 6, 28, 16), 0, 0],
])('%s', (_, ms, seconds, fraction) => {
  expect(ntpSeconds(ms)).toBe(seconds);
  expect(ntpFraction(ms)).toBe(fraction);
  expect(wallClockOf(seconds, fraction)).toBe(ms);
});

test('fractions of any millisecond have 32 bits and come back', () => {
  for (let ms = 1_700_000_000_000; ms < 1_700_000_001_000; ms++) {
    const fraction = ntpFraction(ms);
    expect(Number.isInteger(fraction) && fraction >= 0 && fraction <= 0xffffffff).toBe(true);
    expect(wallClockOf(ntpSeconds(ms), fraction)).toBeCloseTo(ms, 2);
  }
});

test.each([
  [0xb44db705, 0x20000000, 0xb7052000],
  [0xffffffff, 0xffffffff, 0xffffffff],
  [0x12340000, 0x0000ffff, 0],
])('the middle bits of %i and %i', (seconds, fraction, middle) => {
  expect(ntpMiddle(seconds, fraction)).toBe(middle);
});

test.each([
  [0, 0],
  [1000, 0x10000],
  [5250, 0x54000],
  [-1, 0],
  [1e9, 0xffffffff],
])('a delay of %i ms', (ms, units) => {
  expect(ntpDelay(ms)).toBe(units);
});

test.each([
  ["RFC 3550's example (figure 2)", 0xb7108000, 0xb7052000, 0x00054000, 6125],
  ['across the start of the seconds', 0x00008000, 0xffff8000, 0x00008000, 500],
  ['none', 0x10000, 0x8000, 0x8000, 0],
  ['less than none by rounding', 0x10000, 0x8000, 0x8001, 0],
  ['less than none by more than 1 ms', 0x10000, 0x8000, 0x8100, undefined],
  ['no report to answer', 0x10000, 0, 0, undefined],
])('round trip: %s', (_, arrival, lastSenderReport, delay, expected) => {
  expect(roundTripMs(arrival, lastSenderReport, delay)).toBe(expected);
});
