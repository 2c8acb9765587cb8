import { expect, test } from 'vitest';
import { StallWatch } from '../../../../transcode/delivery/stall-watch.ts';

const SECOND = 312_500; // bytes of a program
const SILENT = 'The server no longer acknowledges what is sent to it.';
const BLOCKED = 'The server takes nothing: what is sent to it waits.';

const NOTHING = { bytesSent: 0, bytesAcknowledged: 0, acknowledges: false, largestAcknowledgementBytes: 0 };

interface Course {
  /** How long it acknowledges, s, and each how many bytes. */
  readonly acknowledged: number;
  readonly window: number;
  readonly acknowledges?: boolean;
  /** Bytes a second that are sent after that. */
  readonly rate?: number;
}

/** @returns after how many seconds of silence it is noticed, within two minutes */
function noticed({ acknowledged, window, acknowledges = true, rate = SECOND }: Course): number | undefined {
  const watch = new StallWatch();
  const last = Math.floor((acknowledged * SECOND) / window) * window;
  for (let at = 0; at <= acknowledged + 120; at += 0.5) {
    const bytesSent = Math.min(at, acknowledged) * SECOND + Math.max(0, at - acknowledged) * rate;
    const bytesAcknowledged = Math.min(last, Math.floor(bytesSent / window) * window);
    const transfer = { bytesSent, bytesAcknowledged, acknowledges, largestAcknowledgementBytes: window };
    const reason = watch.look(transfer, 0, at * 1000);
    if (reason === undefined) continue;
    expect(reason).toBe(SILENT);
    return at - acknowledged;
  }
  return undefined;
}

test.each<[string, Course, number | undefined]>([
  ['5 s after the last one', { acknowledged: 8, window: 250_000 }, 5],
  ['with a window of its own, after twice as much', { acknowledged: 40, window: 2_500_000 }, 16.5],
  ['when little is sent, after twice the window', { acknowledged: 8, window: 250_000, rate: 25_000 }, 20.5],
  ['when nothing is sent, never', { acknowledged: 8, window: 250_000, rate: 0 }, undefined],
  ['with two acknowledgements at the start, never', { acknowledged: 1.6, window: 250_000 }, undefined],
  [
    'of who acknowledges nonsense, never',
    { acknowledged: 8, window: 250_000, acknowledges: false },
    undefined,
  ],
  ['of who never acknowledges, never', { acknowledged: 0, window: 250_000 }, undefined],
])('missing acknowledgements are noticed: %s', (_, course, expected) => {
  expect(noticed(course)).toBe(expected);
});

test('an acknowledgement ends it', () => {
  const watch = new StallWatch();
  const look = (bytesSent: number, bytesAcknowledged: number, now: number) =>
    watch.look({ ...NOTHING, bytesSent, bytesAcknowledged, acknowledges: true }, 0, now);
  for (let at = 1; at <= 3; at++) expect(look(at * 300_000, at * 250_000, at * 1000)).toBeUndefined();
  expect(look(2_000_000, 750_000, 7_999)).toBeUndefined();
  expect(look(2_000_000, 750_000, 8_000)).toBe(SILENT);
  expect(look(2_000_000, 1_000_000, 8_500)).toBeUndefined();
});

test('what was acknowledged all at once after a stall makes the next one no harder to notice', () => {
  const watch = new StallWatch();
  const look = (at: number, acknowledgedUntil: number) =>
    watch.look(
      {
        bytesSent: at * SECOND,
        bytesAcknowledged: acknowledgedUntil * SECOND,
        acknowledges: true,
        largestAcknowledgementBytes: 250_000,
      },
      0,
      at * 1000,
    );
  for (let at = 0; at <= 10; at++) look(at, at);
  for (let at = 11; at <= 20; at++) look(at, 10);
  expect(look(21, 21)).toBeUndefined();
  expect(look(25.9, 21)).toBeUndefined();
  expect(look(26, 21)).toBe(SILENT);
});

test.each<[number, string | undefined]>([
  [0, undefined],
  [1_999, undefined],
  [2_000, BLOCKED],
])('nothing was taken for %d ms: %s', (blockedMs, expected) => {
  expect(new StallWatch().look(NOTHING, blockedMs, 10_000)).toBe(expected);
});
