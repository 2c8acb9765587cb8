import { once } from 'node:events';
import net from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { MAX_MESSAGE_BYTES } from '../../gateways/webrtc/messages.ts';
import type { Server } from '../../src/server.ts';
import { startServer } from '../peers/server.ts';
import { SignallingClient } from '../peers/signalling-client.ts';

/** The WebSocket, by clients that behave in ways that the page does not. */

let server: Server;
let bystander: SignallingClient;
const clients: SignallingClient[] = [];
beforeAll(async () => {
  server = await startServer({
    config: { webrtc: { port: 0, resumeSeconds: 1, maxConnectionsPerAddress: 6 } },
  });
  bystander = await SignallingClient.open(server);
  await bystander.ask('join', { room: 'quiet', name: 'Bystander' });
});
afterAll(() => server.stop());
afterEach(() => {
  for (const client of clients.splice(0)) client.close();
});

async function open(headers?: Record<string, string>): Promise<SignallingClient> {
  const client = await SignallingClient.open(server, headers);
  clients.push(client);
  return client;
}

async function joined(room = 'quiet'): Promise<SignallingClient> {
  const client = await open();
  await client.ask('join', { room });
  return client;
}

describe('a bad message gets an error and ends only its own connection', () => {
  test.each([
    ['no JSON', 'hello', 'invalid-request'],
    ['an unknown type', '{"id":1,"type":"dance","body":{}}', 'invalid-request'],
    ['no id', '{"type":"leave","body":{}}', 'invalid-request'],
    ['an unknown field', '{"id":1,"type":"leave","body":{"now":true}}', 'invalid-request'],
    ['a wrong type', '{"id":1,"type":"mute","body":{"track":7,"muted":true}}', 'invalid-request'],
    ['a prototype', '{"id":1,"type":"__proto__","body":{}}', 'invalid-request'],
    ['binary', Buffer.from([1, 2, 3]), 'invalid-request'],
  ])('%s', async (_name, message, code) => {
    const client = await open();
    const closed = client.closed();
    client.send(message);
    expect(await client.refusal()).toBe(code);
    expect(await closed).toBe(1008);
    await bystander
      .ask('join', { room: 'quiet' })
      .catch((error: Error) => expect(error.message).toContain('already'));
  });

  test('one that is too large', async () => {
    const client = await open();
    const closed = client.closed();
    client.send('x'.repeat(MAX_MESSAGE_BYTES + 1));
    expect(await closed).toBe(1009);
  });

  test('too many at once', async () => {
    const client = await joined();
    const closed = client.closed();
    for (let id = 0; id < 400; id++)
      client.send(JSON.stringify({ id, type: 'ready', body: { tracks: ['TR_none'] } }));
    expect(await closed).toBe(1008);
  });
});

describe('a request that cannot be met is answered, and the connection stays', () => {
  test('anything before join', async () => {
    const client = await open();
    expect(await client.request('leave', {})).toMatchObject({ ok: false, code: 'failed-precondition' });
  });

  test('joining twice', async () => {
    const client = await joined();
    expect(await client.request('join', { room: 'quiet' })).toMatchObject({
      ok: false,
      code: 'failed-precondition',
    });
  });

  test('joining twice at once', async () => {
    const client = await open();
    const answers = await Promise.all([
      client.request('join', { room: 'twice' }),
      client.request('join', { room: 'twice' }),
    ]);
    expect(answers.map(({ ok }) => ok)).toEqual([true, false]);
    expect(server.rooms.mustGet('twice').participants).toHaveLength(1);
  });

  test('anything after leaving', async () => {
    const client = await joined('left');
    client.send(JSON.stringify({ id: 100, type: 'leave', body: {} }));
    expect(await client.request('update', { name: 'Ghost' })).toMatchObject({
      ok: false,
      code: 'failed-precondition',
    });
    expect(server.rooms.mustGet('left').participants).toEqual([]);
  });

  test('changing a name where the token does not permit it, and where it does', async () => {
    const client = await joined('names');
    const [participant] = server.rooms.mustGet('names').participants;
    await client.ask('update', { name: 'Anna' });
    expect(participant!.name).toBe('Anna');
    participant!.update({ permissions: { ...participant!.permissions, updateOwn: false } });
    expect(await client.request('update', { name: 'Eve' })).toMatchObject({ ok: false, code: 'forbidden' });
  });

  test('capabilities that are nested too deeply to be cloned', async () => {
    const client = await joined();
    await client.ask('open', { direction: 'receive' });
    const nested = (depth: number) => `${'{"a":'.repeat(depth)}1${'}'.repeat(depth)}`;
    const body = `{"rtpCapabilities":{"codecs":[],"headerExtensions":[],"a":${nested(10_000)}}}`;
    client.send(`{"id":500,"type":"receive","body":${body}}`);
    expect(await client.errorOf(500)).toBe('invalid-request');
  });

  test('DTLS parameters that make no sense', async () => {
    const client = await joined();
    await client.ask('open', { direction: 'receive' });
    const body = { direction: 'receive', dtlsParameters: { fingerprints: 'none' } } as const;
    expect(await client.request('connect', body)).toMatchObject({ ok: false, code: 'invalid-request' });
  });

  test('starting to receive over and over', async () => {
    const client = await joined();
    await client.ask('open', { direction: 'receive' });
    const rtpCapabilities = { codecs: [], headerExtensions: [] };
    const answers = [];
    for (let time = 0; time < 8; time++) answers.push(await client.request('receive', { rtpCapabilities }));
    expect(answers.at(0)).toMatchObject({ ok: true });
    expect(answers.at(-1)).toMatchObject({ ok: false, code: 'rate-limited' });
  });

  test('moderating without being an administrator', async () => {
    const [ann, bob] = [await open(), await joined('moderated')];
    const { you } = await ann.ask('join', { room: 'moderated' });
    expect(await bob.request('moderate', { participant: you, action: 'remove' })).toMatchObject({
      ok: false,
      code: 'forbidden',
    });
    expect(server.rooms.mustGet('moderated').participants).toHaveLength(2);
  });

  test.each([{ codecs: 'opus' }, { codecs: [null] }, { codecs: [{}] }, { codecs: [{ mimeType: 5 }] }])(
    'capabilities that make no sense: %j',
    async (rtpCapabilities) => {
      const client = await joined();
      await client.ask('open', { direction: 'receive' });
      expect(await client.request('receive', { rtpCapabilities })).toMatchObject({
        ok: false,
        code: 'invalid-request',
      });
    },
  );

  test('media before its connection', async () => {
    const client = await joined();
    const body = { kind: 'audio', purpose: 'voice', rtpParameters: {} } as const;
    expect(await client.request('publish', body)).toMatchObject({ ok: false, code: 'failed-precondition' });
    expect(await client.request('receive', { rtpCapabilities: {} })).toMatchObject({
      ok: false,
      code: 'failed-precondition',
    });
  });

  test('RTP parameters that make no sense', async () => {
    const client = await joined();
    await client.ask('open', { direction: 'send' });
    const body = { kind: 'audio', purpose: 'voice', rtpParameters: { codecs: 'all' } } as const;
    expect(await client.request('publish', body)).toMatchObject({ ok: false, code: 'codec-refused' });
  });

  test('muting what somebody else owns', async () => {
    const client = await joined();
    expect(await client.request('mute', { track: 'TR_other', muted: true })).toMatchObject({
      ok: false,
      code: 'track-not-found',
    });
  });
});

describe('a lost connection', () => {
  test('is resumed in its place by who has the key', async () => {
    const first = await open();
    const welcome = await first.ask('join', { room: 'coming-back', name: 'Ann' });
    const second = await open();
    const resume = { participant: welcome.you, key: welcome.resumeKey };
    const again = await second.ask('join', { room: 'coming-back', name: 'Ann', resume });
    expect(again).toMatchObject({ resumed: true, you: welcome.you });
    expect(server.rooms.mustGet('coming-back').participants).toHaveLength(1);
  });

  test('is not resumed with a wrong key: that is somebody new', async () => {
    const first = await open();
    const welcome = await first.ask('join', { room: 'stolen', name: 'Ann' });
    const second = await open();
    const resume = { participant: welcome.you, key: 'guessed' };
    const other = await second.ask('join', { room: 'stolen', name: 'Eve', resume });
    expect(other.resumed).toBe(false);
    expect(other.you).not.toBe(welcome.you);
  });
});

test('who does not get in is put out, also after trying', async () => {
  const own = await startServer({ demo: false });
  const client = await SignallingClient.open(own);
  const closed = client.closed();
  expect(await client.request('join', { room: 'a' })).toMatchObject({ ok: false, code: 'unauthenticated' });
  expect(await closed).toBe(1008);
  await own.stop();
});

test('a refused connection that stays half open does not keep the server from stopping', async () => {
  const own = await startServer();
  const { port } = new URL(own.url);
  const socket = net.connect({ port: Number(port), host: '127.0.0.1', allowHalfOpen: true });
  socket.on('error', () => {});
  socket.write(
    `GET /nowhere HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n`,
  );
  await once(socket, 'data');
  await own.stop();
  socket.destroy();
});

test('pages of other sites cannot use the WebSocket', async () => {
  await expect(SignallingClient.open(server, { origin: 'https://evil.example' })).rejects.toThrow('403');
  await open({ origin: server.url });
});

test('connections of one address are limited', async () => {
  const opened = await Promise.allSettled(Array.from({ length: 8 }, () => open()));
  expect(opened.filter(({ status }) => status === 'fulfilled').length).toBeLessThan(6);
});

test('the bystander noticed none of this', () => {
  expect(bystander.socket.readyState).toBe(bystander.socket.OPEN);
  expect(server.rooms.mustGet('quiet').participants.map(({ name }) => name)).toContain('Bystander');
});
