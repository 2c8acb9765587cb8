import { once } from 'node:events';
import fs from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import tls from 'node:tls';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { controlMessage } from '../../../../gateways/rtmp/protocol/messages.ts';
import {
  Connection,
  type ConnectionOptions,
  type Ending,
} from '../../../../gateways/rtmp/server/connection.ts';
import { selfSignedCertificate } from '../../../peers/certificate.ts';
import { eventually } from '../../support/eventually.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { command, data, media, publish, RtmpClient } from '../../support/rtmp-client.ts';

const SILENCE_MS = 10_000;

let folder: string;
let secure: tls.SecureContext;
beforeAll(() => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), 'patchroom-test-'));
  const { cert, key } = selfSignedCertificate(folder);
  secure = tls.createSecureContext({ cert: fs.readFileSync(cert), key: fs.readFileSync(key) });
});
afterAll(() => fs.rmSync(folder, { recursive: true }));

/** A socket on loopback and the connection that it is at the other end, unread as when it was accepted. */
async function connection(options: Partial<ConnectionOptions> = {}) {
  const clock = new FakeClock();
  const server = net.createServer({ pauseOnConnect: true });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  const accepted = once(server, 'connection') as Promise<[net.Socket]>;
  const { port } = server.address() as net.AddressInfo;
  const plain = net.connect(port, '127.0.0.1');
  const [peer] = await accepted;
  const events: string[] = [];
  const endings: Ending[] = [];
  const one = new Connection(peer, { silenceMs: SILENCE_MS, ...options }, clock, {
    publish: ({ app, key }) => events.push(`publish ${app}/${key}`),
    audio: (_, timestamp) => events.push(`audio ${timestamp}`),
    video: (_, timestamp) => events.push(`video ${timestamp}`),
    metadata: (values) => events.push(`metadata ${JSON.stringify(values)}`),
    unpublished: () => events.push('unpublished'),
    over: (ending) => endings.push(ending),
  });
  const socket = options.tls ? tls.connect({ socket: plain, rejectUnauthorized: false }) : plain;
  const client = new RtmpClient((bytes) => void socket.write(bytes));
  socket.on('data', (bytes: Buffer) => client.receive(bytes));
  socket.on('error', () => {});
  const state = { isClosed: false, hasEnded: false };
  socket.once('end', () => {
    state.hasEnded = true;
  });
  plain.once('close', () => {
    state.isClosed = true;
  });
  onTestFinished(() => {
    plain.destroy();
    peer.destroy();
    server.close();
  });
  const heard = (text: string) => eventually(() => client.heard.map((one) => one.text)).toContain(text);
  const happened = (text: string) => eventually(() => events).toContain(text);
  const over = () => eventually(() => endings).toHaveLength(1);
  const closed = () => eventually(() => state.isClosed).toBe(true);
  return {
    connection: one,
    clock,
    socket,
    peer,
    client,
    events,
    endings,
    state,
    heard,
    happened,
    over,
    closed,
  };
}

/** An encoder says what it wants to publish. */
async function deciding(options: Partial<ConnectionOptions> = {}) {
  const all = await connection(options);
  all.client.publish();
  await all.happened('publish live/demo');
  return all;
}

async function publishing() {
  const all = await deciding();
  all.connection.admit();
  await all.heard('onStatus NetStream.Publish.Start');
  return all;
}

test('an encoder publishes, and stops', async () => {
  const { connection: one, client, events, heard, happened, over, endings, closed, clock } = await deciding();
  one.admit();
  await heard('onStatus NetStream.Publish.Start');
  client.send(data('onMetaData', { width: 5 }), media('video', 1), media('audio', 2));
  await happened('audio 2');
  expect(events).toEqual(['publish live/demo', 'metadata {"width":5}', 'video 1', 'audio 2']);
  client.send(command('FCUnpublish', 5), media('video', 3));
  await happened('unpublished');
  await heard('onStatus NetStream.Unpublish.Success');
  // It may publish something else, and has a few seconds for that.
  clock.advance(4_999);
  expect(endings).toEqual([]);
  clock.advance(1);
  await over();
  expect(endings).toEqual([{ how: 'closed', text: 'The encoder stopped, and published nothing else.' }]);
  await closed();
  expect(events).not.toContain('video 3');
  await eventually(() => clock.pending).toBe(0);
});

test('nothing more is read until it is decided', async () => {
  const { connection: one, peer, client, happened, events } = await deciding();
  expect(peer.isPaused()).toBe(true);
  client.send(media('video', 1));
  one.admit();
  await happened('video 1');
  expect([peer.isPaused(), events]).toEqual([false, ['publish live/demo', 'video 1']]);
});

test('with TLS it is the same', async () => {
  const {
    connection: one,
    client,
    heard,
    happened,
  } = await deciding({
    tls: secure,
  });
  one.admit();
  await heard('onStatus NetStream.Publish.Start');
  client.send(media('video', 1));
  await happened('video 1');
});

describe('it is refused', () => {
  test('and told why, and ends', async () => {
    const { connection: one, heard, over, endings, closed } = await deciding();
    one.refuse('This stream key is not known here.');
    await heard('onStatus NetStream.Publish.BadName');
    await over();
    expect(endings).toEqual([{ how: 'refused', text: 'This stream key is not known here.' }]);
    await closed();
  });

  test('while it publishes', async () => {
    const { connection: one, heard, over, endings, closed } = await publishing();
    one.dismiss('You were removed from the room.');
    await heard('onStatus NetStream.Publish.Failed');
    await over();
    expect(endings).toEqual([{ how: 'refused', text: 'You were removed from the room.' }]);
    await closed();
  });

  test('once, whatever else it is told', async () => {
    const { connection: one, endings, closed, client } = await publishing();
    one.dismiss('The room was closed.');
    one.dismiss('The server is shutting down.');
    one.refuse('No.');
    one.admit();
    one.destroy();
    await closed();
    expect(endings).toHaveLength(1);
    expect(client.texts).not.toContain('onStatus NetStream.Publish.BadName');
  });
});

describe('time limits', () => {
  test.each<[string, (client: RtmpClient) => void]>([
    ['nothing is said', () => {}],
    ['it shakes hands and no more', (client) => client.start()],
    [
      'it connects and no more',
      (client) => {
        client.start();
        client.connect();
      },
    ],
  ])('after 5 s without publishing it ends: %s', async (_, begin) => {
    const { clock, client, endings, closed } = await connection();
    begin(client);
    clock.advance(4_999);
    expect(endings).toEqual([]);
    clock.advance(1);
    expect(endings).toEqual([{ how: 'error', text: 'Nothing was published in time.', error: 'handshake' }]);
    await closed();
  });

  test('while it is decided, it takes as long as it takes', async () => {
    const { clock, endings, connection: one, heard } = await deciding();
    clock.advance(60_000);
    expect(endings).toEqual([]);
    one.admit();
    await heard('onStatus NetStream.Publish.Start');
    clock.advance(SILENCE_MS - 1);
    expect(endings).toEqual([]);
  });

  test('after 10 s of silence it ends', async () => {
    const { clock, client, endings, happened, heard, closed } = await publishing();
    clock.advance(6_000);
    client.send(media('video', 1));
    await happened('video 1');
    clock.advance(9_999);
    expect(endings).toEqual([]);
    clock.advance(1);
    expect(endings).toEqual([{ how: 'silent', text: 'The encoder sent nothing for 10 s.' }]);
    await heard('onStatus NetStream.Publish.Failed');
    await closed();
  });

  test('a byte now and then is no sign of life', async () => {
    const { clock, client, socket, peer, endings, over } = await publishing();
    const bytes = client.bytesOf(media('video', 1, Buffer.alloc(100)));
    for (let index = 0; index < 4; index++) {
      clock.advance(2_000);
      const { bytesRead } = peer;
      socket.write(bytes.subarray(index, index + 1));
      await eventually(() => peer.bytesRead).toBe(bytesRead + 1);
    }
    clock.advance(2_000);
    await over();
    expect(endings[0]!.how).toBe('silent');
  });

  test('after as long in which no message became whole', async () => {
    const { connection: one, clock, client, socket, peer, endings } = await publishing();
    const bytes = client.bytesOf(media('video', 1, Buffer.alloc(100)));
    const came = peer.bytesRead;
    for (let sent = 0; sent < 4; sent++) {
      clock.advance(2_500);
      socket.write(bytes.subarray(sent, sent + 1));
      if (sent < 3) await eventually(() => peer.bytesRead).toBe(came + sent + 1);
    }
    expect([endings[0]?.how, one.dropped]).toEqual(['silent', 0]);
  });

  test('but not for as long as it was us who stood still', async () => {
    const { clock, client, endings, happened } = await publishing();
    const now = clock.now.bind(clock);
    clock.now = () => now() + 15_000; // its timer fires so late
    clock.advance(SILENCE_MS);
    expect(endings).toEqual([]);
    client.send(media('video', 1));
    await happened('video 1');
    clock.advance(SILENCE_MS - 1);
    expect(endings).toEqual([]);
    clock.advance(1);
    expect(endings).toMatchObject([{ how: 'silent' }]);
  });

  test('a peer that does not close within a second of its end is cut off', async () => {
    const { connection: one, clock, peer, socket } = await publishing();
    socket.pause(); // it does not even read that it ended
    socket.removeAllListeners('end');
    one.dismiss('The room was closed.');
    clock.advance(999);
    expect(peer.destroyed).toBe(false);
    clock.advance(1);
    expect([peer.destroyed, clock.pending]).toEqual([true, 0]);
  });
});

describe('what the peer does wrong ends its connection', () => {
  test.each<[string, string, Buffer]>([
    ['no RTMP', 'handshake', Buffer.from('GET / HTTP/1.1\r\n\r\n')],
    ['a chunk size of nothing', 'chunk', Buffer.from('02000000000004010000000000000000', 'hex')],
    ['publish without a stream key', 'command', new RtmpClient(() => {}).bytesOf(publish(''))],
    [
      'a number that is cut off',
      'amf',
      new RtmpClient(() => {}).bytesOf({ ...command('x', 1), payload: Buffer.of(0) }),
    ],
  ])('%s: %s', async (_, error, bytes) => {
    const { client, socket, heard, over, endings, closed } = await connection();
    if (error !== 'handshake') {
      client.start();
      client.connect();
      await heard('_result 1');
    }
    socket.write(bytes);
    await over();
    expect(endings[0]).toMatchObject({ how: 'error', error });
    await closed();
  });

  test('publishing twice, after it was told why', async () => {
    const { client, heard, over, endings, closed } = await publishing();
    client.send(publish('other'));
    await over();
    expect(endings[0]).toMatchObject({ how: 'error', error: 'command' });
    await heard('onStatus NetStream.Publish.BadName');
    await closed();
  });
});

describe('a peer that goes', () => {
  test('with an end is seen', async () => {
    const { socket, over, endings, closed } = await publishing();
    socket.end();
    await over();
    expect(endings).toEqual([{ how: 'closed', text: 'The encoder closed the connection.' }]);
    await closed();
  });

  test('with a reset is seen', async () => {
    const { socket, over, endings, clock } = await publishing();
    (socket as net.Socket).resetAndDestroy();
    await over();
    expect(endings).toEqual([{ how: 'closed', text: 'The connection to the encoder was lost.' }]);
    await eventually(() => clock.pending).toBe(0);
  });

  test('before TLS stands is seen', async () => {
    const {
      connection: one,
      socket,
      over,
      endings,
    } = await connection({
      tls: secure,
    });
    void one;
    socket.destroy();
    await over();
    expect(endings[0]?.how).toBe('closed');
  });
});

test('what we end ourselves is closed at once', async () => {
  const { connection: one, endings, peer, closed } = await publishing();
  one.destroy();
  expect(endings).toEqual([{ how: 'closed', text: 'The connection was closed.' }]);
  expect(peer.destroyed).toBe(true);
  await closed();
});

test('a peer that goes on sending after its end is cut off', async () => {
  const { connection: one, client, peer, endings, closed } = await deciding();
  one.refuse('No.');
  client.send(...Array.from({ length: 12 }, (_, index) => media('video', index, Buffer.alloc(100_000))));
  await closed();
  expect([peer.destroyed, endings]).toEqual([true, [{ how: 'refused', text: 'No.' }]]);
});

test('a peer that asks and never reads is cut off', async () => {
  const { peer, client, over, endings } = await publishing();
  // What waits here for it, beside what the kernel holds.
  Object.defineProperty(peer, 'writableLength', { value: 256 * 1024 + 1 });
  client.send(controlMessage.pingRequest(1));
  await over();
  expect([peer.destroyed, endings[0]!.how]).toEqual([true, 'closed']);
});
