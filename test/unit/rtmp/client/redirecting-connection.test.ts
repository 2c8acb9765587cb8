import fs from 'node:fs';
import type net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import tls from 'node:tls';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { ClientConnectionOptions } from '../../../../gateways/rtmp/client/client-connection.ts';
import { RedirectingConnection } from '../../../../gateways/rtmp/client/redirecting-connection.ts';
import type { AmfValue } from '../../../../gateways/rtmp/protocol/amf0.ts';
import { commandMessage, statusMessage } from '../../../../gateways/rtmp/protocol/command.ts';
import type { RtmpMessage } from '../../../../gateways/rtmp/protocol/messages.ts';
import { selfSignedCertificate } from '../../../peers/certificate.ts';
import { eventually } from '../../support/eventually.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { DESCRIPTION, unit } from '../../transcode/delivery/program.ts';
import { answering, connect, KEY, LOOPBACK, listen, resolving, server } from './connecting.ts';
import { addressOf } from './scripted-server.ts';

const information = (url: AmfValue, code: AmfValue = 302) => ({
  level: 'error',
  code: 'NetConnection.Connect.Rejected',
  description: 'Redirected',
  ex: { code, redirect: url },
});
/** As nginx-rtmp and Adobe's servers answer connect. */
const byError = (url: AmfValue, code?: AmfValue) =>
  commandMessage('_error', 1, null, [information(url, code)], 0);
/** As SRS does. */
const byStatus = (url: string) =>
  statusMessage(0, 'error', 'NetConnection.Connect.Rejected', 'Redirected', {
    ex: { code: 302, redirect: url },
  });

/** An attempt to publish at that port, with all that it says. */
function attempt(port: number, options: Partial<ClientConnectionOptions> = {}, key = KEY) {
  const clock = new FakeClock();
  const events: string[] = [];
  const address = addressOf(`rtmp://127.0.0.1:${port}/live/${key}`);
  const connection = new RedirectingConnection(
    { address, permitted: LOOPBACK, clock, ...options },
    {
      live: () => events.push('live'),
      refused: (code, description) => events.push(`refused ${code}: ${description}`),
      hopeless: (reason) => events.push(`hopeless: ${reason}`),
      redirected: (shown) => events.push(`redirected: ${shown}`),
      closed: (cause) => events.push(`closed: ${cause}`),
      drained: () => {},
    },
  );
  onTestFinished(() => connection.destroy());
  expect(events).toEqual([]);
  return { connection, clock, events, happened: (text: string) => eventually(() => events).toContain(text) };
}

const urlOf = (port: number, rest = '/live') => `rtmp://127.0.0.1:${port}${rest}`;
const shownAt = (port: number, app = 'live') => `rtmp://127.0.0.1:${port}/${app}/{***}`;

describe('a server that sends us elsewhere', () => {
  test.each<[string, (url: string) => RtmpMessage]>([
    ['in its answer to connect', byError],
    ['as a status', byStatus],
  ])('is followed, %s, and what is sent goes there', async (_, answer) => {
    const { port, heard } = await server();
    const first = await answering(() => answer(urlOf(port)));
    const { connection, events, happened } = attempt(first.port);
    await happened('live');
    expect(events).toEqual([`redirected: ${shownAt(port)}`, 'live']);
    connection.describe(DESCRIPTION, []);
    connection.send(unit('a20'), 0);
    await eventually(() => heard).toContain('audio 20 12');
    expect(heard.slice(0, 2)).toEqual([`publish live/${KEY}`, 'metadata 1280x720']);
    expect(connection.bytesSent).toBeGreaterThan(3_000);
    expect([connection.acknowledges, connection.bytesAcknowledged]).toEqual([false, 0]);
    expect(connection.largestAcknowledgementBytes).toBe(0);
    connection.finish();
    await happened('closed: The connection was closed.');
    await eventually(() => heard).toContain('unpublished');
    expect(first.visits).toHaveLength(1);
  });

  test('is left: the connection to it is closed', async () => {
    const { port } = await server();
    const first = await answering(() => byError(urlOf(port)));
    const { happened } = attempt(first.port);
    await happened('live');
    await eventually(() => first.visits[0]!.readableEnded).toBe(true);
  });

  test('more than three times is not followed any more', async () => {
    const all: { port: number; visits: net.Socket[] }[] = [];
    for (let index = 0; index < 5; index++) {
      const next = all.at(-1)?.port ?? 1;
      all.push(await answering(() => byError(urlOf(next))));
    }
    const { events, happened } = attempt(all.at(-1)!.port);
    await happened('closed: The server redirects more than 3 times.');
    expect(events).toHaveLength(4);
    expect(all.map(({ visits }) => visits.length)).toEqual([0, 1, 1, 1, 1]);
  });

  test('to itself is left after three times, too', async () => {
    const one: { port: number; visits: net.Socket[] } = await answering(() => byError(urlOf(one.port)));
    const { happened } = attempt(one.port);
    await happened('closed: The server redirects more than 3 times.');
    expect(one.visits).toHaveLength(4);
  });

  test('is not asked for more once the other one has failed: that is a new attempt', async () => {
    const { port, accepted } = await server();
    const first = await answering(() => byError(urlOf(port)));
    const { events, happened } = attempt(first.port);
    await happened('live');
    accepted.socket!.resetAndDestroy();
    await happened('closed: 127.0.0.1 cut the connection.');
    expect([events.length, first.visits.length]).toEqual([3, 1]);
  });
});

describe('where it sends us', () => {
  test.each<[string, string, string, string]>([
    ['an app', '/live', KEY, `publish live/${KEY}`],
    ['an app with a slash behind it', '/live/', KEY, `publish live/${KEY}`],
    ['another app', '/edge/one', KEY, `publish edge/one/${KEY}`],
    ['app and stream', `/edge/${KEY}`, KEY, `publish edge/${KEY}`],
    ['an app, for a key with a query', '/edge', `${KEY}?token=x`, `publish edge/${KEY}?token=x`],
    [
      'app and stream, for a key with a query',
      `/edge/${KEY}`,
      `${KEY}?token=x`,
      `publish edge/${KEY}?token=x`,
    ],
    [
      'app and stream with another query',
      `/edge/${KEY}?a=b`,
      `${KEY}?token=x`,
      `publish edge/${KEY}?token=x`,
    ],
  ])('may be %s: %s', async (_, rest, key, published) => {
    const { port, heard } = await server();
    const first = await answering(() => byError(urlOf(port, rest)));
    const { happened } = attempt(first.port, {}, key);
    await happened('live');
    expect(heard).toEqual([published]);
  });

  test.each<[string, string]>([
    ['another protocol', 'http://127.0.0.1/live'],
    ['no address', 'elsewhere'],
    ['nothing', ''],
    ['an address with a password', 'rtmp://user:secret@127.0.0.1/live'],
  ])('is no RTMP address: the attempt is over (%s)', async (_, url) => {
    const first = await answering(() => byError(url));
    const { events, happened } = attempt(first.port);
    await happened('closed: The server redirects to what is not an RTMP address.');
    expect(events).toHaveLength(1);
  });

  test.each<[string, RtmpMessage]>([
    ['no number that says so', byError(urlOf(1), 500)],
    ['a number that is text', byError(urlOf(1), '302')],
    ['an address that is none', byError(302)],
    ['an address that is too long', byError(urlOf(1, `/${'a'.repeat(2_000)}`))],
  ])('is not told in a way that counts: it is a refusal (%s)', async (_, answer) => {
    const first = await answering(() => answer);
    const { events, happened } = attempt(first.port);
    await happened('closed: 127.0.0.1 refused.');
    expect(events[0]).toBe('refused NetConnection.Connect.Rejected: Redirected');
  });

  test('is looked at like any address: what is private is not connected to', async () => {
    const first = await answering(() => byError('rtmp://10.0.0.1/live'));
    const { events, happened } = attempt(first.port);
    await happened('hopeless: The address 10.0.0.1 is private: allow it with outputs.allow.');
    expect(events).toHaveLength(2);
  });

  test('has to be as secret as where we came from: no key goes in the clear that was given for TLS', async () => {
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'patchroom-test-'));
    onTestFinished(() => fs.rmSync(folder, { recursive: true }));
    const certificate = selfSignedCertificate(folder);
    const [cert, key] = [certificate.cert, certificate.key].map((file) => fs.readFileSync(file, 'utf8'));
    const { port, heard } = await server();
    const first = await answering(() => byError(urlOf(port)), tls.createSecureContext({ cert, key }));
    const { events, happened } = attempt(first.port, {
      address: addressOf(`rtmps://localhost:${first.port}/live/${KEY}`),
      ca: cert!,
      resolve: resolving('127.0.0.1'),
    });
    await happened(
      'closed: The server redirects from rtmps:// to rtmp://, where the key could be read on the way.',
    );
    expect([heard, events.length]).toEqual([[], 1]);
  });

  test('is never shown with its key', async () => {
    const { port } = await server();
    const first = await answering(() => byError(urlOf(port, `/edge/${KEY}?token=secret`)));
    const { events, happened } = attempt(first.port);
    await happened('live');
    expect(events.join()).not.toContain(KEY);
    expect(events.join()).not.toContain('secret');
  });
});

describe('it ends', () => {
  test('while it is on its way to where it was sent: nothing comes any more', async () => {
    const port = await listen((socket) => socket.resume());
    const first = await answering(() => byError(urlOf(port)));
    const { connection, clock, events, happened } = attempt(first.port);
    await happened(`redirected: ${shownAt(port)}`);
    connection.destroy();
    expect(events.slice(1)).toEqual(['closed: The connection was closed.']);
    await eventually(() => clock.pending).toBe(0);
    expect(events).toHaveLength(2);
  });

  test('by whoever hears that it was sent elsewhere: that is where nobody connects', async () => {
    const { port, heard } = await server();
    const first = await answering(() => byError(urlOf(port)));
    const clock = new FakeClock();
    const events: string[] = [];
    const nothing = () => {};
    const connection = new RedirectingConnection(
      { address: addressOf(urlOf(first.port, `/live/${KEY}`)), permitted: LOOPBACK, clock },
      {
        ...{ live: () => events.push('live'), refused: nothing, hopeless: nothing, drained: nothing },
        redirected: () => {
          events.push('redirected');
          connection.destroy();
        },
        closed: () => events.push('closed'),
      },
    );
    onTestFinished(() => connection.destroy());
    await eventually(() => events).toContain('redirected');
    await eventually(() => first.visits[0]!.destroyed).toBe(true);
    for (let turn = 0; turn < 20; turn++) await new Promise(setImmediate);
    expect([heard, events.includes('live')]).toEqual([[], false]);
  });
});

test('a connection that was sent elsewhere says so, and nothing else', async () => {
  const { port } = await answering(() => byError('rtmp://cdn.example/live'));
  const { events, happened } = connect(port);
  await happened('redirected: rtmp://cdn.example/live');
  for (let turn = 0; turn < 20; turn++) await new Promise(setImmediate);
  expect(events).toEqual(['redirected: rtmp://cdn.example/live']);
});
