import { randomBytes } from 'node:crypto';
import type { Clock } from '../../../src/gateway.ts';
import { answer } from './answering.ts';
import { NonInviteClientTransaction } from './client-transaction.ts';
import { parseCseq, parseVia, splitList } from './fields.ts';
import { header, headersOf, type SipRequest, type SipResponse } from './message.ts';

/** @param onFailure - to be called when the request certainly did not arrive */
export type SendRequest = (request: SipRequest, onFailure: () => void) => void;

/** The table of client transactions, by their branches, which are ours. */
export class ClientTransactions {
  #clock: Clock;
  #byBranch = new Map<string, NonInviteClientTransaction>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get size(): number {
    return this.#byBranch.size;
  }

  /** A branch that nobody guesses (RFC 3261, section 8.1.1.7). */
  newBranch(): string {
    return `z9hG4bK${randomBytes(12).toString('hex')}`;
  }

  /** Sends a request. @param onResponse - gets one final response at the latest after 32 s, if need be made here */
  begin(
    branch: string,
    request: SipRequest,
    reliable: boolean,
    send: SendRequest,
    onResponse: (response: SipResponse) => void,
  ): void {
    const transaction = new NonInviteClientTransaction(request, reliable, this.#clock, {
      send: (message) => send(message, () => transaction.transportFailed()),
      received: onResponse,
      terminated: (cause) => {
        this.#byBranch.delete(branch);
        // Section 8.1.3.1: no response counts as 408, no transport as 503.
        if (cause === 'timeout') onResponse(answer(request, 408, 'Request Timeout', ''));
        if (cause === 'transport') onResponse(answer(request, 503, 'Service Unavailable', ''));
      },
    });
    this.#byBranch.set(branch, transaction);
  }

  /** @returns whether it was a response to something that was sent (section 17.1.3) */
  receive(response: SipResponse): boolean {
    const [via, ...others] = headersOf(response, 'via').flatMap(splitList);
    // More than one Via: it went astray (section 8.1.3.3).
    const branch = others.length > 0 ? undefined : parseVia(via!)?.parameters.get('branch');
    const transaction = branch === undefined ? undefined : this.#byBranch.get(branch);
    const cseq = parseCseq(header(response, 'cseq')!);
    if (transaction?.request.method !== cseq?.method) return false;
    transaction?.receive(response);
    return transaction !== undefined;
  }
}
