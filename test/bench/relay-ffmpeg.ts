import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';

/** ffmpeg that brings a stream from one RTMP server to another as it is. */
export class FfmpegRelay {
  /** As it says itself, twice a second. */
  bytesSent = 0;
  #child: ChildProcess;
  #ended: Promise<unknown>;
  #complaints = '';

  constructor(from: string, to: string) {
    const args = [
      '-v',
      'error',
      '-nostdin',
      '-progress',
      'pipe:1',
      '-i',
      from,
      '-c',
      'copy',
      '-f',
      'flv',
      to,
    ];
    this.#child = spawn('ffmpeg', args, { stdio: ['ignore', 'pipe', 'pipe'] });
    this.#ended = once(this.#child, 'close');
    this.#child.stdout!.setEncoding('utf8').on('data', (text: string) => {
      const [, bytes] = /total_size=(\d+)(?![\s\S]*total_size)/.exec(text) ?? [];
      if (bytes !== undefined) this.bytesSent = Number(bytes);
    });
    this.#child.stderr!.setEncoding('utf8').on('data', (text: string) => {
      this.#complaints += text;
    });
  }

  get pid(): number {
    return this.#child.pid!;
  }

  /** Resolves when it sends. @throws Error with what it said when it ends before */
  async live(): Promise<void> {
    while (this.bytesSent === 0) {
      const next = once(this.#child.stdout!, 'data').then(() => true);
      const goesOn = await Promise.race([next, this.#ended.then(() => false)]);
      if (!goesOn) throw new Error(`ffmpeg ended: ${this.#complaints}`);
    }
  }

  async stop(): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.#ended;
  }
}
