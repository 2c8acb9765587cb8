import { afterEach, expect, test } from 'vitest';
import type { Server } from '../../src/server.ts';
import { startServer } from '../peers/server.ts';
import { SignallingClient } from '../peers/signalling-client.ts';

/** Limits by address, behind a reverse proxy and without one. */

let server: Server;
afterEach(() => server.stop());

const from = (address: string) => SignallingClient.open(server, { 'x-forwarded-for': address });
const webrtc = { port: 0, maxConnectionsPerAddress: 1 };

test('a trusted proxy tells whose connection it is', async () => {
  server = await startServer({ config: { webrtc, http: { trustProxy: ['loopback'] } } });
  await from('198.51.100.1');
  await from('198.51.100.2');
  await expect(from('198.51.100.1')).rejects.toThrow('503');
});

test('anybody else cannot pretend to be somebody', async () => {
  server = await startServer({ config: { webrtc } });
  await from('198.51.100.1');
  await expect(from('198.51.100.2')).rejects.toThrow('503');
});
