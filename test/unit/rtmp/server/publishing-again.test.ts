import { describe, expect, test } from 'vitest';
import { command, publish } from '../../support/rtmp-client.ts';
import { KEYS, rtmpServer } from '../../support/rtmp-server.ts';

describe('an encoder that publishes again on its connection', () => {
  test.each<[string, ReturnType<typeof command>[]]>([
    ['deleteStream', [command('deleteStream', 5, [1])]],
    ['FCUnpublish and deleteStream', [command('FCUnpublish', 4, [KEYS[0]]), command('deleteStream', 5, [1])]],
  ])('after %s is live', async (_, commands) => {
    const server = await rtmpServer();
    const peer = await server.live();
    await peer.sendMedia();
    peer.client.send(...commands);
    await peer.settled();
    expect(server.room.participants).toEqual([]);
    peer.client.heard.splice(0);
    peer.client.send(command('createStream', 6), publish(KEYS[0], 2));
    await peer.settled();
    expect(peer.statuses.map(({ code }) => code)).toEqual(['NetStream.Publish.Start']);
    await peer.sendMedia(5_000);
    expect(server.room.participants).toHaveLength(1);
    expect(await server.counters()).toMatchObject({ live: 1 });
  });

  test('with another key is that one', async () => {
    const server = await rtmpServer();
    const peer = await server.live();
    peer.client.send(command('deleteStream', 5, [1]), command('createStream', 6), publish(KEYS[1], 2));
    await peer.settled();
    expect(server.room.participants.map(({ name }) => name)).toEqual(['Camera 2']);
    // The first key is free.
    const next = await server.live(KEYS[0]);
    expect(next.isClosed).toBe(false);
  });

  test('and that does nothing of the kind for 5 s is closed', async () => {
    const server = await rtmpServer();
    const peer = await server.live();
    peer.client.send(command('deleteStream', 5, [1]));
    expect(await peer.settled()).toBe(true);
    server.clock.advance(5_000);
    await peer.closes();
  });
});
