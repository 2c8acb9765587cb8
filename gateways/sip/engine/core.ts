import { randomUUID } from 'node:crypto';
import type { Clock, Logger } from '../../../src/gateway.ts';
import { Acceptance } from './acceptance.ts';
import { answer, answerFlow, markSource } from './answering.ts';
import { ClientTransactions } from './client-transactions.ts';
import { type CoreCounters, zeroCounters } from './counters.ts';
import type { Serving } from './dialog.ts';
import { Dialog } from './dialog.ts';
import { Dialogs } from './dialogs.ts';
import { parseCseq, tagOf } from './fields.ts';
import type { Gatekeeper } from './gatekeeper.ts';
import { maskedLine } from './masked-line.ts';
import { transactionKey } from './matching.ts';
import { type Header, header, type SipRequest, type SipResponse } from './message.ts';
import { parseMessage } from './parser.ts';
import type { DialogRecord } from './process-messages.ts';
import { RETRY_SOON, type Refusal, refusalOf } from './refusal.ts';
import { ServerTransactions } from './server-transactions.ts';
import type { Flow, Transport } from './transport.ts';
import { Transports } from './transports.ts';

/** Who answers requests: the application behind the wire protocol. */
export interface Application {
  /** Whether anybody is there; without one, requests are answered 503. */
  readonly connected: boolean;
  /** Whether it wants requests of that method; others are answered 405. Within a dialog it gets the usual ones unasked. */
  takes(method: string): boolean;
  /**
   * A request of a peer. A CANCEL has the transaction of its INVITE; it comes also when an INVITE has
   * ended another way, and neither of them is to be answered any more.
   */
  request(request: SipRequest, flow: Flow, transaction: string, dialog: string | undefined): void;
  response(response: SipResponse, flow: Flow, transaction: string, dialog: string | undefined): void;
  /** A dialog was ended by us without having been asked to: no ACK came. */
  ended(bye: SipRequest, flow: Flow, dialog: string): void;
}

export interface CoreOptions {
  readonly clock: Clock;
  readonly log: Logger;
  /** The host that peers are told to send to; undefined: the address that the request came in on. */
  readonly announce: string | undefined;
  /** Who is listened to; undefined: everybody. */
  readonly gatekeeper?: Gatekeeper;
}

/** More than this at once is answered 503, whatever the gatekeeper permits. */
const MAX_TRANSACTIONS = 20_000;
/** Of one address, outside of the calls that it has. */
const MAX_OF_ADDRESS = MAX_TRANSACTIONS / 2;
/** Limits of one call. */
const MAX_IN_DIALOG = 1_000;
const MAX_CALLS = 20_000;
/** Of all calls, what an address that has all others cannot have. */
const RESERVED_SHARE = 0.1;
const NO_BODY = Buffer.alloc(0);
/** Requests that need what is not here: an INVITE client transaction, or one to belong to. */
const NOT_FOR_CLIENTS = ['INVITE', 'ACK', 'CANCEL', 'PRACK'];

/**
 * The transaction user of a server (RFC 3261, sections 8 and 12 to 15): matches what comes in, refuses
 * what the engine can refuse by itself, and sends what the application asks for.
 */
export class Core {
  #options: CoreOptions;
  #application: Application;
  #counters = zeroCounters();
  #transports: Transports;
  #servers: ServerTransactions;
  #clients: ClientTransactions;
  #dialogs = new Dialogs();
  /** Calls that have neither a final response nor a dialog yet. */
  #ringing = new Set<Serving>();

  constructor(options: CoreOptions, application: Application) {
    this.#options = options;
    this.#application = application;
    this.#transports = new Transports(options.announce);
    this.#servers = new ServerTransactions(options.clock, (response, to) =>
      this.#transports.send(response, to),
    );
    this.#clients = new ClientTransactions(options.clock);
  }

  use(transport: Transport): void {
    this.#transports.use(transport);
  }

  get dialogCount(): number {
    return this.#dialogs.size;
  }

  get counters(): Readonly<CoreCounters & Gatekeeper['counters']> {
    const none = { unlisted: 0, overRate: 0, overCallRate: 0 };
    return { ...this.#counters, ...(this.#options.gatekeeper?.counters ?? none) };
  }

  /** One message from the network. Never throws: what cannot be used costs itself only, and is counted. */
  receive(bytes: Buffer, flow: Flow): void {
    this.#counters.received++;
    if (this.#options.gatekeeper && !this.#options.gatekeeper.admits(flow.address)) return;
    const result = parseMessage(bytes, flow.protocol !== 'udp');
    if (result.outcome === 'refused') {
      const { status, reason, line, answerable } = result;
      this.#counters.malformed++;
      this.#options.log.debug(
        { address: flow.address, cause: reason, line: maskedLine(line) },
        'malformed SIP message',
      );
      if (answerable) this.#refuseStatelessly(markSource(answerable, flow), flow, status, reason);
    } else if (result.message.kind === 'response') {
      if (!this.#clients.receive(result.message)) this.#counters.unmatched++;
    } else this.#receiveRequest(markSource(result.message, flow), flow);
  }

  /**
   * The application's answer to a request.
   * @returns what was sent, where to, and the dialog it belongs to. @throws Error in words when it cannot be sent
   */
  respond(id: string, status: number, reason: string, headers: readonly Header[], body: Buffer) {
    const serving = this.#servers.findById(id);
    if (!serving) throw new Error('transaction not found');
    if (!serving.transaction.isOpen) throw new Error('a final response was sent already');
    if (status < 100 || status > 699) throw new Error('no such status');
    const { request, tag, answerTo } = serving;
    const contact = this.#transports.contact(serving.flow);
    const response = answer(request, status, reason, tag, headers, body, contact);
    if (request.method === 'INVITE' && status > 100 && status < 300 && !serving.dialog) {
      serving.dialog = Dialog.asServer(request, response, answerTo, serving.flow);
      serving.dialog.invite = serving;
      this.#dialogs.add(serving.dialog);
      this.#ringing.delete(serving);
    }
    this.#answer(serving, response);
    return { response, flow: answerTo, dialog: serving.dialog?.id };
  }

  /** A request of the application's within a dialog. @throws Error in words, some of which drachtio-srf knows */
  requestWithin(id: string, method: string, headers: readonly Header[], body: Buffer) {
    const dialog = this.#dialogs.get(id);
    if (!dialog || dialog.isEnding) throw new Error('unable to find dialog');
    if (NOT_FOR_CLIENTS.includes(method)) throw new Error(`${method} cannot be sent`);
    if (method === 'BYE' && !dialog.confirmed)
      throw new Error('BYE cannot be sent before the call is answered');
    if (this.#clients.size >= MAX_TRANSACTIONS) throw new Error('too many requests at once');
    return this.#request(dialog, method, headers, body);
  }

  /** Ends a call that another engine had; the application knows neither it nor what is answered. @param headers - of the BYE */
  endAdopted(record: DialogRecord, headers: readonly Header[]): void {
    this.#request(Dialog.adopted(record), 'BYE', headers, NO_BODY);
  }

  /** There is nobody any more who knows the calls: what waits for an answer gets 503, and what stands a BYE. */
  applicationGone(): void {
    for (const serving of this.#servers.open()) {
      this.#answer(serving, answer(serving.request, 503, 'Service Unavailable', serving.tag, RETRY_SOON));
    }
    for (const dialog of this.#dialogs.all()) {
      if (!dialog.isEnding) this.#request(dialog, 'BYE', [], NO_BODY);
    }
  }

  #receiveRequest(request: SipRequest, flow: Flow): void {
    const { method } = request;
    const key = transactionKey(request, method === 'ACK' ? 'INVITE' : method);
    const known = this.#servers.find(key);
    if (known) {
      if (method !== 'ACK') this.#counters.retransmissions++;
      known.transaction.receive(request);
      // The ACK of a 2xx has a branch of its own, but not with every peer.
      if (method !== 'ACK' || known.transaction.state !== 'accepted') return;
    }
    if (method === 'ACK') this.#receiveAck(request, flow);
    else if (method === 'CANCEL') this.#receiveCancel(request, flow, key);
    else if (!this.#application.connected) this.#refuseForNow(request, flow, 'noApplication');
    else if (!this.#hasRoom(request, flow)) this.#refuseForNow(request, flow, 'overTransactions');
    else if (method !== 'INVITE' || tagOf(header(request, 'to')!)) this.#serve(request, flow, key);
    else if (!this.#hasRoomForCall(flow)) {
      this.#refuseForNow(request, flow, 'overMaxCalls');
    } else if (this.#options.gatekeeper?.admitsCall(flow.address) ?? true) this.#serve(request, flow, key);
    else this.#refuseForNow(request, flow);
  }

  /**
   * Each address has a share of the table, so that none shuts out the others; what belongs to a call that stands comes
   * before that, with a bound of its own.
   */
  #hasRoom(request: SipRequest, flow: Flow): boolean {
    const dialog = this.#dialogs.of(request);
    if (dialog) return this.#servers.within(dialog) < MAX_IN_DIALOG;
    return this.#servers.size < MAX_TRANSACTIONS && this.#servers.from(flow.address) < MAX_OF_ADDRESS;
  }

  /** One address leaves some calls to the others. */
  #hasRoomForCall({ address }: Flow): boolean {
    const ringing = [...this.#ringing].filter((serving) => serving.flow.address === address).length;
    const own = this.#dialogs.all().filter((dialog) => dialog.flow.address === address).length + ringing;
    const all = this.#dialogs.size + this.#ringing.size;
    return all < this.#maxCalls && own < this.#maxCalls - Math.floor(this.#maxCalls * RESERVED_SHARE);
  }

  get #maxCalls(): number {
    return Math.min(this.#options.gatekeeper?.maxCalls ?? MAX_CALLS, MAX_CALLS);
  }

  #serve(request: SipRequest, flow: Flow, key: string): void {
    const dialog = this.#dialogs.of(request);
    const serving = this.#begin(request, flow, key, dialog);
    const refusal = refusalOf(request, {
      takes: (method) => this.#application.takes(method),
      isMerged: this.#servers.isMerged(request),
      dialog,
      flow: serving.answerTo,
      source: flow,
    });
    if (refusal) {
      this.#refuse(serving, refusal);
      return;
    }
    serving.dialog = dialog;
    if (request.method === 'INVITE') {
      if (dialog) dialog.invite = serving;
      else this.#ringing.add(serving);
    }
    if (request.method === 'BYE' && dialog) {
      const isKnown = dialog.confirmed && !dialog.isEnding;
      // Section 15.1.2: what the peer asked before and waits for is over too.
      if (dialog.invite) this.#withdraw(dialog.invite, 487, 'Request Terminated');
      // The application does not have that call yet, or not any more.
      if (!isKnown) {
        this.#answer(serving, answer(request, 200, 'OK', serving.tag));
        return;
      }
    }
    this.#application.request(request, flow, serving.id, dialog?.id);
  }

  #begin(request: SipRequest, flow: Flow, key: string, dialog?: Dialog): Serving {
    const reliable = this.#transports.isReliable(flow);
    return this.#servers.begin(key, request, flow, dialog, reliable, (serving) => {
      this.#counters.unanswered++;
      if (request.method === 'INVITE') this.#withdraw(serving, 480, 'Temporarily Unavailable');
      else if (request.method === 'BYE') this.#answer(serving, answer(request, 200, 'OK', serving.tag));
      else this.#answer(serving, answer(request, 480, 'Temporarily Unavailable', serving.tag));
    });
  }

  /** The ACK of a 2xx: it is no transaction's (section 17.1.1.3). */
  #receiveAck(request: SipRequest, flow: Flow): void {
    const dialog = this.#dialogs.of(request);
    const { number } = parseCseq(header(request, 'cseq')!)!;
    if (!dialog) this.#counters.unmatched++;
    else if (!dialog.acknowledge(number)) this.#counters.retransmissions++;
    else {
      this.#application.request(request, flow, randomUUID(), dialog.id);
      if (dialog.isEnding && !dialog.isAwaitingAck) this.#forget(dialog);
    }
  }

  /** Section 9.2: answered here; the INVITE gets its 487 if it has no final response yet. */
  #receiveCancel(request: SipRequest, flow: Flow, key: string): void {
    const invite = this.#servers.find(transactionKey(request, 'INVITE'));
    if (!invite) {
      this.#counters.unmatched++;
      this.#refuseStatelessly(request, flow, 481, 'Call/Transaction Does Not Exist');
      return;
    }
    this.#answer(this.#begin(request, flow, key), answer(request, 200, 'OK', invite.tag));
    if (invite.transaction.isOpen) this.#withdraw(invite, 487, 'Request Terminated', request);
  }

  /** Gives a response, and draws the consequences of a final one. */
  #answer(serving: Serving, response: SipResponse): void {
    const { request, dialog } = serving;
    serving.transaction.respond(response);
    if (response.status < 200) return;
    this.#ringing.delete(serving);
    if (request.method === 'BYE' && dialog) this.#forget(dialog);
    if (dialog?.invite !== serving) return;
    dialog.invite = undefined;
    if (response.status < 300) this.#awaitAck(serving, response, dialog);
    // A call that was not taken leaves no dialog behind (section 12.3).
    else if (!dialog.confirmed) this.#forget(dialog);
  }

  /** An INVITE is over before the application answered it. @param cancel - what the application is told */
  #withdraw(serving: Serving, status: number, reason: string, cancel = cancelOf(serving.request)): void {
    this.#answer(serving, answer(serving.request, status, reason, serving.tag));
    this.#application.request(cancel, serving.flow, serving.id, undefined);
  }

  #awaitAck({ request, answerTo }: Serving, response: SipResponse, dialog: Dialog): void {
    dialog.confirmed = true;
    const send = () => this.#transports.send(response, answerTo);
    const acceptance = new Acceptance(this.#options.clock, send, () => {
      this.#counters.noAck++;
      this.#options.log.info({ call: dialog.callId }, 'no ACK came: the call is ended');
      if (dialog.isEnding) {
        this.#forget(dialog);
        return;
      }
      // Of other 2xx responses in it none is waited for any more: this BYE is not held back.
      dialog.close();
      const reasons = [{ name: 'Reason', value: 'SIP;cause=408;text="No ACK"' }];
      const { request: bye, flow } = this.#request(dialog, 'BYE', reasons, NO_BODY);
      this.#application.ended(bye, flow, dialog.id);
    });
    dialog.awaitAck(parseCseq(header(request, 'cseq')!)!.number, acceptance);
  }

  #request(dialog: Dialog, method: string, headers: readonly Header[], body: Buffer) {
    const flow = dialog.nextHop((address) => this.#options.gatekeeper?.lists(address) ?? true);
    const transaction = randomUUID();
    const branch = this.#clients.newBranch();
    const contact = this.#transports.contact(flow);
    const request = dialog.request(method, this.#transports.via(flow, branch), contact, headers, body);
    const send = () =>
      this.#clients.begin(
        branch,
        request,
        this.#transports.isReliable(flow),
        (message, onFailure) => this.#transports.send(message, flow, onFailure),
        (response) => this.#application.response(response, flow, transaction, dialog.id),
      );
    if (method === 'BYE' && dialog.isAwaitingAck) dialog.holdBye(send);
    else {
      if (method === 'BYE') this.#forget(dialog);
      send();
    }
    return { request, flow, transaction };
  }

  #forget(dialog: Dialog): void {
    if (!this.#dialogs.delete(dialog)) return;
    dialog.close();
    if (dialog.invite) this.#withdraw(dialog.invite, 487, 'Request Terminated');
  }

  #refuse({ transaction, request, tag }: Serving, { counter, status, reason, headers }: Refusal): void {
    this.#counters[counter]++;
    transaction.respond(answer(request, status, reason, tag, headers));
  }

  #refuseForNow(request: SipRequest, flow: Flow, counter?: keyof CoreCounters): void {
    if (counter) this.#counters[counter]++;
    this.#refuseStatelessly(request, flow, 503, 'Service Unavailable', RETRY_SOON);
  }

  /** Section 8.2.7: for what must not cost any state. */
  #refuseStatelessly(
    request: SipRequest,
    flow: Flow,
    status: number,
    reason: string,
    headers: readonly Header[] = [],
  ): void {
    this.#transports.send(answer(request, status, reason, 'refused', headers), answerFlow(request, flow));
  }
}

/** The CANCEL that an INVITE would have got (section 9.1). */
function cancelOf(invite: SipRequest): SipRequest {
  const { number } = parseCseq(header(invite, 'cseq')!)!;
  const kept = ['via', 'from', 'to', 'call-id'].map((name) => ({ name, value: header(invite, name)! }));
  return {
    kind: 'request',
    method: 'CANCEL',
    uri: invite.uri,
    headers: [...kept, { name: 'cseq', value: `${number} CANCEL` }],
    body: NO_BODY,
  };
}
