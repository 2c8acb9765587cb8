import { expect, test } from 'vitest';
import { SampleClock } from '../../../../transcode/ffmpeg/sample-clock.ts';

const RATE = 48_000;
const SAMPLES = 1024;
const FRAME_MS = (SAMPLES * 1000) / RATE;

/** Gives stamps of whole milliseconds for samples that are really taken at `trueMs`. */
function run(clock: SampleClock, trueMs: readonly number[], samples = SAMPLES) {
  return trueMs.map((ms) => clock.advance(Math.round(ms), samples) - ms);
}

const steady = (count: number, ppm = 0, fromMs = 5000) =>
  Array.from({ length: count }, (_, index) => fromMs + index * FRAME_MS * (1 + ppm / 1e6));

test('rounded stamps become even times', () => {
  const clock = new SampleClock(RATE);
  const times = steady(500).map((ms) => clock.advance(Math.round(ms), SAMPLES));
  const steps = times.slice(1).map((ms, index) => ms - times[index]! - FRAME_MS);
  expect(Math.max(...steps.map(Math.abs))).toBeLessThan(0.03);
  expect(times[0]).toBe(5000);
  expect(clock.jumps).toBe(0);
});

test.each([
  [200, 'fast'],
  [-200, 'slow'],
])('a source whose clock is off by %i ppm is followed', (ppm) => {
  const offMs = run(new SampleClock(RATE), steady(28_000, ppm)); // ten minutes, in which it drifts by 120 ms
  expect(Math.max(...offMs.map(Math.abs))).toBeLessThan(1);
});

test.each([
  ['forth', 101],
  ['far', 3_600_000],
  ['back', -101],
  ['far back', -4_000],
])('a jump %s by %i ms is taken at once', (_, jumpMs) => {
  const clock = new SampleClock(RATE);
  run(clock, steady(300));
  const stampMs = Math.round(5000 + 300 * FRAME_MS + jumpMs);
  expect(clock.advance(stampMs, SAMPLES)).toBe(stampMs);
  expect(clock.jumps).toBe(1);
});

test('a smaller step is caught up with, without a jump', () => {
  const clock = new SampleClock(RATE);
  run(clock, steady(300));
  const offMs = run(clock, steady(400, 0, 5000 + 300 * FRAME_MS + 60));
  const steps = offMs.slice(1).map((ms, index) => ms - offMs[index]!);
  expect(Math.max(...steps.map(Math.abs))).toBeLessThan(2);
  expect(Math.abs(offMs.at(-1)!)).toBeLessThan(0.5);
  expect(clock.jumps).toBe(0);
});

test('runs longer than its time constant do not swing', () => {
  const clock = new SampleClock(8000);
  expect([0, 3050, 6010, 9000].map((ms) => clock.advance(ms, 24_000))).toEqual([0, 3050, 6010, 9000]);
});
