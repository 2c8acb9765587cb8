import { expect, test } from 'vitest';
import { TokenBucket } from '../../../src/base/token-bucket.ts';
import { FakeClock } from '../support/fake-clock.ts';

/** How many of `tries` are let through. */
function takeOf(bucket: TokenBucket, tries: number): number {
  return Array.from({ length: tries }, () => bucket.take()).filter(Boolean).length;
}

test('a burst is let through, and then no more while no time passes', () => {
  const bucket = new TokenBucket(10, 30, new FakeClock());
  expect(takeOf(bucket, 100)).toBe(30);
});

test.each([
  [99, 0],
  [100, 1],
  [250, 2],
  [1_000, 10],
  [3_600_000, 30],
])('%i ms after the burst, %i more are let through', (ms, expected) => {
  const clock = new FakeClock();
  const bucket = new TokenBucket(10, 30, clock);
  takeOf(bucket, 30);
  clock.advance(ms);
  expect(takeOf(bucket, 100)).toBe(expected);
});

test('fractions of a token add up, also across refusals', () => {
  const clock = new FakeClock();
  const bucket = new TokenBucket(10, 1, clock);
  bucket.take();
  const letThrough = [1, 2, 3, 4].map(() => {
    clock.advance(50);
    return bucket.take();
  });
  expect(letThrough).toEqual([false, true, false, true]);
});

test('a sender at the permitted rate is never refused', () => {
  const clock = new FakeClock();
  const bucket = new TokenBucket(50, 1, clock);
  for (let i = 0; i < 500; i++) {
    expect(bucket.take()).toBe(true);
    clock.advance(20);
  }
});
