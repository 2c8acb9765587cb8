import { AddressList } from '../../../src/base/address-list.ts';
import { plainAddress } from '../../../src/base/ip-address.ts';
import { TokenBucket } from '../../../src/base/token-bucket.ts';
import type { Clock } from '../../../src/gateway.ts';

export interface GatekeeperOptions {
  /** Addresses and networks (`192.0.2.7`, `2001:db8::/32`); the word `loopback` for this machine. */
  readonly allow: readonly string[];
  /** On average and by address; twice as many at once. */
  readonly messagesPerSecond: number;
  /** New calls, on average and by address; twice as many at once. */
  readonly callsPerSecond: number;
  /** Calls at once, of all addresses together. */
  readonly maxCalls: number;
}

interface Peer {
  readonly messages: TokenBucket;
  readonly calls: TokenBucket;
}

/** Addresses whose rates are known; beyond that, who was silent the longest is forgotten, and starts anew. */
const MAX_PEERS = 10_000;

/** Decides who is listened to, and how often, before anything of a message is read. */
export class Gatekeeper {
  readonly counters = { unlisted: 0, overRate: 0, overCallRate: 0 };
  readonly maxCalls: number;
  #options: GatekeeperOptions;
  #clock: Clock;
  #listed: AddressList;
  /** In the order in which they were heard last. */
  #peers = new Map<string, Peer>();

  /** @throws Error in words for an entry of `allow` that is neither an address nor a network */
  constructor(options: GatekeeperOptions, clock: Clock) {
    this.#options = options;
    this.#clock = clock;
    this.maxCalls = options.maxCalls;
    this.#listed = new AddressList(options.allow);
  }

  /** Replaces the list. @throws Error in words for a malformed entry; the list is then as it was */
  setAllow(allow: readonly string[]): void {
    this.#listed = new AddressList(allow);
  }

  /** Whether an address is on the list; nothing is counted. */
  lists(address: string): boolean {
    return this.#listed.has(plainAddress(address));
  }

  /** Whether a message (or connection) of that address is to be read. What is not gets no answer, and is counted. */
  admits(address: string): boolean {
    const plain = plainAddress(address);
    if (!this.#listed.has(plain)) {
      this.counters.unlisted++;
      return false;
    }
    if (this.#peer(plain).messages.take()) return true;
    this.counters.overRate++;
    return false;
  }

  /** Whether a new call of that address is within its rate. */
  admitsCall(address: string): boolean {
    if (this.#peer(plainAddress(address)).calls.take()) return true;
    this.counters.overCallRate++;
    return false;
  }

  #peer(address: string): Peer {
    const { messagesPerSecond, callsPerSecond } = this.#options;
    const peer = this.#peers.get(address) ?? {
      messages: bucket(messagesPerSecond, this.#clock),
      calls: bucket(callsPerSecond, this.#clock),
    };
    this.#peers.delete(address);
    this.#peers.set(address, peer);
    if (this.#peers.size > MAX_PEERS) {
      const [idlest] = this.#peers.keys();
      this.#peers.delete(idlest!);
    }
    return peer;
  }
}

function bucket(perSecond: number, clock: Clock): TokenBucket {
  return new TokenBucket(perSecond, Math.max(1, 2 * perSecond), clock);
}
