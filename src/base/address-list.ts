import { BlockList, isIP } from 'node:net';
import { familyOf, plainAddress } from './ip-address.ts';

/** What the word `loopback` stands for. */
const LOOPBACK = ['127.0.0.0/8', '::1'];

/** A set of addresses and networks: `192.0.2.7`, `2001:db8::/32`, or the word `loopback`. */
export class AddressList {
  /** One for each family: an IPv6 network would take in IPv4 addresses too. */
  #lists = { ipv4: new BlockList(), ipv6: new BlockList() };

  /** @throws Error in words for an entry that is neither an address nor a network */
  constructor(entries: readonly string[]) {
    for (const entry of entries.flatMap((one) => (one === 'loopback' ? LOOPBACK : [one]))) this.#add(entry);
  }

  /** IPv4 addresses that IPv6 carries (`::ffff:192.0.2.7`) count as what they are. */
  has(address: string): boolean {
    const plain = plainAddress(address);
    const family = familyOf(plain);
    return isIP(plain) > 0 && this.#lists[family].check(plain, family);
  }

  #add(entry: string): void {
    const [address = '', prefix, ...rest] = entry.split('/');
    const plain = plainAddress(address);
    const longest = isIP(plain) === 4 ? 32 : 128;
    const isPrefix = prefix !== undefined && /^\d{1,3}$/.test(prefix) && Number(prefix) <= longest;
    if (isIP(plain) === 0 || rest.length > 0 || (prefix !== undefined && !isPrefix)) {
      throw new Error(`"${entry}" is neither an address nor a network such as 10.0.0.0/8`);
    }
    const family = familyOf(plain);
    if (prefix === undefined) this.#lists[family].addAddress(plain, family);
    else this.#lists[family].addSubnet(plain, Number(prefix), family);
  }
}
