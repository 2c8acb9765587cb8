import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { descendantsOf } from './processes.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
/** From where packages are found by their names. */
const SCRIPTS = path.join(ROOT, '.generated', 'documentation');
const LIMIT_MS = 60_000;

export interface ShellOptions {
  readonly env: NodeJS.ProcessEnv;
  /** For what it prints. */
  readonly folder: string;
  /** Its standard input; none if not said. */
  readonly input?: string;
}

/** Of a command that ended. */
export interface Ended {
  /** null when it had to be killed */
  readonly code: number | null;
  /** Both streams, as they came. */
  readonly output: string;
}

/**
 * Commands as a user types them, in the project's root. What they put into the background has to be ended by whoever
 * put it there.
 */
export class Shell {
  static #running = new Set<Shell>();
  static #count = 0;

  readonly #child: ChildProcess;
  readonly #file: string;
  readonly #over: Promise<number | null>;

  private constructor(command: string, args: readonly string[], options: ShellOptions) {
    // A file, and no pipe: what goes on in the background would keep a pipe open.
    this.#file = path.join(options.folder, `output-${Shell.#count++}`);
    const output = fs.openSync(this.#file, 'w');
    this.#child = spawn(command, args, { cwd: ROOT, env: options.env, stdio: ['pipe', output, output] });
    fs.closeSync(output);
    this.#child.stdin!.on('error', () => {}); // most read nothing
    this.#child.stdin!.end(options.input ?? '');
    Shell.#running.add(this);
    this.#over = once(this.#child, 'exit').then(([code]) => {
      Shell.#running.delete(this);
      return code as number | null;
    });
  }

  /** Starts it with bash, which gives up at the first command that fails. With a socket as its input it would read its bashrc. */
  static start(text: string, options: ShellOptions): Shell {
    return new Shell('bash', ['--norc', '-euo', 'pipefail', '-c', text], options);
  }

  /** Until its commands are done; killed after a minute. */
  static run(text: string, options: ShellOptions): Promise<Ended> {
    return Shell.start(text, options).ended();
  }

  /** As a file among others of this project, by the Node that runs the tests. */
  static async runScript(text: string, options: ShellOptions): Promise<Ended> {
    fs.mkdirSync(SCRIPTS, { recursive: true });
    const file = path.join(SCRIPTS, `script-${Shell.#count}.mjs`);
    fs.writeFileSync(file, text);
    const ended = await new Shell(process.execPath, [file], options).ended();
    fs.rmSync(file);
    return ended;
  }

  /** Ends what still runs, for the end of the tests. */
  static async killAll(): Promise<void> {
    await Promise.all(
      [...Shell.#running].map((shell) => {
        shell.signal('SIGKILL');
        return shell.#over;
      }),
    );
  }

  get pid(): number {
    return this.#child.pid!;
  }

  /** So far, both streams. */
  get output(): string {
    return fs.readFileSync(this.#file, 'utf8');
  }

  /** Once the commands are done, whatever they left in the background. */
  async ended(): Promise<Ended> {
    const last = setTimeout(() => this.signal('SIGKILL'), LIMIT_MS);
    const code = await this.#over;
    clearTimeout(last);
    return { code, output: this.output };
  }

  /** To all its processes, like Ctrl-C of a terminal; to none once it has ended. */
  signal(signal: NodeJS.Signals): void {
    if (!Shell.#running.has(this)) return;
    for (const pid of [this.pid, ...descendantsOf(this.pid)]) {
      try {
        process.kill(pid, signal);
      } catch {
        // it has ended by itself
      }
    }
  }
}
