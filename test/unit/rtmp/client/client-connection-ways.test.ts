import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import tls from 'node:tls';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { ClientConnectionOptions } from '../../../../gateways/rtmp/client/client-connection.ts';
import type { RtmpAddress } from '../../../../gateways/rtmp/client/rtmp-address.ts';
import { PermittedAddresses } from '../../../../src/base/permitted-addresses.ts';
import { selfSignedCertificate } from '../../../peers/certificate.ts';
import { eventually } from '../../support/eventually.ts';
import { unit } from '../../transcode/delivery/program.ts';
import { connect, listen, resolving, server } from './connecting.ts';

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
    connection.send(unit('a5'), 0);
    await eventually(() => heard).toContain(`audio 5 12`);
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
    expect(events).toEqual([`hopeless: The address ${host} is private: allow it with outputs.allow.`]);
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
