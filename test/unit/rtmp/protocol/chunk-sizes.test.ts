import { describe, expect, test } from 'vitest';
import { ChunkReader } from '../../../../gateways/rtmp/protocol/chunk-reader.ts';
import { statusMessage } from '../../../../gateways/rtmp/protocol/command.ts';
import { controlMessage, MESSAGE, type RtmpMessage } from '../../../../gateways/rtmp/protocol/messages.ts';
import { command, connect, media, publish } from '../../support/rtmp-client.ts';
import { publishing, session } from '../../support/rtmp-session.ts';
import { result, ScriptedServer } from '../client/scripted-server.ts';
import { chunk, messagesOf, payload, type RawChunk } from './chunks.ts';

/* Chunks have 1 to 0x7fffffff bytes, and none is larger than a message: 0xffffff (RTMP 1.0, section 5.4.1). */

const VIDEO = 9;
const SIZES = [2 ** 20 + 1, 0x7fffff, 0xffffff, 0x1000000, 0x8000000, 0x7fffffff];

function setChunkSize(bytes: number): RawChunk {
  const body = Buffer.alloc(4);
  body.writeUInt32BE(bytes);
  return { csid: 2, time: 0, type: MESSAGE.setChunkSize, streamId: 0, payload: body };
}

/** Whole, whatever its length: as peers send it that have set such a size. */
function inOneChunk({ type, timestamp, streamId, payload: body }: RtmpMessage): Buffer {
  return chunk({ csid: streamId === 0 ? 3 : 4, time: timestamp, type, streamId, payload: body });
}

describe('a chunk size that is permitted is taken', () => {
  test.each(SIZES.map((bytes) => [bytes] as const))('%i, and a message comes in one piece', (bytes) => {
    const body = payload(100_000);
    const messages = messagesOf([
      chunk(setChunkSize(bytes)),
      chunk({ time: 5, type: VIDEO, payload: body }),
      chunk({ delta: 40, payload: payload(100_000, 3) }),
    ]);
    expect(messages.map(({ timestamp, payload: { length } }) => [timestamp, length])).toEqual([
      [5, 100_000],
      [45, 100_000],
    ]);
    expect(messages[0]!.payload.equals(body)).toBe(true);
  });

  test.each(SIZES.map((bytes) => [bytes] as const))(
    '%i, and nothing is kept for what did not come',
    (bytes) => {
      const reader = new ChunkReader();
      const length = 4 * 2 ** 20;
      messagesOf(
        [chunk(setChunkSize(bytes)), chunk({ time: 0, type: VIDEO, length, payload: payload(128) })],
        reader,
      );
      expect(reader.bufferedBytes).toBeLessThanOrEqual(1_024);
      messagesOf([payload(10_000)], reader);
      expect(reader.bufferedBytes).toBeLessThanOrEqual(2 * 10_128);
    },
  );

  test.each(SIZES.map((bytes) => [bytes] as const))(
    '%i, from an encoder, before it says who it is',
    (bytes) => {
      const { session: one, client, events } = session();
      client.start();
      one.receive(chunk(setChunkSize(bytes)));
      for (const message of [connect(), command('createStream', 2), publish('demo')])
        one.receive(inOneChunk(message));
      expect([one.state, events]).toEqual(['deciding', ['publish live/demo with FMLE/3.0']]);
    },
  );

  test.each(SIZES.map((bytes) => [bytes] as const))('%i, from an encoder that publishes', (bytes) => {
    const { session: one, events } = publishing();
    one.receive(chunk(setChunkSize(bytes)));
    one.receive(inOneChunk(media('video', 7, Buffer.alloc(1_000, 5))));
    expect([one.state, events]).toEqual(['publishing', [`video 7: ${'05'.repeat(1_000)}`]]);
  });

  test.each(SIZES.map((bytes) => [bytes] as const))('%i, from a server that is published to', (bytes) => {
    const server = ScriptedServer.in('connecting');
    server.sayBytes(chunk(setChunkSize(bytes)));
    const answers = [
      result(1, { code: 'NetConnection.Connect.Success', description: 'x'.repeat(1_000) }),
      result(4, 7),
      statusMessage(7, 'status', 'NetStream.Publish.Start', 'y'.repeat(1_000)),
    ];
    for (const message of answers) server.sayBytes(inOneChunk(message));
    expect([server.client.session.state, server.client.events]).toEqual(['live', ['published']]);
  });
});

describe('a message is as long as the specification lets it be, once it is known who sends it', () => {
  test.each([[4 * 2 ** 20 + 1], [6_000_000], [0xffffff]])('%i bytes', (bytes) => {
    const { session: one, client, events } = publishing();
    const body = Buffer.alloc(bytes, 1);
    client.send(controlMessage.setChunkSize(60_000), media('video', 3, body));
    expect([one.state, events.length]).toEqual(['publishing', 1]);
    expect(events[0]?.length).toBe('video 3: '.length + 2 * bytes);
  });
});

test('chunk streams have all numbers of one byte', () => {
  const all = Array.from({ length: 61 }, (_, index) => 3 + index);
  const chunks = all.map((csid) => chunk({ csid, time: 0, type: VIDEO, payload: payload(1) }));
  expect(messagesOf(chunks)).toHaveLength(61);
});
