import { expect, test } from 'vitest';
import { ivfFrameHeader, ivfHeader } from '../../../../src/media/containers/ivf.ts';

const TIMEBASE = { numerator: 1, denominator: 90_000 };

test("a file's header", () => {
  expect(ivfHeader('VP80', 320, 180, { numerator: 1, denominator: 10 }).toString('hex')).toBe(
    // As FFmpeg writes it, but for the number of frames.
    '444b494600002000565038304001b4000a000000010000000000000000000000',
  );
});

test.each([
  [0, 0, '00000000 00000000 00000000'],
  [0x18a7, 1, 'a7180000 01000000 00000000'],
  [1, 2 ** 32 - 1, '01000000 ffffffff 00000000'],
  [1, 2 ** 32, '01000000 00000000 01000000'],
  [2 ** 32 - 1, 2 ** 53 - 1, 'ffffffff ffffffff ffff1f00'],
])('the header of a frame of %i bytes at %i', (bytes, timestamp, hex) => {
  expect(ivfFrameHeader(bytes, timestamp).toString('hex')).toBe(hex.replaceAll(' ', ''));
});

test.each([
  ['three characters', () => ivfHeader('VP8', 1, 1, TIMEBASE)],
  ['a character beyond Latin-1', () => ivfHeader('VP8€', 1, 1, TIMEBASE)],
  ['a width of 17 bits', () => ivfHeader('VP80', 65_536, 1, TIMEBASE)],
  ['a height that is negative', () => ivfHeader('VP80', 1, -1, TIMEBASE)],
  ['a frame of 2^32 bytes', () => ivfFrameHeader(2 ** 32, 0)],
  ['a time that is negative', () => ivfFrameHeader(1, -1)],
  ['a time between ticks', () => ivfFrameHeader(1, 0.5)],
  ['no time', () => ivfFrameHeader(1, Number.NaN)],
])('refuses %s', (_, make) => {
  expect(make).toThrow(RangeError);
});
