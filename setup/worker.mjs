// The mediasoup worker, a native program: mediasoup's own prebuilt one where its release page can be
// reached, else one built here from the npm package with Debian's libraries. Cached outside
// node_modules by version, kind, Debian release, machine and recipe.
import { spawnSync } from 'node:child_process';
import crypto from 'node:crypto';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { cacheFolder, temporaryFolder } from './cache.mjs';
import { release } from './debian.mjs';
import { lockedPackage, unpackPackage } from './locked-package.mjs';
import { Step } from './progress.mjs';
import { mustRun, SetupError } from './run.mjs';

const HERE = path.dirname(fileURLToPath(import.meta.url));
const RECIPE = path.join(HERE, 'mediasoup-worker');
const DOWNLOAD_LIMIT_MS = 10_000;
/** What the worker answers when it is run by hand: proof that it runs on this machine (its main.cpp). */
const EXIT_CODE_BY_HAND = 41;

/** @typedef {'prebuilt' | 'built'} WorkerKind */

function recipeHash() {
  const hash = crypto.createHash('sha256');
  for (const file of listFiles(RECIPE))
    hash.update(path.relative(RECIPE, file)).update(fs.readFileSync(file));
  return hash.digest('hex').slice(0, 12);
}

/** @param {string} folder @returns {string[]} all files below it, sorted */
export function listFiles(folder) {
  return fs
    .readdirSync(folder, { withFileTypes: true })
    .flatMap((entry) => {
      const full = path.join(folder, entry.name);
      return entry.isDirectory() ? listFiles(full) : [full];
    })
    .sort();
}

/** @param {WorkerKind} kind @returns {string} where that worker is, or will be */
function cachedPath(kind) {
  const { id, version } = release();
  const recipe = kind === 'built' ? `-${recipeHash()}` : '';
  return path.join(
    cacheFolder(),
    `mediasoup-worker-${lockedPackage('mediasoup').version}-${kind}-${id}${version}-${os.arch()}${recipe}`,
  );
}

/** @param {boolean} builtOnly @returns {string | undefined} a worker that is ready to use */
export function findWorker(builtOnly) {
  /** @type {WorkerKind[]} */
  const kinds = builtOnly ? ['built'] : ['prebuilt', 'built'];
  return kinds.map(cachedPath).find((file) => fs.existsSync(file));
}

/** @param {string} file */
function runsHere(file) {
  return spawnSync(file, [], { env: {}, timeout: 5000 }).status === EXIT_CODE_BY_HAND;
}

/**
 * Tries mediasoup's own download, for 10 s at the most.
 * @returns {Promise<boolean>} whether it is in the cache now; false is no error: it will be built
 */
export async function downloadWorker() {
  const { version } = lockedPackage('mediasoup');
  const kernel = os.release().split('.')[0];
  const url = `https://github.com/versatica/mediasoup/releases/download/${version}/mediasoup-worker-${version}-linux-${os.arch()}-kernel${kernel}.tgz`;
  const step = new Step('mediasoup worker: trying its prebuilt download', 'at most 10 s');
  const { folder: work, remove } = temporaryFolder('download-');
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(DOWNLOAD_LIMIT_MS) });
    if (!response.ok) throw new Error(`the server answered ${response.status}`);
    const archive = path.join(work, 'worker.tgz');
    fs.writeFileSync(archive, Buffer.from(await response.arrayBuffer()));
    await mustRun('Unpacking the worker', 'tar', ['-xzf', archive, '-C', work]);
    const worker = path.join(work, 'mediasoup-worker');
    fs.chmodSync(worker, 0o755);
    if (!runsHere(worker)) throw new Error('it does not run on this machine');
    fs.renameSync(worker, cachedPath('prebuilt'));
    step.done();
    return true;
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    console.log(`  not available (${reason}); it is built here instead`);
    return false;
  } finally {
    remove();
  }
}

/**
 * Builds the worker. The work folder stays until it is done, so that an interrupted build goes on
 * where it was.
 * @returns {Promise<void>}
 */
export async function buildWorker() {
  const target = cachedPath('built');
  const work = `${target}.work`;
  fs.mkdirSync(work, { recursive: true });
  const minutes = Math.ceil(12 / Math.max(1, os.cpus().length));
  const step = new Step('mediasoup worker: building it', `about ${minutes} minutes on this machine, once`);
  const sources = await unpackPackage('mediasoup', work);
  await mustRun('Building the mediasoup worker', 'sh', [path.join(RECIPE, 'build.sh'), sources, work], {
    onLine: (line) => {
      const progress = /^\[(\d+)\/(\d+)\]/.exec(line);
      if (progress) step.at(`${progress[1]} of ${progress[2]} files`);
    },
  });
  const worker = path.join(work, 'mediasoup-worker');
  if (!runsHere(worker)) throw new SetupError(`The mediasoup worker was built, but ${worker} does not run.`);
  fs.renameSync(worker, target);
  fs.rmSync(work, { recursive: true, force: true });
  step.done();
}
