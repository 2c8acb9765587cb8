import type { types } from 'mediasoup';
import * as mediasoup from 'mediasoup';
import { PatchroomError } from '../base/errors.ts';
import type { Logger } from '../base/log.ts';
import type { PortRange } from '../base/port-range.ts';
import { Hub } from './hub.ts';
import { HUB_CODECS } from './hub-codecs.ts';
import type { Supervised } from './supervisor.ts';

/** What mediasoup and its workers complain about goes to our log. @param isNews - false while they start and end */
export function logMediasoup(log: Logger, isNews: () => boolean): void {
  mediasoup.setLogEventListeners({
    ondebug: undefined,
    onwarn: (source, text) => {
      if (isNews()) log.warn({ source }, text);
    },
    onerror: (source, text, error) => {
      if (isNews()) log.error({ source, ...(error ? { err: error } : {}) }, text);
    },
  });
}

/** Ends it the hard way when it does not end by itself. */
const CLOSE_LIMIT_MS = 3_000;

export interface HubWorkerOptions {
  /** Path of the mediasoup-worker program. */
  readonly workerBin: string | undefined;
  /** Address that browsers' connections come in on, UDP and TCP. */
  readonly bind: string;
  /** What browsers are told to connect to instead (an address or name); undefined: `bind` itself. */
  readonly announce: string | undefined;
  /** 0: any free port. */
  readonly port: number;
  /** Loopback UDP ports between hubs and media workers. */
  readonly loopbackPorts: PortRange;
}

/** A mediasoup worker process with its WebRtcServer; carries the hubs of the rooms that are placed on it. */
export class HubWorker implements Supervised {
  readonly ended: Promise<string>;
  #worker: types.Worker;
  #server: types.WebRtcServer;
  #options: HubWorkerOptions;

  private constructor(worker: types.Worker, server: types.WebRtcServer, options: HubWorkerOptions) {
    this.#worker = worker;
    this.#server = server;
    this.#options = options;
    this.ended = new Promise((resolve) => {
      worker.once('died', (error) => resolve(error.message));
      worker.once('subprocessclose', () => resolve('closed'));
    });
  }

  /** @throws PatchroomError in a sentence when the program is missing or the port is in use */
  static async start(options: HubWorkerOptions): Promise<HubWorker> {
    const worker = await createWorker(options.workerBin).catch((error: unknown) => {
      throw new PatchroomError(
        'unavailable',
        'The mediasoup worker does not start. Run "npm run setup", which installs or builds it.',
        { cause: error },
      );
    });
    try {
      const server = await worker.createWebRtcServer({
        listenInfos: (['udp', 'tcp'] as const).map((protocol) => ({
          protocol,
          ip: options.bind,
          ...(options.announce ? { announcedAddress: options.announce } : {}),
          ...(options.port ? { port: options.port } : { portRange: { ...options.loopbackPorts } }),
        })),
      });
      return new HubWorker(worker, server, options);
    } catch (error) {
      worker.close();
      throw new PatchroomError(
        'unavailable',
        `Port ${options.port} (UDP and TCP) on ${options.bind} cannot be used for browsers' media: ${(error as Error).message}. Free it or set webrtc.port to another.`,
        { cause: error },
      );
    }
  }

  get pid(): number {
    return this.#worker.pid;
  }

  openHub(): Promise<Hub> {
    return Hub.open(this.#worker, this.#server, HUB_CODECS, this.#options.loopbackPorts);
  }

  async usage(): Promise<{ cpuMs: number; memoryBytes: number }> {
    const usage = await this.#worker.getResourceUsage();
    return { cpuMs: usage.ru_utime + usage.ru_stime, memoryBytes: usage.ru_maxrss * 1024 };
  }

  check(): Promise<unknown> {
    return this.#worker.getResourceUsage();
  }

  async close(): Promise<void> {
    this.#worker.close();
    const limit = setTimeout(() => this.kill(), CLOSE_LIMIT_MS);
    await this.ended;
    clearTimeout(limit);
  }

  kill(): void {
    process.kill(this.pid, 'SIGKILL');
  }
}

/** mediasoup would end its workers on signals by itself, before anybody was told: its listeners are taken off again. */
function createWorker(workerBin: string | undefined): Promise<types.Worker> {
  const signals = ['SIGINT', 'SIGTERM'] as const;
  const before = new Set(signals.flatMap((signal) => process.listeners(signal)));
  const worker = mediasoup.createWorker({ logLevel: 'warn', ...(workerBin ? { workerBin } : {}) });
  for (const signal of signals) {
    for (const listener of process.listeners(signal))
      if (!before.has(listener)) process.off(signal, listener);
  }
  return worker;
}
