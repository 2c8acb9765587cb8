import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { Product } from '../peers/product.ts';
import { median } from './median.ts';

const RUNS = 5;

/** Seconds from `npm start` to everything listening, when nothing has to be set up. */
export async function laterStart(): Promise<Record<string, number>> {
  const seconds: number[] = [];
  for (let run = 0; run < RUNS; run++) seconds.push(await timeToReady({}));
  const setUp: number[] = [];
  for (let run = 0; run < RUNS; run++) {
    const startedAt = performance.now();
    execFileSync('node', ['setup/main.mjs', 'setup', '--build-worker'], { stdio: 'ignore' });
    setUp.push((performance.now() - startedAt) / 1000);
  }
  return { 'ready after s': median(seconds), 'set-up with nothing to do, s': median(setUp) };
}

/** The same in a fresh copy with an empty cache: the worker is built. Debian's packages are there already. */
export async function firstStart(): Promise<Record<string, number>> {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'patchroom-first-'));
  const files = execFileSync('git', ['ls-files', '-z'], { encoding: 'utf8' }).split('\0').filter(Boolean);
  for (const file of files) {
    fs.mkdirSync(path.join(folder, path.dirname(file)), { recursive: true });
    fs.copyFileSync(file, path.join(folder, file));
  }
  const seconds = await timeToReady({ PATCHROOM_CACHE: path.join(folder, 'cache') }, folder);
  fs.rmSync(folder, { recursive: true });
  return { 'first ready after s': seconds };
}

async function timeToReady(env: NodeJS.ProcessEnv, cwd = process.cwd()): Promise<number> {
  const startedAt = performance.now();
  const product = new Product('npm', ['start', '--silent', '--', '--build-worker'], {
    cwd,
    env: { ...process.env, ...env },
  });
  await product.says(/health +http/);
  const seconds = (performance.now() - startedAt) / 1000;
  product.child.kill('SIGTERM');
  await product.ended();
  return seconds;
}
