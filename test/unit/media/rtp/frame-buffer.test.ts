import { expect, test } from 'vitest';
import { FrameBuffer } from '../../../../src/media/rtp/frame-buffer.ts';

const MAX_BYTES = 200_000;
const pattern = (bytes: number, seed: number) =>
  Buffer.from(Array.from({ length: bytes }, (_, at) => (at * 7 + (at >> 8) + seed) & 0xff));

test('holds what was appended, one behind the other, until it is cleared', () => {
  const buffer = new FrameBuffer(MAX_BYTES);
  for (let round = 0; round < 3; round++) {
    const parts = [1, 0, 65_535, 1, 1, 70_000].map((bytes) => pattern(bytes + 5, round));
    for (const part of parts) expect(buffer.append(part, 2, part.length - 3)).toBe(true);
    expect(buffer.appendByte(0xab)).toBe(true);
    const expected = Buffer.concat([...parts.map((part) => part.subarray(2, -3)), Buffer.of(0xab)]);
    expect(buffer.length).toBe(expected.length);
    expect(buffer.view(0, buffer.length).equals(expected)).toBe(true);
    expect(buffer.view(65_000, 66_000).equals(expected.subarray(65_000, 66_000))).toBe(true);
    buffer.clear();
    expect(buffer.length).toBe(0);
  }
});

test.each([1, 2, MAX_BYTES])('holds %i bytes at most, and nothing of what is too much', (maxBytes) => {
  const buffer = new FrameBuffer(maxBytes);
  const most = pattern(maxBytes, 1);
  expect(buffer.append(pattern(maxBytes + 1, 2), 0, maxBytes + 1)).toBe(false);
  expect(buffer.length).toBe(0);
  expect(buffer.append(most, 0, maxBytes - 1)).toBe(true);
  expect(buffer.append(most, 0, 2)).toBe(false);
  expect(buffer.appendByte(most.at(-1)!)).toBe(true);
  expect(buffer.appendByte(1)).toBe(false);
  expect(buffer.append(most, 0, 1)).toBe(false);
  expect(buffer.view(0, buffer.length).equals(most)).toBe(true);
});
