import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import type { Clock, Timer } from '../../src/base/clock.ts';

/** All that a child sees of the environment: ours holds secrets. It is also where its executable is looked for. */
const ENVIRONMENT = { PATH: '/usr/local/bin:/usr/bin:/bin' };
const EXECUTABLE = 'ffmpeg';
/** So much of what it last wrote to stderr goes into the cause of its end. */
const LAST_WORDS_BYTES = 2048;
/** A child that is to stop has so long to end by itself. */
const STOP_GRACE_MS = 500;

export interface FfmpegProcessOptions {
  /** Passed as they are: there is no shell. Its input is `pipe:0`, its output `pipe:1`. */
  readonly args: readonly string[];
  readonly clock: Clock;
  readonly onOutput: (chunk: Buffer) => void;
  /** Called once, after the last output, however it ended. @param cause - with its last words */
  readonly onEnd: (cause: string) => void;
  /** What waits in our process to be read by the child, at the most. */
  readonly maxQueuedBytes: number;
  /** Another executable than ffmpeg, for tests. */
  readonly executable?: string;
}

/**
 * One child process that gets a stream and gives a stream. Nothing that happens to it throws: it ends, with
 * a cause. It does not outlive our process, however that ends: the end of its input ends it.
 */
export class FfmpegProcess {
  #process: ChildProcessWithoutNullStreams;
  #options: FfmpegProcessOptions;
  #lastWords: Buffer = Buffer.alloc(0);
  #cause: string | undefined;
  #stopping: Timer | undefined;
  #hasEnded = false;
  #whenEnded: () => void = () => {};
  readonly #ended = new Promise<void>((resolve) => {
    this.#whenEnded = resolve;
  });

  private constructor(options: FfmpegProcessOptions) {
    this.#options = options;
    const executable = options.executable ?? EXECUTABLE;
    this.#process = spawn(executable, options.args, { stdio: 'pipe', env: ENVIRONMENT });
    const { stdin, stdout, stderr } = this.#process;
    this.#process.once('error', (error: NodeJS.ErrnoException) => {
      if (this.#process.pid !== undefined) return; // a signal that could not be sent; its end will be seen
      this.#end(
        error.code === 'ENOENT'
          ? `${executable} is not installed: install the package, or look for it in ${ENVIRONMENT.PATH}`
          : `${executable} could not be started: ${error.message}`,
      );
    });
    this.#process.once('close', (code, signal) => this.#end(this.#describe(code, signal)));
    stdout.on('data', (chunk: Buffer) => options.onOutput(chunk));
    stderr.on('data', (chunk: Buffer) => {
      this.#lastWords = Buffer.concat([this.#lastWords, chunk]).subarray(-LAST_WORDS_BYTES);
    });
    // EPIPE and the like: the child's end says more.
    for (const stream of [stdin, stdout, stderr]) stream.on('error', () => {});
  }

  static start(options: FfmpegProcessOptions): FfmpegProcess {
    return new FfmpegProcess(options);
  }

  /** 0 when it could not be started. */
  get pid(): number {
    return this.#process.pid ?? 0;
  }

  /** Bytes written that the child's pipe has not taken yet. */
  get queuedBytes(): number {
    return this.#process.stdin.writableLength;
  }

  /**
   * @param buffers - are written one after the other, all or none; they must not change afterwards
   * @returns whether they were taken: false when more than maxQueuedBytes would wait, or nobody reads any more
   */
  write(buffers: readonly Buffer[]): boolean {
    const { stdin } = this.#process;
    if (this.#hasEnded || !stdin.writable) return false;
    let bytes = stdin.writableLength;
    for (const buffer of buffers) bytes += buffer.length;
    if (bytes > this.#options.maxQueuedBytes) return false;
    stdin.cork();
    for (const buffer of buffers) stdin.write(buffer);
    stdin.uncork();
    return true;
  }

  /** Lets it finish what it has for half a second, then kills it. @returns when it has ended */
  stop(): Promise<void> {
    if (!this.#hasEnded && !this.#stopping) {
      this.#cause = 'stopped';
      this.#stopping = this.#options.clock.after(STOP_GRACE_MS, () => this.kill());
      this.#process.stdin.end();
    }
    return this.#ended;
  }

  kill(): void {
    this.#process.kill('SIGKILL');
  }

  #describe(code: number | null, signal: NodeJS.Signals | null): string {
    const how = signal ? `killed by ${signal}` : `exit code ${code}`;
    const words = this.#lastWords.toString('utf8').trim();
    return words === '' ? how : `${how}: ${words}`;
  }

  #end(cause: string): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    this.#stopping?.cancel();
    this.#whenEnded();
    this.#options.onEnd(this.#cause ?? cause);
  }
}
