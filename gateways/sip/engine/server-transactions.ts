import { randomBytes, randomUUID } from 'node:crypto';
import type { Clock } from '../../../src/gateway.ts';
import { answerFlow } from './answering.ts';
import type { Dialog, Serving } from './dialog.ts';
import { originOf } from './matching.ts';
import type { SipRequest, SipResponse } from './message.ts';
import { ServerTransaction } from './server-transaction.ts';
import type { Flow } from './transport.ts';

/** Who does not answer is answered for: a call rings for three minutes, anything else waits less than its timer F. */
const INVITE_LIMIT_MS = 180_000;
const REQUEST_LIMIT_MS = 20_000;

/** The table of server transactions. */
export class ServerTransactions {
  #clock: Clock;
  #send: (response: SipResponse, to: Flow) => void;
  #byKey = new Map<string, Serving>();
  #byId = new Map<string, Serving>();
  /** How many there are of each address, outside of dialogs that stood when they came. */
  #ofAddress = new Map<string, number>();
  #withinDialog = new Map<Dialog, number>();
  /** How many there are of each request, whatever way it came. */
  #origins = new Map<string, number>();

  constructor(clock: Clock, send: (response: SipResponse, to: Flow) => void) {
    this.#clock = clock;
    this.#send = send;
  }

  get size(): number {
    return this.#byKey.size;
  }

  /** How many of an address there are. */
  from(address: string): number {
    return this.#ofAddress.get(address) ?? 0;
  }

  /** How many there are within a dialog. */
  within(dialog: Dialog): number {
    return this.#withinDialog.get(dialog) ?? 0;
  }

  /** @param key - transactionKey's */
  find(key: string): Serving | undefined {
    return this.#byKey.get(key);
  }

  findById(id: string): Serving | undefined {
    return this.#byId.get(id);
  }

  /** Those that still want a response. */
  open(): Serving[] {
    return [...this.#byKey.values()].filter(({ transaction }) => transaction.isOpen);
  }

  /** Whether a request that is served is served already, by another way (RFC 3261, section 8.2.2.2). */
  isMerged(request: SipRequest): boolean {
    return (this.#origins.get(originOf(request)) ?? 0) > 1;
  }

  /** @param dialog - that stood when it came @param onUnanswered - called when it got no final response for too long */
  begin(
    key: string,
    request: SipRequest,
    flow: Flow,
    dialog: Dialog | undefined,
    reliable: boolean,
    onUnanswered: (serving: Serving) => void,
  ): Serving {
    const id = randomUUID();
    const origin = originOf(request);
    const answerTo = answerFlow(request, flow);
    const transaction = new ServerTransaction(request, reliable, this.#clock, {
      send: (response) => this.#send(response, answerTo),
      terminated: () => {
        limit.cancel();
        this.#byKey.delete(key);
        this.#byId.delete(id);
        count(this.#origins, origin, -1);
        if (dialog) count(this.#withinDialog, dialog, -1);
        else count(this.#ofAddress, flow.address, -1);
      },
    });
    const tag = randomBytes(8).toString('hex');
    const serving: Serving = { transaction, id, request, flow, answerTo, tag, dialog: undefined };
    const limitMs = request.method === 'INVITE' ? INVITE_LIMIT_MS : REQUEST_LIMIT_MS;
    const limit = this.#clock.after(limitMs, () => {
      if (transaction.isOpen) onUnanswered(serving);
    });
    this.#byKey.set(key, serving);
    this.#byId.set(id, serving);
    count(this.#origins, origin, 1);
    if (dialog) count(this.#withinDialog, dialog, 1);
    else count(this.#ofAddress, flow.address, 1);
    return serving;
  }
}

function count<Key>(counts: Map<Key, number>, key: Key, change: 1 | -1): void {
  const left = (counts.get(key) ?? 0) + change;
  if (left > 0) counts.set(key, left);
  else counts.delete(key);
}
