/** Who calls, and where to: from a SIP request's From header and Request-URI (RFC 3261, sections 8.1.1.1 and 8.1.1.3). Pure. */

export interface Caller {
  /** The same for each call of this caller: 'sip:alice@example.org' or 'tel:+4930123456'. At most 256 characters. */
  readonly identity: string;
  /** For people to read, 1 to 100 characters. Of a telephone number only its ends are shown. */
  readonly name: string;
}

/** How RFC 3323, section 4.1.1.3, writes a caller who does not say who it is. */
const ANONYMOUS: Caller = { identity: 'sip:anonymous@anonymous.invalid', name: 'Anonymous caller' };

const MAX_HEADER_CHARACTERS = 4096;
const MAX_IDENTITY_CHARACTERS = 256;
const MAX_NAME_CHARACTERS = 100;
/** As long as browsers may name a room. */
const MAX_ROOM_CHARACTERS = 128;
/** Telephone numbers up to this length are extensions, and nobody's secret. */
const SHOWN_WHOLE = 6;

/** Control characters, and those that turn the direction of the text around them (Unicode's Bidi_Control). */
const UNPRINTABLE = /[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}]/gu;

/**
 * The caller from the value of a From header. What cannot be read makes an anonymous caller; nothing throws.
 */
export function callerOf(fromHeader: string): Caller {
  if (fromHeader.length > MAX_HEADER_CHARACTERS) return ANONYMOUS;
  const { displayName, uri } = nameAddressOf(fromHeader.trim());
  const address = addressOf(uri);
  if (!address) return ANONYMOUS;
  const { scheme, host } = address;
  const user = address.user.toWellFormed().replace(UNPRINTABLE, '');
  const identity = scheme === 'tel' ? `tel:${user}` : `sip:${user}@${host}`;
  if (!user || identity.length > MAX_IDENTITY_CHARACTERS) {
    return { identity: identityWithoutUser(host), name: shown(displayName) || ANONYMOUS.name };
  }
  return { identity, name: shown(displayName) || shown(user) || ANONYMOUS.name };
}

/**
 * The room that a Request-URI names: the user part of 'sip:room@host', unescaped, or the number of 'tel:+49...'.
 * @returns undefined when it names none, or is no such URI
 */
export function roomOf(requestUri: string): string | undefined {
  if (requestUri.length > MAX_HEADER_CHARACTERS) return undefined;
  const user = addressOf(requestUri.trim())?.user;
  if (!user || user.length > MAX_ROOM_CHARACTERS || user.search(UNPRINTABLE) >= 0) return undefined;
  return user.isWellFormed() ? user : undefined;
}

interface Address {
  readonly scheme: 'sip' | 'tel';
  /** Unescaped, without password and parameters; a telephone number without separators if it is `tel`. */
  readonly user: string;
  /** In lower case, without port; empty for `tel`. */
  readonly host: string;
}

/** More tolerant than the engine's grammar: whoever gets a call through should be shown. */
const SIP_URI = /^sips?:(?:([^@]*)@)?(\[[0-9a-f:.]+\]|[\w.-]+)(?::\d*)?((?:[;?].*)?)$/is;

function addressOf(uri: string): Address | undefined {
  const number = /^tel:([^;?]+)/i.exec(uri)?.[1];
  if (number !== undefined) {
    const digits = telephoneNumber(unescaped(number) ?? '');
    return digits === undefined ? undefined : { scheme: 'tel', user: digits, host: '' };
  }
  const [, userInfo = '', host, parameters = ''] = SIP_URI.exec(uri) ?? [];
  if (host === undefined) return undefined;
  // A telephone number in a SIP URI brings its own parameters (RFC 3261, section 19.1.6).
  const user = unescaped(/^[^:;]*/.exec(userInfo)![0]);
  if (user === undefined) return undefined;
  const isNumber = /;user=phone(?:[;?]|$)/i.test(parameters) || user.startsWith('+');
  const plain = isNumber ? telephoneNumber(user) : undefined;
  return { scheme: 'sip', user: plain ?? user, host: host.toLowerCase() };
}

/** Splits `"Name" <uri>;tag=x` and `uri;tag=x` (section 20.10); a quoted string may hold escaped characters. */
function nameAddressOf(value: string): { displayName: string; uri: string } {
  const quoted = /^"((?:[^"\\]|\\.)*)"\s*/s.exec(value);
  const rest = quoted ? value.slice(quoted[0].length) : value;
  const open = rest.indexOf('<');
  if (open < 0) return { displayName: '', uri: /^[^;]*/.exec(rest)![0].trim() };
  const close = rest.indexOf('>', open);
  const displayName = quoted ? quoted[1]!.replace(/\\(.)/gs, '$1') : rest.slice(0, open).replaceAll('"', '');
  return { displayName, uri: close < 0 ? '' : rest.slice(open + 1, close).trim() };
}

/** A name as it may be shown: one line, not too long, a telephone number masked. Empty when nothing is left. */
function shown(name: string): string {
  const line = name.toWellFormed().replace(UNPRINTABLE, ' ').replace(/\s+/g, ' ').trim();
  if (/^anonymous$/i.test(line)) return ANONYMOUS.name;
  const number = telephoneNumber(line);
  if (number === undefined || number.length <= SHOWN_WHOLE) return firstCharacters(line, MAX_NAME_CHARACTERS);
  return `${number.slice(0, 3)}…${number.slice(-3)}`;
}

/** @returns the number without its visual separators (RFC 3966, section 3), or undefined when the text is none */
function telephoneNumber(text: string): string | undefined {
  const digits = text.replace(/[\s().\-/]/g, '');
  return /^\+?\d+$/.test(digits) ? digits : undefined;
}

function firstCharacters(text: string, count: number): string {
  // A character beyond the basic plane takes two code units, which must not be torn apart.
  return text.length <= count ? text : text.slice(0, count).replace(/[\ud800-\udbff]$/, '');
}

function identityWithoutUser(host: string): string {
  return host === '' || host.length > MAX_IDENTITY_CHARACTERS - 4 ? ANONYMOUS.identity : `sip:${host}`;
}

/** @returns undefined for an escape that is none */
function unescaped(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}
