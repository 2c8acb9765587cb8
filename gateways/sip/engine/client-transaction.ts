import type { Clock, Timer } from '../../../src/gateway.ts';
import type { SipRequest, SipResponse } from './message.ts';
import { T1_MS, T2_MS, T4_MS } from './timers.ts';

/** What a transaction does to the world outside it. */
export interface ClientTransactionEffects {
  send(request: SipRequest): void;
  /** A response for who sent the request; retransmissions of it are absorbed here. */
  received(response: SipResponse): void;
  /** It has ended: with a final response, or without one. */
  terminated(cause: 'done' | 'timeout' | 'transport'): void;
}

type State = 'trying' | 'proceeding' | 'completed' | 'terminated';

/** A client transaction for anything but INVITE (RFC 3261, section 17.1.2): timers E, F and K. */
export class NonInviteClientTransaction {
  readonly request: SipRequest;
  #clock: Clock;
  #reliable: boolean;
  #effects: ClientTransactionEffects;
  #state: State = 'trying';
  #timers = new Set<Timer>();

  constructor(request: SipRequest, reliable: boolean, clock: Clock, effects: ClientTransactionEffects) {
    this.request = request;
    this.#reliable = reliable;
    this.#clock = clock;
    this.#effects = effects;
    this.#after(64 * T1_MS, () => {
      if (this.#state === 'trying' || this.#state === 'proceeding') this.#terminate('timeout'); // timer F
    });
    if (!reliable) this.#repeatAfter(T1_MS);
    effects.send(request);
  }

  get state(): State {
    return this.#state;
  }

  /** A response that matched (section 17.1.3). */
  receive(response: SipResponse): void {
    if (this.#state !== 'trying' && this.#state !== 'proceeding') return;
    if (response.status < 200) this.#state = 'proceeding';
    else {
      this.#state = 'completed';
      this.#after(this.#reliable ? 0 : T4_MS, () => this.#terminate('done')); // timer K
    }
    this.#effects.received(response);
  }

  /** What was sent did certainly not arrive (section 17.1.4). */
  transportFailed(): void {
    if (this.#state === 'completed') return;
    this.#terminate('transport');
  }

  /** Timer E: doubles up to T2; once a provisional response came it is T2. */
  #repeatAfter(intervalMs: number): void {
    this.#after(intervalMs, () => {
      if (this.#state !== 'trying' && this.#state !== 'proceeding') return;
      this.#effects.send(this.request);
      this.#repeatAfter(this.#state === 'proceeding' ? T2_MS : Math.min(intervalMs * 2, T2_MS));
    });
  }

  #terminate(cause: 'done' | 'timeout' | 'transport'): void {
    if (this.#state === 'terminated') return;
    this.#state = 'terminated';
    for (const timer of this.#timers) timer.cancel();
    this.#timers.clear();
    this.#effects.terminated(cause);
  }

  #after(delayMs: number, action: () => void): void {
    const timer = this.#clock.after(delayMs, () => {
      this.#timers.delete(timer);
      action();
    });
    this.#timers.add(timer);
  }
}
