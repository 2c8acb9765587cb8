import type { Clock, Timer } from '../../../src/gateway.ts';
import { canonicalName, type SipRequest, type SipResponse } from './message.ts';
import { T1_MS, T2_MS, T4_MS, TRYING_MS } from './timers.ts';

/** What a transaction does to the world outside it. */
export interface ServerTransactionEffects {
  /** Sends through the transport that the request came by. */
  send(response: SipResponse): void;
  /** It has ended; whatever would have belonged to it is new from now on. */
  terminated(): void;
}

type State = 'trying' | 'proceeding' | 'completed' | 'confirmed' | 'accepted' | 'terminated';

/**
 * A server transaction (RFC 3261, section 17.2, with RFC 6026's Accepted state for a 2xx to INVITE).
 * Absorbs retransmissions and repeats responses; over a reliable transport the timers that only serve
 * lost packets are zero. When the transport cannot send, the state stays as it is (RFC 6026): a
 * retransmission of the request must not be taken for a new one.
 */
export class ServerTransaction {
  readonly request: SipRequest;
  #clock: Clock;
  #reliable: boolean;
  #effects: ServerTransactionEffects;
  #state: State;
  #last: SipResponse | undefined;
  #timers = new Set<Timer>();

  constructor(request: SipRequest, reliable: boolean, clock: Clock, effects: ServerTransactionEffects) {
    this.request = request;
    this.#reliable = reliable;
    this.#clock = clock;
    this.#effects = effects;
    this.#state = this.#isInvite ? 'proceeding' : 'trying';
    if (this.#isInvite) {
      // The application has 200 ms to say something before we do (section 17.2.1).
      this.#after(TRYING_MS, () => {
        if (this.#state === 'proceeding' && !this.#last) this.#transmit(trying(request));
      });
    }
  }

  get state(): State {
    return this.#state;
  }

  /** Whether a response can still be given. */
  get isOpen(): boolean {
    return this.#state === 'trying' || this.#state === 'proceeding';
  }

  /** @returns whether it was sent: a final response is sent once */
  respond(response: SipResponse): boolean {
    if (!this.isOpen) return false;
    this.#transmit(response);
    if (response.status < 200) {
      this.#state = 'proceeding';
      return true;
    }
    if (!this.#isInvite)
      this.#complete(this.#reliable ? 0 : 64 * T1_MS); // timer J
    else if (response.status < 300) this.#accept();
    else this.#awaitAck();
    return true;
  }

  /** A retransmission of the request, or the ACK of a response of 300 or more. */
  receive(request: SipRequest): void {
    if (request.method === 'ACK') {
      if (this.#state === 'completed' && this.#isInvite) this.#confirm();
      return;
    }
    // A 2xx to INVITE is repeated by who sent it, not by the transaction (RFC 6026, section 7.1).
    if (this.#last && (this.#state === 'proceeding' || this.#state === 'completed'))
      this.#effects.send(this.#last);
  }

  get #isInvite(): boolean {
    return this.request.method === 'INVITE';
  }

  #transmit(response: SipResponse): void {
    this.#last = response;
    this.#effects.send(response);
  }

  /** RFC 6026: stays for 64*T1 to absorb retransmissions of the INVITE (timer L). */
  #accept(): void {
    this.#state = 'accepted';
    this.#after(64 * T1_MS, () => this.#terminate());
  }

  /** Repeats the response until the ACK (timer G, unreliable transports), and gives up after 64*T1 (timer H). */
  #awaitAck(): void {
    this.#state = 'completed';
    this.#after(64 * T1_MS, () => {
      if (this.#state === 'completed') this.#terminate();
    });
    if (!this.#reliable) this.#repeatAfter(T1_MS);
  }

  #repeatAfter(intervalMs: number): void {
    this.#after(intervalMs, () => {
      if (this.#state !== 'completed') return;
      this.#effects.send(this.#last!);
      this.#repeatAfter(Math.min(intervalMs * 2, T2_MS));
    });
  }

  /** Absorbs further ACKs for T4 (timer I). */
  #confirm(): void {
    this.#state = 'confirmed';
    this.#after(this.#reliable ? 0 : T4_MS, () => this.#terminate());
  }

  #complete(lingerMs: number): void {
    this.#state = 'completed';
    this.#after(lingerMs, () => this.#terminate());
  }

  #terminate(): void {
    this.#state = 'terminated';
    for (const timer of this.#timers) timer.cancel();
    this.#timers.clear();
    this.#effects.terminated();
  }

  #after(delayMs: number, action: () => void): void {
    const timer = this.#clock.after(delayMs, () => {
      this.#timers.delete(timer);
      action();
    });
    this.#timers.add(timer);
  }
}

/** What 100 Trying has of its request (RFC 3261, section 8.2.6.1); no tag is added. */
const COPIED = new Set(['via', 'from', 'to', 'call-id', 'cseq', 'timestamp']);

function trying(request: SipRequest): SipResponse {
  return {
    kind: 'response',
    status: 100,
    reason: 'Trying',
    headers: request.headers.filter(({ name }) => COPIED.has(canonicalName(name))),
    body: Buffer.alloc(0),
  };
}
