import { BlockList, isIP } from 'node:net';
import { familyOf } from '../../../src/base/ip-address.ts';
import { parseNameAddress } from './fields.ts';
import type { Flow } from './transport.ts';
import { parseUri } from './uri.ts';

/** Where a dialog's requests may go. */
export interface Destination {
  /** Where the peer was heard last. */
  readonly flow: Flow;
  readonly routeSet: readonly string[];
  readonly remoteTarget: string;
  /** The peer sends through a NAT: its own address leads nowhere. */
  readonly isBehindNat: boolean;
}

const DEFAULT_PORT = 5060;
/** Nobody is sent there because a peer says so: unspecified, loopback, link-local, multicast, broadcast. */
const NEVER = blockList(
  ['0.0.0.0', 8],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['224.0.0.0', 3],
  ['::', 127],
  ['fe80::', 10],
  ['ff00::', 8],
);
/** Private networks (RFC 1918, 4193) and those of carriers' NATs (RFC 6598): out of reach for whoever is public. */
const PRIVATE = blockList(
  ['10.0.0.0', 8],
  ['172.16.0.0', 12],
  ['192.168.0.0', 16],
  ['100.64.0.0', 10],
  ['fc00::', 7],
);

/**
 * Where a request within a dialog goes (RFC 3261, section 12.2.1.1): to the first of the route set, else to the Contact.
 * What cannot be sent to, or must not be, goes back to where the peer was heard: so does everything for phones behind NAT,
 * and for names, which are not resolved within a call.
 *
 * @param permits - whether we send to an address at all
 */
export function nextHop(destination: Destination, permits: (address: string) => boolean): Flow {
  const { flow, routeSet, remoteTarget, isBehindNat } = destination;
  const [route] = routeSet;
  const uri = route === undefined ? remoteTarget : parseNameAddress(route)?.uri;
  const parsed = uri === undefined ? undefined : parseUri(uri);
  if (!parsed || (route === undefined && isBehindNat)) return flow;
  const transport = parsed.parameters.get('transport')?.toLowerCase() ?? 'udp';
  const address = parsed.host.replace(/^\[|\]$/g, '');
  if (parsed.scheme !== 'sip' || transport !== 'udp' || isIP(address) === 0) return flow;
  if (familyOf(address) !== familyOf(flow.address) || NEVER.check(address, familyOf(address))) return flow;
  // Whoever opened a connection is reached by that.
  if (flow.protocol !== 'udp' && address === flow.address) return flow;
  if (isPrivate(address) && !isPrivate(flow.address)) return flow;
  return permits(address) ? { ...flow, protocol: 'udp', address, port: parsed.port ?? DEFAULT_PORT } : flow;
}

function isPrivate(address: string): boolean {
  return PRIVATE.check(address, familyOf(address));
}

function blockList(...networks: readonly (readonly [address: string, prefix: number])[]): BlockList {
  const list = new BlockList();
  for (const [address, prefix] of networks) list.addSubnet(address, prefix, familyOf(address));
  return list;
}
