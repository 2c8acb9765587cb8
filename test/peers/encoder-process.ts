import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';

const PATIENCE_MS = 5000;
const LONGEST_COMPLAINTS = 65_536;

/** A real encoder in a process of its own that pushes until it is stopped. */
export abstract class EncoderProcess {
  static #running = new Set<EncoderProcess>();

  readonly child: ChildProcess;
  /** Its exit code, or null if a signal ended it. Never rejects. */
  readonly ended: Promise<number | null>;
  /** What it wrote on its standard error, the first 64 KiB; empty while all goes well. */
  complaints = '';
  #hasEnded = false;

  protected constructor(command: string, args: readonly string[]) {
    this.child = spawn(command, args, { stdio: ['ignore', 'ignore', 'pipe'] });
    this.child.stderr!.setEncoding('utf8').on('data', (text: string) => {
      if (this.complaints.length < LONGEST_COMPLAINTS) this.complaints += text;
    });
    EncoderProcess.#running.add(this);
    this.ended = this.#end();
  }

  /** Ends what still runs, for the end of a test. */
  static async killAll(): Promise<void> {
    await Promise.all(
      [...EncoderProcess.#running].map((encoder) => {
        encoder.vanish();
        return encoder.ended;
      }),
    );
  }

  /** Ends the stream as a user does (SIGINT): it says so to the server. One that hangs is killed after 5 s. */
  async stop(): Promise<void> {
    if (!this.#hasEnded) this.thaw();
    this.child.kill('SIGINT');
    const last = setTimeout(() => this.child.kill('SIGKILL'), PATIENCE_MS);
    await this.ended;
    clearTimeout(last);
  }

  /** Ends at once (SIGKILL): the server sees the connection close without a word. */
  vanish(): void {
    this.child.kill('SIGKILL');
  }

  /** Stops the process without closing its connection (SIGSTOP), like a machine that hangs. */
  freeze(): void {
    this.child.kill('SIGSTOP');
  }

  /** Lets a frozen one go on. It sends what it missed as fast as it can. */
  thaw(): void {
    this.child.kill('SIGCONT');
  }

  async #end(): Promise<number | null> {
    try {
      const [code] = (await once(this.child, 'close')) as [number | null];
      return code;
    } catch (error) {
      this.complaints += String(error); // it could not be started
      return null;
    } finally {
      this.#hasEnded = true;
      EncoderProcess.#running.delete(this);
    }
  }
}
