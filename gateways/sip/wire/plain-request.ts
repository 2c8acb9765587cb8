import { parseNameAddress, splitList } from '../engine/fields.ts';
import { canonicalName, type Header, type SipRequest } from '../engine/message.ts';

/** Headers that an application's parser reads. */
const ADDRESSES = new Set(['from', 'to', 'contact']);
const MAX_NAME_BYTES = 256;
/** The text is bytes as latin1: what else counts as white space there is half of a character in UTF-8. */
const WHITE_SPACE = /[ \t\r\n\f\v]+/g;

/**
 * The request as an application gets it: From, To and Contact in the plainest form that says the same.
 * drachtio-srf reads them by a pattern that takes cubic time for certain runs of white space, in the process
 * that holds the rooms. Everything else is byte for byte as it came.
 */
export function plainRequest(request: SipRequest): SipRequest {
  return { ...request, headers: request.headers.map(plainHeader) };
}

function plainHeader({ name, value }: Header): Header {
  const canonical = canonicalName(name);
  if (!ADDRESSES.has(canonical)) return { name, value };
  const address = parseNameAddress(splitList(value)[0] ?? '');
  // What is not an address is nothing that an application could use.
  if (!address) return { name, value: '' };
  const { displayName, uri, parameters } = address;
  if (canonical === 'contact') return { name, value: `<${uri}>` };
  const shown = firstBytes(displayName.replace(WHITE_SPACE, ' '), MAX_NAME_BYTES);
  const quoted = shown === '' ? '' : `"${shown.replace(/["\\]/g, '\\$&')}" `;
  const tag = parameters.get('tag');
  return { name, value: `${quoted}<${uri}>${tag === undefined ? '' : `;tag=${tag}`}` };
}

/** @param text - UTF-8 as latin1: no character is torn apart */
function firstBytes(text: string, count: number): string {
  let end = Math.min(text.length, count);
  while (end > 0 && end < text.length && (text.charCodeAt(end) & 0xc0) === 0x80) end--;
  return text.slice(0, end);
}
