import { parseNameAddress, splitList } from '../engine/fields.ts';
import { canonicalName, type Header, type SipRequest } from '../engine/message.ts';

/** Headers that an application's parser reads. */
const ADDRESSES = new Set(['from', 'to', 'contact']);
const MAX_NAME_CHARACTERS = 256;

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
  const shown = displayName.replace(/\s+/g, ' ').slice(0, MAX_NAME_CHARACTERS);
  const quoted = shown === '' ? '' : `"${shown.replace(/["\\]/g, '\\$&')}" `;
  const tag = parameters.get('tag');
  return { name, value: `${quoted}<${uri}>${tag === undefined ? '' : `;tag=${tag}`}` };
}
