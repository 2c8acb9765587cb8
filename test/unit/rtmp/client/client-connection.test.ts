import { once } from 'node:events';
import net from 'node:net';
import { describe, expect, test } from 'vitest';
import type { Resolve } from '../../../../gateways/rtmp/client/client-connection.ts';
import { eventually } from '../../support/eventually.ts';
import { AUDIO, DESCRIPTION, unit, VIDEO, videoFormat } from '../../transcode/delivery/program.ts';
import { connect, KEY, listen, server } from './connecting.ts';

/** Of the bodies in front of a unit's data: FLV 10.1, sections E.4.2.1 and E.4.3.1. */
const VIDEO_HEADER_BYTES = 5;
const AUDIO_HEADER_BYTES = 2;
const VIDEO_CONFIG_BYTES = VIDEO_HEADER_BYTES + VIDEO.record!.length;
const AUDIO_CONFIG_BYTES = AUDIO_HEADER_BYTES + AUDIO.config!.length;

test('publishes, with what says how to decode in front of all media, and stops politely', async () => {
  const { port, heard } = await server();
  const { connection, clock, events, happened } = connect(port);
  await happened('live');
  connection.describe(DESCRIPTION, [VIDEO, AUDIO]);
  connection.send(unit('vk5000', 100_000), 5_000_000);
  connection.send(unit('v5033', 300), 5_000_000);
  connection.send(unit('a5021', 300), 5_000_000);
  await eventually(() => heard).toContain(`audio 21 ${300 + AUDIO_HEADER_BYTES}`);
  connection.finish();
  await eventually(() => heard).toContain('closed');
  expect(heard).toEqual([
    `publish live/${KEY}`,
    'metadata 1280x720',
    `video 0 ${VIDEO_CONFIG_BYTES}`,
    // Servers that hand on what is told in front count all times from it.
    `audio 0 ${AUDIO_CONFIG_BYTES}`,
    `video 0 ${100_000 + VIDEO_HEADER_BYTES}`,
    `video 33 ${300 + VIDEO_HEADER_BYTES}`,
    `audio 21 ${300 + AUDIO_HEADER_BYTES}`,
    'unpublished',
    'closed',
  ]);
  expect(events.filter((event) => event !== 'drained')).toEqual([
    'live',
    'closed: The connection was closed.',
  ]);
  expect(connection.bytesSent).toBeGreaterThan(100_300);
  await eventually(() => clock.pending).toBe(0);
});

test('says how to decode once for each format, and again in front of the first unit of another', async () => {
  const { port, heard } = await server();
  const { connection, happened } = connect(port);
  await happened('live');
  const other = { video: videoFormat(), audio: AUDIO };
  for (const one of [
    unit('vk0'),
    unit('v33'),
    unit('a40'),
    unit('vk66', 10, other),
    unit('v100', 10, other),
  ]) {
    connection.send(one, 0);
  }
  // One that is the same object as before is no other one.
  connection.send(unit('vk133'), 0);
  await eventually(() => heard).toContain(`video 133 ${10 + VIDEO_HEADER_BYTES}`);
  const config = (ms: number) => `video ${ms} ${VIDEO_CONFIG_BYTES}`;
  const frame = (ms: number) => `video ${ms} ${10 + VIDEO_HEADER_BYTES}`;
  expect(heard.slice(1)).toEqual([
    ...[config(0), frame(0), frame(33)],
    ...[`audio 40 ${AUDIO_CONFIG_BYTES}`, `audio 40 ${10 + AUDIO_HEADER_BYTES}`],
    ...[config(66), frame(66), frame(100)],
    ...[config(133), frame(133)],
  ]);
});

test('counts time in whole milliseconds from the origin, and never below it', async () => {
  const { port, heard } = await server();
  const { connection, happened } = connect(port);
  await happened('live');
  const at = (dtsUs: number) => ({ ...unit('a0'), dtsUs, ptsUs: dtsUs });
  for (const dtsUs of [999_000, 1_000_000, 1_021_333, 1_042_667, 2 ** 32 * 1000 + 1_000_000])
    connection.send(at(dtsUs), 1_000_000);
  const last = 10 + AUDIO_HEADER_BYTES;
  await eventually(() => heard).toHaveLength(7);
  // Times of RTMP have 32 bits.
  expect(heard.slice(2)).toEqual([0, 0, 21, 43, 0].map((ms) => `audio ${ms} ${last}`));
});

test('hears acknowledgements', async () => {
  const { port } = await server();
  const { connection, happened } = connect(port);
  await happened('live');
  expect([connection.acknowledges, connection.bytesAcknowledged]).toEqual([false, 0]);
  connection.send(unit('vk0', 600_000), 0);
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
  for (let ms = 0; ms < 16; ms++) connection.send(unit(`vk${ms}`, 1_000_000), 0);
  // What is written in one turn is still here, all of it.
  expect(connection.queuedBytes).toBeGreaterThan(16_000_000);
  await new Promise(setImmediate);
  expect(events).not.toContain('drained');
  accepted.socket!.resume();
  await happened('drained');
  await eventually(() => connection.queuedBytes).toBe(0);
});

test('who lets everything wait is cut off', async () => {
  const { port } = await server();
  const { connection, happened } = connect(port);
  await happened('live');
  for (let ms = 0; ms < 3; ms++) connection.send(unit(`vk${ms}`, 13_000_000), 0);
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
    connection.send(unit('a1'), 0);
    connection.describe(DESCRIPTION, [VIDEO]);
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
    connection.send(unit('vk0', 16_000_000), 0);
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
