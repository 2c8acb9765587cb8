import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { TokenVerifier } from '../../src/api/tokens.ts';
import type { Server } from '../../src/server.ts';
import { Phone } from '../peers/phone.ts';
import { Product } from '../peers/product.ts';
import { startServer } from '../peers/server.ts';
import { sipPort } from '../peers/sip-port.ts';

/** The command line as a user types it: by the link in the project's root, with the machine's own node. */

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const PATCHROOM = path.join(ROOT, 'patchroom');
/** Without the Node 24 that runs the tests, where the machine has one of its own. */
const PATH = process.env
  .PATH!.split(':')
  .filter((entry) => entry !== path.dirname(process.execPath))
  .join(':');

let server: Server;
const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'patchroom-cli-'));
const started: Product[] = [];
beforeAll(async () => {
  server = await startServer();
});
afterEach(async () => {
  for (const product of started.splice(0)) {
    product.child.kill('SIGKILL');
    await product.ended();
  }
});
afterAll(async () => {
  Phone.closeAll();
  await server.stop();
  fs.rmSync(folder, { recursive: true });
});

function start(command: string, ...words: string[]): Product {
  const product = new Product(command, words, { cwd: folder, env: { PATH } });
  started.push(product);
  return product;
}

async function run(command: string, ...words: string[]) {
  const product = start(command, ...words);
  const code = await product.ended();
  return { code, output: product.output };
}

test('a token is all that is printed, and a server takes it', async () => {
  const { code, output } = await run(PATCHROOM, 'token', '--room', 'a', '--identity', 'ann');
  expect(code).toBe(0);
  expect(output).toMatch(/^\S+\n$/);
  const grant = await new TokenVerifier({ devkey: 'secret' }).verify(output.trim());
  expect([grant.identity, grant.video.room]).toEqual(['ann', 'a']);
});

test('rooms shows who is there', async () => {
  const phone = await Phone.call(sipPort(server), { room: 'cli-room' });
  await expect
    .poll(async () => (await run(PATCHROOM, 'rooms', '--url', server.url)).output, { interval: 300 })
    .toBe('ROOM      PARTICIPANTS  PUBLISHED\ncli-room  1 phone       1 voice PCMU\n');
  await phone.hangUp();
});

test('files are named from where the user is', async () => {
  fs.writeFileSync(
    path.join(folder, 'my.yaml'),
    'api: { keys: { mine: a-secret-that-is-long-enough-for-anybody } }',
  );
  const good = await run(PATCHROOM, 'check-config', 'my.yaml');
  expect([good.code, good.output.split('\n')[0]]).toEqual([0, 'my.yaml is fine.']);
  fs.writeFileSync(path.join(folder, 'bad.yaml'), 'http:\n  prot: 1\n');
  const bad = await run(PATCHROOM, 'check-config', 'bad.yaml');
  expect(bad.code).toBe(1);
  expect(bad.output).toMatch(/bad\.yaml, line 2: http\.prot: there is no such key\./);
});

test('by npm as well', async () => {
  const { code, output } = await run('npm', '--prefix', ROOT, 'run', '--silent', 'patchroom', '--', 'tokn');
  expect(code).toBe(2);
  expect(output).toContain('There is no command "tokn".');
});

test('start is the same as npm start, from wherever it is typed', async () => {
  fs.writeFileSync(
    path.join(folder, 'start.yaml'),
    'api: { keys: { mine: a-secret-that-is-long-enough-for-anybody } }\nnetwork: { bind: 127.0.0.1 }\nworkers: { hubs: 1, media: 1 }\n',
  );
  const product = start(PATCHROOM, 'start', '--config', 'start.yaml');
  const [, health] = await product.says(/health +(http:\S+)/);
  expect(product.output).not.toContain('demo mode');
  expect((await fetch(health!)).status).toBe(200);
  product.child.kill('SIGTERM');
  expect(await product.ended()).toBe(0);
});
