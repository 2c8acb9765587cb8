import type { Supervised } from '../../../src/workers/supervisor.ts';

/** Stands for a process under supervision; lives until the test or its supervisor ends it. */
export class FakeProcess implements Supervised {
  readonly pid: number;
  readonly ended: Promise<string>;
  /** How it answers checks: with success, with an error, or not at all. */
  health: 'good' | 'failing' | 'silent' = 'good';
  checks = 0;
  closed = false;
  killed = 0;
  #end!: (cause: string) => void;

  constructor(pid: number) {
    this.pid = pid;
    this.ended = new Promise((resolve) => {
      this.#end = resolve;
    });
  }

  check(): Promise<unknown> {
    this.checks++;
    if (this.health === 'good') return Promise.resolve();
    return this.health === 'failing' ? Promise.reject(new Error('broken')) : new Promise(() => {});
  }

  async close(): Promise<void> {
    this.closed = true;
    this.die('closed');
  }

  kill(): void {
    this.killed++;
    this.die('killed by SIGKILL');
  }

  die(cause: string): void {
    this.#end(cause);
  }
}

/** Lets everything run that promises are waiting for; no time passes. */
export function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
