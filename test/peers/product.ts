import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';

/** The product as a user starts it, in processes of its own. */
export class Product {
  readonly child: ChildProcess;
  output = '';
  #ended: Promise<number | null>;
  #arrived = new Set<() => void>();

  constructor(
    command: string,
    args: readonly string[],
    options: { cwd?: string; env?: NodeJS.ProcessEnv } = {},
  ) {
    this.child = spawn(command, args, {
      cwd: options.cwd,
      env: {
        ...process.env,
        PATCHROOM_HTTP_PORT: '0',
        PATCHROOM_WEBRTC_PORT: '0',
        PATCHROOM_SIP_PORT: '0',
        PATCHROOM_RTMP_PORT: '0',
        ...options.env,
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    for (const stream of [this.child.stdout!, this.child.stderr!]) {
      stream.setEncoding('utf8').on('data', (text: string) => {
        this.output += text;
        for (const check of this.#arrived) check();
      });
    }
    this.#ended = once(this.child, 'close').then(([code]) => code as number | null);
  }

  /** Resolves with the match once the output has it. @throws when the process ends before */
  async says(pattern: RegExp): Promise<RegExpExecArray> {
    const found = new Promise<RegExpExecArray>((resolve) => {
      const check = () => {
        const match = pattern.exec(this.output);
        if (!match) return;
        this.#arrived.delete(check);
        resolve(match);
      };
      this.#arrived.add(check);
      check();
    });
    const ended = this.#ended.then((code) => {
      const match = pattern.exec(this.output);
      if (match) return match;
      throw new Error(`ended with ${code} before saying ${pattern}:\n${this.output}`);
    });
    return Promise.race([found, ended]);
  }

  /** The exit code, once it and everything that holds its output open has ended. */
  ended(): Promise<number | null> {
    return this.#ended;
  }
}

/** Start of Patchroom's own main program, without the set-up around it. */
export function startMain(args: readonly string[] = [], env: NodeJS.ProcessEnv = {}): Product {
  return new Product(process.execPath, ['src/main.ts', ...args], { env });
}
