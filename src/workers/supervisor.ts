import { EventEmitter } from 'node:events';
import type { Clock, Timer } from '../base/clock.ts';
import type { Logger } from '../base/log.ts';

/** A process that can be supervised. */
export interface Supervised {
  readonly pid: number;
  /** Resolves with the cause when the process is gone, however that came about; never rejects. */
  readonly ended: Promise<string>;
  /** Proves that it still works; a rejection or no answer within the check's limit means it does not. */
  check(): Promise<unknown>;
  /** Ends it politely. */
  close(): Promise<void>;
  kill(): void;
}

export interface SupervisorOptions<W extends Supervised> {
  /** What its processes are called in logs: 'hub worker'. */
  readonly name: string;
  readonly count: number;
  /** Starts the process of that place (0 to count - 1). */
  readonly start: (index: number) => Promise<W>;
  readonly clock: Clock;
  readonly log: Logger;
}

export type SupervisorEvents<W> = {
  /** One died on its own and will be replaced. */
  died: [worker: W, cause: string];
  replaced: [worker: W];
};

const CHECK_INTERVAL_MS = 5_000;
/** Generous: a machine that stalls for seconds must not make us kill healthy workers. */
const CHECK_LIMIT_MS = 15_000;
const FIRST_RETRY_MS = 100;
const LAST_RETRY_MS = 10_000;
/** One that lived this long counts as healthy: its replacement starts without delay. */
const HEALTHY_AFTER_MS = 10_000;

/** Keeps a fixed number of processes running: notices, reports and replaces the ones that die or hang. */
export class Supervisor<W extends Supervised> extends EventEmitter<SupervisorEvents<W>> {
  #options: SupervisorOptions<W>;
  #places: (W | undefined)[];
  #timers = new Set<Timer>();
  #starting = new Set<Promise<void>>();
  #stopping = false;
  #deaths = 0;

  constructor(options: SupervisorOptions<W>) {
    super();
    this.#options = options;
    this.#places = new Array(options.count).fill(undefined);
  }

  /** Those that are running right now. */
  get workers(): readonly W[] {
    return this.#places.filter((worker) => worker !== undefined);
  }

  /** How many ever died. */
  get deaths(): number {
    return this.#deaths;
  }

  /** Starts them all. @throws what the first failing start throws, with none left running */
  async start(): Promise<void> {
    const fills = this.#places.map((_, index) => this.#keep(this.#fill(index, FIRST_RETRY_MS)));
    const failed = (await Promise.allSettled(fills)).find((result) => result.status === 'rejected');
    if (!failed) return;
    await this.stop();
    throw failed.reason;
  }

  /** From now on one that ends is neither reported nor replaced. */
  expectEnd(): void {
    this.#stopping = true;
  }

  /** Waits for those that are just starting, then ends them all. */
  async stop(): Promise<void> {
    this.expectEnd();
    await Promise.allSettled(this.#starting);
    for (const timer of this.#timers) timer.cancel();
    this.#timers.clear();
    await Promise.allSettled(this.workers.map((worker) => worker.close()));
    this.#places.fill(undefined);
  }

  async #fill(index: number, retryMs: number): Promise<void> {
    const worker = await this.#options.start(index);
    this.#places[index] = worker;
    const startedAt = this.#options.clock.now();
    const stopChecking = this.#checkRegularly(worker);
    void worker.ended.then((cause) => {
      stopChecking();
      if (this.#places[index] !== worker || this.#stopping) return;
      this.#places[index] = undefined;
      this.#deaths++;
      const lived = this.#options.clock.now() - startedAt;
      const { log, name } = this.#options;
      log.error({ pid: worker.pid, cause, livedMs: Math.round(lived) }, `${name} died`);
      this.emit('died', worker, cause);
      this.#replace(index, lived > HEALTHY_AFTER_MS ? 0 : retryMs);
    });
  }

  /** Starts a replacement after `delayMs`; each failure doubles the delay of the next try. */
  #replace(index: number, delayMs: number): void {
    const { log, name } = this.#options;
    const nextDelayMs = Math.min(Math.max(FIRST_RETRY_MS, delayMs * 2), LAST_RETRY_MS);
    this.#after(delayMs, () => {
      if (this.#stopping) return;
      const attempt = this.#fill(index, nextDelayMs).then(
        () => {
          const worker = this.#places[index];
          if (!worker) return;
          log.info({ pid: worker.pid }, `${name} replaced`);
          this.emit('replaced', worker);
        },
        (error: unknown) => {
          log.error({ err: error }, `${name} could not be replaced; trying again`);
          if (!this.#stopping) this.#replace(index, nextDelayMs);
        },
      );
      void this.#keep(attempt);
    });
  }

  /** So that stop can wait for it. */
  #keep(starting: Promise<void>): Promise<void> {
    this.#starting.add(starting);
    const forget = () => this.#starting.delete(starting);
    starting.then(forget, forget);
    return starting;
  }

  /** Kills it when a check fails or is not answered in time. @returns ends the checking */
  #checkRegularly(worker: W): () => void {
    let timer = this.#after(CHECK_INTERVAL_MS, check);
    let done = false;
    const supervisor = this;
    const stop = () => {
      done = true;
      timer.cancel();
      this.#timers.delete(timer);
    };
    const hangs = (why: unknown) => {
      if (done) return;
      stop();
      const { log, name } = this.#options;
      log.error({ pid: worker.pid, why: String(why) }, `${name} does not answer as it should; killing it`);
      worker.kill();
    };
    const works = () => {
      if (done) return;
      timer.cancel();
      this.#timers.delete(timer);
      timer = this.#after(CHECK_INTERVAL_MS, check);
    };
    function check(): void {
      timer = supervisor.#after(CHECK_LIMIT_MS, () => hangs('no answer'));
      worker.check().then(works, hangs);
    }
    return stop;
  }

  #after(delayMs: number, action: () => void): Timer {
    const timer = this.#options.clock.after(delayMs, () => {
      this.#timers.delete(timer);
      action();
    });
    this.#timers.add(timer);
    return timer;
  }
}
