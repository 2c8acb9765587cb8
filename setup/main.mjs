// npm start, npm test and the like: sets up whatever is missing, then runs what was asked for with
// Node 24. Runs itself on Node 18 and without any package, since it is what installs them.
import { spawn } from 'node:child_process';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { lockCache } from './cache.mjs';
import { buildConsole, consoleReady } from './console.mjs';
import {
  BUILD_PACKAGES,
  install,
  missing,
  RUN_PACKAGES,
  removeStalePolicy,
  TEST_PACKAGES,
} from './debian.mjs';
import { installPackages, node24, packagesReady } from './packages.mjs';
import { finishWhole, SetupError } from './run.mjs';
import { buildWorker, downloadWorker, findWorker } from './worker.mjs';

/** Tasks with `where: 'user'` run where the user is: files that are named to them are from there. */
const TASKS = {
  start: { run: ['src/main.ts'], debian: RUN_PACKAGES, builtWorker: false, where: 'user' },
  // All other commands than its `start`.
  patchroom: { run: ['src/cli/main.ts'], debian: [], builtWorker: false, packagesOnly: true, where: 'user' },
  setup: { run: undefined, debian: RUN_PACKAGES, builtWorker: false },
  test: { run: ['test/run.ts'], debian: [...RUN_PACKAGES, ...TEST_PACKAGES], builtWorker: true },
  check: { run: ['test/run.ts', '--part', 'check'], debian: [], builtWorker: false, packagesOnly: true },
  'test:unit': { run: ['test/run.ts', '--part', 'unit'], debian: [], builtWorker: false, packagesOnly: true },
  'test:system': {
    run: ['test/run.ts', '--part', 'system'],
    debian: [...RUN_PACKAGES, ...TEST_PACKAGES],
    builtWorker: true,
  },
  'test:watch': {
    run: ['node_modules/vitest/vitest.mjs', 'watch', '--project', 'unit'],
    debian: [],
    builtWorker: false,
    packagesOnly: true,
  },
  bench: { run: ['test/bench/run.ts'], debian: [...RUN_PACKAGES, ...TEST_PACKAGES], builtWorker: true },
  soak: { run: ['test/soak/run.ts'], debian: [...RUN_PACKAGES, ...TEST_PACKAGES], builtWorker: true },
  fuzz: { run: ['test/fuzz/run.ts'], debian: [], builtWorker: false, packagesOnly: true },
  format: {
    run: ['node_modules/@biomejs/biome/bin/biome', 'check', '--write'],
    debian: [],
    builtWorker: false,
    packagesOnly: true,
  },
};

const USAGE = `usage: node setup/main.mjs TASK [--build-worker] [arguments of that task]

TASK is one of ${Object.keys(TASKS).join(', ')}.

  --build-worker   never use mediasoup's prebuilt worker: build it here (the tests always do)`;

/**
 * Makes everything that the task needs.
 * @param {{ debian: string[], builtWorker: boolean, packagesOnly?: boolean }} task
 * @returns {Promise<string>} the mediasoup worker to use
 */
async function setUp(task) {
  if (task.packagesOnly) {
    await installPackages();
    return '';
  }
  const ready = findWorker(task.builtWorker);
  if (ready && missing(task.debian).length === 0 && packagesReady() && consoleReady()) return ready;

  const unlock = await lockCache();
  removeStalePolicy();
  console.log('Setting up what is missing:');
  const toBuild =
    !findWorker(task.builtWorker) && (task.builtWorker || !(await downloadWorker())) ? BUILD_PACKAGES : [];
  const lacking = missing([...toBuild, ...task.debian]);
  if (lacking.length > 0 && process.getuid?.() !== 0) await install(lacking); // says what to type, and ends

  // The build is the longest step: it starts first and runs beside the others.
  await install(missing(toBuild));
  const building = toBuild.length > 0 ? buildWorker() : Promise.resolve();
  const others = (async () => {
    await install(missing(task.debian));
    await installPackages();
    await buildConsole();
  })();
  await Promise.all([building, others]);
  unlock();
  const worker = findWorker(task.builtWorker);
  if (!worker) throw new SetupError('The mediasoup worker is not in the cache although it was made.');
  return worker;
}

/**
 * Runs the task in the place of this process: signals go to it, and its exit code is ours. The IPC
 * channel tells it when this process is killed, so that nothing is left running.
 * @param {string[]} command @param {string} worker @param {string} cwd - where it runs
 */
function hand(command, worker, cwd) {
  const [script = '', ...args] = command;
  const child = spawn(node24(), [path.resolve(script), ...args], {
    cwd,
    stdio: ['inherit', 'inherit', 'inherit', 'ipc'],
    env: {
      ...process.env,
      MEDIASOUP_WORKER_BIN: worker,
      // Each process reads some 150 files of TypeScript: what was made of them before halves the time of a start.
      NODE_COMPILE_CACHE: process.env.NODE_COMPILE_CACHE ?? path.resolve('node_modules', '.cache', 'node'),
      PATH: `${path.dirname(node24())}:${process.env.PATH}`,
    },
  });
  // From a terminal the child has Ctrl-C already; a second one does no harm, and others send it to us alone.
  process.removeAllListeners('SIGINT').on('SIGINT', () => child.kill('SIGINT'));
  process.removeAllListeners('SIGTERM').on('SIGTERM', () => child.kill('SIGTERM'));
  child.on('error', (error) => fail(error));
  child.on('exit', (code, signal) => process.exit(code ?? (signal === 'SIGINT' ? 130 : 1)));
}

/** @param {unknown} error */
function fail(error) {
  console.error(error instanceof SetupError ? error.message : error);
  void finishWhole().then(() => process.exit(1));
}

async function main() {
  const cwd = process.cwd();
  process.chdir(path.join(path.dirname(fileURLToPath(import.meta.url)), '..'));
  // So that 'exit' handlers run: the lock and the service policy are put back.
  const endWith = (/** @type {number} */ code) => void finishWhole().then(() => process.exit(code));
  process.on('SIGINT', () => endWith(130));
  process.on('SIGTERM', () => endWith(143));
  let [name = '', ...rest] = process.argv.slice(2);
  // The one command that needs more than the packages.
  if (name === 'patchroom' && rest[0] === 'start') [name = '', ...rest] = rest;
  const task = Object.hasOwn(TASKS, name) ? TASKS[/** @type {keyof typeof TASKS} */ (name)] : undefined;
  if (!task) throw new SetupError(USAGE);
  const args = rest.filter((argument) => argument !== '--build-worker');
  // What a command prints is for whoever asked for it: of the set-up there is nothing in it.
  if (name === 'patchroom') console.log = console.error;
  const worker = await setUp({ ...task, builtWorker: task.builtWorker || rest.includes('--build-worker') });
  if (task.run) hand([...task.run, ...args], worker, 'where' in task ? cwd : process.cwd());
  else console.log('Everything is set up.');
}

main().catch(fail);
