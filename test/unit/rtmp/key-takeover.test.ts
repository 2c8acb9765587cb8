import { describe, expect, test } from 'vitest';
import { controlMessage } from '../../../gateways/rtmp/protocol/messages.ts';
import { data, media } from '../support/rtmp-client.ts';
import { KEYS, type Peer, rtmpServer } from '../support/rtmp-server.ts';

/* An encoder whose network went comes back before its old connection is given up, which is silent and looks alive. */

const AAC_CONFIG = Buffer.from('af001190', 'hex');
const REFUSED = 'NetStream.Publish.BadName';
const TAKEN = 'NetStream.Publish.Start';

type Server = Awaited<ReturnType<typeof rtmpServer>>;

/** An encoder that sends sound, with a track in the room. */
async function sending({ live }: Server): Promise<Peer> {
  const peer = await live();
  peer.client.send(media('audio', 0, AAC_CONFIG));
  await peer.sendMedia();
  return peer;
}

/** Another connection with its key. @returns what it is told */
async function comes({ connect }: Server, key: string = KEYS[0]): Promise<[Peer, string | undefined]> {
  const peer = await connect();
  peer.client.publish(key);
  await peer.settled();
  return [peer, peer.statuses[0]?.code];
}

describe('a connection with the key of one that has been silent for 2 s takes its place', () => {
  test('and is the same participant, with the same tracks', async () => {
    const server = await rtmpServer();
    await sending(server);
    const [participant] = server.room.participants;
    const before = server.room.tracks.map(({ sid }) => sid);
    expect(before).toHaveLength(1);
    server.clock.advance(2_100);
    const [second, answer] = await comes(server);
    expect(answer).toBe(TAKEN);
    second.client.send(media('audio', 0, AAC_CONFIG));
    await second.sendMedia();
    expect(server.room.participants).toEqual([participant]);
    expect(server.room.tracks.map(({ sid }) => sid)).toEqual(before);
    server.clock.advance(1_000);
    expect(participant!.quality).not.toBe('lost');
    expect(await server.counters()).toMatchObject({ live: 1 });
  });

  test('whose own connection is told, and ends', async () => {
    const server = await rtmpServer();
    const first = await sending(server);
    server.clock.advance(2_100);
    const [, answer] = await comes(server);
    expect(answer).toBe(TAKEN);
    await first.closes();
    expect(first.statuses.at(-1)).toMatchObject({
      level: 'error',
      description: expect.stringMatching(/key|another|elsewhere/i),
    });
    // Its end is nobody's who is live.
    server.clock.advance(8_000);
    expect(server.room.participants).toHaveLength(1);
  });

  test('but not sooner', async () => {
    const server = await rtmpServer();
    const first = await sending(server);
    server.clock.advance(1_900);
    const [refused, early] = await comes(server);
    expect(early).toBe(REFUSED);
    await refused.closes();
    await first.sendMedia(1_900);
    server.clock.advance(1_900);
    expect((await comes(server))[1]).toBe(REFUSED);
    server.clock.advance(200);
    expect((await comes(server))[1]).toBe(TAKEN);
  });

  test('also when that never sent any sound or picture', async () => {
    const server = await rtmpServer();
    await server.live();
    server.clock.advance(2_100);
    expect((await comes(server))[1]).toBe(TAKEN);
  });

  test('and can be taken over itself once it is silent', async () => {
    const server = await rtmpServer();
    await sending(server);
    for (let round = 0; round < 5; round++) {
      server.clock.advance(2_100);
      const [peer, answer] = await comes(server);
      expect(answer).toBe(TAKEN);
      await peer.sendMedia(round);
      expect((await comes(server))[1]).toBe(REFUSED);
    }
    expect(server.room.participants).toHaveLength(1);
    expect(await server.counters()).toMatchObject({ live: 1 });
  });
});

describe('silent is also who', () => {
  test.each<[string, (peer: Peer) => void]>([
    ['answers and sends pings', () => {}],
    ['sends text', ({ client }) => client.send(data('onTextData', { text: 'x' }))],
    ['repeats metadata', ({ client }) => client.send(data('@setDataFrame', 'onMetaData', { width: 5 }))],
    ['acknowledges', ({ client }) => client.send(controlMessage.acknowledgement(1))],
    ['sends sound without a byte', ({ client }) => client.send(media('audio', 0, Buffer.alloc(0)))],
  ])('%s', async (_, send) => {
    const server = await rtmpServer();
    const first = await sending(server);
    for (let round = 0; round < 5; round++) {
      send(first);
      await first.settled();
      server.clock.advance(420);
    }
    expect((await comes(server))[1]).toBe(TAKEN);
    await first.closes();
  });
});

test('what a connection sends that was taken over goes nowhere', async () => {
  const server = await rtmpServer();
  const first = await sending(server);
  first.socket.pause();
  server.clock.advance(2_100);
  const [second, answer] = await comes(server);
  expect(answer).toBe(TAKEN);
  first.client.send(media('audio', 5_000, Buffer.from('b200', 'hex')));
  await second.sendMedia();
  expect(JSON.stringify(server.room.participants[0]!.attributes)).not.toContain('Speex');
});
