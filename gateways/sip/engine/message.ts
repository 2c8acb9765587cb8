/**
 * A SIP message (RFC 3261, section 7). Header values are the bytes that were received, as latin1 text,
 * so that whatever is passed on is passed on unaltered; only white space around them and line folding
 * are gone. Names are as received; looking one up ignores case and knows compact forms.
 */
export interface Header {
  readonly name: string;
  readonly value: string;
}

interface MessageParts {
  readonly headers: readonly Header[];
  readonly body: Buffer;
}

export interface SipRequest extends MessageParts {
  readonly kind: 'request';
  readonly method: string;
  readonly uri: string;
}

export interface SipResponse extends MessageParts {
  readonly kind: 'response';
  readonly status: number;
  readonly reason: string;
}

export type SipMessage = SipRequest | SipResponse;

export const SIP_VERSION = 'SIP/2.0';

/** Compact forms (RFC 3261, section 7.3.3, and the registry of header fields), in lower case. */
const LONG_NAMES: ReadonlyMap<string, string> = new Map([
  ['a', 'accept-contact'],
  ['b', 'referred-by'],
  ['c', 'content-type'],
  ['d', 'request-disposition'],
  ['e', 'content-encoding'],
  ['f', 'from'],
  ['i', 'call-id'],
  ['j', 'reject-contact'],
  ['k', 'supported'],
  ['l', 'content-length'],
  ['m', 'contact'],
  ['n', 'identity-info'],
  ['o', 'event'],
  ['r', 'refer-to'],
  ['s', 'subject'],
  ['t', 'to'],
  ['u', 'allow-events'],
  ['v', 'via'],
  ['x', 'session-expires'],
  ['y', 'identity'],
]);

/** @returns the long name in lower case */
export function canonicalName(name: string): string {
  const lower = name.toLowerCase();
  return LONG_NAMES.get(lower) ?? lower;
}

/** The value of the first header of that name. @param name - long, in lower case */
export function header({ headers }: SipMessage, name: string): string | undefined {
  return headers.find((one) => canonicalName(one.name) === name)?.value;
}

/** All values of that name, header by header. */
export function headersOf({ headers }: SipMessage, name: string): string[] {
  return headers.filter((one) => canonicalName(one.name) === name).map(({ value }) => value);
}

/** The headers with the first value of that name replaced. @param name - long, in lower case */
export function withHeader(headers: readonly Header[], name: string, value: string): Header[] {
  const index = headers.findIndex((one) => canonicalName(one.name) === name);
  return headers.map((one, at) => (at === index ? { name: one.name, value } : one));
}

/** The message as it goes on the wire, with the Content-Length that its body has. */
export function serialize(message: SipMessage): Buffer {
  const start =
    message.kind === 'request'
      ? `${message.method} ${message.uri} ${SIP_VERSION}`
      : `${SIP_VERSION} ${message.status} ${message.reason}`;
  let head = `${start}\r\n`;
  for (const { name, value } of message.headers) {
    if (canonicalName(name) !== 'content-length') head += `${name}: ${value}\r\n`;
  }
  head += `Content-Length: ${message.body.length}\r\n\r\n`;
  return message.body.length === 0
    ? Buffer.from(head, 'latin1')
    : Buffer.concat([Buffer.from(head, 'latin1'), message.body]);
}
