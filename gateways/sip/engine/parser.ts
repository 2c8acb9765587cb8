import { firstItem, isUri, parseCseq, parseNameAddress, parseVia, splitList, trimSpace } from './fields.ts';
import {
  canonicalName,
  type Header,
  header,
  SIP_VERSION,
  type SipMessage,
  type SipRequest,
} from './message.ts';

/** Bounds on what is read; a message beyond them is refused. */
export const LIMITS = {
  messageBytes: 65_535,
  headers: 256,
  /** Of one header, with its name and unfolded. */
  headerBytes: 8_192,
} as const;

/** Headers that every message must have (RFC 3261, section 8.1.1). */
const REQUIRED = ['via', 'from', 'to', 'call-id', 'cseq'];
/** Headers that may stand there once only. */
const SINGLE = new Set(['from', 'to', 'call-id', 'cseq', 'max-forwards', 'content-length', 'content-type']);

const TOKEN = /^[A-Za-z0-9\-.!%*_+`'~]+$/;

export type ParseResult =
  | { readonly outcome: 'message'; readonly message: SipMessage }
  /**
   * Not a message that can be used. When enough of a request could be read to answer it, `answerable`
   * has that part, for an answer with this status and reason (RFC 3261, sections 8.2 and 18.3).
   */
  | {
      readonly outcome: 'refused';
      readonly status: 400 | 505;
      readonly reason: string;
      /** The one at fault, or the first of the message. */
      readonly line: string;
      readonly answerable?: SipRequest;
    };

/**
 * Reads one whole message. Time and memory are linear in its length, whatever it holds.
 * @param bytes - a datagram, or what framing cut out of a stream
 * @param stream - over a stream Content-Length must be there; in a datagram the body is what follows
 */
export function parseMessage(bytes: Buffer, stream: boolean): ParseResult {
  // Line ends in front keep a way through a NAT open, by UDP as well (section 7.5, RFC 5626).
  const begin = behindLineEnds(bytes);
  if (begin > 0 && begin < bytes.length) return parseMessage(bytes.subarray(begin), stream);
  if (bytes.length > LIMITS.messageBytes) return refuse('Message too large', firstLine(bytes));
  const end = bytes.indexOf('\r\n\r\n');
  if (end < 0) return refuse('Headers do not end', firstLine(bytes));
  const [start = '', ...headerLines] = unfold(bytes.toString('latin1', 0, end));
  if (headerLines.length > LIMITS.headers) return refuse('Too many headers', start);
  // Whoever reads what is passed on may take either for the end of a line.
  if (headerLines.some((line) => /[\r\n]/.test(line)) || /[\r\n]/.test(start))
    return refuse('Bare CR or LF', start);

  const headers: Header[] = [];
  let problem: string | undefined;
  let faulty: string | undefined;
  for (const line of headerLines) {
    const colon = line.indexOf(':');
    const name = trimSpace(line.slice(0, Math.max(0, colon)));
    if (/^[ \t]/.test(line) || !TOKEN.test(name)) problem ??= 'Malformed header';
    else if (line.length > LIMITS.headerBytes) problem ??= 'Header too long';
    else headers.push({ name, value: trimSpace(line.slice(colon + 1)) });
    if (problem !== undefined) faulty ??= line;
  }

  const body = cutBody(headers, bytes.subarray(end + 4), stream);
  const parsed = parseStartLine(start, headers, body.bytes);
  if (typeof parsed === 'string') return refuse(parsed, start);
  const { message } = parsed;
  const missing = REQUIRED.find((name) => header(message, name) === undefined);
  if (missing) return refuse(problem ?? `No ${missing} header`, faulty ?? start);
  if (parsed.version !== SIP_VERSION) return refuse('Version Not Supported', start, message, 505);
  problem ??= parsed.problem ?? checkSingle(headers) ?? checkFields(message) ?? body.problem;
  if (problem === undefined) return { outcome: 'message', message };
  return refuse(problem, faulty ?? lineOf(problem, headerLines) ?? start, message);
}

/** A request can be answered, but for an ACK. */
function refuse(reason: string, line: string, message?: SipMessage, status: 400 | 505 = 400): ParseResult {
  const isAnswerable = message?.kind === 'request' && message.method !== 'ACK';
  return { outcome: 'refused', status, reason, line, ...(isAnswerable && { answerable: message }) };
}

/** The header that a problem such as 'Malformed Via header' is about. */
function lineOf(problem: string, headerLines: readonly string[]): string | undefined {
  const name = /(\S+) header$/.exec(problem)?.[1];
  return headerLines.find(
    (line) => name && canonicalName(trimSpace(line.split(':', 1)[0]!)) === name.toLowerCase(),
  );
}

function firstLine(bytes: Buffer): string {
  return bytes.toString('latin1', 0, 256).split(/[\r\n]/, 1)[0]!;
}

/** @returns where what is behind the line ends in front begins */
function behindLineEnds(bytes: Buffer): number {
  let at = 0;
  while (bytes[at] === 0x0d && bytes[at + 1] === 0x0a) at += 2;
  return at;
}

/** Lines, with continuation lines joined to the one before by a space (RFC 3261, section 7.3.1). */
function unfold(head: string): string[] {
  const [start = '', ...rest] = head.split('\r\n');
  const headers: string[][] = [];
  for (const line of rest) {
    const continued = line.startsWith(' ') || line.startsWith('\t') ? headers.at(-1) : undefined;
    if (continued) continued.push(trimSpace(line));
    else headers.push([line]);
  }
  return [start, ...headers.map(joined)];
}

function joined([first = '', ...others]: readonly string[]): string {
  return others.length === 0 ? first : [trimSpace(first), ...others].filter((one) => one !== '').join(' ');
}

function parseStartLine(
  line: string,
  headers: Header[],
  body: Buffer,
): { message: SipMessage; version: string; problem?: string } | string {
  if (/^SIP\//i.test(line)) {
    const match = /^SIP\/2\.0 ([1-6]\d\d)(?: (.*))?$/i.exec(line);
    if (!match) return 'Malformed status line';
    const [, status, reason = ''] = match;
    const message: SipMessage = { kind: 'response', status: Number(status), reason, headers, body };
    return { message, version: SIP_VERSION };
  }
  const [method = '', uri = '', version = '', ...rest] = line.split(' ');
  if (!TOKEN.test(method)) return 'Malformed request line';
  const message: SipMessage = { kind: 'request', method, uri, headers, body };
  // Anything but ASCII has to be escaped there (section 25.1).
  if (rest.length > 0 || !isUri(uri) || !/^[\x21-\x7e]+$/.test(uri)) {
    return { message, version: SIP_VERSION, problem: 'Malformed Request-URI' };
  }
  return { message, version: version.toUpperCase() };
}

function checkSingle(headers: readonly Header[]): string | undefined {
  const seen = new Set<string>();
  for (const { name } of headers) {
    const canonical = canonicalName(name);
    if (!SINGLE.has(canonical)) continue;
    if (seen.has(canonical)) return `More than one ${canonical} header`;
    seen.add(canonical);
  }
  return undefined;
}

/** The fields that transactions and dialogs are made of; what else a message holds is the application's. */
function checkFields(message: SipMessage): string | undefined {
  if (!isViaList(header(message, 'via')!)) return 'Malformed Via header';
  if (!parseNameAddress(header(message, 'from')!)) return 'Malformed From header';
  if (!parseNameAddress(header(message, 'to')!)) return 'Malformed To header';
  if (!/^[^ \t]+$/.test(header(message, 'call-id')!)) return 'Malformed Call-ID header';
  const cseq = parseCseq(header(message, 'cseq')!);
  if (!cseq || !TOKEN.test(cseq.method)) return 'Malformed CSeq header';
  if (message.kind === 'response') return undefined;
  if (cseq.method !== message.method) return 'CSeq does not match the method';
  // Who is the last to get it does not mind a zero (section 16.3 is for proxies); the range is section 20.22's.
  const forwards = header(message, 'max-forwards');
  if (forwards !== undefined && !(/^\d{1,10}$/.test(forwards) && Number(forwards) <= 255)) {
    return 'Malformed Max-Forwards header';
  }
  return undefined;
}

/** The first is what answers go by; of the others it is enough that they are there. */
function isViaList(value: string): boolean {
  const { item, rest } = firstItem(value);
  return (
    parseVia(item) !== undefined &&
    (rest === '' || splitList(rest.slice(1)).every((one) => /^[A-Za-z]/.test(one)))
  );
}

/** As much as Content-Length says (RFC 3261, section 18.3). */
function cutBody(
  headers: readonly Header[],
  rest: Buffer,
  stream: boolean,
): { bytes: Buffer; problem?: string } {
  const value = headers.find(({ name }) => canonicalName(name) === 'content-length')?.value;
  if (value === undefined) return { bytes: rest, ...(stream && { problem: 'No Content-Length header' }) };
  if (!/^\d{1,7}$/.test(value)) return { bytes: rest, problem: 'Malformed Content-Length header' };
  if (Number(value) > rest.length) return { bytes: rest, problem: 'Body shorter than Content-Length' };
  return { bytes: rest.subarray(0, Number(value)) };
}
