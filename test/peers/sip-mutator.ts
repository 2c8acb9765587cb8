/** Calls of somebody who gets everything wrong: SIP messages made by rule, then damaged, the same for the same seed. */

const METHODS = [
  ...['INVITE', 'INVITE', 'INVITE', 'ACK', 'BYE', 'CANCEL', 'OPTIONS', 'INFO', 'UPDATE', 'MESSAGE'],
  ...['REFER', 'PRACK', 'NOTIFY', 'SUBSCRIBE', 'REGISTER', 'invite', 'X'],
];
/** What is put into headers and bodies. */
const DIRT = [
  ...[
    '"',
    '<',
    '>',
    ';',
    ',',
    ':',
    '@',
    '%',
    '\\',
    '|',
    '#',
    '\0',
    '\x7f',
    '\xff',
    '€',
    '=',
    '?',
    '[',
    ']',
    '*',
    '&',
  ],
  ...[
    ' ',
    '\t',
    '\r\n ',
    '()',
    '😀',
    'tag=',
    ';tag=',
    'sip:',
    'tel:+1',
    '<sip:x@y>',
    '999999999999',
    '-1',
    '1e9',
  ],
  ...['__proto__', 'constructor', 'lr', 'transport=tcp'],
];
const ODD_HEADERS = [
  ...[
    'Record-Route: <sip:127.0.0.1;lr>',
    'Supported: timer,100rel',
    'Session-Expires: 90',
    'Refer-To: <sip:a@b>',
  ],
  ...[
    'P-Asserted-Identity: "x" <sip:y@z>',
    'Event: foo',
    'Subject: ü',
    'Content-Encoding: gzip',
    'RAck: 1 1 INVITE',
  ],
  ...['Subscription-State: terminated', 'Authorization: Digest x="y"', `X: ${'y'.repeat(3000)}`],
];
const TYPES = [
  'application/sdp',
  'application/sdp',
  'application/dtmf-relay',
  'multipart/mixed;boundary=x',
  '',
  'a',
];
const SDP = [
  ...[
    'v=0',
    'o=- 1 1 IN IP4 127.0.0.1',
    's=-',
    'c=IN IP4 127.0.0.1',
    't=0 0',
    'm=audio 41000 RTP/AVP 0 8 101',
  ],
  ...['a=rtpmap:101 telephone-event/8000', 'a=sendrecv', ''],
].join('\r\n');
/** Calls that it remembers, to damage what happens within them. */
const MAX_DIALOGS = 50;

interface Dialog {
  readonly callId: string;
  readonly ownTag: string;
  readonly theirTag: string;
}

export class SipMutator {
  #random: () => number;
  /** `host:port` */
  #host: string;
  #count = 0;
  #dialogs: Dialog[] = [];

  /** @param random - 0 to below 1 @param at - where answers are to come to */
  constructor(random: () => number, at: { readonly address: string; readonly port: number }) {
    this.#random = random;
    this.#host = `${at.address}:${at.port}`;
  }

  /** A message that came: calls that were answered get more of the same. */
  learn(message: Buffer): void {
    const text = message.toString('latin1');
    if (!text.startsWith('SIP/2.0 200') || !/\nCSeq: \d+ INVITE/i.test(text)) return;
    const find = (pattern: RegExp) => pattern.exec(text)?.[1]?.trim() ?? '';
    this.#dialogs.push({
      callId: find(/\nCall-ID: (.*)/),
      ownTag: find(/\nFrom: .*tag=([^;\r\n]+)/),
      theirTag: find(/\nTo: .*tag=([^;\r\n]+)/),
    });
    if (this.#dialogs.length > MAX_DIALOGS) this.#dialogs.shift();
  }

  next(): Buffer {
    const number = this.#count++;
    const method = this.#pick(METHODS);
    const dialog = this.#chance(0.5) && this.#dialogs.length > 0 ? this.#pick(this.#dialogs) : undefined;
    const headers = [
      `Via: SIP/2.0/UDP ${this.#host};branch=z9hG4bK${number};rport`,
      `From: "A B" <sip:+4930123@127.0.0.1>;tag=${dialog?.ownTag ?? `f${number}`}`,
      `To: <sip:demo@127.0.0.1>${dialog ? `;tag=${dialog.theirTag}` : ''}`,
      `Call-ID: ${dialog?.callId ?? `c${number}@x`}`,
      `CSeq: ${dialog ? 2 + number : 1} ${method}`,
      `Contact: <sip:a@${this.#host}>`,
      'Max-Forwards: 70',
    ];
    if (this.#chance(0.3)) headers.push(this.#pick(ODD_HEADERS));
    const body = this.#body(method);
    if (body) headers.push(`Content-Type: ${this.#pick(TYPES)}`);
    for (let damages = Math.floor(this.#random() * 3); damages > 0; damages--) this.#damageHeader(headers);
    if (this.#chance(0.95)) headers.push(`Content-Length: ${Buffer.byteLength(body)}`);
    const text = `${method} ${this.#uri()} SIP/2.0\r\n${headers.join('\r\n')}\r\n\r\n${body}`;
    return Buffer.from(text, this.#chance(0.9) ? 'utf8' : 'latin1');
  }

  #uri(): string {
    if (this.#chance(0.8)) return this.#pick(['sip:demo@127.0.0.1', 'sip:other@127.0.0.1', 'tel:+49301']);
    return `sip:${this.#pick(DIRT)}${this.#pick(DIRT)}@127.0.0.1`;
  }

  #body(method: string): string {
    if (method === 'INFO') return this.#pick(['Signal=5\r\nDuration=160\r\n', 'x', '']);
    if (method !== 'INVITE' && method !== 'UPDATE') return this.#chance(0.2) ? SDP : '';
    const part = SDP.slice(0, Math.floor(this.#random() * SDP.length));
    const whole = this.#pick([SDP, SDP, SDP, '', part, SDP + SDP, 'garbage', SDP.replaceAll('\r\n', '\n')]);
    return this.#chance(0.3) ? this.#damage(whole, 0) : whole;
  }

  #damageHeader(headers: string[]): void {
    const index = Math.floor(this.#random() * headers.length);
    const header = headers[index] ?? '';
    const what = this.#random();
    if (what < 0.1) headers.splice(index, 1);
    else if (what < 0.2) headers.push(header);
    else if (what < 0.3) headers[index] = header.slice(0, header.indexOf(':') + 1);
    else headers[index] = this.#damage(header, header.indexOf(':') + 1);
  }

  /** Puts something in, or takes something out, from `start` on. */
  #damage(text: string, start: number): string {
    const at = start + Math.floor(this.#random() * (text.length - start));
    const dirt = this.#chance(0.6) ? this.#pick(DIRT) : '';
    return text.slice(0, at) + dirt + text.slice(at + Math.floor(this.#random() * 4));
  }

  #chance(probability: number): boolean {
    return this.#random() < probability;
  }

  #pick<T>(choices: readonly T[]): T {
    return choices[Math.floor(this.#random() * choices.length)]!;
  }
}
