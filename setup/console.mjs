// The browser page: built by Vite into dist/console when its sources changed.
import crypto from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { readIfThere } from './cache.mjs';
import { node24 } from './packages.mjs';
import { Step } from './progress.mjs';
import { mustRun } from './run.mjs';
import { listFiles } from './worker.mjs';

const SOURCES = ['src/console', 'src/room', 'gateways/webrtc'];
const STAMP = 'dist/console/.sources-hash';

function sourcesHash() {
  const hash = crypto.createHash('sha256').update(fs.readFileSync('package-lock.json'));
  for (const file of SOURCES.flatMap(listFiles)) hash.update(file).update(fs.readFileSync(file));
  return hash.digest('hex');
}

/** @returns {boolean} whether dist/console is what the sources say */
export function consoleReady() {
  return readIfThere(STAMP) === sourcesHash();
}

export async function buildConsole() {
  if (consoleReady()) return;
  const step = new Step('browser page', 'a few seconds');
  const vite = path.resolve('node_modules/vite/bin/vite.js');
  await mustRun('Building the browser page', node24(), [vite, 'build', 'src/console', '--logLevel', 'warn']);
  fs.writeFileSync(STAMP, sourcesHash());
  step.done();
}
