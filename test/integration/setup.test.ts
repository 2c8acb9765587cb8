import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { descendantsOf, isAlive } from '../peers/processes.ts';
import { Product } from '../peers/product.ts';

/**
 * The set-up script in a fresh copy of the project with an empty cache, as far as it can be without
 * waiting for the worker's build to end.
 */

const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'patchroom-setup-'));
const copy = path.join(folder, 'checkout');
const cache = path.join(folder, 'cache');
/** The machine's own node, which the set-up has to work with, instead of the Node 24 that runs the tests. */
const PATH = process.env
  .PATH!.split(':')
  .filter((entry) => entry !== path.dirname(process.execPath))
  .join(':');
const env = { PATCHROOM_CACHE: cache, MEDIASOUP_WORKER_BIN: '', PATH };

beforeAll(() => {
  const files = execFileSync('git', ['ls-files', '-co', '--exclude-standard', '-z'], {
    encoding: 'utf8',
  }).split('\0');
  for (const file of files.filter((name) => name && fs.existsSync(name))) {
    fs.mkdirSync(path.join(copy, path.dirname(file)), { recursive: true });
    fs.copyFileSync(file, path.join(copy, file));
  }
});
afterAll(() => fs.rmSync(folder, { recursive: true, force: true }));

function setup(extra: NodeJS.ProcessEnv = {}, command: readonly string[] = []): Product {
  const [program = 'node', ...before] = command;
  return new Product(program, [...before, 'setup/main.mjs', 'setup', '--build-worker'], {
    cwd: copy,
    env: { ...env, ...extra },
  });
}

test('as anybody but root it prints the one command to run, and ends with 1', async () => {
  const empty = path.join(folder, 'no-packages');
  fs.mkdirSync(path.join(empty, 'updates'), { recursive: true });
  fs.writeFileSync(path.join(empty, 'status'), '');
  fs.chmodSync(folder, 0o755);
  const home = path.join(folder, 'home');
  fs.mkdirSync(home);
  fs.chownSync(home, 65534, 65534);
  const asNobody =
    process.getuid?.() === 0 ? ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups', 'node'] : [];
  const product = setup(
    { DPKG_ADMINDIR: empty, PATCHROOM_CACHE: path.join(home, 'cache'), HOME: home },
    asNobody,
  );
  expect(await product.ended()).toBe(1);
  expect(product.output).toMatch(
    /\n {2}apt-get update && apt-get install -y --no-install-recommends g\+\+ meson .* libuv1 .*\n/,
  );
});

test('it does everything beside the build, and an interruption leaves nothing running and nothing locked', async () => {
  const product = setup();
  await product.says(/✓ npm packages/);
  await product.says(/✓ browser page/);
  await product.says(/\d+ of \d+ files/);
  const children = descendantsOf(product.child.pid!);
  product.child.kill('SIGINT');
  expect(await product.ended()).toBe(130);
  await expect.poll(() => children.filter(isAlive), { timeout: 20_000 }).toEqual([]);
  expect(fs.existsSync(path.join(cache, 'setup.lock'))).toBe(false);
  expect(fs.existsSync(path.join(copy, 'dist/console/index.html'))).toBe(true);
});

test('started again, it goes on with the build where it was', async () => {
  const product = setup();
  const [, done] = await product.says(/(\d+) of \d+ files/);
  product.child.kill('SIGINT');
  await product.ended();
  expect(product.output).not.toContain('npm packages');
  expect(product.output).not.toContain('browser page');
  expect(Number(done)).toBeGreaterThan(0);
  const [work] = fs.readdirSync(cache).filter((name) => name.endsWith('.work'));
  expect(fs.existsSync(path.join(cache, work!, 'prepared'))).toBe(true);
});

test('with everything there it has nothing to do, and the product starts', async () => {
  const [work] = fs.readdirSync(cache).filter((name) => name.endsWith('.work'));
  const name = work!.slice(0, -'.work'.length);
  fs.rmSync(path.join(cache, work!), { recursive: true });
  // As if the build had ended: the worker that these tests run with is of the same recipe.
  expect(path.basename(process.env.MEDIASOUP_WORKER_BIN!)).toBe(name);
  fs.copyFileSync(process.env.MEDIASOUP_WORKER_BIN!, path.join(cache, name));
  const product = new Product('npm', ['start', '--silent', '--', '--build-worker'], {
    cwd: copy,
    env: { ...process.env, ...env },
  });
  await product.says(/health +http/);
  expect(product.output).not.toContain('Setting up');
  product.child.kill('SIGTERM');
  await product.ended();
});
