/** SIP messages as text (RFC 3261, section 7), as far as a test phone needs them. */

export interface SipMessage {
  /** Of a request. */
  readonly method?: string;
  readonly uri?: string;
  /** Of a response. */
  readonly status?: number;
  readonly reason?: string;
  readonly fields: readonly (readonly [name: string, value: string])[];
  readonly body: string;
  readonly text: string;
}

/** RFC 3261, section 7.3.3 */
const COMPACT: Record<string, string> = {
  c: 'content-type',
  f: 'from',
  i: 'call-id',
  k: 'supported',
  l: 'content-length',
  m: 'contact',
  t: 'to',
  v: 'via',
};

/** @returns the message, or undefined when the text is none */
export function parseMessage(text: string): SipMessage | undefined {
  const end = text.indexOf('\r\n\r\n');
  if (end < 0) return undefined;
  const [start = '', ...lines] = text
    .slice(0, end)
    .replace(/\r\n[ \t]+/g, ' ')
    .split('\r\n');
  const fields = lines.map((line): [string, string] => {
    const colon = line.indexOf(':');
    const name = line.slice(0, colon).trim().toLowerCase();
    return [COMPACT[name] ?? name, line.slice(colon + 1).trim()];
  });
  const rest = { fields, body: text.slice(end + 4), text };
  const response = /^SIP\/2\.0 (\d{3}) ?(.*)$/.exec(start);
  if (response) return { status: Number(response[1]), reason: response[2], ...rest };
  const request = /^([A-Z]+) (\S+) SIP\/2\.0$/.exec(start);
  return request ? { method: request[1], uri: request[2], ...rest } : undefined;
}

/** All values of a field, in their order. */
export function fieldsOf(message: SipMessage, name: string): string[] {
  return message.fields.filter(([one]) => one === name).map(([, value]) => value);
}

/** The first value of a field. */
export function fieldOf(message: SipMessage, name: string): string | undefined {
  return message.fields.find(([one]) => one === name)?.[1];
}

export function cseqOf(message: SipMessage): { number: number; method: string } {
  const [number, method = ''] = (fieldOf(message, 'cseq') ?? '').split(/\s+/);
  return { number: Number(number), method };
}

export function branchOf(message: SipMessage): string | undefined {
  return parameterOf(fieldOf(message, 'via'), 'branch');
}

export function parameterOf(value: string | undefined, name: string): string | undefined {
  return new RegExp(`;\\s*${name}\\s*=\\s*([^;,\\s>]+)`, 'i').exec(value ?? '')?.[1];
}

/** The address in angle brackets, or the whole value up to its parameters. */
export function uriOf(value: string): string {
  return /<([^>]+)>/.exec(value)?.[1] ?? value.split(';')[0]!.trim();
}

/** Where the requests for that URI go. */
export function addressOf(uri: string): { port: number; address: string } {
  const match = /^sips?:(?:[^@]*@)?([^:;?>]+)(?::(\d+))?/.exec(uri);
  if (!match) throw new Error(`No SIP URI: ${uri}`);
  return { address: match[1]!, port: Number(match[2] ?? 5060) };
}

/** @param body - SDP unless the lines name another Content-Type */
export function buildMessage(startLine: string, lines: readonly string[], body = ''): string {
  const typed = lines.some((line) => /^content-type:/i.test(line));
  const type = body && !typed ? ['Content-Type: application/sdp'] : [];
  const length = `Content-Length: ${Buffer.byteLength(body)}`;
  return [startLine, ...lines, ...type, length, '', body].join('\r\n');
}

/** An answer to that request (RFC 3261, section 8.2.6). */
export function buildResponse(
  request: SipMessage,
  start: string,
  lines: readonly string[] = [],
  body = '',
): string {
  const copied = ['Via', 'From', 'To', 'Call-ID', 'CSeq'].flatMap((name) =>
    fieldsOf(request, name.toLowerCase()).map((value) => `${name}: ${value}`),
  );
  return buildMessage(`SIP/2.0 ${start}`, [...copied, ...lines], body);
}
