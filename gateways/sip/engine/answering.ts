import { firstItem, parseVia, splitParameters, tagOf, trimSpace } from './fields.ts';
import {
  canonicalName,
  type Header,
  header,
  headersOf,
  type SipRequest,
  type SipResponse,
  withHeader,
} from './message.ts';
import type { Flow } from './transport.ts';

/** Headers that a response takes from its request; an application's own of these names are not used. */
const FROM_REQUEST = new Set(['via', 'from', 'to', 'call-id', 'cseq', 'record-route', 'content-length']);
const DEFAULT_PORT = 5060;

/**
 * Notes in the topmost Via where the request really came from: `received` where it differs from what
 * the Via says (RFC 3261, section 18.2.1), and `rport` where it was asked for (RFC 3581). What the peer
 * wrote into `received` itself is not believed. A Via that cannot be read stays as it is.
 */
export function markSource(request: SipRequest, { address, port }: Flow): SipRequest {
  const { item, rest } = firstItem(header(request, 'via')!);
  const via = parseVia(item);
  if (!via) return request;
  const asked = via.parameters.has('rport');
  const differs = via.host.replace(/^\[|\]$/g, '').toLowerCase() !== address.toLowerCase();
  if (!asked && !differs && !via.parameters.has('received')) return request;
  const semicolon = item.indexOf(';');
  const kept = semicolon < 0 ? [] : splitParameters(item.slice(semicolon))!;
  const parameters = kept
    .filter(({ name }) => name !== 'received')
    .map(({ name, raw }) => (name === 'rport' ? `;rport=${port}` : raw))
    .join('');
  const sentBy = trimSpace(semicolon < 0 ? item : item.slice(0, semicolon));
  const received = asked || differs ? `;received=${address}` : '';
  const marked = `${sentBy}${trimSpace(parameters)}${received}${rest}`;
  return { ...request, headers: withHeader(request.headers, 'via', marked) };
}

/**
 * Where the responses to a request go (RFC 3261, section 18.2.2): by TCP, its connection; by UDP, the
 * address that it came from, at the port of the Via unless `rport` asked for the one it came from.
 * `maddr` is not followed: a host that answers to wherever a stranger says is good for attacks only.
 */
export function answerFlow(request: SipRequest, flow: Flow): Flow {
  if (flow.protocol !== 'udp') return flow;
  const via = parseVia(firstItem(header(request, 'via')!).item);
  if (!via || via.parameters.has('rport')) return flow;
  return { ...flow, port: via.port ?? DEFAULT_PORT };
}

/**
 * The response to a request, complete: its own headers copied, our tag in To, the application's
 * headers after them (RFC 3261, section 8.2.6).
 * @param contact - our Contact, for responses that need one and have none
 */
export function answer(
  request: SipRequest,
  status: number,
  reason: string,
  tag: string,
  own: readonly Header[] = [],
  body: Buffer = Buffer.alloc(0),
  contact?: string,
): SipResponse {
  const to = header(request, 'to')!;
  const copied: Header[] = [
    ...headersOf(request, 'via').map((value) => ({ name: 'Via', value })),
    { name: 'From', value: header(request, 'from')! },
    { name: 'To', value: status === 100 || tagOf(to) ? to : `${to};tag=${tag}` },
    { name: 'Call-ID', value: header(request, 'call-id')! },
    { name: 'CSeq', value: header(request, 'cseq')! },
  ];
  const others = own.filter(({ name }) => !FROM_REQUEST.has(canonicalName(name)));
  if (request.method === 'INVITE' && status > 100 && status < 300) {
    // A dialog's route set is what the response repeats (section 12.1.1).
    copied.push(...headersOf(request, 'record-route').map((value) => ({ name: 'Record-Route', value })));
    const hasContact = others.some(({ name }) => canonicalName(name) === 'contact');
    if (contact && !hasContact) copied.push({ name: 'Contact', value: contact });
  }
  return { kind: 'response', status, reason, headers: [...copied, ...others], body };
}
