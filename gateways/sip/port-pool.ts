import type { Clock } from '../../src/base/clock.ts';

/** An even port for RTP and the odd one after it for RTCP (RFC 3550, section 11). */
export interface PortPair {
  readonly rtpPort: number;
  readonly rtcpPort: number;
}

export interface PortPoolOptions {
  /** The first and the last port, 1 to 65535. */
  readonly min: number;
  readonly max: number;
  /** From where in the range ports are given out at first, 0 to below 1: two programs that share a range hardly meet. */
  readonly beginAt?: number;
  /** How long a port rests after a call, so that its late packets reach nobody else. */
  readonly drainMs?: number;
}

const DRAIN_MS = 10_000;
/** When a port that something else on the machine holds is tried again. */
const RETRY_MS = 60_000;

/** The RTP ports of one address. The pair that was unused for longest is taken first; each call takes constant time. */
export class PortPool {
  #clock: Clock;
  #drainMs: number;
  #resting: Queue;
  #discarded: Queue;
  /** RTP ports in use. */
  #taken = new Set<number>();

  constructor({ min, max, beginAt = 0, drainMs = DRAIN_MS }: PortPoolOptions, clock: Clock) {
    this.#clock = clock;
    this.#drainMs = drainMs;
    const first = min + (min % 2);
    const pairs = Math.max(0, Math.floor((max - first + 1) / 2));
    this.#resting = new Queue(pairs);
    this.#discarded = new Queue(pairs);
    const begin = Math.floor(beginAt * pairs);
    for (let count = 0; count < pairs; count++) {
      this.#resting.push(first + 2 * ((begin + count) % pairs), Number.NEGATIVE_INFINITY);
    }
  }

  /** @returns undefined when every pair is in use or at rest */
  take(): PortPair | undefined {
    const now = this.#clock.now();
    const rtpPort = this.#resting.shift(now) ?? this.#discarded.shift(now);
    if (rtpPort === undefined) return undefined;
    this.#taken.add(rtpPort);
    return { rtpPort, rtcpPort: rtpPort + 1 };
  }

  /** Gives a pair back after its sockets were closed. @throws when it was not taken */
  release(pair: PortPair): void {
    this.#giveBack(pair, this.#resting, this.#drainMs);
  }

  /** Gives a pair back that could not be bound: it is left alone for a minute. @throws when it was not taken */
  discard(pair: PortPair): void {
    this.#giveBack(pair, this.#discarded, RETRY_MS);
  }

  #giveBack({ rtpPort }: PortPair, queue: Queue, restMs: number): void {
    if (!this.#taken.delete(rtpPort)) throw new Error(`Port ${rtpPort} is not in use`);
    queue.push(rtpPort, this.#clock.now() + restMs);
  }
}

/** Ports in the order in which they came, each with the time from which it may be used. All rest for the same time. */
class Queue {
  #ports: Uint16Array;
  #usableAt: Float64Array;
  #head = 0;
  #length = 0;

  constructor(capacity: number) {
    this.#ports = new Uint16Array(capacity);
    this.#usableAt = new Float64Array(capacity);
  }

  push(port: number, usableAt: number): void {
    const tail = (this.#head + this.#length) % this.#ports.length;
    this.#ports[tail] = port;
    this.#usableAt[tail] = usableAt;
    this.#length++;
  }

  /** @returns undefined when it is empty or the first one rests still */
  shift(now: number): number | undefined {
    if (this.#length === 0 || this.#usableAt[this.#head]! > now) return undefined;
    const port = this.#ports[this.#head]!;
    this.#head = (this.#head + 1) % this.#ports.length;
    this.#length--;
    return port;
  }
}
