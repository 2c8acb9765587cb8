import { randomBytes } from 'node:crypto';
import type { Address } from './phone-line.ts';
import {
  addressOf,
  buildMessage,
  cseqOf,
  fieldOf,
  fieldsOf,
  parameterOf,
  type SipMessage,
  uriOf,
} from './phone-message.ts';

export interface DialogOptions {
  /** Whom it calls. */
  readonly uri: string;
  /** Where its messages come from, for Via. */
  readonly local: Address;
  /** What it asks the other side to send requests to, for Contact. */
  readonly contact: Address;
  readonly name?: string;
  readonly user?: string;
  /** Any other than that of all other calls, unless said. */
  readonly callId?: string;
}

const ALLOW = 'Allow: INVITE, ACK, BYE, CANCEL, OPTIONS, UPDATE, INFO, NOTIFY';

/** The caller's side of one SIP dialog (RFC 3261, section 12): who, where to, and counting up. */
export class PhoneDialog {
  readonly callId: string;
  readonly contact: string;
  /** The last request sent with `request('INVITE')` has this number. */
  cseq = 0;
  #options: DialogOptions;
  #from: string;
  #to: string;
  #remoteTarget: string;
  #routes: string[] = [];

  constructor(options: DialogOptions) {
    const { uri, local, contact, name = 'Phone', user = 'phone' } = options;
    this.#options = options;
    this.callId = options.callId ?? randomBytes(12).toString('hex');
    this.#from = `"${name}" <sip:${user}@${local.address}>;tag=${randomBytes(6).toString('hex')}`;
    this.#to = `<${uri}>`;
    this.#remoteTarget = uri;
    this.contact = `Contact: <sip:${user}@${contact.address}:${contact.port}>`;
  }

  /** Where the next request goes: the first route, or the other side's contact (section 12.2.1.1). */
  get target(): Address {
    return addressOf(this.#routes[0] ? uriOf(this.#routes[0]) : this.#remoteTarget);
  }

  request(method: string, lines: readonly string[] = [], body = ''): string {
    this.cseq++;
    return this.#build(method, this.cseq, newBranch(), lines, body);
  }

  /** The ACK of a 2xx is a transaction of its own with the INVITE's number (section 13.2.2.4). */
  acknowledgement(inviteCseq: number, body = ''): string {
    return this.#build('ACK', inviteCseq, newBranch(), [], body);
  }

  /** Section 9.1: everything as in the INVITE, but the method. */
  cancellation(invite: SipMessage): string {
    const copied = ['via', 'max-forwards', 'from', 'to', 'call-id', 'route'].flatMap((name) =>
      fieldsOf(invite, name).map((value) => `${name}: ${value}`),
    );
    return buildMessage(`CANCEL ${invite.uri} SIP/2.0`, [...copied, `CSeq: ${cseqOf(invite).number} CANCEL`]);
  }

  /** Takes from a 2xx to an INVITE what the dialog needs (sections 12.1.2 and 12.2.1.2). */
  confirm(response: SipMessage): void {
    this.#to = fieldOf(response, 'to') ?? this.#to;
    if (this.#routes.length === 0) {
      const recorded = fieldsOf(response, 'record-route').flatMap((value) => value.split(/,\s*(?=<)/));
      this.#routes = recorded.reverse();
    }
    this.retarget(response);
  }

  /** The other side gave a new contact. */
  retarget(message: SipMessage): void {
    const contact = fieldOf(message, 'contact');
    if (contact) this.#remoteTarget = uriOf(contact);
  }

  /** @returns whether a request from the other side belongs to this dialog */
  owns(request: SipMessage): boolean {
    return (
      fieldOf(request, 'call-id') === this.callId &&
      parameterOf(fieldOf(request, 'to'), 'tag') === parameterOf(this.#from, 'tag') &&
      parameterOf(fieldOf(request, 'from'), 'tag') === parameterOf(this.#to, 'tag')
    );
  }

  #build(method: string, cseq: number, branch: string, lines: readonly string[], body: string): string {
    const { address, port } = this.#options.local;
    return buildMessage(
      `${method} ${this.#remoteTarget} SIP/2.0`,
      [
        `Via: SIP/2.0/UDP ${address}:${port};branch=${branch};rport`,
        'Max-Forwards: 70',
        ...this.#routes.map((route) => `Route: ${route}`),
        `From: ${this.#from}`,
        `To: ${this.#to}`,
        `Call-ID: ${this.callId}`,
        `CSeq: ${cseq} ${method}`,
        ...(method === 'ACK' ? [] : [this.contact, ALLOW]),
        'User-Agent: test-phone',
        ...lines,
      ],
      body,
    );
  }
}

function newBranch(): string {
  return `z9hG4bK${randomBytes(8).toString('hex')}`;
}
