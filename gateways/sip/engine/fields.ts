/** The structured header fields that the engine itself needs (RFC 3261, sections 20 and 25.1). Pure; refusal is undefined. */

export type Parameters = ReadonlyMap<string, string | undefined>;

export interface Via {
  /** UDP, TCP, TLS, WS, WSS in upper case. */
  readonly transport: string;
  /** As it stands there; an IPv6 address is in brackets. */
  readonly host: string;
  readonly port: number | undefined;
  readonly parameters: Parameters;
}

export interface NameAddress {
  readonly displayName: string;
  readonly uri: string;
  /** Header parameters, such as `tag`; a URI's own are inside it. */
  readonly parameters: Parameters;
}

/*
 * A header's value may be 8 kB of anything. In the patterns below no two neighbours can match the same
 * character, so that what does not match is found out in one pass.
 */
const VIA =
  /^SIP[ \t]*\/[ \t]*2\.0[ \t]*\/[ \t]*([A-Za-z0-9\-.!%*_+`'~]+)[ \t]+(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)[ \t]*(?::[ \t]*(\d{1,5})[ \t]*)?(;.*)?$/is;
/** Display names without quotes are tokens; commas and semicolons would make lists and parameters of them. */
const NAME_ADDRESS = /^("(?:[^"\\]|\\.)*"[ \t]*|[^<",;]*)<([^<>]+)>[ \t]*(;.*)?$/s;
const PARAMETER =
  /[ \t]*;[ \t]*([A-Za-z0-9\-.!%*_+`'~]+)(?:[ \t]*=[ \t]*("(?:[^"\\]|\\.)*"|[^ \t;,"]*))?[ \t]*/sy;
const EMPTY_PARAMETER = /[ \t]*;[ \t]*(?=;|$)/sy;
const URI = /^[A-Za-z][A-Za-z0-9+.-]*:[^ \t<>"]+$/;
const CSEQ = /^(\d{1,10})[ \t]+([^ \t]+)$/;

/** Without spaces and tabs at its ends. String.trim takes 0xA0 too, which is half of a character in UTF-8. */
export function trimSpace(text: string): string {
  let start = 0;
  let end = text.length;
  while (start < end && isSpace(text.charCodeAt(start))) start++;
  while (end > start && isSpace(text.charCodeAt(end - 1))) end--;
  return text.slice(start, end);
}

/** Splits at commas that are neither in quotes nor in angle brackets. */
export function splitList(value: string): string[] {
  const items: string[] = [];
  for (let start = 0; start <= value.length; ) {
    const end = endOfItem(value, start);
    items.push(trimSpace(value.slice(start, end)));
    start = end + 1;
  }
  return items;
}

/** A list's first item, and the rest of the list as it stands there: empty, or starting with a comma. */
export function firstItem(value: string): { item: string; rest: string } {
  const end = endOfItem(value, 0);
  return { item: trimSpace(value.slice(0, end)), rest: value.slice(end) };
}

/** @param value - one Via, not a list */
export function parseVia(value: string): Via | undefined {
  const match = VIA.exec(value);
  if (!match) return undefined;
  const [, transport, host, port, rest] = match;
  if (port !== undefined && (Number(port) === 0 || Number(port) > 65_535)) return undefined;
  const parameters = parseParameters(rest ?? '');
  if (!parameters) return undefined;
  return {
    transport: transport!.toUpperCase(),
    host: host!,
    port: port === undefined ? undefined : Number(port),
    parameters,
  };
}

/** Reads `"Name" <uri>;tag=x` or `uri;tag=x` (From, To, Contact, Route). */
export function parseNameAddress(value: string): NameAddress | undefined {
  const bracketed = NAME_ADDRESS.exec(value);
  if (bracketed) {
    const [, name = '', uri = '', rest = ''] = bracketed;
    const parameters = parseParameters(rest);
    return parameters && isUri(uri) ? { displayName: unquote(trimSpace(name)), uri, parameters } : undefined;
  }
  // Without brackets, everything from the first semicolon on belongs to the header (section 20.10).
  const semicolon = value.indexOf(';');
  const uri = trimSpace(semicolon < 0 ? value : value.slice(0, semicolon));
  const parameters = parseParameters(semicolon < 0 ? '' : value.slice(semicolon));
  return parameters && isUri(uri) && !/[,?]/.test(uri) ? { displayName: '', uri, parameters } : undefined;
}

export interface Parameter {
  /** In lower case. */
  readonly name: string;
  readonly value: string | undefined;
  /** With its semicolon, as it stands there. */
  readonly raw: string;
}

/** @param text - empty, or starting with a semicolon */
export function splitParameters(text: string): Parameter[] | undefined {
  const parameters: Parameter[] = [];
  let at = 0;
  while (at < text.length) {
    // Many phones end with a semicolon, or write two.
    EMPTY_PARAMETER.lastIndex = at;
    if (EMPTY_PARAMETER.test(text)) {
      at = EMPTY_PARAMETER.lastIndex;
      continue;
    }
    PARAMETER.lastIndex = at;
    const match = PARAMETER.exec(text);
    if (!match) return undefined;
    const [raw, name, value] = match;
    parameters.push({ name: name!.toLowerCase(), value: value === undefined ? value : unquote(value), raw });
    at = PARAMETER.lastIndex;
  }
  return parameters;
}

/** @param text - empty, or starting with a semicolon */
export function parseParameters(text: string): Parameters | undefined {
  const parameters = splitParameters(text);
  return parameters && new Map(parameters.map(({ name, value }) => [name, value]));
}

/** The tag of a From or To header. */
export function tagOf(value: string): string | undefined {
  return parseNameAddress(value)?.parameters.get('tag') || undefined;
}

/** The number fits in 31 bits (section 8.1.1.5). */
export function parseCseq(value: string): { number: number; method: string } | undefined {
  const match = CSEQ.exec(value);
  if (!match || Number(match[1]) >= 2 ** 31) return undefined;
  return { number: Number(match[1]), method: match[2]! };
}

/** Whether it is a scheme and something after it, of any scheme. */
export function isUri(text: string): boolean {
  return URI.test(text);
}

function endOfItem(value: string, start: number): number {
  let quoted = false;
  let bracketed = false;
  for (let at = start; at < value.length; at++) {
    const character = value[at];
    if (quoted) {
      if (character === '\\') at++;
      else if (character === '"') quoted = false;
    } else if (character === '"') quoted = true;
    else if (character === '<') bracketed = true;
    else if (character === '>') bracketed = false;
    else if (character === ',' && !bracketed) return at;
  }
  return value.length;
}

function unquote(text: string): string {
  return text.startsWith('"') && text.endsWith('"') && text.length >= 2
    ? text.slice(1, -1).replace(/\\(.)/gs, '$1')
    : text;
}

function isSpace(code: number): boolean {
  return code === 0x20 || code === 0x09;
}
