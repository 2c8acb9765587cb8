import { BlockList, isIP } from 'node:net';
import os from 'node:os';
import { type Clock, systemClock } from './clock.ts';

/** An address as one writes it: without the zone of link-local ones, and IPv4 as IPv4 where IPv6 carries it. */
export function plainAddress(address: string): string {
  const zone = address.indexOf('%');
  const plain = zone < 0 ? address : address.slice(0, zone);
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(plain);
  return mapped?.[1] ?? plain;
}

/** What the BlockList of node:net calls the family of a valid address. */
export function familyOf(address: string): 'ipv4' | 'ipv6' {
  return address.includes(':') ? 'ipv6' : 'ipv4';
}

type Interfaces = ReturnType<typeof os.networkInterfaces>;

/** Interfaces come and go; what was read is used for so long. */
const FRESH_MS = 10_000;
const MAX_PEERS = 1_000;

/**
 * Our address as a peer sees it, for a socket that listens on all of them: the one in the peer's own
 * network, or else the first that is not loopback.
 */
export class LocalAddresses {
  #read: () => Interfaces;
  #clock: Clock;
  #known = new Map<string, string>();
  #readAt = Number.NEGATIVE_INFINITY;

  constructor(read: () => Interfaces = os.networkInterfaces, clock: Clock = systemClock) {
    this.#read = read;
    this.#clock = clock;
  }

  /** @param peer - a plain address */
  towards(peer: string): string {
    const now = this.#clock.now();
    if (now - this.#readAt > FRESH_MS || this.#known.size >= MAX_PEERS) {
      this.#known.clear();
      this.#readAt = now;
    }
    const known = this.#known.get(peer);
    if (known !== undefined) return known;
    const found = addressTowards(peer, this.#read());
    this.#known.set(peer, found);
    return found;
  }
}

function addressTowards(peer: string, interfaces: Interfaces): string {
  const family = familyOf(peer);
  const ours = Object.values(interfaces)
    .flatMap((addresses) => addresses ?? [])
    .filter(({ address }) => familyOf(address) === family);
  const near = ours.find(({ address, cidr }) => {
    const network = new BlockList();
    network.addSubnet(address, Number(cidr?.split('/')[1] ?? (family === 'ipv4' ? 32 : 128)), family);
    return isIP(peer) !== 0 && network.check(peer, family);
  });
  const far = ours.find(({ address, internal }) => !internal && !/^fe80:/i.test(address));
  return near?.address ?? far?.address ?? (family === 'ipv4' ? '127.0.0.1' : '::1');
}
