import { describe, expect, test } from 'vitest';
import { sequenceDistance, timestampDistance } from '../../../../src/media/rtp/sequence.ts';

describe('distance of sequence numbers', () => {
  test.each([
    [5, 5, 0],
    [6, 5, 1],
    [5, 6, -1],
    [0, 65535, 1],
    [65535, 0, -1],
    [10, 65530, 16],
    [32767, 0, 32767],
    [32768, 0, -32768],
    [0, 32768, -32768],
    [0, 32769, 32767],
    // Counted on past the wrap by whoever keeps them.
    [4, 65536 * 3 + 2, 2],
  ])('from %i, back to %i: %i', (later, earlier, expected) => {
    expect(sequenceDistance(later, earlier)).toBe(expected);
  });
});

describe('distance of timestamps', () => {
  test.each([
    [160, 0, 160],
    [0, 160, -160],
    [100, 2 ** 32 - 60, 160],
    [2 ** 32 - 60, 100, -160],
    [2 ** 31 - 1, 0, 2 ** 31 - 1],
    [2 ** 31, 0, -(2 ** 31)],
  ])('from %i, back to %i: %i', (later, earlier, expected) => {
    expect(timestampDistance(later, earlier)).toBe(expected);
  });
});
