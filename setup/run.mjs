// Child processes for the set-up: argument lists only, output line by line, retried where the network is
// involved. Runs on Node 18 without any package.
import { spawn } from 'node:child_process';

/** What a user can act on: printed as one sentence, without a stack. */
export class SetupError extends Error {}

/** Programs that must not be interrupted, such as dpkg. @type {Set<Promise<unknown>>} */
const whole = new Set();

/** Resolves when none of them is running. */
export async function finishWhole() {
  while (whole.size > 0) await Promise.allSettled(whole);
}

/** Running programs. Each has a process group of its own, which ends with this process. */
const running = new Set();
process.on('exit', () => {
  for (const pid of running) {
    try {
      process.kill(-pid, 'SIGTERM');
    } catch {
      // It ended by itself in this very moment.
    }
  }
});

/**
 * Runs a program to its end.
 * @param {string} program
 * @param {string[]} args
 * @param {{ cwd?: string, env?: NodeJS.ProcessEnv, onLine?: (line: string) => void, whole?: boolean }} [options]
 *   onLine: called with every line of stdout and stderr.
 *   whole: an interruption waits for its end.
 * @returns {Promise<{ code: number | null, tail: string }>} tail: the first 15 and last 25 lines of its output.
 */
export function run(program, args, options = {}) {
  const ending = new Promise((resolve, reject) => {
    const child = spawn(program, args, {
      cwd: options.cwd,
      env: options.env ?? process.env,
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
    });
    if (child.pid) running.add(child.pid);
    /** @type {string[]} */
    const tail = [];
    const take = (/** @type {string} */ line) => {
      tail.push(line);
      // The first lines name the error, the last ones say how it ended.
      if (tail.length > 40) tail.splice(15, 1);
      options.onLine?.(line);
    };
    for (const stream of [child.stdout, child.stderr]) {
      let rest = '';
      stream.setEncoding('utf8');
      stream.on('data', (/** @type {string} */ text) => {
        const lines = (rest + text).split(/\r?\n|\r/);
        rest = lines.pop() ?? '';
        for (const line of lines) take(line);
      });
      stream.on('end', () => rest && take(rest));
    }
    child.on('error', (error) =>
      reject(
        /** @type {NodeJS.ErrnoException} */ (error).code === 'ENOENT'
          ? new SetupError(`The program "${program}" is missing. Install it and run this again.`)
          : error,
      ),
    );
    child.on('close', (code) => {
      running.delete(child.pid);
      resolve({ code, tail: tail.join('\n') });
    });
  });
  if (options.whole) {
    whole.add(ending);
    const forget = () => whole.delete(ending);
    ending.then(forget, forget);
  }
  return ending;
}

/**
 * Runs a program that must succeed, up to `tries` times (for steps that download).
 * @param {string} what - names the step in the error
 * @param {string} program
 * @param {string[]} args
 * @param {Parameters<typeof run>[2] & { tries?: number }} [options]
 */
export async function mustRun(what, program, args, options = {}) {
  const tries = options.tries ?? 1;
  for (let attempt = 1; ; attempt++) {
    const { code, tail } = await run(program, args, options);
    if (code === 0) return;
    if (attempt >= tries) {
      throw new SetupError(`${what} failed (${program} ended with ${code}). It said:\n${tail}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 1000 * attempt));
  }
}
