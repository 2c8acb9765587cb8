import fs from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { afterAll, afterEach, expect, test } from 'vitest';
import { selfSignedCertificate } from '../peers/certificate.ts';
import { descendantsOf, isAlive } from '../peers/processes.ts';
import { Product, startMain } from '../peers/product.ts';

/** Starting and ending the product as a user does. */

const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'patchroom-product-'));
const started: Product[] = [];
afterEach(async () => {
  for (const product of started.splice(0)) {
    product.child.kill('SIGKILL');
    await product.ended();
  }
});
afterAll(() => fs.rmSync(folder, { recursive: true }));

function start(...args: Parameters<typeof startMain>): Product {
  const product = startMain(...args);
  started.push(product);
  return product;
}

function configFile(text: string): string {
  const file = path.join(folder, `${started.length}.yaml`);
  fs.writeFileSync(file, text);
  return file;
}

const KEYS = 'api: { keys: { mine: a-secret-that-is-long-enough-for-anybody } }';

test('demo mode says what it is and prints a line for every way in', async () => {
  const product = start();
  const [, address] = await product.says(/health +(http:\S+)/);
  expect(product.output).toMatch(
    /^Patchroom \d+\.\d+\.\d+, demo mode \(this machine only\)\n {2}browser {2}http:\/\/127\.0\.0\.1:\d+\/demo\n {2}phone {4}sip:demo@127\.0\.0\.1:\d+\n {2}OBS {6}rtmp:\/\/127\.0\.0\.1:\d+\/live {3}key: demo\n {2}health {3}http/,
  );
  const health = await fetch(address!);
  expect([health.status, await health.json()]).toMatchObject([200, { status: 'ok' }]);
});

test.each(['SIGINT', 'SIGTERM'] as const)('%s ends it politely and leaves no process', async (signal) => {
  const product = start();
  await product.says(/health/);
  const children = descendantsOf(product.child.pid!);
  expect(children.length).toBeGreaterThanOrEqual(2);
  product.child.kill(signal);
  expect(await product.ended()).toBe(0);
  // Ending on purpose is no crash to report.
  expect(product.output).not.toMatch(/died|"level":"(warn|error)"/);
  expect(children.filter(isAlive)).toEqual([]);
});

test('a worker that hangs does not keep it from ending', async () => {
  const product = start();
  await product.says(/health/);
  const children = descendantsOf(product.child.pid!);
  for (const pid of children) process.kill(pid, 'SIGSTOP');
  product.child.kill('SIGTERM');
  expect(await product.ended()).toBe(0);
  await expect.poll(() => children.filter(isAlive), { timeout: 20_000 }).toEqual([]);
});

test('killed outright, its workers end by themselves', async () => {
  const product = start();
  await product.says(/health/);
  const children = descendantsOf(product.child.pid!);
  product.child.kill('SIGKILL');
  await product.ended();
  await expect.poll(() => children.filter(isAlive), { timeout: 20_000 }).toEqual([]);
});

test('started by the set-up script: Ctrl-C, SIGTERM and even a killed script leave nothing running', async () => {
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGKILL'] as const) {
    const product = new Product('node', ['setup/main.mjs', 'start']);
    started.push(product);
    await product.says(/health/);
    const children = descendantsOf(product.child.pid!);
    product.child.kill(signal);
    await expect.poll(() => children.filter(isAlive), { timeout: 20_000 }).toEqual([]);
  }
});

test('a port in use is said in one sentence', async () => {
  const server = net.createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address() as net.AddressInfo;
  for (const variable of [
    ...['PATCHROOM_HTTP_PORT', 'PATCHROOM_WEBRTC_PORT'],
    ...['PATCHROOM_SIP_PORT', 'PATCHROOM_RTMP_PORT'],
  ]) {
    const product = start([], { [variable]: String(port), PATCHROOM_HUB_WORKERS: '1' });
    expect(await product.ended()).toBe(1);
    expect(product.output.trim()).toMatch(new RegExp(`^Port ${port} .* cannot be used for .*\\.$`));
    expect(product.output).not.toContain('    at ');
  }
  server.close();
});

test("a softphone that has SIP's own port does not keep the demo from starting", async () => {
  const softphone = net.createServer().listen(5060, '127.0.0.1');
  // Listening, or somebody else on this machine has it: both will do.
  await new Promise<void>((resolve) => softphone.once('listening', resolve).once('error', () => resolve()));
  const product = start([], { PATCHROOM_SIP_PORT: '5060', PATCHROOM_HUB_WORKERS: '1' });
  const [, port] = await product.says(/phone +sip:demo@127\.0\.0\.1:(\d+)/);
  expect(port).not.toBe('5060');
  softphone.close();
});

test("nor does another server that has RTMP's own port", async () => {
  const other = net.createServer().listen(1935, '127.0.0.1');
  await new Promise<void>((resolve) => other.once('listening', resolve).once('error', () => resolve()));
  const product = start([], { PATCHROOM_RTMP_PORT: '1935', PATCHROOM_HUB_WORKERS: '1' });
  const [, port] = await product.says(/OBS +rtmp:\/\/127\.0\.0\.1:(\d+)\/live/);
  expect(port).not.toBe('1935');
  other.close();
});

test.each([
  ['an unknown key', `${KEYS}\nhttp:\n  prot: 80\n`, /, line 3: http\.prot: there is no such key\.$/],
  ['a wrong type', `${KEYS}\nrooms:\n  maxRooms: many\n`, /, line 3: rooms\.maxRooms: .*number/],
  ['no API key', 'http: { port: 0 }\n', /api.* is missing/],
  ['no YAML', 'http: [\n', /line/],
])('a config file with %s is refused with its line', async (_name, text, sentence) => {
  const product = start(['--config', configFile(text)]);
  expect(await product.ended()).toBe(1);
  expect(product.output.trim()).toMatch(sentence);
  expect(product.output).not.toContain('    at ');
});

test('a missing program is said with what to do', async () => {
  const product = start([], { MEDIASOUP_WORKER_BIN: '/nowhere/mediasoup-worker' });
  expect(await product.ended()).toBe(1);
  expect(product.output.trim()).toBe(
    'The mediasoup worker does not start. Run "npm run setup", which installs or builds it.',
  );
});

test('an unknown argument is answered with the usage', async () => {
  const product = start(['--cofnig', 'x']);
  expect(await product.ended()).toBe(2);
  expect(product.output).toContain('usage:');
});

test('with a config file it is not in demo mode, and HTTPS works with the certificate given', async () => {
  const { cert } = selfSignedCertificate(folder);
  const text = `${KEYS}\nnetwork: { bind: 127.0.0.1 }\nhttp: { tls: { cert: cert.pem, key: key.pem } }\n`;
  const product = start(['--config', configFile(text)]);
  const [, port] = await product.says(/health +https:\/\/127\.0\.0\.1:(\d+)/);
  expect(product.output).not.toContain('demo mode');
  const https = await import('node:https');
  const status = await new Promise((resolve, reject) => {
    https
      .get({ port, path: '/healthz', ca: fs.readFileSync(cert), servername: 'localhost' }, (response) => {
        response.resume();
        resolve(response.statusCode);
      })
      .on('error', reject);
  });
  expect(status).toBe(200);
});
