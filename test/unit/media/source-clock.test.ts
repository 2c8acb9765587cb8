import { describe, expect, test } from 'vitest';
import { SourceClock } from '../../../src/media/source-clock.ts';

/** Hears something each 20 ms. @param delayMs - of what is sent at a moment */
function hear(clock: SourceClock, fromMs: number, toMs: number, delayMs: (ms: number) => number): void {
  for (let ms = fromMs; ms < toMs; ms += 20) clock.heard(ms, ms + delayMs(ms));
}

test('nothing is late before anything was heard', () => {
  expect(new SourceClock().latenessOf(5, 5_000)).toBe(0);
});

test('lateness counts from the earliest of all that came', () => {
  const clock = new SourceClock();
  hear(clock, 0, 1_000, (ms) => 100 + (ms % 60));
  expect(clock.latenessOf(1_000, 1_100)).toBe(0);
  expect(clock.latenessOf(1_000, 1_180)).toBe(80);
  // Earlier than ever.
  expect(clock.latenessOf(1_000, 1_090)).toBe(-10);
});

describe('an early arrival counts for 5 to 10 s', () => {
  test.each<[number, number]>([
    [4_000, 50],
    [9_900, 50],
    [10_100, 0],
  ])('%i ms later the others are late by %i ms', (laterMs, expected) => {
    const clock = new SourceClock();
    clock.heard(0, 0);
    hear(clock, 20, laterMs, () => 50);
    expect(clock.latenessOf(laterMs, laterMs + 50)).toBe(expected);
  });

  test('also when nothing came for a while', () => {
    const clock = new SourceClock();
    clock.heard(0, 0);
    clock.heard(11_000, 11_400);
    expect(clock.latenessOf(11_020, 11_420)).toBe(0);
  });
});

test.each([200, -200])('it follows a source whose clock is %i ppm off', (ppm) => {
  const clock = new SourceClock();
  let worst = 0;
  for (let now = 0; now < 3_600_000; now += 100) {
    const sourceMs = now * (1 + ppm / 1e6);
    clock.heard(sourceMs, now);
    worst = Math.max(worst, Math.abs(clock.latenessOf(sourceMs, now)));
  }
  // 200 ppm of 10 s.
  expect(worst).toBeLessThanOrEqual(2.001);
});
