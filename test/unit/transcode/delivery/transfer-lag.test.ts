import { describe, expect, test } from 'vitest';
import { TransferLag } from '../../../../transcode/delivery/transfer-lag.ts';

const WINDOW = 250_000;
/** A program of 400 kB/s, in pieces of 10 kB. */
const PIECE = 10_000;
const PIECE_MS = 25;

/** Sends for so many ms. @returns the bytes sent in all by then */
function sendFor(lag: TransferLag, ms: number, from = { bytes: 0, at: 0 }): number {
  let { bytes, at } = from;
  for (const end = at + ms; at < end; at += PIECE_MS) {
    bytes += PIECE;
    lag.sent(bytes, at);
  }
  return bytes;
}

test('nothing was sent: nothing is late', () => {
  expect(new TransferLag().age(0, WINDOW, 60_000)).toBe(0);
});

test('what a window holds may be under way for as long as it likes', () => {
  const lag = new TransferLag();
  lag.sent(WINDOW, 0);
  expect(lag.age(0, WINDOW, 60_000)).toBe(0);
});

test('without any acknowledgement it is as late as the first bytes beyond the window', () => {
  const lag = new TransferLag();
  const bytes = sendFor(lag, 4_000);
  expect(bytes).toBe(1_600_000);
  const age = lag.age(0, WINDOW, 4_000);
  const atWindow = (WINDOW / PIECE) * PIECE_MS;
  // Nothing is told apart between two marks, which are 32 KiB apart.
  expect(age).toBeGreaterThanOrEqual(4_000 - atWindow - 100);
  expect(age).toBeLessThanOrEqual(4_000 - atWindow);
});

test('an acknowledgement of everything makes it current again', () => {
  const lag = new TransferLag();
  const bytes = sendFor(lag, 4_000);
  expect(lag.age(0, WINDOW, 4_000)).toBeGreaterThan(3_000);
  expect(lag.age(bytes, WINDOW, 4_000)).toBe(0);
  expect(lag.age(bytes, WINDOW, 60_000)).toBe(0);
});

test('it is as late as what the last acknowledgement did not tell of, and grows while none comes', () => {
  const lag = new TransferLag();
  const bytes = sendFor(lag, 10_000);
  const late = lag.age(bytes - WINDOW - 800_000, WINDOW, 10_000);
  expect(late).toBeGreaterThan(1_850);
  expect(late).toBeLessThanOrEqual(2_000);
  expect(lag.age(bytes - WINDOW - 800_000, WINDOW, 11_500)).toBe(late + 1_500);
});

test.each<[number, number, number]>([
  [2_500_000, 0, 0],
  [WINDOW, 5_275, 5_375],
])(
  'with 2.4 MB under way and a window of %d bytes it is late by %d ms to %d ms',
  (windowBytes, least, most) => {
    const lag = new TransferLag();
    const age = lag.age(sendFor(lag, 6_000) - 2_400_000, windowBytes, 6_000);
    expect(age).toBeGreaterThanOrEqual(least);
    expect(age).toBeLessThanOrEqual(most);
  },
);

describe('an other side that reads steadily', () => {
  test.each<[number, number, number]>([
    [0, 0, 0],
    [1_000, 275, 400], // a window of 250 kB is 625 ms of it, and a mark 82 ms
    [5_000, 4_275, 4_400],
  ])('and is %d ms behind is found to be so, but for the window', (behindMs, least, most) => {
    const lag = new TransferLag();
    let bytes = 0;
    for (let at = 0; at < 60_000; at += PIECE_MS) {
      bytes = sendFor(lag, PIECE_MS, { bytes, at });
      const read = Math.max(0, bytes - (behindMs / PIECE_MS) * PIECE);
      const age = lag.age(Math.floor(read / 1_000) * 1_000, WINDOW, at);
      if (at < 10_000) continue;
      expect(age).toBeGreaterThanOrEqual(least);
      expect(age).toBeLessThanOrEqual(most);
    }
  });
});

test('a time without marks that is longer than it keeps makes it less late, never later', () => {
  const lag = new TransferLag();
  // 64 MiB that nobody acknowledges: twice what its marks reach over.
  for (let mark = 1; mark <= 2_048; mark++) lag.sent(mark * 32 * 1024, mark);
  const age = lag.age(0, WINDOW, 2_048);
  expect(age).toBeLessThanOrEqual(1_024);
  expect(age).toBeGreaterThan(1_000);
});
