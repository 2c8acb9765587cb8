import { describe, expect, test } from 'vitest';
import { ChunkReader } from '../../../../gateways/rtmp/protocol/chunk-reader.ts';
import type { RtmpMessage } from '../../../../gateways/rtmp/protocol/messages.ts';
import { chunk, messagesOf, messagesOfAnySplit, payload, type RawChunk } from './chunks.ts';

const AUDIO = 8;
const VIDEO = 9;
const EXTENDED = 0x01020304;

/** What a message is, and its payload's length and first byte, of payloads that `payload()` made. */
function brief({ type, timestamp, streamId, payload: bytes }: RtmpMessage): string {
  for (let at = 1; at < bytes.length; at++)
    if (bytes[at] !== ((bytes[0]! + at) & 0xff)) return `broken at ${at} of ${bytes.length}`;
  return `${type} at ${timestamp} on ${streamId}: ${bytes.length}${bytes.length > 0 ? ` from ${bytes[0]}` : ''}`;
}

function setChunkSize(bytes: number): RawChunk {
  const value = Buffer.alloc(4);
  value.writeUInt32BE(bytes);
  return { csid: 2, time: 0, type: 1, streamId: 0, payload: value };
}

function abort(csid: number): RawChunk {
  return { ...setChunkSize(csid), type: 2 };
}

const part = (from: number, to: number, first = 0) => payload(to, first).subarray(from);

describe('chunks become messages, wherever they are split', () => {
  test.each<[string, RawChunk[], string[]]>([
    [
      'a whole header',
      [{ time: 1000, type: AUDIO, streamId: 0x01020304, payload: payload(5, 9) }],
      ['8 at 1000 on 16909060: 5 from 9'],
    ],
    [
      'all four formats',
      [
        { time: 1000, type: VIDEO, payload: payload(5, 1) },
        { delta: 40, type: AUDIO, payload: payload(6, 2) },
        { delta: 30, payload: payload(6, 3) },
        { payload: payload(6, 4) },
        { payload: payload(6, 5) },
      ],
      [
        '9 at 1000 on 1: 5 from 1',
        '8 at 1040 on 1: 6 from 2',
        '8 at 1070 on 1: 6 from 3',
        '8 at 1100 on 1: 6 from 4',
        '8 at 1130 on 1: 6 from 5',
      ],
    ],
    [
      'no header after a whole one: its time is the difference',
      [{ time: 33, type: VIDEO, payload: payload(2, 1) }, { payload: payload(2, 2) }],
      ['9 at 33 on 1: 2 from 1', '9 at 66 on 1: 2 from 2'],
    ],
    [
      'a chunk stream that begins with format 1, as in librtmp',
      [{ csid: 2, delta: 7, type: 4, payload: payload(6, 1) }],
      ['4 at 7 on 0: 6 from 1'],
    ],
    [
      'messages of no length',
      [{ time: 5, type: VIDEO }, {}, { delta: 5, type: AUDIO }],
      ['9 at 5 on 1: 0', '9 at 10 on 1: 0', '8 at 15 on 1: 0'],
    ],
    [
      'a message of several chunks',
      [
        { time: 5, type: VIDEO, length: 300, payload: part(0, 128) },
        { payload: part(128, 256) },
        { payload: part(256, 300) },
      ],
      ['9 at 5 on 1: 300 from 0'],
    ],
    [
      'a message of just two whole chunks',
      [{ time: 5, type: VIDEO, length: 256, payload: part(0, 128) }, { payload: part(128, 256) }],
      ['9 at 5 on 1: 256 from 0'],
    ],
    [
      'interleaved messages',
      [
        { csid: 4, time: 5, type: VIDEO, length: 200, payload: part(0, 128) },
        { csid: 5, time: 6, type: AUDIO, length: 150, payload: part(0, 128, 50) },
        { csid: 6, time: 7, type: AUDIO, streamId: 2, payload: payload(4, 90) },
        { csid: 4, payload: part(128, 200) },
        { csid: 5, payload: part(128, 150, 50) },
        { csid: 4, delta: 1, payload: payload(128, 3) },
        { csid: 4, payload: part(128, 200, 3) },
      ],
      [
        '8 at 7 on 2: 4 from 90',
        '9 at 5 on 1: 200 from 0',
        '8 at 6 on 1: 150 from 50',
        '9 at 6 on 1: 200 from 3',
      ],
    ],
    [
      'chunk streams with numbers of one, two and three bytes',
      [2, 3, 63, 64, 319, 320, 65_599].map((csid, at) => ({
        csid,
        time: at,
        type: AUDIO,
        payload: payload(2, at),
      })),
      [0, 1, 2, 3, 4, 5, 6].map((at) => `8 at ${at} on 1: 2 from ${at}`),
    ],
    [
      'a number of three bytes that would fit into one',
      [
        { csid: 320, time: 1, type: AUDIO, length: 130, payload: part(0, 128) },
        { csid: 320, payload: part(128, 130) },
      ],
      ['8 at 1 on 1: 130 from 0'],
    ],
    [
      'a larger chunk size, and a smaller one, for messages that are under way too',
      [
        { csid: 4, time: 5, type: VIDEO, length: 500, payload: part(0, 128) },
        setChunkSize(300),
        { csid: 4, payload: part(128, 428) },
        setChunkSize(1),
        { csid: 2, payload: Buffer.of(0) }, // the rest of a message of four bytes in chunks of one
        { csid: 2, payload: Buffer.of(0) },
        { csid: 2, payload: Buffer.of(0) },
        { csid: 2, payload: Buffer.of(100) },
        { csid: 4, payload: part(428, 500) },
      ],
      ['9 at 5 on 1: 500 from 0'],
    ],
    [
      'an abort in the middle, and the header still known after it',
      [
        { csid: 4, time: 5, type: VIDEO, length: 200, payload: part(0, 128) },
        abort(4),
        { csid: 4, delta: 10, payload: part(0, 128, 1) },
        { csid: 4, payload: part(128, 200, 1) },
      ],
      ['9 at 15 on 1: 200 from 1'],
    ],
    [
      'an abort of nothing',
      [abort(4), abort(77), { csid: 4, time: 5, type: VIDEO, payload: payload(3) }],
      ['9 at 5 on 1: 3 from 0'],
    ],
  ])('%s', (_, chunks, expected) => {
    expect(messagesOfAnySplit(Buffer.concat(chunks.map(chunk))).map(brief)).toEqual(expected);
  });
});

describe('extended timestamps', () => {
  test.each<[string, RawChunk[], string[]]>([
    [
      'the smallest, and the largest without',
      [
        { time: 0xfffffe, type: VIDEO, payload: payload(2, 1) },
        { time: 0xffffff, type: VIDEO, payload: payload(2, 2) },
      ],
      ['9 at 16777214 on 1: 2 from 1', '9 at 16777215 on 1: 2 from 2'],
    ],
    [
      'repeated in every chunk',
      [
        { time: EXTENDED, type: VIDEO, length: 300, payload: part(0, 128) },
        { repeated: EXTENDED, payload: part(128, 256) },
        { repeated: EXTENDED, payload: part(256, 300) },
        { delta: 10, payload: part(0, 128, 1) },
        { payload: part(128, 256, 1) },
        { payload: part(256, 300, 1) },
      ],
      [`9 at ${EXTENDED} on 1: 300 from 0`, `9 at ${EXTENDED + 10} on 1: 300 from 1`],
    ],
    [
      'not repeated',
      [
        { time: EXTENDED, type: VIDEO, length: 300, payload: part(0, 128) },
        { payload: part(128, 256) },
        { payload: part(256, 300) },
        { delta: 10, type: AUDIO, payload: payload(3, 7) },
      ],
      [`9 at ${EXTENDED} on 1: 300 from 0`, `8 at ${EXTENDED + 10} on 1: 3 from 7`],
    ],
    [
      // The payload goes on with 1, 2, 3, then 4 instead of the 9 of the timestamp.
      'not repeated, and payload that begins alike',
      [
        { time: 0x01020309, type: VIDEO, length: 260, payload: part(0, 128, 129) },
        { payload: part(128, 256, 129) },
        { payload: part(256, 260, 129) },
        { delta: 10, type: AUDIO, payload: payload(3, 7) },
      ],
      [`9 at ${0x01020309} on 1: 260 from 129`, `8 at ${0x01020309 + 10} on 1: 3 from 7`],
    ],
    [
      'not repeated, and the last chunk shorter than one',
      [
        { time: 0x01020309, type: VIDEO, length: 130, payload: part(0, 128, 129) },
        { payload: part(128, 130, 129) },
        { delta: 10, type: AUDIO, payload: payload(3, 7) },
      ],
      [`9 at ${0x01020309} on 1: 130 from 129`, `8 at ${0x01020309 + 10} on 1: 3 from 7`],
    ],
    [
      'as a difference, repeated by the next message',
      [
        { time: 10, type: VIDEO, payload: payload(2, 1) },
        { delta: 0x02000000, payload: payload(2, 2) },
        { repeated: 0x02000000, payload: payload(2, 3) },
      ],
      [`9 at 10 on 1: 2 from 1`, `9 at ${0x0200000a} on 1: 2 from 2`, `9 at ${0x0400000a} on 1: 2 from 3`],
    ],
    [
      // The payload goes on with 0, 1, 2, 3: the difference, which isn't extended.
      'no longer, once a header has none',
      [
        { time: EXTENDED, type: VIDEO, payload: payload(2, 1) },
        { delta: 0x010203, length: 140, type: VIDEO, payload: part(0, 128, 128) },
        { payload: part(128, 140, 128) },
        { delta: 0, type: AUDIO, payload: payload(3, 7) },
      ],
      [
        `9 at ${EXTENDED} on 1: 2 from 1`,
        `9 at ${EXTENDED + 0x010203} on 1: 140 from 128`,
        `8 at ${EXTENDED + 0x010203} on 1: 3 from 7`,
      ],
    ],
    [
      'past 2^32',
      [
        { time: 0xfffffff0, type: VIDEO, payload: payload(2, 1) },
        { delta: 32, payload: payload(2, 2) },
        { payload: payload(2, 3) },
      ],
      [`9 at ${0xfffffff0} on 1: 2 from 1`, '9 at 16 on 1: 2 from 2', '9 at 48 on 1: 2 from 3'],
    ],
    [
      'of the largest value',
      [
        { time: 0xffffffff, type: VIDEO, length: 130, payload: part(0, 128) },
        { repeated: 0xffffffff, payload: part(128, 130) },
      ],
      [`9 at ${0xffffffff} on 1: 130 from 0`],
    ],
  ])('%s', (_, chunks, expected) => {
    expect(messagesOfAnySplit(Buffer.concat(chunks.map(chunk))).map(brief)).toEqual(expected);
  });

  test('a message is not held up by bytes that cannot be one', () => {
    const first = chunk({ time: EXTENDED, type: VIDEO, length: 130, payload: part(0, 128) });
    const last = chunk({ payload: Buffer.of(9, 9) });
    expect(messagesOf([first, last]).length).toBe(1);
  });
});

test('what is handed over is not touched again', () => {
  const read = Buffer.from(chunk({ time: 0, type: VIDEO, payload: payload(100) }));
  const [first] = messagesOf([read]);
  read.fill(0xff);
  expect(first!.payload).toEqual(payload(100));
});

test('bytes are counted, whole or not', () => {
  const reader = new ChunkReader();
  const bytes = chunk({ time: 0, type: VIDEO, length: 200, payload: payload(100) });
  messagesOf([bytes.subarray(0, 5), bytes.subarray(5, 20), bytes.subarray(20)], reader);
  expect(reader.bytesRead).toBe(bytes.length);
});
