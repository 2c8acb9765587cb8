import { randomInt } from 'node:crypto';
import type { CoreCounters } from './counters.ts';
import { contactUri, type Dialog, routesOf } from './dialog.ts';
import { parseNameAddress, splitList, tagOf } from './fields.ts';
import { type Header, header, headersOf, type SipRequest } from './message.ts';
import type { Flow } from './transport.ts';

/** Why a request does not reach the application, and what its sender is told. */
export interface Refusal {
  readonly counter: keyof CoreCounters;
  readonly status: number;
  readonly reason: string;
  readonly headers?: readonly Header[];
}

/** What a refusal depends on beside the request. */
export interface Circumstances {
  /** Whether the application wants requests of that method. */
  takes(method: string): boolean;
  /** Whether the same request is being served already. */
  readonly isMerged: boolean;
  /** The one that the request is in. */
  readonly dialog: Dialog | undefined;
  /** Where to reach the sender. */
  readonly flow: Flow;
  /** Where the request came from. */
  readonly source: Flow;
}

/** Methods that come within any dialog, asked for or not. */
const IN_DIALOG = ['INVITE', 'BYE', 'OPTIONS', 'INFO'];
const ALWAYS_ALLOWED = ['ACK', 'CANCEL', 'BYE', 'INFO'];
const METHODS = [
  ...['INVITE', 'ACK', 'CANCEL', 'BYE', 'OPTIONS', 'INFO', 'UPDATE', 'PRACK'],
  ...['MESSAGE', 'REFER', 'SUBSCRIBE', 'NOTIFY', 'PUBLISH', 'REGISTER'],
];

/** What is said where trying again soon makes sense. */
export const RETRY_SOON: readonly Header[] = [{ name: 'Retry-After', value: '5' }];

/**
 * What the engine itself has against a request, in the order of RFC 3261, sections 8.2.1 to 8.2.2.3 and
 * 12.2.2. A dialog that has nothing against it has then taken it in.
 */
export function refusalOf(request: SipRequest, circumstances: Circumstances): Refusal | undefined {
  const refusal = refusalByItself(request, circumstances);
  // A request that is refused has its number all the same (section 12.2.2).
  if (refusal) circumstances.dialog?.heard(request);
  return refusal ?? refusalByDialog(request, circumstances);
}

function refusalByItself(request: SipRequest, { takes, isMerged }: Circumstances): Refusal | undefined {
  const { method } = request;
  const isWithin = tagOf(header(request, 'to')!) !== undefined;
  if (!takes(method) && !(isWithin && IN_DIALOG.includes(method)) && method !== 'BYE') {
    const allowed = METHODS.filter((one) => ALWAYS_ALLOWED.includes(one) || takes(one));
    const headers = [{ name: 'Allow', value: allowed.join(', ') }];
    return { counter: 'methodNotAllowed', status: 405, reason: 'Method Not Allowed', headers };
  }
  if (!/^(?:sips?|tel):/i.test(request.uri)) {
    return { counter: 'badScheme', status: 416, reason: 'Unsupported URI Scheme' };
  }
  if (!isWithin && isMerged) return { counter: 'merged', status: 482, reason: 'Loop Detected' };
  const unsupported = headersOf(request, 'require')
    .flatMap(splitList)
    .filter((tag) => tag !== '');
  if (unsupported.length > 0) {
    const headers = [{ name: 'Unsupported', value: unsupported.join(', ') }];
    return { counter: 'badExtension', status: 420, reason: 'Bad Extension', headers };
  }
  return undefined;
}

function refusalByDialog(request: SipRequest, circumstances: Circumstances): Refusal | undefined {
  const { method } = request;
  const isWithin = tagOf(header(request, 'to')!) !== undefined;
  if (isWithin || method === 'BYE') return refusalWithin(request, circumstances);
  return method === 'INVITE' && !circumstances.dialog ? refusalOfCall(request) : undefined;
}

function refusalWithin(request: SipRequest, { dialog, flow, source }: Circumstances): Refusal | undefined {
  if (!dialog || (dialog.isEnding && request.method !== 'BYE')) {
    return { counter: 'noDialog', status: 481, reason: 'Call/Transaction Does Not Exist' };
  }
  if (!dialog.follow(request, flow, source)) {
    return { counter: 'outOfOrder', status: 500, reason: 'Server Internal Error' };
  }
  if (request.method === 'INVITE' && dialog.invite) {
    // Section 14.2: between 0 and 10 s, chosen at random.
    const headers = [{ name: 'Retry-After', value: String(randomInt(11)) }];
    return { counter: 'overlapping', status: 500, reason: 'Server Internal Error', headers };
  }
  return undefined;
}

/** An INVITE makes a dialog only with a Contact (section 8.1.1.8) and a route that can be followed. */
function refusalOfCall(request: SipRequest): Refusal | undefined {
  const contacts = headersOf(request, 'contact').flatMap(splitList);
  if (contacts.length !== 1 || contactUri(request) === undefined) {
    return { counter: 'malformed', status: 400, reason: 'Not one Contact header with a SIP URI' };
  }
  if (!routesOf(request).every((route) => parseNameAddress(route))) {
    return { counter: 'malformed', status: 400, reason: 'Malformed Record-Route header' };
  }
  return undefined;
}
