import { afterAll, beforeAll, expect, test } from 'vitest';
import { EngineProcess } from '../../gateways/sip/engine-process.ts';
import { createLogger } from '../../src/base/log.ts';
import { systemClock } from '../../src/gateway.ts';
import type { Server } from '../../src/server.ts';
import { Phone } from '../peers/phone.ts';
import { startServer } from '../peers/server.ts';

/*
 * A SIP engine that somebody else runs (`sip.engine: drachtio://…`). A drachtio-server cannot be installed
 * from Debian or npm, so our own engine stands in its place: the way there is the same.
 */

const SECRET = 'of the engine';
let engine: EngineProcess;
let server: Server;

beforeAll(async () => {
  engine = await startEngine(0);
  server = await startServer({
    config: { sip: { engine: `drachtio://127.0.0.1:${engine.wirePort}`, engineSecret: SECRET } },
  });
});
afterAll(async () => {
  Phone.closeAll();
  await server.stop();
  await engine.close();
});

function startEngine(port: number): Promise<EngineProcess> {
  const limits = { messagesPerSecond: 1000, callsPerSecond: 100, maxCalls: 100 };
  const options = {
    bind: '127.0.0.1',
    port,
    secret: SECRET,
    allow: ['loopback'],
    logLevel: 'silent' as const,
  };
  return EngineProcess.start({ ...options, ...limits }, systemClock, createLogger('silent'));
}

test('calls come in through it, and sound through us', async () => {
  const ann = await Phone.call(engine.port, { name: 'Ann', toneHz: 440 });
  const bob = await Phone.call(engine.port, { name: 'Bob', toneHz: 1000 });
  await Promise.all([ann.hears(1000), bob.hears(440)]);
  server.rooms.mustGet('demo').participants[0]!.leave('removed');
  expect((await ann.ended).reasonHeader).toContain('Removed');
  expect(await bob.hangUp()).toBe(200);
});

test('a wrong secret is said in a sentence', async () => {
  const refused = startServer({
    config: { sip: { engine: `drachtio://127.0.0.1:${engine.wirePort}`, engineSecret: 'wrong' } },
  });
  await expect(refused).rejects.toThrow(/^The SIP engine at 127\.0\.0\.1:\d+ refuses us/);
});

test('so is an engine that is not there', async () => {
  const refused = startServer({
    config: { sip: { engine: 'drachtio://127.0.0.1:1', engineSecret: SECRET } },
  });
  await expect(refused).rejects.toThrow(/^The SIP engine at 127\.0\.0\.1:1 /);
});
