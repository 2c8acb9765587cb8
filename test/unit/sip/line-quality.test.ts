import { expect, test } from 'vitest';
import { LineQuality } from '../../../gateways/sip/media/line-quality.ts';

test.each([
  [0, undefined],
  [0.01, undefined], // still excellent, as at the start
  [0.02, 'good'],
  [0.05, 'good'],
  [0.06, 'poor'],
  [0.5, 'poor'],
])('%d lost of a hundred packets is %s', (loss, expected) => {
  expect(new LineQuality().judge(100 * (1 - loss), 100 * loss, 0)).toBe(expected);
});

test('it is said once, and again when it changes back', () => {
  const quality = new LineQuality();
  expect(quality.judge(40, 10, 0)).toBe('poor');
  expect(quality.judge(80, 20, 0)).toBeUndefined();
  expect(quality.judge(130, 20, 0)).toBe('excellent');
});

test('a handful of packets says nothing yet: they count with the next', () => {
  const quality = new LineQuality();
  expect(quality.judge(19, 5, 0)).toBeUndefined();
  expect(quality.judge(20, 5, 0)).toBe('poor');
});

test('eight seconds without a sign of it is a lost line, until packets come again', () => {
  const quality = new LineQuality();
  expect(quality.judge(100, 0, 7_999)).toBeUndefined();
  expect(quality.judge(100, 0, 8_000)).toBe('lost');
  expect(quality.judge(150, 0, 0)).toBe('excellent');
});

test('a stream that starts anew counts from its start', () => {
  const quality = new LineQuality();
  quality.judge(1_000, 0, 0);
  expect(quality.judge(10, 0, 0)).toBeUndefined();
  expect(quality.judge(50, 10, 0)).toBe('poor');
});
