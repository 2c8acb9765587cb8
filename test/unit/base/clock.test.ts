import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { systemClock } from '../../../src/base/clock.ts';

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

const DAY_MS = 24 * 3600 * 1000;

test.each([0, 1, 25 * DAY_MS, 60 * DAY_MS])('a timer of %d ms fires then, and not before', (delayMs) => {
  const action = vi.fn();
  systemClock.after(delayMs, action);
  vi.advanceTimersByTime(Math.max(0, delayMs - 1));
  if (delayMs > 0) expect(action).not.toHaveBeenCalled();
  vi.advanceTimersByTime(1);
  expect(action).toHaveBeenCalledOnce();
});

test('a timer that is cancelled does not fire, however long it has run', () => {
  const action = vi.fn();
  const timer = systemClock.after(60 * DAY_MS, action);
  vi.advanceTimersByTime(50 * DAY_MS);
  timer.cancel();
  vi.advanceTimersByTime(50 * DAY_MS);
  expect(action).not.toHaveBeenCalled();
});
