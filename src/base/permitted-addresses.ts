import { BlockList, isIP, isIPv6 } from 'node:net';

export interface PermittedAddressesOptions {
  /** Any address at all: for a server that nobody else can tell where to connect. */
  readonly everything: boolean;
  /** Addresses and networks that are permitted although they are not public, or a word for some: loopback, linklocal, uniquelocal. */
  readonly allow: readonly string[];
}

const WORDS: { readonly [word: string]: readonly string[] } = {
  loopback: ['127.0.0.0/8', '::1'],
  linklocal: ['169.254.0.0/16', 'fe80::/10'],
  uniquelocal: ['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', 'fc00::/7'],
};

/** What is not reached over the Internet (IANA's registry of special-purpose IPv4 addresses, RFC 6890), and multicast. */
const SPECIAL_IPV4 = [
  '0.0.0.0/8', // this host
  '10.0.0.0/8', // private (RFC 1918)
  '100.64.0.0/10', // behind a carrier's NAT (RFC 6598)
  '127.0.0.0/8', // loopback
  '169.254.0.0/16', // link-local (RFC 3927); clouds tell their machines' credentials there
  '172.16.0.0/12', // private
  '192.0.0.0/24', // protocol assignments
  '192.0.2.0/24', // documentation (RFC 5737)
  '192.88.99.0/24', // 6to4 relays, given up (RFC 7526)
  '192.168.0.0/16', // private
  '198.18.0.0/15', // benchmarks (RFC 2544)
  '198.51.100.0/24', // documentation
  '203.0.113.0/24', // documentation
  '224.0.0.0/4', // multicast
  '240.0.0.0/4', // reserved, broadcast
];
/** All that is public is in here (RFC 4291, section 2.4): not loopback, unspecified, link-local, unique local or multicast. */
const GLOBAL_IPV6 = ['2000::/3'];
const SPECIAL_IPV6 = [
  '2001::/23', // protocol assignments, Teredo among them: it carries IPv4 addresses
  '2001:db8::/32', // documentation (RFC 3849)
  '2002::/16', // 6to4: carries IPv4 addresses
  '3fff::/20', // documentation (RFC 9637)
];

/**
 * Where the server may connect to when people tell it to. Without this, whoever may start a relay could reach what
 * only the server reaches: machines in its network, its own ports, its cloud's metadata.
 */
export class PermittedAddresses {
  #everything: boolean;
  #allowed: Networks;
  #special4 = new Networks(SPECIAL_IPV4);
  #global6 = new Networks(GLOBAL_IPV6);
  #special6 = new Networks(SPECIAL_IPV6);

  /** @throws Error in words for an entry of `allow` that is neither an address nor a network nor one of the words */
  constructor(options: PermittedAddressesOptions) {
    this.#everything = options.everything;
    this.#allowed = new Networks(options.allow.flatMap((entry) => WORDS[entry] ?? [entry]));
  }

  /** @param ip - an address, not a name: what is no address is not permitted */
  permits(ip: string): boolean {
    const zone = ip.indexOf('%');
    const address = zone < 0 ? ip : ip.slice(0, zone);
    if (isIP(address) === 0) return false;
    if (this.#everything || this.#allowed.has(address)) return true;
    const carried = carriedIpv4(address);
    if (carried !== undefined) return this.#allowed.has(carried) || !this.#special4.has(carried);
    if (isIPv6(address)) return this.#global6.has(address) && !this.#special6.has(address);
    return !this.#special4.has(address);
  }
}

/** One BlockList for each family: with one for both, networks of one take in addresses of the other. */
class Networks {
  #lists = { ipv4: new BlockList(), ipv6: new BlockList() };

  constructor(entries: readonly string[]) {
    for (const entry of entries) this.#add(entry);
  }

  has(address: string): boolean {
    const family = familyOf(address);
    return this.#lists[family].check(address, family);
  }

  #add(entry: string): void {
    const [address = '', prefix, ...rest] = entry.split('/');
    const version = isIP(address);
    const isPrefix =
      prefix === undefined || (/^\d{1,3}$/.test(prefix) && Number(prefix) <= (version === 4 ? 32 : 128));
    if (version === 0 || address.includes('%') || !isPrefix || rest.length > 0) {
      const words = Object.keys(WORDS).join(', ');
      throw new Error(
        `"${entry}" is neither an address nor a network such as 10.0.0.0/8, nor one of ${words}.`,
      );
    }
    const family = familyOf(address);
    if (prefix === undefined) this.#lists[family].addAddress(address, family);
    else this.#lists[family].addSubnet(address, Number(prefix), family);
  }
}

function familyOf(address: string): 'ipv4' | 'ipv6' {
  return address.includes(':') ? 'ipv6' : 'ipv4';
}

/** ::ffff:0:0/96, IPv4-mapped (RFC 4291, section 2.5.5.2), and 64:ff9b::/96, which NAT64 translates to IPv4 (RFC 6052). */
const CARRIERS = [
  [0, 0, 0, 0, 0, 0xffff],
  [0x64, 0xff9b, 0, 0, 0, 0],
];

/** @returns the IPv4 address where packets to an IPv6 address end up, for forms of which that is known */
function carriedIpv4(address: string): string | undefined {
  if (!isIPv6(address)) return undefined;
  const groups = groupsOf(address);
  if (!CARRIERS.some((carrier) => carrier.every((group, index) => groups[index] === group))) return undefined;
  const [high = 0, low = 0] = groups.slice(6);
  return `${high >> 8}.${high & 0xff}.${low >> 8}.${low & 0xff}`;
}

/** @param address - valid IPv6. @returns its eight groups of 16 bits */
function groupsOf(address: string): number[] {
  const hexadecimal = address.replace(/(\d+)\.(\d+)\.(\d+)\.(\d+)$/, (_, ...bytes: string[]) => {
    const [a, b, c, d] = bytes.map(Number) as [number, number, number, number];
    return `${((a << 8) | b).toString(16)}:${((c << 8) | d).toString(16)}`;
  });
  const [front = [], back = []] = hexadecimal
    .split('::')
    .map((part) => (part === '' ? [] : part.split(':').map((group) => Number.parseInt(group, 16))));
  return [...front, ...new Array(8 - front.length - back.length).fill(0), ...back];
}
