import { once } from 'node:events';
import fs from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import tls from 'node:tls';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import {
  ClientConnection,
  type ClientConnectionOptions,
  type Resolve,
} from '../../../../gateways/rtmp/client/client-connection.ts';
import type { RtmpAddress } from '../../../../gateways/rtmp/client/rtmp-address.ts';
import { Connection } from '../../../../gateways/rtmp/server/connection.ts';
import { PermittedAddresses } from '../../../../src/base/permitted-addresses.ts';
import { selfSignedCertificate } from '../../../peers/certificate.ts';
import { eventually } from '../../support/eventually.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { DESCRIPTION } from '../../transcode/delivery/program.ts';

const KEY = 'very-secret-key';
const LOOPBACK = new PermittedAddresses({ everything: false, allow: ['loopback'] });

let folder: string;
let certificate: string;
let secureContext: tls.SecureContext;
beforeAll(() => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), 'patchroom-test-'));
  const { cert, key } = selfSignedCertificate(folder);
  certificate = fs.readFileSync(cert, 'utf8');
  secureContext = tls.createSecureContext({ cert: certificate, key: fs.readFileSync(key) });
});
afterAll(() => fs.rmSync(folder, { recursive: true }));

/** Something that listens on loopback. @returns its port */
async function listen(onSocket: (socket: net.Socket) => void): Promise<number> {
  const sockets = new Set<net.Socket>();
  const server = net.createServer({ pauseOnConnect: true }, (socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    onSocket(socket);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return (server.address() as net.AddressInfo).port;
}

/** Our own RTMP server. */
async function server(options: { readonly tls?: tls.SecureContext; readonly refusal?: string } = {}) {
  const heard: string[] = [];
  const clock = new FakeClock();
  const accepted: { socket?: net.Socket; connection?: Connection } = {};
  const port = await listen((socket) => {
    const one: Connection = new Connection(socket, { tls: options.tls, silenceMs: 10_000 }, clock, {
      publish: ({ app, key }) => {
        heard.push(`publish ${app}/${key}`);
        if (options.refusal === undefined) one.admit();
        else one.refuse(options.refusal);
      },
      audio: (body, timestamp) => heard.push(`audio ${timestamp} ${body.length}`),
      video: (body, timestamp) => heard.push(`video ${timestamp} ${body.length}`),
      metadata: ({ width, height }) => heard.push(`metadata ${width}x${height}`),
      over: ({ how }) => heard.push(how),
    });
    Object.assign(accepted, { socket, connection: one });
  });
  return { port, heard, accepted };
}

/** A connection to that port, and what it says. */
function connect(
  port: number,
  { host = '127.0.0.1', secure = false, ...rest }: Partial<ClientConnectionOptions & RtmpAddress> = {},
) {
  const clock = new FakeClock();
  const events: string[] = [];
  const address = { secure, host, port, app: 'live', key: KEY, tcUrl: `rtmp://${host}/live` };
  const connection = new ClientConnection(
    { address, permitted: LOOPBACK, clock, ...rest },
    {
      live: () => events.push('live'),
      refused: (code, description) => events.push(`refused ${code}: ${description}`),
      notPermitted: (reason) => events.push(`not permitted: ${reason}`),
      closed: (cause) => events.push(`closed: ${cause}`),
      drained: () => events.push('drained'),
    },
  );
  onTestFinished(() => connection.destroy());
  // Nothing is said before the constructor returns.
  expect(events).toEqual([]);
  return { connection, clock, events, happened: (text: string) => eventually(() => events).toContain(text) };
}

const resolving =
  (...addresses: string[]): Resolve =>
  (_, __, callback) =>
    process.nextTick(
      callback,
      null,
      addresses.map((address) => ({ address, family: net.isIP(address) })),
    );

test('publishes, and stops politely', async () => {
  const { port, heard } = await server();
  const { connection, clock, events, happened } = connect(port);
  await happened('live');
  connection.metadata(DESCRIPTION);
  connection.media('video', 0, Buffer.alloc(100_000));
  connection.media('audio', 21, Buffer.alloc(300));
  await eventually(() => heard).toContain('audio 21 300');
  connection.finish();
  await eventually(() => heard).toContain('unpublished');
  expect(heard).toEqual([
    `publish live/${KEY}`,
    'metadata 1280x720',
    'video 0 100000',
    'audio 21 300',
    'unpublished',
  ]);
  expect(events.filter((event) => event !== 'drained')).toEqual([
    'live',
    'closed: The connection was closed.',
  ]);
  expect(connection.bytesSent).toBeGreaterThan(100_300);
  await eventually(() => clock.pending).toBe(0);
});

test('hears acknowledgements', async () => {
  const { port } = await server();
  const { connection, happened } = connect(port);
  await happened('live');
  expect([connection.acknowledges, connection.bytesAcknowledged]).toEqual([false, 0]);
  connection.media('video', 0, Buffer.alloc(600_000));
  await eventually(() => connection.bytesAcknowledged).toBeGreaterThan(250_000);
  expect(connection.acknowledges).toBe(true);
  // Of our own server: half a window, and what came in the same piece.
  expect(connection.largestAcknowledgementBytes).toBeGreaterThanOrEqual(125_000);
  expect(connection.bytesAcknowledged).toBeLessThanOrEqual(connection.bytesSent);
});

test('what the server does not take waits, and it is told when that was taken', async () => {
  const { port, accepted } = await server();
  const { connection, events, happened } = connect(port);
  await happened('live');
  accepted.socket!.pause();
  const body = Buffer.alloc(1_000_000);
  for (let index = 0; index < 16; index++) connection.media('video', index, body);
  // What is written in one turn is still here, all of it.
  expect(connection.queuedBytes).toBeGreaterThan(16_000_000);
  await new Promise(setImmediate);
  expect(events).not.toContain('drained');
  accepted.socket!.resume();
  await happened('drained');
  expect(connection.queuedBytes).toBe(0);
});

test('who lets everything wait is cut off', async () => {
  const { port } = await server();
  const { connection, happened } = connect(port);
  await happened('live');
  const body = Buffer.alloc(13_000_000);
  for (let index = 0; index < 3; index++) connection.media('video', index, body);
  expect(connection.queuedBytes).toBeLessThan(30_000_000);
  await happened('closed: The connection to 127.0.0.1 was lost.');
});

test('is refused, in the words of the server, and closed', async () => {
  const { port } = await server({ refusal: 'Stream already publishing' });
  const { events, happened } = connect(port);
  await happened('closed: 127.0.0.1 refused.');
  expect(events).toEqual([
    'refused NetStream.Publish.BadName: Stream already publishing',
    'closed: 127.0.0.1 refused.',
  ]);
});

describe('TLS', () => {
  test('with a certificate that is trusted for that name', async () => {
    const { port, heard } = await server({ tls: secureContext });
    const { connection, happened } = connect(port, {
      secure: true,
      host: 'localhost',
      ca: certificate,
      resolve: resolving('127.0.0.1'),
    });
    await happened('live');
    connection.media('audio', 5, Buffer.alloc(10));
    await eventually(() => heard).toContain('audio 5 10');
  });

  test.each<[string, Partial<ClientConnectionOptions & RtmpAddress>, () => string | undefined, RegExp]>([
    ['nobody vouches for', {}, () => undefined, /^closed: The certificate of localhost is not trusted: self/],
    [
      'that is for another name',
      { host: 'other.example' },
      () => certificate,
      /^closed: The certificate of other\.example is not trusted: Hostname/,
    ],
    [
      'that is not for an address',
      { host: '127.0.0.1' },
      () => certificate,
      /^closed: The certificate of 127\.0\.0\.1 is not trusted: /,
    ],
  ])('a certificate %s is not accepted, and nothing is said', async (_, options, ca, cause) => {
    const { port, heard } = await server({ tls: secureContext });
    const { events } = connect(port, {
      secure: true,
      host: 'localhost',
      resolve: resolving('127.0.0.1'),
      ca: ca(),
      ...options,
    });
    await eventually(() => events).toHaveLength(1);
    expect(events[0]).toMatch(cause);
    await eventually(() => heard).toEqual(['closed']);
  });

  test('with a server that does not speak it', async () => {
    const port = await listen((socket) => {
      socket.resume();
      socket.write('HTTP/1.1 400 Bad Request\r\n\r\n');
    });
    const { happened } = connect(port, { secure: true });
    await happened(
      `closed: 127.0.0.1:${port} does not speak TLS: the address may have to begin with rtmp://.`,
    );
  });
});

describe('addresses that are not permitted are not connected to', () => {
  const permitted = new PermittedAddresses({ everything: false, allow: [] });

  test.each<[string, Partial<RtmpAddress & ClientConnectionOptions>]>([
    ['127.0.0.1', {}],
    ['127.0.0.1', { secure: true }],
    ['::1', {}],
    ['::ffff:127.0.0.1', {}],
    ['cdn.example', { resolve: resolving('127.0.0.1') }],
    ['cdn.example', { resolve: resolving('127.0.0.1', '::1', '::ffff:127.0.0.1'), secure: true }],
    // The system's resolver reads these as 127.0.0.1.
    ['127.1', {}],
    ['2130706433', {}],
    ['0x7f000001', { secure: true }],
  ])('%s %j', async (host, options) => {
    let count = 0;
    const port = await listen(() => count++);
    const { events } = connect(port, { permitted, host, ...options });
    await eventually(() => events).toHaveLength(1);
    expect(events).toEqual([`not permitted: The address ${host} is private: allow it with outputs.allow.`]);
    expect(count).toBe(0);
  });

  test('of several of a name, those that are permitted are', async () => {
    const { port } = await server();
    const only = new PermittedAddresses({ everything: false, allow: ['127.0.0.1'] });
    const resolve = resolving('127.0.0.2', '127.0.0.1');
    const { happened } = connect(port, { permitted: only, host: 'cdn.example', resolve });
    await happened('live');
  });
});

describe('it ends with a cause', () => {
  test('nobody listens', async () => {
    const port = await listen(() => {});
    const closed = net.createServer().listen(0, '127.0.0.1');
    await once(closed, 'listening');
    const { port: free } = closed.address() as net.AddressInfo;
    await new Promise((done) => closed.close(done));
    expect(free).not.toBe(port);
    const { happened } = connect(free);
    await happened(`closed: Nothing listens on 127.0.0.1:${free}.`);
  });

  test.each<[string, string]>([
    ['ENOTFOUND', 'There is no server by the name cdn.example.'],
    ['EAI_AGAIN', 'The name cdn.example could not be looked up: the name service does not answer.'],
    ['EODD', 'The connection to cdn.example:1 failed: odd'],
  ])('the name is not resolved: %s', async (code, cause) => {
    const resolve: Resolve = (_, __, callback) =>
      process.nextTick(callback, Object.assign(new Error('odd'), { code }), []);
    const { happened } = connect(1, { host: 'cdn.example', resolve });
    await happened(`closed: ${cause}`);
  });

  test('the server says what is no RTMP', async () => {
    const port = await listen((socket) => socket.write('HTTP/1.1 400 Bad Request\r\n\r\n'));
    const { events } = connect(port);
    await eventually(() => events).toHaveLength(1);
    expect(events[0]).toMatch(/^closed: .*(RTMP|handshake)/);
  });

  test('the server closes', async () => {
    const { port, accepted } = await server();
    const { events, happened } = connect(port);
    await happened('live');
    accepted.socket!.end();
    await happened('closed: 127.0.0.1 closed the connection.');
    expect(events).toHaveLength(2);
  });

  test('the server is gone', async () => {
    const { port, accepted } = await server();
    const { events, happened } = connect(port);
    await happened('live');
    accepted.socket!.resetAndDestroy();
    await happened('closed: 127.0.0.1 cut the connection.');
    expect(events).toHaveLength(2);
  });

  test('once, when it is destroyed', async () => {
    const { port, accepted } = await server();
    const { connection, events, happened } = connect(port);
    await happened('live');
    connection.destroy();
    connection.destroy();
    connection.finish();
    connection.media('audio', 1, Buffer.alloc(1));
    connection.metadata(DESCRIPTION);
    await eventually(() => accepted.socket!.destroyed).toBe(true);
    expect(events).toEqual(['live', 'closed: The connection was closed.']);
  });

  test.each(['finish', 'destroy'] as const)('when it is to %s before it stands', async (how) => {
    const { port, heard } = await server();
    const { connection, clock, events } = connect(port);
    connection[how]();
    expect(events).toEqual(['closed: The connection was closed.']);
    await new Promise(setImmediate);
    expect([heard, clock.pending]).toEqual([[], 0]);
  });
});

describe('what comes after its end', () => {
  test('is waited for no longer than a second', async () => {
    const { port, accepted } = await server();
    const { connection, clock, happened } = connect(port);
    await happened('live');
    accepted.socket!.pause();
    connection.media('video', 0, Buffer.alloc(16_000_000));
    connection.finish();
    clock.advance(999);
    expect(connection.queuedBytes).toBeGreaterThan(0);
    const gone = new Promise((closed) => accepted.socket!.once('close', closed));
    clock.advance(1);
    accepted.socket!.resume();
    await gone;
    await eventually(() => clock.pending).toBe(0);
  });

  test('is discarded up to a limit', async () => {
    let peer: net.Socket | undefined;
    const port = await listen((socket) => {
      peer = socket;
      socket.allowHalfOpen = true;
      // No version of RTMP; then it goes on.
      socket.write(Buffer.alloc(20, 0x7f));
    });
    const { clock, events } = connect(port);
    await eventually(() => events).toHaveLength(1);
    const gone = new Promise((closed) => peer!.once('close', closed));
    for (let index = 0; index < 12; index++) peer!.write(Buffer.alloc(1024 * 1024));
    peer!.resume();
    await gone;
    await eventually(() => clock.pending).toBe(0);
    expect(events).toHaveLength(1);
  });
});
