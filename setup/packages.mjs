// The npm packages of the lock file, and Node 24, which is one of them.
import crypto from 'node:crypto';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { readIfThere, temporaryFolder } from './cache.mjs';
import { unpackPackage } from './locked-package.mjs';
import { Step } from './progress.mjs';
import { mustRun, SetupError } from './run.mjs';

const nodeMajor = Number(process.versions.node.split('.')[0]);
const STAMP = 'node_modules/.patchroom-packages';

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
  const work = temporaryFolder('node-');
  try {
    const { program, before } = await npmOnNode24(work.folder);
    const args = ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--fetch-retries=3'];
    // NODE_ENV=production would leave out what builds the browser page.
    await mustRun('npm ci', program, [...before, ...args, '--include=dev', '--include=optional'], {
      tries: 3,
      onLine: (line) => {
        if (/^(added|npm http|npm error)/.test(line)) step.at(line.slice(0, 70));
      },
    });
  } finally {
    work.remove();
  }
  fs.writeFileSync(STAMP, lockHash());
  step.done();
}

/**
 * npm, running on Node 24: it leaves out optional packages that do not want the Node that it runs on,
 * and on Debian's Node 18 those are parts of what builds the page.
 * @param {string} work - an empty folder
 * @returns {Promise<{ program: string, before: string[] }>} what comes before npm's own arguments
 */
async function npmOnNode24(work) {
  if (nodeMajor >= 24) return { program: 'npm', before: [] };
  const folder = await unpackPackage(`node-linux-${os.arch()}`, work);
  return { program: path.join(folder, 'bin', 'node'), before: [npmScript()] };
}

/** @returns {string} the JavaScript file behind the command `npm` */
function npmScript() {
  const named = process.env.npm_execpath ?? '';
  if (/npm-cli\.c?js$/.test(named)) return named;
  for (const folder of (process.env.PATH ?? '').split(path.delimiter)) {
    const file = path.join(folder, 'npm');
    if (fs.existsSync(file)) return fs.realpathSync(file);
  }
  throw new SetupError('npm is missing. Install it (apt-get install npm) and run this again.');
}

/** @returns {string} the Node 24 that runs the product and its tests */
export function node24() {
  const fromNpm = path.resolve('node_modules', `node-linux-${os.arch()}`, 'bin', 'node');
  if (fs.existsSync(fromNpm)) return fromNpm;
  if (nodeMajor >= 24) return process.execPath;
  throw new SetupError(
    `npm has no Node 24 for this machine (${os.platform()} ${os.arch()}); install Node 24 and run this again with it.`,
  );
}
