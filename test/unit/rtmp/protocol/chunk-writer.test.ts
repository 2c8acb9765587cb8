import { describe, expect, test } from 'vitest';
import { ChunkReader } from '../../../../gateways/rtmp/protocol/chunk-reader.ts';
import { ChunkWriter } from '../../../../gateways/rtmp/protocol/chunk-writer.ts';
import type { RtmpMessage } from '../../../../gateways/rtmp/protocol/messages.ts';
import { controlMessage } from '../../../../gateways/rtmp/protocol/messages.ts';
import { seededRandom } from '../../../signals/random.ts';
import { chunk, messagesOf, payload } from './chunks.ts';

const VIDEO = 9;

function message(timestamp: number, length: number, other: Partial<RtmpMessage> = {}): RtmpMessage {
  return { type: VIDEO, timestamp, streamId: 1, payload: payload(length, 1), ...other };
}

function written(messages: readonly RtmpMessage[], csid = 4): Buffer[] {
  const writer = new ChunkWriter();
  return messages.map((each) => Buffer.concat(writer.write(each, csid)));
}

describe('a header is as short as can be', () => {
  const bytes = payload(3, 1);

  test.each<[string, RtmpMessage[], Buffer]>([
    ['the first is whole', [message(50, 3)], chunk({ time: 50, type: VIDEO, payload: bytes })],
    ['the same type and length', [message(50, 3), message(70, 3)], chunk({ delta: 20, payload: bytes })],
    ['the same difference', [message(50, 3), message(70, 3), message(90, 3)], chunk({ payload: bytes })],
    [
      'the same difference, after another length',
      [message(50, 3), message(70, 4), message(90, 4)],
      chunk({ payload: payload(4, 1) }),
    ],
    [
      'the difference is the time of the whole header',
      [message(50, 3), message(100, 3)],
      chunk({ delta: 50, payload: bytes }),
    ],
    ['the same time', [message(50, 3), message(50, 3)], chunk({ delta: 0, payload: bytes })],
    ['another length', [message(50, 4), message(70, 3)], chunk({ delta: 20, type: VIDEO, payload: bytes })],
    [
      'another type',
      [message(50, 3, { type: 8 }), message(70, 3)],
      chunk({ delta: 20, type: VIDEO, payload: bytes }),
    ],
    [
      'another stream',
      [message(50, 3, { streamId: 2 }), message(70, 3)],
      chunk({ time: 70, type: VIDEO, payload: bytes }),
    ],
    [
      'a time that goes back',
      [message(50, 3), message(49, 3)],
      chunk({ time: 49, type: VIDEO, payload: bytes }),
    ],
    [
      'a large difference',
      [message(0, 3), message(0xffffff, 3)],
      chunk({ time: 0xffffff, type: VIDEO, payload: bytes }),
    ],
    [
      'the largest difference of 24 bits',
      [message(0, 3), message(0xfffffe, 3)],
      chunk({ delta: 0xfffffe, payload: bytes }),
    ],
    ['past 2^32', [message(0xfffffff0, 3), message(0x10, 3)], chunk({ delta: 0x20, payload: bytes })],
    ['no payload', [message(50, 0)], chunk({ time: 50, type: VIDEO })],
  ])('%s', (_, messages, expected) => {
    expect(written(messages).at(-1)!.toString('hex')).toBe(expected.toString('hex'));
  });

  test.each([2, 63, 64, 319, 320, 65_599])('chunk stream %i', (csid) => {
    const [first, second] = written([message(1, 3), message(9, 200)], csid);
    expect(first).toEqual(chunk({ csid, time: 1, type: VIDEO, payload: bytes }));
    const parts = [
      { csid, delta: 8, type: VIDEO, length: 200, payload: payload(128, 1) },
      { csid, payload: payload(200, 1).subarray(128) },
    ];
    expect(second).toEqual(Buffer.concat(parts.map(chunk)));
  });
});

test('extended timestamps are repeated in every chunk', () => {
  const time = 0x12345678;
  const parts = [
    { time, type: VIDEO, length: 300, payload: payload(128, 1) },
    { repeated: time, payload: payload(300, 1).subarray(128, 256) },
    { repeated: time, payload: payload(300, 1).subarray(256) },
  ];
  expect(written([message(time, 300)])[0]).toEqual(Buffer.concat(parts.map(chunk)));
});

test('payload is not copied', () => {
  const body = payload(300);
  const buffers = new ChunkWriter().write(message(0, 0, { payload: body }), 4);
  expect(buffers.filter((buffer) => buffer.buffer === body.buffer).length).toBeGreaterThanOrEqual(3);
});

test('a chunk size that is sent goes for what follows it', () => {
  const writer = new ChunkWriter();
  expect(writer.chunkBytes).toBe(128);
  writer.write(controlMessage.setChunkSize(4096), 2);
  expect(writer.chunkBytes).toBe(4096);
  expect(writer.write(message(0, 4096), 4).length).toBe(2);
});

test.each([
  ['a chunk stream', () => new ChunkWriter().write(message(0, 1), 1)],
  ['a chunk stream', () => new ChunkWriter().write(message(0, 1), 65_600)],
  ['a chunk size', () => new ChunkWriter().write(controlMessage.setChunkSize(0), 2)],
  ['a length', () => new ChunkWriter().write(message(0, 0, { payload: Buffer.alloc(2 ** 24) }), 4)],
])('%s that there is not is a mistake of ours', (_, action) => {
  expect(action).toThrow(RangeError);
});

/** Messages of some chunk streams, their times running on, back and past 2^32, with chunk sizes between them. */
function randomMessages(seed: number): [RtmpMessage, number][] {
  const random = seededRandom(seed);
  const below = (limit: number) => Math.floor(random() * limit);
  const csids = [2, 4, 64, 320, 65_599];
  let time = [0, 0xfffff0, 0xffffff00][seed % 3]!;
  return Array.from({ length: 40 }, () => {
    if (random() < 0.1) return [controlMessage.setChunkSize(1 + below(random() < 0.5 ? 20 : 5000)), 2];
    time = (time + (random() < 0.05 ? below(2 ** 32) : below(3) * 20)) >>> 0;
    const length = random() < 0.3 ? 5 : below(random() < 0.1 ? 20_000 : 600);
    const made = message(time, length, { type: 8 + below(2), streamId: 1 + below(1.1) });
    return [made, csids[below(csids.length)]!];
  });
}

test('what was written is read as it was, in pieces of any size', () => {
  for (let seed = 0; seed < 60; seed++) {
    const writer = new ChunkWriter();
    const messages = randomMessages(seed);
    const bytes = Buffer.concat(messages.flatMap(([each, csid]) => writer.write(each, csid)));
    const random = seededRandom(seed);
    const pieces: Buffer[] = [];
    for (let at = 0; at < bytes.length; at += pieces.at(-1)!.length)
      pieces.push(bytes.subarray(at, at + 1 + Math.floor(random() * (random() < 0.5 ? 5 : 3000))));
    const expected = messages.map(([each]) => each).filter(({ type }) => type !== 1);
    expect(messagesOf(pieces, new ChunkReader())).toEqual(expected);
  }
});
