import { describe, expect, test } from 'vitest';
import { MESSAGE } from '../../../../gateways/rtmp/protocol/messages.ts';
import { command, connect, media } from '../../support/rtmp-client.ts';
import { type Peer, rtmpServer } from '../../support/rtmp-server.ts';
import { chunk, payload } from '../protocol/chunks.ts';

/* What an encoder did wrong is said to it before its connection ends: its log is where people look. */

const VIDEO = 9;

/** In a chunk of its own, by the letter. */
const raw = (peer: Peer, ...chunks: Parameters<typeof chunk>[0][]) =>
  void peer.socket.write(Buffer.concat(chunks.map(chunk)));

const control = (type: number, bytes: number[]) => ({
  ...{ csid: 2, time: 0, type, streamId: 0 },
  payload: Buffer.from(bytes),
});

const MISTAKES: [string, (peer: Peer) => void][] = [
  ['a chunk size of nothing', (peer) => raw(peer, control(MESSAGE.setChunkSize, [0, 0, 0, 0]))],
  ['an abort of nothing', (peer) => raw(peer, control(MESSAGE.abort, []))],
  [
    'a message that begins within another one',
    (peer) =>
      raw(
        peer,
        { time: 0, type: VIDEO, length: 200, payload: payload(128) },
        { time: 0, type: VIDEO, payload: payload(1) },
      ),
  ],
  ['a chunk that refers to none before it', (peer) => raw(peer, { csid: 40, payload: payload(1) })],
  [
    'an aggregate that is cut off',
    (peer) => raw(peer, { time: 0, type: MESSAGE.aggregate, payload: payload(5) }),
  ],
  [
    'a command that cannot be read',
    ({ client }) => client.send({ ...command('x', 1), payload: Buffer.of(0) }),
  ],
  ['a second connect', ({ client }) => client.send(connect())],
  [
    'too many streams',
    ({ client }) =>
      client.send(...Array.from({ length: 9 }, (_, index) => command('createStream', 10 + index))),
  ],
  [
    'another codec all the time',
    ({ client }) => {
      for (let index = 0; index < 40; index++)
        client.send(media('audio', index, Buffer.of(index % 2 ? 0x2f : 0xb2, 1, 2)));
    },
  ],
];

/** Sentences for people, in a status of level error. */
const SAID = { level: 'error', description: expect.stringMatching(/^[A-Z].{10,}\.$/) };

describe('an encoder that publishes is told what it did wrong:', () => {
  test.each(MISTAKES)('%s', async (_, make) => {
    const server = await rtmpServer();
    const peer = await server.live();
    make(peer);
    await peer.closes();
    expect(peer.statuses.at(-1)).toMatchObject({
      ...SAID,
      code: expect.stringMatching(/^NetStream\.Publish\.|^NetConnection\./),
    });
    // It is the same that the log says.
    expect(server.log.text).toContain(peer.statuses.at(-1)!.description!);
  });
});

describe('an encoder that does not publish yet is told what it did wrong:', () => {
  const connected: [string, (peer: Peer) => void][] = MISTAKES.filter(([what]) => !/codec/.test(what));

  test.each(connected)('%s', async (_, make) => {
    const server = await rtmpServer();
    const peer = await server.connect();
    peer.client.start();
    peer.client.connect();
    await peer.settled();
    make(peer);
    await peer.closes();
    expect(peer.statuses.at(-1)).toMatchObject(SAID);
  });

  test('a first command that is not connect', async () => {
    const server = await rtmpServer();
    const peer = await server.connect();
    peer.client.start();
    peer.client.send(command('createStream', 1));
    await peer.closes();
    expect(peer.statuses.at(-1)).toMatchObject(SAID);
  });

  test.each<[string, (peer: Peer) => void]>([
    ['connecting and no more', ({ client }) => client.connect()],
    [
      'creating a stream and no more',
      ({ client }) => {
        client.connect();
        client.send(command('createStream', 2));
      },
    ],
  ])('%s, for 5 s', async (_, begin) => {
    const server = await rtmpServer();
    const peer = await server.connect();
    peer.client.start();
    begin(peer);
    await peer.settled();
    server.clock.advance(5_000);
    await peer.closes();
    expect(peer.statuses.at(-1)).toMatchObject(SAID);
  });
});
