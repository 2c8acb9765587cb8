import { describe, expect, test } from 'vitest';
import { ChunkReader } from '../../../../gateways/rtmp/protocol/chunk-reader.ts';
import type { RtmpMessage } from '../../../../gateways/rtmp/protocol/messages.ts';
import { RtmpError } from '../../../../gateways/rtmp/protocol/rtmp-error.ts';
import { chunk, messagesOf, payload, type RawChunk, splits } from './chunks.ts';

const VIDEO = 9;

function errorOf(action: () => void): RtmpError | undefined {
  try {
    action();
    return undefined;
  } catch (error) {
    expect(error).toBeInstanceOf(RtmpError);
    return error as RtmpError;
  }
}

function control(type: number, bytes: number[]): RawChunk {
  return { csid: 2, time: 0, type, streamId: 0, payload: Buffer.from(bytes) };
}

const ok: RawChunk = { csid: 3, time: 1, type: VIDEO, payload: payload(3) };

describe('what cannot be followed is refused, after everything before it', () => {
  test.each<[string, RawChunk[], string]>([
    [
      'a message that begins while one is unfinished',
      [
        { time: 0, type: VIDEO, length: 200, payload: payload(128) },
        { time: 0, type: VIDEO, payload: payload(1) },
      ],
      'chunk',
    ],
    ['no header for a chunk stream', [{ csid: 9, payload: payload(1) }], 'chunk'],
    ['only a time for a chunk stream', [{ csid: 9, delta: 1, payload: payload(1) }], 'chunk'],
    ['a chunk size of 0', [control(1, [0, 0, 0, 0])], 'chunk'],
    ['a chunk size of nothing', [control(1, [])], 'chunk'],
    ['a chunk size of two bytes', [control(1, [1, 0])], 'chunk'],
    ['a chunk size with the highest bit', [control(1, [0x80, 0, 0, 1])], 'chunk'],
    ['an abort of nothing', [control(2, [])], 'chunk'],
  ])('%s', (_, chunks, code) => {
    const bytes = Buffer.concat([ok, ...chunks].map(chunk));
    for (const parts of splits(bytes)) {
      const messages: RtmpMessage[] = [];
      const reader = new ChunkReader();
      const error = errorOf(() => {
        for (const part of parts) reader.read(part, (message) => messages.push(message));
      });
      expect(error?.code).toBe(code);
      expect(messages[0]?.payload).toEqual(payload(3));
    }
  });

  test('what is just allowed is not', () => {
    const limits = control(1, [0, 0x10, 0, 0]);
    const long = { time: 0, type: VIDEO, length: 4 * 2 ** 20, payload: payload(2 ** 20) };
    expect(messagesOf([chunk(limits), chunk(long)])).toEqual([]);
  });
});

describe('chunk streams', () => {
  test('only so many', () => {
    const reader = new ChunkReader({ maxChunkStreams: 16 });
    for (let csid = 3; csid < 19; csid++)
      messagesOf([chunk({ csid, time: 0, type: VIDEO, payload: payload(1) })], reader);
    messagesOf([chunk({ csid: 7, time: 0, type: VIDEO, payload: payload(1) })], reader);
    const next = chunk({ csid: 19, time: 0, type: VIDEO, payload: payload(1) });
    expect(errorOf(() => messagesOf([next], reader))?.code).toBe('too-many-streams');
  });

  test('256 of them with headers of 16 MB each, and nothing of it allocated', () => {
    const reader = new ChunkReader({ maxChunkStreams: 256, maxMessageBytes: 0xffffff });
    for (let csid = 3; csid < 259; csid++) {
      messagesOf([chunk({ csid, time: 0, type: VIDEO, length: 0xffffff, payload: payload(128) })], reader);
      expect(reader.bufferedBytes).toBeLessThanOrEqual((csid - 2) * 1024);
    }
  });
});

describe('memory', () => {
  test('grows with what comes, not with what is announced', () => {
    const reader = new ChunkReader();
    const length = 4 * 2 ** 20;
    let come = 0;
    let bytes = chunk({ time: 0, type: VIDEO, length, payload: payload(128) });
    for (; come + 128 < length; bytes = chunk({ payload: payload(128) })) {
      expect(messagesOf([bytes], reader)).toEqual([]);
      come += 128;
      if (reader.bufferedBytes > Math.max(1024, 2 * come + 128)) expect(reader.bufferedBytes).toBe(come);
    }
    const [message] = messagesOf([bytes], reader);
    expect(message!.payload.length).toBe(length);
    expect(reader.bufferedBytes).toBe(0);
  });

  test('is limited for all unfinished messages together, and free again after an abort', () => {
    const reader = new ChunkReader({ maxBufferedBytes: 10_000 });
    const unfinished = (csid: number) => [
      chunk({ csid, time: 0, type: VIDEO, length: 4000, payload: payload(128) }),
      ...Array.from({ length: 30 }, () => chunk({ csid, payload: payload(128) })),
    ];
    messagesOf([...unfinished(4), ...unfinished(5)], reader);
    expect(reader.bufferedBytes).toBe(8000);
    messagesOf([chunk(control(2, [0, 0, 0, 4])), ...unfinished(6)], reader);
    expect(reader.bufferedBytes).toBe(8000);
    expect(errorOf(() => messagesOf(unfinished(7), reader))?.code).toBe('too-much-unfinished');
  });

  test('a message that is whole in what is read is allocated once, at its length', () => {
    const reader = new ChunkReader();
    const [message] = messagesOf(
      [chunk(control(1, [0, 1, 0, 0])), chunk({ time: 0, type: VIDEO, payload: payload(60_000) })],
      reader,
    );
    expect(message!.payload.buffer.byteLength).toBe(60_000);
  });
});
