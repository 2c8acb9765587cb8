import { createHash } from 'node:crypto';
import type { Acceptance } from './acceptance.ts';
import { firstItem, parseCseq, parseNameAddress, parseVia, splitList, tagOf } from './fields.ts';
import {
  canonicalName,
  type Header,
  header,
  headersOf,
  type SipRequest,
  type SipResponse,
} from './message.ts';
import { nextHop } from './next-hop.ts';
import type { DialogRecord } from './process-messages.ts';
import type { ServerTransaction } from './server-transaction.ts';
import type { Flow } from './transport.ts';
import { parseUri } from './uri.ts';

/** Requests that tell where we are to be reached within a dialog (RFC 3261, table 2, and later methods). */
const WITH_CONTACT = new Set(['INVITE', 'UPDATE', 'SUBSCRIBE', 'NOTIFY', 'REFER', 'OPTIONS']);

const DEFAULT_PORT = 5060;

/** A request being served. */
export interface Serving {
  readonly transaction: ServerTransaction;
  /** What the application calls it. */
  readonly id: string;
  readonly request: SipRequest;
  /** Where it came from. */
  readonly flow: Flow;
  /** Where its responses go. */
  readonly answerTo: Flow;
  /** Ours, in To. */
  readonly tag: string;
  /** The dialog that it belongs to, or that its response made. */
  dialog: Dialog | undefined;
}

/**
 * A dialog (RFC 3261, section 12), as seen from our side: who the two ends are, what a request within
 * it has to look like, and what of it is under way.
 */
export class Dialog {
  /** Opaque: nothing of what the peer wrote is in it. */
  readonly id: string;
  readonly callId: string;
  /** Header values with their tags: From and To of what we send. */
  readonly local: string;
  readonly remote: string;
  readonly routeSet: readonly string[];
  /** Whether an INVITE was answered with a 2xx; it is early before that. */
  confirmed = false;
  /** An INVITE of the peer's within it, or the one that made it, that has no final response yet. */
  invite: Serving | undefined;
  #flow: Flow;
  #isBehindNat: boolean;
  /** Where requests go to; follows the peer's Contact. */
  #remoteTarget: string;
  #localSequence: number;
  #remoteSequence: number;
  /** 2xx responses that wait for their ACKs, by the INVITEs' sequence numbers. */
  #acceptances = new Map<number, Acceptance>();
  #bye: (() => void) | undefined;

  private constructor(parts: DialogRecord & { remoteSequence: number; isBehindNat?: boolean }) {
    this.callId = parts.callId;
    this.local = parts.local;
    this.remote = parts.remote;
    this.routeSet = parts.routeSet;
    this.#flow = parts.flow;
    this.#isBehindNat = parts.isBehindNat ?? false;
    this.#remoteTarget = parts.remoteTarget;
    this.#localSequence = parts.localSequence;
    this.#remoteSequence = parts.remoteSequence;
    this.id = dialogId(this.callId, tagOf(this.local), tagOf(this.remote));
  }

  /**
   * The dialog that our response to an INVITE makes (section 12.1.1).
   * @param request - has a Contact and a readable route set
   * @param flow - where its responses go, and where to reach it if its addresses lead nowhere @param source - where it came from
   */
  static asServer(request: SipRequest, response: SipResponse, flow: Flow, source: Flow = flow): Dialog {
    return new Dialog({
      callId: header(request, 'call-id')!,
      local: header(response, 'to')!,
      remote: header(request, 'from')!,
      routeSet: routesOf(request),
      flow,
      isBehindNat: isBehindNat(request, source),
      remoteTarget: contactUri(request)!,
      localSequence: 0,
      remoteSequence: parseCseq(header(request, 'cseq')!)!.number,
    });
  }

  /** A dialog that stands already. */
  static adopted(record: DialogRecord): Dialog {
    // Headers here are bytes as latin1 text; what an application has was decoded.
    const bytesOf = (text: string) => Buffer.from(text).toString('latin1');
    const dialog = new Dialog({
      ...record,
      local: bytesOf(record.local),
      remote: bytesOf(record.remote),
      callId: bytesOf(record.callId),
      remoteTarget: bytesOf(record.remoteTarget),
      routeSet: record.routeSet.flatMap((routes) => splitList(bytesOf(routes))),
      remoteSequence: 0,
    });
    dialog.confirmed = true;
    return dialog;
  }

  /** Where the peer was heard last. */
  get flow(): Flow {
    return this.#flow;
  }

  /** Where our requests go. @param permits - whether we send to an address at all */
  nextHop(permits: (address: string) => boolean): Flow {
    const { routeSet } = this;
    const isBehindNat = this.#isBehindNat;
    return nextHop({ flow: this.#flow, routeSet, remoteTarget: this.#remoteTarget, isBehindNat }, permits);
  }

  /** Whether a BYE of ours waits for the peer's ACK. */
  get isEnding(): boolean {
    return this.#bye !== undefined;
  }

  get isAwaitingAck(): boolean {
    return this.#acceptances.size > 0;
  }

  /** Notes the number of a request that is refused without being looked at any further. */
  heard(request: SipRequest): void {
    const { number } = parseCseq(header(request, 'cseq')!)!;
    this.#remoteSequence = Math.max(this.#remoteSequence, number);
  }

  /**
   * Takes in a request of the peer: its sequence number must be higher than the last one (section 12.2.2).
   * @param flow - where to reach the peer from now on
   * @returns whether it is in order
   */
  follow(request: SipRequest, flow: Flow, source: Flow = flow): boolean {
    const { number } = parseCseq(header(request, 'cseq')!)!;
    if (number <= this.#remoteSequence) return false;
    this.#remoteSequence = number;
    this.#flow = flow;
    this.#isBehindNat ||= isBehindNat(request, source);
    // A target refresh request moves the target (section 12.2.2; UPDATE: RFC 3311).
    if (request.method === 'INVITE' || request.method === 'UPDATE') {
      this.#remoteTarget = contactUri(request) ?? this.#remoteTarget;
      this.#isBehindNat = isBehindNat(request, source);
    }
    return true;
  }

  /** @param sequence - of the INVITE that was accepted */
  awaitAck(sequence: number, acceptance: Acceptance): void {
    this.#acceptances.set(sequence, acceptance);
  }

  /** @param sequence - of the ACK. @returns whether one with that number was waited for */
  acknowledge(sequence: number): boolean {
    this.#acceptances.get(sequence)?.end();
    return this.#acceptances.delete(sequence);
  }

  /** Keeps back our BYE while an ACK is on its way: the peer may not have our 2xx yet (section 15). */
  holdBye(send: () => void): void {
    this.#bye = send;
  }

  /** It is over: nothing is repeated any more, and a BYE that was held back goes out. */
  close(): void {
    for (const acceptance of this.#acceptances.values()) acceptance.end();
    this.#acceptances.clear();
    const bye = this.#bye;
    this.#bye = undefined;
    bye?.();
  }

  /** A request of ours within it (section 12.2.1.1). @param headers - the application's, used as they are */
  request(
    method: string,
    via: string,
    contact: string,
    headers: readonly Header[],
    body: Buffer,
  ): SipRequest {
    this.#localSequence++;
    const [first, ...others] = this.routeSet;
    const router = first === undefined ? undefined : parseNameAddress(first)?.uri;
    const strict = router !== undefined && !parseUri(router)?.parameters.has('lr');
    // A strict router wants to see itself in the Request-URI, and the target last in the route.
    const routes = strict ? [...others, `<${this.#remoteTarget}>`] : this.routeSet;
    const needsContact =
      WITH_CONTACT.has(method) && !headers.some(({ name }) => canonicalName(name) === 'contact');
    return {
      kind: 'request',
      method,
      uri: strict ? router : this.#remoteTarget,
      headers: [
        { name: 'Via', value: via },
        ...routes.map((value) => ({ name: 'Route', value })),
        { name: 'Max-Forwards', value: '70' },
        { name: 'From', value: this.local },
        { name: 'To', value: this.remote },
        { name: 'Call-ID', value: this.callId },
        { name: 'CSeq', value: `${this.#localSequence} ${method}` },
        ...(needsContact ? [{ name: 'Contact', value: contact }] : []),
        ...headers,
      ],
      body,
    };
  }
}

/** Whether the sender's own address is not the one that it came from: the topmost Via tells (RFC 3581). */
function isBehindNat(request: SipRequest, { address, port, protocol }: Flow): boolean {
  const via = parseVia(firstItem(header(request, 'via')!).item);
  if (!via) return true;
  const host = via.host.replace(/^\[|\]$/g, '').toLowerCase();
  return host !== address.toLowerCase() || (protocol === 'udp' && (via.port ?? DEFAULT_PORT) !== port);
}

/** What names a dialog for our side. A tag that is missing (RFC 2543) counts as an empty one (section 12.1.1). */
export function dialogId(
  callId: string,
  localTag: string | undefined,
  remoteTag: string | undefined,
): string {
  return createHash('sha256')
    .update(JSON.stringify([callId, localTag ?? '', remoteTag ?? '']))
    .digest('base64url');
}

/** The routes that proxies want requests to take, in their order. */
export function routesOf(request: SipRequest): string[] {
  return headersOf(request, 'record-route').flatMap(splitList);
}

/** Where the peer wants requests within the dialog. @returns undefined when there is no such SIP URI */
export function contactUri(request: SipRequest): string | undefined {
  const [contact] = headersOf(request, 'contact').flatMap(splitList);
  const uri = contact === undefined ? undefined : parseNameAddress(contact)?.uri;
  return uri !== undefined && /^sips?:/i.test(uri) ? uri : undefined;
}
