import { describe, expect, test } from 'vitest';
import { StreamKeys } from '../../../src/ingest/stream-keys.ts';
import { rtmpServer } from '../support/rtmp-server.ts';

/* People append to keys what other services know: a name, a token, `?bandwidthtest=true`. */

const KEYS = [
  { key: 'camera-one-secret', room: 'lounge', name: 'Camera 1' },
  { key: 'camera-two?secret', room: 'kitchen', name: 'Camera 2' },
  { key: 'camera-one-secret?x=1', room: 'cellar', name: 'Camera 3' },
];

const WITH_QUERY: [string, string][] = [
  ['camera-one-secret?name=Ann', 'Camera 1'],
  ['camera-one-secret?', 'Camera 1'],
  ['camera-one-secret?bandwidthtest=true&x=1', 'Camera 1'],
  ['camera-one-secret?x=12', 'Camera 1'],
  ['camera-one-secret??', 'Camera 1'],
  ['camera-one-secret?a=b?c=d', 'Camera 1'],
  ['camera-two?secret?name=Ann', 'Camera 2'],
  ['camera-one-secret?x=1?name=Ann', 'Camera 3'],
];

describe.each([
  ['alone', false],
  ["beside rooms' names", true],
])('a key of the configuration, %s,', (_, roomNames) => {
  const keys = new StreamKeys(KEYS, roomNames);

  test.each(WITH_QUERY)(
    'is known with what is appended to it, as the same stream and secret: %j',
    (text, name) => {
      const { key } = KEYS.find((one) => one.name === name)!;
      expect(keys.find(text)?.name).toBe(name);
      expect(keys.find(text)?.id).toBe(keys.find(key)!.id);
      expect(keys.isConfigured(text)).toBe(true);
    },
  );
});

test('an encoder is let in with a key and a query, and nobody else with that key while it publishes', async () => {
  const server = await rtmpServer();
  const answers: (string | undefined)[] = [];
  for (const key of ['the-key-of-camera-1?name=Ann', 'the-key-of-camera-1', 'the-key-of-camera-1?x=1']) {
    const peer = await server.connect();
    peer.client.publish(key);
    await peer.settled();
    answers.push(peer.statuses[0]?.code);
  }
  expect(answers).toEqual([
    'NetStream.Publish.Start',
    'NetStream.Publish.BadName',
    'NetStream.Publish.BadName',
  ]);
  expect(server.room.participants.map(({ name }) => name)).toEqual(['Camera 1']);
});
