import { type Application, Core } from '../../../../gateways/sip/engine/core.ts';
import { tagOf } from '../../../../gateways/sip/engine/fields.ts';
import type { Gatekeeper } from '../../../../gateways/sip/engine/gatekeeper.ts';
import {
  type Header,
  header,
  type SipMessage,
  type SipRequest,
  type SipResponse,
} from '../../../../gateways/sip/engine/message.ts';
import { parseMessage } from '../../../../gateways/sip/engine/parser.ts';
import type { Flow, Transport } from '../../../../gateways/sip/engine/transport.ts';
import { createLogger } from '../../../../src/base/log.ts';
import { FakeClock } from '../../support/fake-clock.ts';

export interface RequestParts {
  readonly method?: string;
  readonly uri?: string;
  /** The whole Via value. */
  readonly via?: string;
  readonly branch?: string;
  readonly fromTag?: string;
  readonly toTag?: string | undefined;
  readonly callId?: string;
  readonly cseq?: number;
  readonly contact?: string | undefined;
  /** Whole header lines. */
  readonly extra?: readonly string[];
  readonly body?: string;
}

/** A request as a phone at 192.0.2.10:5060 sends it. */
export function requestBytes(parts: RequestParts = {}): Buffer {
  const { method = 'INVITE', uri = 'sip:room@example.org', branch = 'z9hG4bK1', fromTag = 'phone' } = parts;
  const { callId = 'call-1', cseq = 1, extra = [], body = '' } = parts;
  const contact = 'contact' in parts ? parts.contact : '<sip:phone@192.0.2.10:5060>';
  const lines = [
    `${method} ${uri} SIP/2.0`,
    `Via: ${parts.via ?? `SIP/2.0/UDP 192.0.2.10:5060;branch=${branch};rport`}`,
    'Max-Forwards: 70',
    `From: <sip:phone@example.org>${fromTag ? `;tag=${fromTag}` : ''}`,
    `To: <sip:room@example.org>${parts.toTag ? `;tag=${parts.toTag}` : ''}`,
    `Call-ID: ${callId}`,
    `CSeq: ${cseq} ${method}`,
    ...(contact === undefined ? [] : [`Contact: ${contact}`]),
    ...extra,
    `Content-Length: ${Buffer.byteLength(body)}`,
  ];
  return Buffer.from(`${lines.join('\r\n')}\r\n\r\n${body}`);
}

/** The same, read. */
export function request(parts: RequestParts = {}): SipRequest {
  return parsed(requestBytes(parts)) as SipRequest;
}

export function response(status: number, to: SipRequest, extra: readonly Header[] = []): SipResponse {
  const copied = to.headers.filter(({ name }) => /^(via|from|to|call-id|cseq)$/i.test(name));
  return {
    kind: 'response',
    status,
    reason: 'Reason',
    headers: [...copied, ...extra],
    body: Buffer.alloc(0),
  };
}

/** @throws Error with the reason when it cannot be read */
export function parsed(bytes: Buffer, stream = false): SipMessage {
  const result = parseMessage(bytes, stream);
  if (result.outcome === 'refused') throw new Error(result.reason);
  return result.message;
}

const LOCAL = { localAddress: '198.51.100.1', localPort: 5060 };
export const UDP: Flow = { protocol: 'udp', address: '192.0.2.10', port: 5060, ...LOCAL };
export const TCP: Flow = { protocol: 'tcp', address: '192.0.2.10', port: 40_000, ...LOCAL };

export interface Sent {
  readonly bytes: Buffer;
  readonly to: Flow;
}

/** A transport that keeps what it should send. */
export class FakeTransport implements Transport {
  readonly protocol: Flow['protocol'];
  readonly reliable: boolean;
  readonly port = 5060;
  readonly sent: Sent[] = [];
  /** Whether nothing arrives, and that is known. */
  isBroken = false;

  constructor(protocol: Flow['protocol']) {
    this.protocol = protocol;
    this.reliable = protocol !== 'udp';
  }

  send(bytes: Buffer, to: Flow, onFailure: () => void): void {
    if (this.isBroken) queueMicrotask(onFailure);
    else this.sent.push({ bytes, to });
  }

  async close(): Promise<void> {}
}

interface Received<Message> {
  readonly message: Message;
  readonly transaction: string;
  readonly dialog: string | undefined;
}

/** An application that keeps what it gets. */
export class FakeApplication implements Application {
  connected = true;
  readonly methods = new Set(['INVITE', 'OPTIONS']);
  readonly requests: Received<SipRequest>[] = [];
  readonly responses: Received<SipResponse>[] = [];
  readonly endings: { bye: SipRequest; dialog: string }[] = [];

  takes(method: string): boolean {
    return this.methods.has(method);
  }

  request(message: SipRequest, _flow: Flow, transaction: string, dialog: string | undefined): void {
    this.requests.push({ message, transaction, dialog });
  }

  response(message: SipResponse, _flow: Flow, transaction: string, dialog: string | undefined): void {
    this.responses.push({ message, transaction, dialog });
  }

  ended(bye: SipRequest, _flow: Flow, dialog: string): void {
    this.endings.push({ bye, dialog });
  }
}

/** A core with everything around it faked. */
export class Bench {
  readonly clock = new FakeClock();
  readonly application = new FakeApplication();
  readonly udp = new FakeTransport('udp');
  readonly tcp = new FakeTransport('tcp');
  readonly core: Core;

  constructor(gatekeeper?: (clock: FakeClock) => Gatekeeper) {
    this.core = new Core(
      {
        clock: this.clock,
        log: createLogger('silent'),
        announce: undefined,
        ...(gatekeeper && { gatekeeper: gatekeeper(this.clock) }),
      },
      this.application,
    );
    this.core.use(this.udp);
    this.core.use(this.tcp);
  }

  /** What a phone sends. */
  receive(parts: RequestParts = {}, flow: Flow = UDP): void {
    this.core.receive(requestBytes(parts), flow);
  }

  /** What was sent since the last time that this was asked: statuses and methods. */
  sent(transport = this.udp): (number | string)[] {
    return transport.sent.splice(0).map(({ bytes }) => {
      const [method = '', status = ''] = bytes.toString('latin1', 0, 100).split(' ');
      return method === 'SIP/2.0' ? Number(status) : method;
    });
  }

  /** The same, read. */
  sentMessages(transport = this.udp): SipMessage[] {
    return transport.sent.splice(0).map(({ bytes }) => parsed(bytes, true));
  }

  /** What the application got since the last time that this was asked. */
  methods(): string[] {
    return this.application.requests.splice(0).map(({ message }) => message.method);
  }

  /** The application answers the last request. @returns the tag in To, and the dialog */
  respond(status: number, headers: readonly Header[] = [], body = ''): { tag: string; dialog: string } {
    const { transaction } = this.application.requests.at(-1)!;
    return this.respondTo(transaction, status, headers, body);
  }

  respondTo(transaction: string, status: number, headers: readonly Header[] = [], body = '') {
    const sent = this.core.respond(transaction, status, 'Reason', headers, Buffer.from(body));
    return { tag: tagOf(header(sent.response, 'to')!) ?? '', dialog: sent.dialog ?? '' };
  }

  /** A call that was answered, with its ACK. */
  call(parts: RequestParts = {}, flow: Flow = UDP): { tag: string; dialog: string } {
    this.receive(parts, flow);
    const answered = this.respond(200);
    this.receive({ ...parts, method: 'ACK', branch: 'z9hG4bKack', toTag: answered.tag }, flow);
    this.sent();
    this.sent(this.tcp);
    this.application.requests.splice(0);
    return answered;
  }

  /** A phone's answer to the last request that it got. */
  answer(status: number, sent: SipRequest, flow: Flow = UDP): void {
    const lines = sent.headers
      .filter(({ name }) => /^(via|from|to|call-id|cseq)$/i.test(name))
      .map(({ name, value }) => `${name}: ${value}`);
    this.core.receive(
      Buffer.from(`SIP/2.0 ${status} X\r\n${lines.join('\r\n')}\r\nContent-Length: 0\r\n\r\n`),
      flow,
    );
  }
}
