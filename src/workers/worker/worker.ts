import type { Socket } from 'node:net';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { systemClock } from '../../base/clock.ts';
import { asPatchroomError, PatchroomError } from '../../base/errors.ts';
import type { Logger } from '../../base/log.ts';
import type { MediaEndpoints, MediaModule } from '../media-module.ts';
import { type ToMain, toWorker, type WorkerRequest, type WorkerStatistics } from '../messages.ts';
import { openFrameSender } from './frame-sender.ts';
import { contributeFromHub } from './hub-contribution.ts';
import { Link } from './link.ts';
import { Mixers } from './mixers.ts';
import { Programs } from './programs.ts';

interface LoadedModule {
  readonly module: MediaModule;
  readonly endpoints: MediaEndpoints<unknown, unknown>;
}

/** A media worker, from inside: answers the main process's requests and hosts the gateways' media halves. */
export class Worker {
  #send: (message: ToMain) => void;
  #log: Logger;
  #links = new Map<string, Link>();
  #modules = new Map<string, LoadedModule>();
  #mixers = new Mixers(systemClock);
  #programs: Programs;
  /** What ends each hub track's part in a mix. */
  #contributions = new Map<string, () => void>();
  /** It wakes the process at every step: 50 ms cost an idle worker next to nothing. */
  #loopDelay = monitorEventLoopDelay({ resolution: 50 });

  constructor(send: (message: ToMain) => void, log: Logger) {
    this.#send = send;
    this.#log = log;
    this.#programs = new Programs({
      clock: systemClock,
      log,
      mix: (id) => this.#mixers.get(id),
      link: (id) => this.#mustGetLink(id),
    });
    this.#loopDelay.enable();
  }

  /**
   * Handles one message of the main process; what is not of the agreed form is logged and dropped.
   * @param socket - that came with it
   */
  async receive(message: unknown, socket?: Socket): Promise<void> {
    const parsed = toWorker.safeParse(message);
    if (!parsed.success) {
      socket?.destroy();
      this.#log.error({ issues: parsed.error.issues }, 'message from the main process is malformed');
      return;
    }
    const { id, request } = parsed.data;
    try {
      this.#send({ type: 'reply', id, value: await this.#handle(request, socket) });
    } catch (error) {
      socket?.destroy();
      const { code, message: text, cause } = asPatchroomError(error);
      if (cause) this.#log.error({ err: cause, request: request.type }, 'request failed');
      this.#send({ type: 'failure', id, code, message: text });
    }
  }

  async close(): Promise<void> {
    const modules = [...this.#modules.values()];
    this.#modules.clear();
    for (const { endpoints } of modules) await endpoints.close();
    await this.#programs.closeAll();
    for (const link of this.#links.values()) link.close();
    this.#links.clear();
    this.#mixers.close();
    this.#loopDelay.disable();
  }

  async #handle(request: WorkerRequest, socket: Socket | undefined): Promise<unknown> {
    switch (request.type) {
      case 'initialise':
        this.#log.level = request.logLevel;
        for (const { gateway, url } of request.modules) await this.#load(gateway, url);
        return {};
      case 'open-link': {
        const link = await Link.open(request.link, request.hubPort);
        this.#links.set(link.id, link);
        return { port: link.port };
      }
      case 'close-link':
        this.#links.get(request.link)?.close();
        this.#links.delete(request.link);
        return {};
      case 'mix-track':
        this.#contributions.get(contributionOf(request))?.();
        this.#contributions.set(
          contributionOf(request),
          contributeFromHub(this.#mustGetLink(request.link), this.#mixers.get(request.mix), {
            ...request,
            levelExtension: request.levelExtension,
          }),
        );
        return {};
      case 'unmix-track':
        this.#contributions.get(contributionOf(request))?.();
        this.#contributions.delete(contributionOf(request));
        return {};
      case 'open-program':
        this.#programs.open(request);
        return {};
      case 'close-program':
        await this.#programs.close(request.program);
        return {};
      case 'program-hub-source':
        this.#programs.addFromHub(request);
        return {};
      case 'program-push-source':
        return this.#programs.addFromPush(request);
      case 'program-show':
        await this.#programs.show(request);
        return {};
      case 'program-remove-source':
        this.#programs.removeSource(request);
        return {};
      case 'gateway': {
        const loaded = this.#modules.get(request.gateway);
        if (!loaded) throw new PatchroomError('internal', `No gateway ${request.gateway} in this worker.`);
        return loaded.endpoints.handle(loaded.module.messages.request.parse(request.body), socket);
      }
      case 'ping':
        return {};
      case 'statistics':
        return this.#statistics();
      case 'stop':
        await this.close();
        return {};
    }
  }

  async #load(gateway: string, url: string): Promise<void> {
    const { default: module } = await (import(url) as Promise<{ default: MediaModule }>).catch(
      (error: Error) => {
        throw new PatchroomError(
          'internal',
          `The media half of the gateway ${gateway} does not load: ${error.message}`,
        );
      },
    );
    const endpoints = module.create({
      log: this.#log.child({ gateway }),
      clock: systemClock,
      link: (id) => this.#mustGetLink(id),
      mix: (id) => this.#mixers.get(id),
      program: (id) => this.#programs.get(id),
      openFrames: openFrameSender,
      notify: (body) => this.#send({ type: 'notice', gateway, body }),
    });
    this.#modules.set(gateway, { module, endpoints });
  }

  #mustGetLink(id: string): Link {
    const link = this.#links.get(id);
    if (!link) throw new PatchroomError('failed-precondition', `The link ${id} is not open.`);
    return link;
  }

  #statistics(): WorkerStatistics {
    const { user, system } = process.cpuUsage();
    const lag = this.#loopDelay.max / 1e6;
    this.#loopDelay.reset();
    return {
      cpuMs: (user + system) / 1000,
      memoryBytes: process.memoryUsage.rss(),
      loopLagMs: lag,
      mixing: this.#mixers.statistics,
      programs: this.#programs.statistics,
      links: [...this.#links.values()].map((link) => link.statistics),
    };
  }
}

/** One track may be in several mixes. */
function contributionOf({ mix, track }: { readonly mix: string; readonly track: string }): string {
  return `${mix}/${track}`;
}
