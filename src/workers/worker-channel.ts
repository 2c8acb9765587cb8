import { EventEmitter } from 'node:events';
import type { Socket } from 'node:net';
import type { Logger } from '../base/log.ts';
import type { MediaMessages } from './media-module.ts';
import type { MediaWorker } from './media-worker.ts';

export type WorkerChannelEvents<Notice> = {
  notice: [notice: Notice];
  /** The worker died: everything that ran in it is gone, and this port is of no use any more. */
  lost: [cause: string];
};

/** One gateway's typed way to its own half in one media worker. Replies and notices are validated here. */
export class WorkerChannel<Request, Reply, Notice> extends EventEmitter<WorkerChannelEvents<Notice>> {
  readonly worker: MediaWorker;
  #gateway: string;
  #messages: MediaMessages<Request, Reply, Notice>;
  #log: Logger;

  constructor(
    gateway: string,
    worker: MediaWorker,
    messages: MediaMessages<Request, Reply, Notice>,
    log: Logger,
  ) {
    super();
    this.#gateway = gateway;
    this.worker = worker;
    this.#messages = messages;
    this.#log = log;
    worker.on('notice', this.#onNotice);
    worker.on('ended', this.#onEnded);
  }

  /** @throws PatchroomError: what the media half threw, 'timeout' or 'unavailable' */
  async request(request: Request): Promise<Reply> {
    const reply = await this.worker.request({ type: 'gateway', gateway: this.#gateway, body: request });
    return this.#messages.reply.parse(reply);
  }

  /**
   * Makes a connection that was accepted here the media half's: it reads and writes it from then on.
   * @param socket - paused, nothing of it read; destroyed if this fails
   * @throws PatchroomError as `request`
   */
  async hand(request: Request, socket: Socket): Promise<Reply> {
    const body = { type: 'gateway', gateway: this.#gateway, body: request } as const;
    const reply = await this.worker.request(body, undefined, socket);
    return this.#messages.reply.parse(reply);
  }

  /** No more notices. Does not end anything in the worker. */
  close(): void {
    this.worker.off('notice', this.#onNotice);
    this.worker.off('ended', this.#onEnded);
    this.removeAllListeners();
  }

  #onEnded = (cause: string): void => {
    (this as EventEmitter<WorkerChannelEvents<unknown>>).emit('lost', cause);
    this.close();
  };

  #onNotice = (gateway: string, body: unknown): void => {
    if (gateway !== this.#gateway) return;
    const parsed = this.#messages.notice.safeParse(body);
    if (parsed.success) (this as EventEmitter<WorkerChannelEvents<unknown>>).emit('notice', parsed.data);
    else this.#log.error({ gateway, issues: parsed.error.issues }, 'notice from media worker is malformed');
  };
}
