// The npm packages of the lock file, and Node 24, which is one of them.
import crypto from 'node:crypto';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { readIfThere } from './cache.mjs';
import { Step } from './progress.mjs';
import { mustRun, SetupError } from './run.mjs';

const STAMP = 'node_modules/.patchroom-lock-hash';

function lockHash() {
  return crypto.createHash('sha256').update(fs.readFileSync('package-lock.json')).digest('hex');
}

/** @returns {boolean} whether node_modules is what the lock file says */
export function packagesReady() {
  return readIfThere(STAMP) === lockHash();
}

/** Installs them without running any of their scripts: nothing that such a script would download is needed. */
export async function installPackages() {
  if (packagesReady()) return;
  const step = new Step('npm packages, with Node 24 among them', 'about half a minute');
  const args = ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--fetch-retries=3'];
  // NODE_ENV=production would leave out what builds the browser page.
  await mustRun('npm ci', 'npm', [...args, '--include=dev', '--include=optional'], {
    tries: 3,
    onLine: (line) => step.at(line.slice(0, 90)),
  });
  fs.writeFileSync(STAMP, lockHash());
  step.done();
}

/** @returns {string} the Node 24 that runs the product and its tests */
export function node24() {
  const fromNpm = path.resolve('node_modules', `node-linux-${os.arch()}`, 'bin', 'node');
  if (fs.existsSync(fromNpm)) return fromNpm;
  if (Number(process.versions.node.split('.')[0]) >= 24) return process.execPath;
  throw new SetupError(
    `npm has no Node 24 for this machine (${os.platform()} ${os.arch()}); install Node 24 and run this again with it.`,
  );
}
