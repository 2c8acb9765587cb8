import dgram from 'node:dgram';
import { once } from 'node:events';
import { seededRandom } from '../signals/random.ts';

/** What happens to a datagram. Probabilities are 0 to 1. */
export interface Impairment {
  /** Probability that it is dropped. */
  readonly loss?: number;
  /** Probability that it goes out twice. */
  readonly duplicate?: number;
  /** Probability that it goes out only after the next one of its direction (or after 100 ms). */
  readonly reorder?: number;
  /** Each is delayed by up to so many ms, evenly spread; this alone can change the order too. */
  readonly jitterMs?: number;
}

export interface LossyRelayOptions extends Impairment {
  /** Same seed, same fate of the n-th datagram of a direction. */
  readonly seed?: number;
  /** Where the client's datagrams go; may be said later with `aim`. */
  readonly target?: { readonly port: number; readonly address?: string };
}

export interface DirectionCounters {
  passed: number;
  dropped: number;
  duplicated: number;
  reordered: number;
}

const LONGEST_HOLD_MS = 100;

/**
 * A UDP relay between one client and one target on loopback, that drops, doubles, swaps and delays.
 * The client sends to `clientPort`; the target sees everything coming from `targetPort`, and what it sends
 * there reaches the client, at the address that the client used last.
 */
export class LossyRelay {
  readonly clientPort: number;
  readonly targetPort: number;
  readonly toTarget: DirectionCounters;
  readonly toClient: DirectionCounters;
  #toTarget: Direction;
  #toClient: Direction;
  #sockets: readonly dgram.Socket[];

  private constructor(clientSide: dgram.Socket, targetSide: dgram.Socket, options: LossyRelayOptions) {
    const seed = options.seed ?? 1;
    this.#sockets = [clientSide, targetSide];
    this.clientPort = clientSide.address().port;
    this.targetPort = targetSide.address().port;
    this.#toTarget = new Direction(targetSide, seededRandom(seed), options);
    this.#toClient = new Direction(clientSide, seededRandom(seed + 1), options);
    this.toTarget = this.#toTarget.counters;
    this.toClient = this.#toClient.counters;
    if (options.target) this.aim(options.target.port, options.target.address);
    clientSide.on('message', (datagram, from) => {
      this.#toClient.target = from;
      this.#toTarget.take(datagram);
    });
    targetSide.on('message', (datagram) => this.#toClient.take(datagram));
  }

  static async open(options: LossyRelayOptions = {}): Promise<LossyRelay> {
    const sockets = [dgram.createSocket('udp4'), dgram.createSocket('udp4')] as const;
    for (const socket of sockets) {
      socket.on('error', () => {});
      socket.bind(0, '127.0.0.1');
      await once(socket, 'listening');
    }
    return new LossyRelay(...sockets, options);
  }

  /** Says where the client's datagrams go from now on. */
  aim(port: number, address = '127.0.0.1'): void {
    this.#toTarget.target = { port, address };
  }

  /** Says where the target's datagrams go as long as the client has sent nothing. */
  expect(port: number, address = '127.0.0.1'): void {
    this.#toClient.target ??= { port, address };
  }

  /** Changes what happens from now on, in both directions. */
  impair(impairment: Impairment): void {
    this.#toTarget.impairment = impairment;
    this.#toClient.impairment = impairment;
  }

  close(): void {
    this.#toTarget.close();
    this.#toClient.close();
    for (const socket of this.#sockets) socket.close();
  }
}

class Direction {
  readonly counters: DirectionCounters = { passed: 0, dropped: 0, duplicated: 0, reordered: 0 };
  target: { readonly port: number; readonly address: string } | undefined;
  impairment: Impairment;
  #out: dgram.Socket;
  #random: () => number;
  #held: Buffer | undefined;
  #timers = new Set<NodeJS.Timeout>();

  constructor(out: dgram.Socket, random: () => number, impairment: Impairment) {
    this.#out = out;
    this.#random = random;
    this.impairment = impairment;
  }

  take(datagram: Buffer): void {
    // Always four numbers, so that the fate of the next ones does not hang on this one's.
    const [lost, doubled, late, delay] = [this.#random(), this.#random(), this.#random(), this.#random()];
    const { loss = 0, duplicate = 0, reorder = 0, jitterMs = 0 } = this.impairment;
    if (lost < loss) {
      this.counters.dropped++;
      return;
    }
    this.counters.passed++;
    if (late < reorder && !this.#held) {
      this.counters.reordered++;
      this.#held = datagram;
      this.#after(LONGEST_HOLD_MS, () => this.#release(datagram));
      return;
    }
    this.#send(datagram, delay * jitterMs);
    if (doubled < duplicate) {
      this.counters.duplicated++;
      this.#send(datagram, delay * jitterMs);
    }
    if (this.#held) this.#release(this.#held);
  }

  close(): void {
    for (const timer of this.#timers) clearTimeout(timer);
  }

  #release(datagram: Buffer): void {
    if (this.#held !== datagram) return;
    this.#held = undefined;
    this.#send(datagram, 0);
  }

  #send(datagram: Buffer, delayMs: number): void {
    if (delayMs > 0) this.#after(delayMs, () => this.#send(datagram, 0));
    else if (this.target) this.#out.send(datagram, this.target.port, this.target.address);
  }

  #after(delayMs: number, action: () => void): void {
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      action();
    }, delayMs);
    this.#timers.add(timer);
  }
}
