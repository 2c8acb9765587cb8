import { type ChildProcess, fork } from 'node:child_process';
import { EventEmitter } from 'node:events';
import type { Socket } from 'node:net';
import { fileURLToPath } from 'node:url';
import type { Clock, Timer } from '../base/clock.ts';
import { ERRORS, type ErrorCode, PatchroomError } from '../base/errors.ts';
import type { Logger, LogLevel } from '../base/log.ts';
import {
  MAX_PENDING_REQUESTS,
  openLinkReply,
  REQUEST_TIMEOUT_MS,
  type ToWorker,
  toMain,
  type WorkerRequest,
  type WorkerStatistics,
  workerStatistics,
} from './messages.ts';
import type { Supervised } from './supervisor.ts';

const ENTRY = fileURLToPath(new URL('./worker/main.ts', import.meta.url));
/** All of its files are read first, which takes long on a machine that is busy. */
const START_LIMIT_MS = 30_000;
const STOP_LIMIT_MS = 3_000;

interface Pending {
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: Error) => void;
  readonly timeout: Timer;
}

export interface MediaWorkerOptions {
  readonly clock: Clock;
  readonly log: Logger;
  readonly logLevel: LogLevel;
  /** The gateways' media halves: files whose default export is a MediaModule. */
  readonly modules: readonly { readonly gateway: string; readonly url: URL }[];
}

export type MediaWorkerEvents = {
  notice: [gateway: string, body: unknown];
  /** It is gone, and with it everything that ran in it. */
  ended: [cause: string];
};

/** A media worker as the main process sees it: a child process behind a typed request and notice channel. */
export class MediaWorker extends EventEmitter<MediaWorkerEvents> implements Supervised {
  readonly ended: Promise<string>;
  #child: ChildProcess;
  #options: MediaWorkerOptions;
  #pending = new Map<number, Pending>();
  #nextId = 0;
  #hasEnded = false;

  private constructor(options: MediaWorkerOptions) {
    super();
    this.setMaxListeners(0); // one listener a gateway and room
    this.#options = options;
    this.#child = fork(ENTRY, [], {
      serialization: 'advanced',
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    });
    this.#child.on('message', (message) => this.#receive(message));
    this.ended = new Promise((resolve) => {
      this.#child.once('error', (error) => resolve(error.message));
      this.#child.once('exit', (code, signal) =>
        resolve(signal ? `killed by ${signal}` : `exit code ${code}`),
      );
    });
    void this.ended.then((cause) => this.#end(cause));
  }

  /** @throws PatchroomError when it does not come up */
  static async start(options: MediaWorkerOptions): Promise<MediaWorker> {
    const worker = new MediaWorker(options);
    try {
      await worker.request(
        {
          type: 'initialise',
          logLevel: options.logLevel,
          modules: options.modules.map(({ gateway, url }) => ({ gateway, url: url.href })),
        },
        START_LIMIT_MS,
      );
      return worker;
    } catch (error) {
      worker.kill();
      throw error;
    }
  }

  get hasEnded(): boolean {
    return this.#hasEnded;
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  /**
   * @param socket - handed over with it: from then on the worker's, whatever becomes of the request
   * @throws PatchroomError: what the worker answered, 'timeout', or 'unavailable' when it is gone
   */
  async request(
    request: WorkerRequest,
    limitMs: number = REQUEST_TIMEOUT_MS,
    socket?: Socket,
  ): Promise<unknown> {
    try {
      return await this.#request(request, limitMs, socket);
    } catch (error) {
      socket?.destroy(); // where it has not left yet
      throw error;
    }
  }

  #request(request: WorkerRequest, limitMs: number, socket: Socket | undefined): Promise<unknown> {
    if (this.#hasEnded) return Promise.reject(new PatchroomError('unavailable', 'The media worker is gone.'));
    if (this.#pending.size >= MAX_PENDING_REQUESTS) {
      return Promise.reject(new PatchroomError('unavailable', 'The media worker is too busy.'));
    }
    const id = this.#nextId++;
    return new Promise((resolve, reject) => {
      // First, for it throws on what cannot be cloned. A worker that just died makes it fail: its exit
      // settles what is pending.
      this.#child.send({ id, request } satisfies ToWorker, socket, undefined, () => {});
      const timeout = this.#options.clock.after(limitMs, () => {
        this.#pending.delete(id);
        reject(new PatchroomError('timeout', `The media worker did not answer "${request.type}" in time.`));
      });
      this.#pending.set(id, { resolve, reject, timeout });
    });
  }

  /** @returns the port of the worker's new socket */
  async openLink(link: string, hubPort: number): Promise<number> {
    return openLinkReply.parse(await this.request({ type: 'open-link', link, hubPort })).port;
  }

  async statistics(): Promise<WorkerStatistics> {
    return workerStatistics.parse(await this.request({ type: 'statistics' }));
  }

  check(): Promise<unknown> {
    // The supervisor's patience counts, not ours.
    return this.request({ type: 'ping' }, Number.POSITIVE_INFINITY);
  }

  async close(): Promise<void> {
    if (this.#hasEnded) return;
    const limit = this.#options.clock.after(STOP_LIMIT_MS, () => this.kill());
    await this.request({ type: 'stop' }).catch(() => {});
    if (this.#child.connected) this.#child.disconnect();
    await this.ended;
    limit.cancel();
  }

  kill(): void {
    this.#child.kill('SIGKILL');
  }

  #receive(message: unknown): void {
    const parsed = toMain.safeParse(message);
    if (!parsed.success) {
      this.#options.log.error(
        { pid: this.pid, issues: parsed.error.issues },
        'message from media worker is malformed',
      );
      return;
    }
    const said = parsed.data;
    if (said.type === 'notice') {
      this.emit('notice', said.gateway, said.body);
      return;
    }
    const pending = this.#pending.get(said.id);
    if (!pending) return; // it came after its timeout
    this.#pending.delete(said.id);
    pending.timeout.cancel();
    if (said.type === 'reply') pending.resolve(said.value);
    else
      pending.reject(
        new PatchroomError(said.code in ERRORS ? (said.code as ErrorCode) : 'internal', said.message),
      );
  }

  #end(cause: string): void {
    this.#hasEnded = true;
    for (const { reject, timeout } of this.#pending.values()) {
      timeout.cancel();
      reject(new PatchroomError('unavailable', `The media worker is gone: ${cause}.`));
    }
    this.#pending.clear();
    this.emit('ended', cause);
    this.removeAllListeners();
  }
}
