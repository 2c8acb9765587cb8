import { trimSpace } from '../engine/fields.ts';
import { canonicalName, type Header, SIP_VERSION } from '../engine/message.ts';

/**
 * What an application wants sent: a start line, the headers that it cares for, a body. Not a whole SIP
 * message: the engine adds what the transaction and the dialog know.
 */
export type Template =
  | { kind: 'response'; status: number; reason: string; headers: Header[]; body: Buffer }
  | { kind: 'request'; method: string; headers: Header[]; body: Buffer };

/** Headers that the engine writes itself in requests within a dialog. */
const OURS = new Set(['via', 'from', 'to', 'call-id', 'cseq', 'max-forwards', 'route', 'content-length']);

/** @throws Error in words when it is neither a request nor a response */
export function parseTemplate(bytes: Buffer): Template {
  const end = bytes.indexOf('\r\n\r\n');
  const head = bytes.toString('latin1', 0, end < 0 ? bytes.length : end);
  const body = end < 0 ? Buffer.alloc(0) : Buffer.from(bytes.subarray(end + 4));
  const [start = '', ...lines] = head
    .replace(/\r\n[ \t]+/g, ' ')
    .split('\r\n')
    .filter((line) => line !== '');
  const headers = withContentType(lines.map(parseHeader), body);
  if (start.startsWith(SIP_VERSION)) {
    const match = /^SIP\/2\.0 (\d{3})(?: ([^\r\n]*))?$/.exec(start);
    if (!match) throw new Error('malformed response');
    return { kind: 'response', status: Number(match[1]), reason: match[2] ?? '', headers, body };
  }
  const [method = ''] = start.split(' ', 1);
  if (!/^[A-Z]+$/.test(method)) throw new Error('malformed request');
  return {
    kind: 'request',
    method,
    headers: headers.filter(({ name }) => !OURS.has(canonicalName(name))),
    body,
  };
}

function parseHeader(line: string): Header {
  const colon = line.indexOf(':');
  const name = trimSpace(line.slice(0, Math.max(0, colon)));
  if (!/^[A-Za-z0-9\-.!%*_+`'~]+$/.test(name)) throw new Error('malformed header');
  // Nothing that an application puts into a header may become a header of its own.
  return { name, value: trimSpace(line.slice(colon + 1).replace(/[\r\n]/g, ' ')) };
}

/** A body says what it is; drachtio fills in for applications what most of them mean. */
function withContentType(headers: Header[], body: Buffer): Header[] {
  const isNamed = headers.some(({ name }) => canonicalName(name) === 'content-type');
  if (body.length === 0 || isNamed) return headers;
  const value = body.subarray(0, 3).toString('latin1') === 'v=0' ? 'application/sdp' : 'text/plain';
  return [...headers, { name: 'Content-Type', value }];
}
