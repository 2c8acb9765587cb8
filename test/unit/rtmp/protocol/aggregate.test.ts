import { describe, expect, test } from 'vitest';
import { splitAggregate } from '../../../../gateways/rtmp/protocol/aggregate.ts';
import type { RtmpMessage } from '../../../../gateways/rtmp/protocol/messages.ts';
import { chunk, messagesOfAnySplit, payload } from './chunks.ts';

const AGGREGATE = 22;

function part(type: number, time: number, body: Buffer): Buffer {
  const bytes = Buffer.alloc(11);
  bytes[0] = type;
  bytes.writeUIntBE(body.length, 1, 3);
  bytes.writeUIntBE(time & 0xffffff, 4, 3);
  bytes[7] = time >>> 24;
  bytes.writeUIntBE(77, 8, 3);
  const pointer = Buffer.alloc(4);
  pointer.writeUInt32BE(11 + body.length);
  return Buffer.concat([bytes, body, pointer]);
}

function parts(timestamp: number, ...bytes: Buffer[]): RtmpMessage[] {
  const found: RtmpMessage[] = [];
  const whole = { type: AGGREGATE, timestamp, streamId: 3, payload: Buffer.concat(bytes) };
  splitAggregate(whole, (message) => found.push(message));
  return found;
}

describe('the parts', () => {
  test('have the times of the aggregate, and its stream', () => {
    const found = parts(
      5000,
      part(9, 100, payload(4, 1)),
      part(8, 120, payload(3, 2)),
      part(18, 110, payload(0)),
      part(15, 90, payload(1, 3)),
    );
    expect(found).toEqual([
      { type: 9, timestamp: 5000, streamId: 3, payload: payload(4, 1) },
      { type: 8, timestamp: 5020, streamId: 3, payload: payload(3, 2) },
      { type: 18, timestamp: 5010, streamId: 3, payload: payload(0) },
      { type: 15, timestamp: 4990, streamId: 3, payload: payload(1, 3) },
    ]);
  });

  test.each([
    ['times of 32 bits', 0x01020304, [0x81020304, 0x81020314], [0x01020304, 0x01020314]],
    ['times that differ above 24 bits', 7, [0x01ffffff, 0x02000002], [7, 10]],
    ['past 2^32', 0xfffffffe, [0, 4], [0xfffffffe, 2]],
    ['the same times', 40, [40, 41], [40, 41]],
  ])('%s', (_, timestamp, times, expected) => {
    const found = parts(timestamp, ...times.map((time) => part(9, time, payload(1))));
    expect(found.map((message) => message.timestamp)).toEqual(expected);
  });

  test('that are small do not keep the whole of it', () => {
    const found = parts(
      0,
      part(9, 0, payload(50)),
      part(8, 0, payload(600_000)),
      part(9, 0, payload(300_000)),
    );
    // Small buffers share one of 64 KiB.
    const kept = found.map((message) => message.payload.buffer.byteLength);
    expect(kept.map((bytes) => Math.round(bytes / 100_000))).toEqual([
      expect.toSatisfy((one) => one <= 1),
      9,
      3,
    ]);
  });

  test('of nothing are none', () => {
    expect(parts(0)).toEqual([]);
  });

  test('the last may lack the length behind it', () => {
    expect(parts(0, part(9, 0, payload(2)).subarray(0, -4)).length).toBe(1);
  });

  test('come out of a chunk stream in the place of the aggregate', () => {
    const body = Buffer.concat([part(9, 100, payload(4, 1)), part(8, 120, payload(3, 2))]);
    const messages = messagesOfAnySplit(chunk({ time: 10, type: AGGREGATE, payload: body }));
    expect(messages.map(({ type, timestamp }) => [type, timestamp])).toEqual([
      [9, 10],
      [8, 30],
    ]);
  });
});

describe('refused are', () => {
  test.each([
    ['a part without a whole header', Buffer.concat([part(9, 0, payload(4)), payload(10, 9)])],
    ['a part without all of its bytes', part(9, 0, payload(4)).subarray(0, -5)],
    ['a command', part(20, 0, payload(4))],
    ['an aggregate', part(AGGREGATE, 0, payload(4))],
    ['a chunk size', part(1, 0, payload(4))],
  ])('%s', (_, bytes) => {
    expect(() => parts(0, bytes)).toThrow(expect.objectContaining({ code: 'aggregate' }));
  });
});
