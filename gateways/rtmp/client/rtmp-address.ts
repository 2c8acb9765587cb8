import { isIPv6 } from 'node:net';

/** Where a stream is published: the parts of rtmp://host[:port]/app/key that the protocol asks for one by one. */
export interface RtmpAddress {
  /** Over TLS (rtmps). */
  readonly secure: boolean;
  /** A name, or an address without the brackets that IPv6 has in URLs; in lower case. */
  readonly host: string;
  readonly port: number;
  /** Between host and key, without slashes at its end: 'live', 'x/y', with its query if it has one. */
  readonly app: string;
  /** The last part of the path, with its query. Whoever knows it can publish. */
  readonly key: string;
  /** Without the key; the port only where it is not the scheme's own. */
  readonly tcUrl: string;
}

const MAX_CHARACTERS = 1024;
const RTMP_PORT = 1935;
const RTMPS_PORT = 443;
const SCHEME = /^(rtmps?):\/\//i;
/** Host (a name, or IPv6 in brackets) and port. */
const AUTHORITY = /^(?:\[([^[\]%]+)\]|([a-z\d](?:[a-z\d_.-]*[a-z\d])?\.?))(?::(\d{1,5}))?$/i;
/** Spaces, control and format characters: nothing that a key has, but much that is pasted with one. */
const UNPRINTABLE = /[\p{C}\p{Z}]/u;
const USER_INFO =
  'The address has a user name or password, which RTMP has no place for: an address is rtmp://host/app/stream-key.';
const EXAMPLE = 'such as rtmp://live.example.com/app/stream-key';

/** Of a masked key, at both ends; only of keys that are long enough to keep their secret. */
const SHOWN_CHARACTERS = 3;
const LONG_KEY_CHARACTERS = 16;
const MASK = '{***}';

/**
 * Percent-encoding is left as it is. The key begins behind the last slash that is not in a query, unless there
 * would be no app then: in rtmp://host/app?token=x/key the query is the app's.
 * @returns the parts, or why it is no address, in a sentence for whoever typed it, which says nothing of what may be a key
 */
export function parseRtmpAddress(text: string): RtmpAddress | { readonly reason: string } {
  if (text.length > MAX_CHARACTERS)
    return { reason: `The address has more than ${MAX_CHARACTERS} characters.` };
  if (UNPRINTABLE.test(text))
    return { reason: 'The address contains spaces or other characters that cannot be seen: remove them.' };
  const scheme = SCHEME.exec(text);
  if (!scheme) return { reason: `The address has to begin with rtmp:// or rtmps://, ${EXAMPLE}.` };
  const secure = scheme[1]!.toLowerCase() === 'rtmps';
  const rest = text.slice(scheme[0].length);
  const slash = rest.indexOf('/');
  const authority = slash < 0 ? rest : rest.slice(0, slash);
  const path = slash < 0 ? '' : rest.slice(slash + 1);
  if (authority.includes('@')) return { reason: USER_INFO };
  const place = AUTHORITY.exec(authority);
  if (!place || (place[1] !== undefined && !isIPv6(place[1])))
    return {
      reason: `The address has no valid host behind its ${secure ? 'rtmps' : 'rtmp'}://, ${EXAMPLE}.`,
    };
  const ownPort = secure ? RTMPS_PORT : RTMP_PORT;
  const port = place[3] === undefined ? ownPort : Number(place[3]);
  if (port < 1 || port > 65_535) return { reason: 'The port in the address has to be 1 to 65535.' };
  const parts = splitPath(path);
  if (!parts) return { reason: `The address needs an app and a stream key behind the host, ${EXAMPLE}.` };
  // What a user name with a slash in it leaves behind.
  if (parts.app.includes('@')) return { reason: USER_INFO };
  const host = (place[1] ?? place[2]!).toLowerCase();
  const named = place[1] === undefined ? host : `[${host}]`;
  const tcUrl = `rtmp${secure ? 's' : ''}://${named}${port === ownPort ? '' : `:${port}`}/${parts.app}`;
  return { secure, host, port, ...parts, tcUrl };
}

/** @param path - without its first slash */
function splitPath(path: string): { app: string; key: string } | undefined {
  for (let end = path.indexOf('?'); ; end = path.indexOf('?', end + 1)) {
    const slash = (end < 0 ? path : path.slice(0, end)).lastIndexOf('/');
    const app = path.slice(0, Math.max(0, slash)).replace(/\/+$/, '');
    const key = path.slice(slash + 1);
    if (app !== '' && key !== '' && !key.startsWith('?')) return { app, key };
    if (end < 0) return undefined;
  }
}

/**
 * The address as people may see it: rtmp://host/app/{abc...xyz}, and {***} for a key of fewer than 16 characters.
 * Queries are masked whole.
 * @param text - anything; of what is no address nothing is shown but the scheme
 */
export function maskedAddress(text: string): string {
  const address = parseRtmpAddress(text);
  if ('reason' in address) return (SCHEME.exec(text)?.[0].toLowerCase() ?? '') + MASK;
  const { tcUrl, key } = address;
  const [place] = tcUrl.split('?', 1) as [string];
  const [name] = key.split('?', 1) as [string];
  return `${place}${maskedQuery(tcUrl)}/${maskedKey(name)}${maskedQuery(key)}`;
}

function maskedQuery(text: string): string {
  return text.includes('?') ? `?${MASK}` : '';
}

function maskedKey(name: string): string {
  const characters = [...name];
  if (characters.length < LONG_KEY_CHARACTERS) return MASK;
  const first = characters.slice(0, SHOWN_CHARACTERS).join('');
  return `{${first}...${characters.slice(-SHOWN_CHARACTERS).join('')}}`;
}
