import type dgram from 'node:dgram';
import type { ToneMeter } from '../signals/tone-meter.ts';
import { LossyRelay } from './lossy-relay.ts';
import { type CallOptions, CallRefused, type Ending } from './phone-call.ts';
import type { CodecName } from './phone-codec.ts';
import { PhoneDialog } from './phone-dialog.ts';
import { type Address, PhoneLine } from './phone-line.ts';
import { PhoneListener } from './phone-listener.ts';
import { type Arrived, PhoneMedia } from './phone-media.ts';
import { addressOf, buildResponse, cseqOf, fieldOf, parseMessage, type SipMessage } from './phone-message.ts';
import type { Received } from './phone-receiver.ts';
import type { RtcpReport } from './phone-rtcp.ts';
import type { SdpOverrides } from './phone-sdp.ts';
import { PhoneSession } from './phone-session.ts';
import { Watch } from './phone-watch.ts';

const ANSWER_LIMIT_MS = 40_000;
const EVENT_LIMIT_MS = 15_000;

/** A telephone that calls over SIP and UDP, says a tone, and knows which tones it hears. */
export class Phone {
  static #open = new Set<Phone>();

  /** Statuses of the responses to the first INVITE, in the order in which they came. */
  readonly statuses: number[] = [];
  /** The answer to CANCEL. */
  cancelStatus: number | undefined;
  /** Requests that the other side sent in this call. */
  readonly requests: SipMessage[] = [];
  /** Resolves with how the call ended; never rejects. */
  readonly ended: Promise<Ending>;
  /** Resolves once the ACK went out. @throws CallRefused */
  readonly answered: Promise<void>;
  readonly #end: (ending: Ending) => void;
  readonly #line: PhoneLine;
  readonly #media: PhoneMedia;
  #hasForgotten = false;
  readonly #session: PhoneSession;
  readonly #dialog: PhoneDialog;
  readonly #listener: PhoneListener;
  readonly #watch: Watch;
  readonly #sipAddress: Address | undefined;
  #invite: SipMessage | undefined;

  private constructor(uri: string, options: CallOptions, line: PhoneLine, media: PhoneMedia, watch: Watch) {
    const { localAddress = '127.0.0.1', codec = 'PCMU', sdp = {}, via = {} } = options;
    this.#line = line;
    this.#media = media;
    this.#watch = watch;
    this.#listener = new PhoneListener(media.receiver, watch);
    const codecs = typeof codec === 'string' ? [codec] : codec;
    this.#session = new PhoneSession(media, { address: localAddress, codecs, sdp, relay: via.rtp });
    const local = { address: localAddress, port: line.port };
    let contact: Address = local;
    if (via.sip instanceof LossyRelay) {
      const server = addressOf(uri);
      via.sip.aim(server.port, server.address);
      contact = { address: '127.0.0.1', port: via.sip.targetPort };
    }
    const port = via.sip instanceof LossyRelay ? via.sip.clientPort : via.sip;
    this.#sipAddress = port === undefined ? undefined : { address: '127.0.0.1', port };
    const { name, user, callId } = options;
    this.#dialog = new PhoneDialog({ uri, local, contact, name, user, callId });
    line.onRequest = (request) => this.#serve(request);
    let end: (ending: Ending) => void = () => {};
    this.ended = new Promise((resolve) => {
      end = resolve;
    });
    this.#end = (ending) => {
      this.#media.isSending = false;
      end(ending);
    };
    this.answered = this.#call(options);
    this.answered.catch(() => {}); // whoever waits for it gets it; nobody has to
    Phone.#open.add(this);
  }

  /** Starts a call; `answered` says how it goes on. @param uriOrPort - an address, or a port on loopback */
  static async dial(uriOrPort: string | number, options: CallOptions = {}): Promise<Phone> {
    const { room = 'demo', localAddress = '127.0.0.1', toneHz = 440, toneLevelDb } = options;
    const uri = typeof uriOrPort === 'string' ? uriOrPort : `sip:${room}@127.0.0.1:${uriOrPort}`;
    const watch = new Watch();
    const line = await PhoneLine.open(localAddress);
    const media = await PhoneMedia.open(localAddress, { toneHz, levelDb: toneLevelDb }, watch);
    return new Phone(uri, options, line, media, watch);
  }

  /** Calls and is answered. @throws CallRefused with the status */
  static async call(uriOrPort: string | number, options: CallOptions = {}): Promise<Phone> {
    const phone = await Phone.dial(uriOrPort, options);
    await phone.answered;
    return phone;
  }

  /** Ends whatever phones there are without a word, for the end of a test. */
  static closeAll(): void {
    for (const phone of Phone.#open) phone.vanish();
  }

  /** SDP that the other side sent last. */
  get remoteSdp(): string {
    return this.#session.remoteSdp;
  }

  get callId(): string {
    return this.#dialog.callId;
  }

  /** What it sends. */
  get codec(): CodecName | undefined {
    return this.#media.sender?.codec;
  }

  get ssrc(): number | undefined {
    return this.#media.sender?.ssrc;
  }

  get packetsSent(): number {
    return this.#media.sender?.packets ?? 0;
  }

  get received(): Received {
    return this.#media.receiver.received;
  }

  /** RTCP that came, with where from. */
  get reports(): readonly Arrived[] {
    return this.#media.reports;
  }

  /** The meter at its ear. */
  get meter(): ToneMeter {
    return this.#media.receiver.meter;
  }

  /** First lines of messages that it did not expect. */
  get strays(): readonly string[] {
    return this.#line.strays;
  }

  /** Statuses of final responses that came more than once. */
  get repeated(): readonly number[] {
    return this.#line.repeated;
  }

  /** Resolves once all these tones were heard, together or one after the other. */
  hears(...tonesHz: number[]): Promise<void> {
    return this.#listener.hears(...tonesHz);
  }

  /** Resolves once that tone has been away for a second. */
  hearsNoMore(toneHz: number): Promise<void> {
    return this.#listener.hearsNoMore(toneHz);
  }

  /** Listens for so long. @returns which of these tones were there at any moment */
  heardDuring(tonesHz: readonly number[], seconds: number): Promise<number[]> {
    return this.#listener.heardDuring(tonesHz, seconds);
  }

  /** Listens for so long. @returns all tones that were there at any moment, in Hz rounded to tens, rising */
  tonesDuring(seconds: number): Promise<number[]> {
    return this.#listener.tonesDuring(seconds);
  }

  /** Resolves once it got so many RTP packets more. */
  async receives(packets: number): Promise<void> {
    const { received } = this;
    const before = received.packets;
    await this.#watch.until(
      () => received.packets - before >= packets,
      EVENT_LIMIT_MS,
      () => `${received.packets - before} of ${packets} packets came`,
    );
  }

  /** The first RTCP report of that type, past or to come, that fits. */
  async report<T extends RtcpReport['type']>(
    type: T,
    fits: (report: Extract<RtcpReport, { type: T }>) => boolean = () => true,
  ): Promise<Extract<RtcpReport, { type: T }>> {
    const isWanted = (report: RtcpReport): report is Extract<RtcpReport, { type: T }> =>
      report.type === type && fits(report as Extract<RtcpReport, { type: T }>);
    return this.#watch.until(
      () => this.#media.reports.map(({ report }) => report).find(isWanted),
      EVENT_LIMIT_MS,
      () => `no such ${type} report, but ${JSON.stringify(this.#media.reports.slice(-5))}`,
    );
  }

  /** The first request of that method from the other side, past or to come. */
  async request(method: string): Promise<SipMessage> {
    return this.#watch.until(
      () => this.requests.find((request) => request.method === method),
      EVENT_LIMIT_MS,
      () => `no ${method}, but ${this.requests.map((request) => request.method).join(', ') || 'nothing'}`,
    );
  }

  /** Sends any request in the call, such as INFO. @returns the final response */
  send(method: string, lines: readonly string[] = [], body = ''): Promise<SipMessage> {
    return this.#line.exchange(this.#dialog.request(method, lines, body), this.#target);
  }

  /** Holds the call. 'sendonly' goes on sending, as music on hold; the others stop. @returns the direction that was answered */
  hold(how: 'sendonly' | 'inactive' | '0.0.0.0' = 'sendonly'): Promise<string> {
    return this.reinvite(how === '0.0.0.0' ? { address: how } : { direction: how });
  }

  resume(): Promise<string> {
    return this.reinvite({});
  }

  /** Offers the session anew. @returns the direction that was answered @throws CallRefused */
  async reinvite(change: SdpOverrides): Promise<string> {
    await this.#exchangeInvite(this.#dialog.request('INVITE', [], this.#session.offer(change)));
    return this.#session.remote!.direction;
  }

  /** INVITE without SDP within the call: the offer comes with the 200, the answer goes with the ACK. */
  async askForOffer(): Promise<void> {
    await this.#exchangeInvite(this.#dialog.request('INVITE'));
  }

  /** Presses a key for so long (RFC 4733). Resolves once the last packet is out. */
  press(digit: string, ms = 100): Promise<void> {
    return this.#media.press(digit, ms);
  }

  /** @param how - 'silence' sends packets of it; 'nothing' sends no RTP at all */
  mute(how: 'silence' | 'nothing' = 'silence'): void {
    this.#media.sender!.sound = how;
  }

  unmute(): void {
    this.#media.sender!.sound = 'tone';
  }

  /** It started again: asked about the call, it knows of none. */
  forget(): void {
    this.#hasForgotten = true;
  }

  /** Sends no RTCP from now on. */
  stopReports(): void {
    this.#media.isReporting = false;
  }

  /** Sends and hears at another port from now on, as behind a NAT that forgot. @returns the port */
  moveRtp(): Promise<number> {
    return this.#media.moveRtp();
  }

  /** Sends a tone into this call from a strange socket. Resolves when all packets are out. */
  sendAs(socket: dgram.Socket, intruder: { toneHz: number; packets?: number; ssrc?: number }): Promise<void> {
    return this.#media.sendAs(socket, intruder);
  }

  /** Gives up before it is answered; a call that is answered meanwhile is hung up. @returns the final status of the INVITE */
  async cancel(): Promise<number> {
    // RFC 3261, section 9.1: not before a provisional response.
    await this.#watch.until(
      () => this.statuses.length > 0,
      ANSWER_LIMIT_MS,
      () => 'no response to the INVITE',
    );
    const last = () => this.statuses.at(-1)!;
    if (last() < 200) {
      const cancelled = this.#line.exchange(this.#dialog.cancellation(this.#invite!), this.#target);
      this.cancelStatus = (await cancelled).status;
    }
    await this.answered.catch(() => {});
    const status = last();
    if (status < 300) await this.hangUp();
    return status;
  }

  /** Says BYE and closes. @returns the status that answered */
  async hangUp(): Promise<number> {
    this.#media.isSending = false;
    const response = await this.send('BYE');
    this.#end({ by: 'phone', status: response.status });
    this.#close();
    return response.status!;
  }

  /** Is gone without a word: all sockets are closed. Does nothing when it is gone already. */
  vanish(): void {
    this.#end({ by: 'vanished' });
    this.#close();
  }

  get #target(): Address {
    return this.#sipAddress ?? this.#dialog.target;
  }

  async #call(options: CallOptions): Promise<void> {
    const offer = options.lateOffer ? '' : this.#session.offer();
    const invite = this.#dialog.request('INVITE', options.headers, offer);
    this.#invite = parseMessage(invite);
    try {
      await this.#exchangeInvite(invite, options.limitMs);
    } catch (error) {
      this.#end({ by: 'server', status: error instanceof CallRefused ? error.status : undefined });
      this.#media.close();
      this.#line.linger();
      throw error;
    }
  }

  async #exchangeInvite(invite: string, limitMs = ANSWER_LIMIT_MS): Promise<void> {
    const request = parseMessage(invite)!;
    const { number } = cseqOf(request);
    const isFirst = number === 1;
    const asksForOffer = !request.body;
    let failure: unknown;
    const note = (response: SipMessage) => {
      if (isFirst) this.statuses.push(response.status!);
      this.#watch.changed();
    };
    let final: SipMessage | undefined;
    const exchanged = this.#line.exchange(invite, this.#target, {
      onProvisional: note,
      acknowledge: (response) => {
        this.#dialog.confirm(response);
        let answer = '';
        try {
          if (asksForOffer) answer = this.#session.answer(response.body);
          else this.#session.accept(response.body);
        } catch (error) {
          failure = error;
        }
        return { text: this.#dialog.acknowledgement(number, answer), to: this.#target };
      },
    });
    exchanged.then(
      (response) => {
        final = response;
        note(response);
      },
      (error) => {
        failure = error;
        this.#watch.changed();
      },
    );
    const response = await this.#watch.until(
      () => {
        if (failure) throw failure;
        return final;
      },
      limitMs,
      () => `no final response to the INVITE, but ${this.statuses.join(', ') || 'nothing'}`,
    );
    if (response.status! >= 300) throw new CallRefused(response);
  }

  #serve(request: SipMessage): string | undefined {
    const answer = this.#answer(request);
    this.requests.push(request);
    queueMicrotask(() => this.#watch.changed());
    return answer;
  }

  #answer(request: SipMessage): string | undefined {
    const { method, body } = request;
    if (method === 'ACK') {
      // The answer to an offer that this phone made in its 200.
      if (body) this.#session.accept(body);
      return undefined;
    }
    if (!this.#dialog.owns(request)) return buildResponse(request, '481 Call/Transaction Does Not Exist');
    switch (method) {
      case 'BYE':
        this.#end({ by: 'server', reasonHeader: fieldOf(request, 'reason') });
        return buildResponse(request, '200 OK');
      case 'INVITE':
      case 'UPDATE': {
        this.#dialog.retarget(request);
        const isOfferWanted = method === 'INVITE' && !body;
        const sdp = isOfferWanted ? this.#session.offer() : body && this.#session.answer(body);
        return buildResponse(request, '200 OK', [this.#dialog.contact], sdp);
      }
      case 'OPTIONS':
        return buildResponse(request, this.#hasForgotten ? '481 Call/Transaction Does Not Exist' : '200 OK');
      case 'INFO':
      case 'NOTIFY':
        return buildResponse(request, '200 OK');
      default:
        return buildResponse(request, '405 Method Not Allowed');
    }
  }

  #close(): void {
    Phone.#open.delete(this);
    this.#line.close();
    this.#media.close();
  }
}
