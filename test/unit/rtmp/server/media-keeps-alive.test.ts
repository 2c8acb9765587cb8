import { describe, expect, test } from 'vitest';
import { controlMessage, MESSAGE } from '../../../../gateways/rtmp/protocol/messages.ts';
import { command, data, media } from '../../support/rtmp-client.ts';
import { KEYS, type Peer, rtmpServer } from '../../support/rtmp-server.ts';

/* A key belongs to whoever sends sound or pictures with it. */

const SILENCE_MS = 10_000;
const STEP_MS = 2_000;

const OTHERS: [string, (peer: Peer) => void][] = [
  ['pings', () => {}],
  ['answers to pings', ({ client }) => client.send(controlMessage.pingResponse(1))],
  ['acknowledgements', ({ client }) => client.send(controlMessage.acknowledgement(1))],
  ['sizes of windows', ({ client }) => client.send(controlMessage.windowAcknowledgementSize(2_500_000))],
  ['sizes of chunks', ({ client }) => client.send(controlMessage.setChunkSize(4_096))],
  ['metadata', ({ client }) => client.send(data('@setDataFrame', 'onMetaData', { width: 5 }))],
  ['text', ({ client }) => client.send(data('onTextData', { text: 'x' }))],
  ['commands', ({ client }) => client.send(command('FCPublish', 9, ['demo']))],
  [
    'shared objects',
    ({ client }) =>
      client.send({ type: MESSAGE.sharedObjectAmf0, timestamp: 0, streamId: 0, payload: Buffer.of(1) }),
  ],
  ['sound without a byte', ({ client }) => client.send(media('audio', 0, Buffer.alloc(0)))],
  ['pictures without a byte', ({ client }) => client.send(media('video', 0, Buffer.alloc(0)))],
  ['commands for players', ({ client }) => client.send(media('video', 0, Buffer.of(0x57, 0)))],
];

describe('an encoder that sends nothing else for 10 s is silent, and gives its key free:', () => {
  test.each(OTHERS)('%s', async (_, send) => {
    const server = await rtmpServer();
    const peer = await server.live();
    await peer.sendMedia();
    for (let ms = 0; ms < SILENCE_MS + STEP_MS; ms += STEP_MS) {
      send(peer);
      if (!(await peer.settled())) break;
      server.clock.advance(STEP_MS);
    }
    expect(await server.counters()).toMatchObject({ silent: 1, live: 0 });
    await peer.hears('NetStream.Publish.Failed');
    await peer.closes();
    const next = await server.connect();
    next.client.publish(KEYS[0]);
    await next.hears('NetStream.Publish.Start');
  });
});

test('an encoder that was let in and never sends sound or pictures is silent, too', async () => {
  const server = await rtmpServer();
  const peer = await server.live();
  for (let ms = 0; ms < SILENCE_MS + STEP_MS; ms += STEP_MS) {
    peer.client.send(data('onTextData', { text: 'x' }));
    if (!(await peer.settled())) break;
    server.clock.advance(STEP_MS);
  }
  expect(await server.counters()).toMatchObject({ silent: 1 });
});
