import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { type Clock, type Logger, PatchroomError, type Supervised, type Timer } from '../../src/gateway.ts';
import {
  counters,
  type DialogRecord,
  type EngineOptions,
  type EngineRequest,
  fromEngine,
  started,
  type ToEngine,
} from './engine/process-messages.ts';

const ENTRY = fileURLToPath(new URL('./engine/main.ts', import.meta.url));
const REQUEST_TIMEOUT_MS = 5_000;
/** All of its files are read first, which takes long on a machine that is busy. */
const START_LIMIT_MS = 30_000;
const STOP_LIMIT_MS = 3_000;

interface Pending {
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: Error) => void;
  readonly timeout: Timer;
}

/** The embedded SIP engine as the control plane sees it: a child process, with the wire protocol beside this channel. */
export class EngineProcess implements Supervised {
  readonly ended: Promise<string>;
  /** Where it listens for SIP. */
  port = 0;
  /** Where it listens for its application, on loopback. */
  wirePort = 0;
  readonly secret: string;
  #child: ChildProcess;
  #clock: Clock;
  #log: Logger;
  #pending = new Map<number, Pending>();
  #nextId = 0;
  #hasEnded = false;

  private constructor(secret: string, clock: Clock, log: Logger) {
    this.secret = secret;
    this.#clock = clock;
    this.#log = log;
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

  /** @throws PatchroomError in a sentence when it does not come up, such as for a port in use */
  static async start(options: EngineOptions, clock: Clock, log: Logger): Promise<EngineProcess> {
    const engine = new EngineProcess(options.secret, clock, log);
    try {
      const { port, wirePort } = started.parse(
        await engine.#request({ type: 'start', options }, START_LIMIT_MS),
      );
      engine.port = port;
      engine.wirePort = wirePort;
      return engine;
    } catch (error) {
      engine.kill();
      throw error;
    }
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  /** What it received, refused and dropped so far. */
  async counters(): Promise<Record<string, number>> {
    return counters.parse(await this.#request({ type: 'counters' }));
  }

  /** Ends calls of an engine that died. @param reason - value of the Reason header (RFC 3326) */
  async endDialogs(dialogs: DialogRecord[], reason: string): Promise<void> {
    await this.#request({ type: 'end-dialogs', dialogs, reason });
  }

  check(): Promise<unknown> {
    // The supervisor's patience counts, not ours.
    return this.#request({ type: 'ping' }, Number.POSITIVE_INFINITY);
  }

  async close(): Promise<void> {
    if (this.#hasEnded) return;
    const limit = this.#clock.after(STOP_LIMIT_MS, () => this.kill());
    await this.#request({ type: 'stop' }).catch(() => {});
    if (this.#child.connected) this.#child.disconnect();
    await this.ended;
    limit.cancel();
  }

  kill(): void {
    this.#child.kill('SIGKILL');
  }

  #request(request: EngineRequest, limitMs: number = REQUEST_TIMEOUT_MS): Promise<unknown> {
    if (this.#hasEnded) return Promise.reject(new PatchroomError('unavailable', 'The SIP engine is gone.'));
    const id = this.#nextId++;
    return new Promise((resolve, reject) => {
      this.#child.send({ id, request } satisfies ToEngine, () => {}); // its exit settles what is pending
      const timeout = this.#clock.after(limitMs, () => {
        this.#pending.delete(id);
        reject(new PatchroomError('timeout', `The SIP engine did not answer "${request.type}" in time.`));
      });
      this.#pending.set(id, { resolve, reject, timeout });
    });
  }

  #receive(message: unknown): void {
    const parsed = fromEngine.safeParse(message);
    if (!parsed.success) {
      this.#log.error({ issues: parsed.error.issues }, 'message from the SIP engine is malformed');
      return;
    }
    const pending = this.#pending.get(parsed.data.id);
    if (!pending) return; // it came after its timeout
    this.#pending.delete(parsed.data.id);
    pending.timeout.cancel();
    if ('error' in parsed.data) pending.reject(new PatchroomError('unavailable', parsed.data.error));
    else pending.resolve(parsed.data.value);
  }

  #end(cause: string): void {
    this.#hasEnded = true;
    for (const { reject, timeout } of this.#pending.values()) {
      timeout.cancel();
      reject(new PatchroomError('unavailable', `The SIP engine is gone: ${cause}.`));
    }
    this.#pending.clear();
  }
}
