import { AddressList } from '../../src/base/address-list.ts';
import { TokenBucket } from '../../src/base/token-bucket.ts';
import { type GatewayHost, type Logger, PatchroomError } from '../../src/gateway.ts';
import type { Participant } from '../../src/room/room.ts';
import { CallSession } from './call-session.ts';
import { type CallEffect, type CallEvent, type CallState, endReason, transition } from './call-state.ts';
import { digitOfInfo } from './digits.ts';
import type { DialogRecord } from './engine/process-messages.ts';
import { Phone } from './phone.ts';
import type { PortPair, PortPool } from './port-pool.ts';
import type { RoomPhones } from './room-phones.ts';
import { type RemoteMedia, UNKNOWN_ADDRESS } from './sdp/media.ts';
import type { Body, CallDialog, IncomingCall, Reinvite } from './signalling.ts';
import { statusOf } from './status.ts';

/** What a call needs of its gateway. */
export interface CallSurroundings {
  readonly host: GatewayHost;
  readonly ports: PortPool;
  /** Address that phones are told to send media to. */
  readonly mediaAddress: string;
  readonly codecs: CallCodecs;
  readonly mediaTimeoutMs: number;
  phonesOf(participant: Participant): RoomPhones;
  /** The call is over; nothing of it is left. */
  onOver(call: Call): void;
}

type CallCodecs = ConstructorParameters<typeof CallSession>[2];

/** Who calls, and where to. */
export interface CallPlace {
  readonly room: string;
  readonly identity: string;
  readonly name: string;
}

const SDP = 'application/sdp';
/** 64*T1 of the engine (RFC 3261, section 13.3.1.4), and a little more. */
const ENDING_LIMIT_MS = 40_000;
/** Nobody presses keys faster; what is above is dropped, for it goes to every browser. */
const DIGITS_PER_SECOND = 10;
const DIGITS_BURST = 20;
const INTERNAL = new AddressList(['loopback', '169.254.0.0/16', 'fe80::/10']);

/**
 * One call, from INVITE to BYE. Decides nothing itself about the course of it (call-state.ts does), nor
 * about what the room gets of it (phone.ts): it carries out.
 */
export class Call {
  #surroundings: CallSurroundings;
  #incoming: IncomingCall;
  #log: Logger;
  #state: CallState = { at: 'arriving' };
  #participant: Participant | undefined;
  #phone: Phone | undefined;
  #ports: PortPair | undefined;
  #session: CallSession | undefined;
  #dialog: CallDialog | undefined;
  #localDescription = '';
  /** Where its signalling comes from. */
  #signalled: string;
  /** What offer and answer came to. */
  #agreed: RemoteMedia | undefined;
  /** We made the last offer, and its answer comes in an ACK. */
  #awaitsAnswer = false;
  #digits: TokenBucket;
  #ending: Promise<unknown> = Promise.resolve();
  #over = Promise.withResolvers<void>();

  constructor(incoming: IncomingCall, surroundings: CallSurroundings, log: Logger) {
    this.#incoming = incoming;
    this.#signalled = incoming.source.address;
    this.#surroundings = surroundings;
    this.#log = log;
    this.#digits = new TokenBucket(DIGITS_PER_SECOND, DIGITS_BURST, surroundings.host.clock);
    incoming.onCancel(() => this.#happen({ type: 'cancelled' }));
  }

  /** What another engine needs to end it; undefined before it was answered. */
  get record(): DialogRecord | undefined {
    return this.#state.at === 'over' ? undefined : this.#dialog?.record;
  }

  /** Resolves when the call is over, its phone has answered our BYE if we sent one, and its media is closed. */
  get ending(): Promise<unknown> {
    return this.#over.promise.then(() => this.#ending);
  }

  /** Brings the caller into the room, or refuses. Never rejects. */
  async arrive(place: CallPlace): Promise<void> {
    try {
      this.#check(this.#incoming.offer);
      await this.#enter(place);
      this.#agreed = this.#negotiate();
      this.#happen({ type: 'ready', offerIsOurs: !this.#agreed });
    } catch (error) {
      const { status, text } = error instanceof Refusal ? error : statusOf(error);
      if (status === 500) this.#log.error({ err: error }, 'call failed');
      this.#happen({ type: 'refused', status, text });
    }
  }

  /** The server stops: out of the room; the phone is told by BYE. */
  end(): void {
    this.#happen({ type: 'end', cause: { type: 'left', reason: 'shutdown' } });
  }

  engineLost(): void {
    this.#happen({ type: 'engine-lost' });
  }

  /** Before anything is opened for it: whether its offer can be answered at all. */
  #check(offer: Body | undefined): void {
    if (!offer) return;
    if (offer.type !== SDP) throw new Refusal(415, `Only ${SDP} is understood`);
    const { mediaAddress, codecs } = this.#surroundings;
    const trial = new CallSession(mediaAddress, { rtpPort: 2, rtcpPort: 3 }, codecs).answer(offer.text);
    if (trial.outcome === 'refused') throw new Refusal(trial.status, trial.reason);
  }

  async #enter({ room, identity, name }: CallPlace): Promise<void> {
    const { host } = this.#surroundings;
    const admission = await host.admit({ type: 'listed-address', room, identity, name });
    this.#mustGoOn();
    const participant = await host.join(
      room,
      {
        identity: admission.identity,
        name: admission.name,
        kind: 'phone',
        gateway: 'sip',
        permissions: admission.permissions,
        metadata: admission.metadata,
        attributes: { ...admission.attributes, 'sip.callStatus': 'active' },
      },
      { options: admission.roomOptions, metadata: admission.roomMetadata },
    );
    this.#participant = participant;
    participant.once('left', (reason) => this.#happen({ type: 'end', cause: { type: 'left', reason } }));
    this.#mustGoOn();
    this.#phone = new Phone(participant, this.#surroundings.phonesOf(participant), {
      silent: () => this.#happen({ type: 'silent' }),
      mediaLost: () => this.#happen({ type: 'end', cause: { type: 'media-lost' } }),
    });
    await this.#openPorts(this.#phone);
    this.#mustGoOn();
  }

  /** Other programs may have some of our ports: those are passed over, and left alone for a while. */
  async #openPorts(phone: Phone): Promise<void> {
    const { ports, mediaAddress, codecs, host } = this.#surroundings;
    for (let pair = ports.take(); pair; pair = ports.take()) {
      try {
        await phone.open(pair, host.network.bind);
        this.#ports = pair;
        this.#session = new CallSession(mediaAddress, pair, codecs);
        return;
      } catch (error) {
        const isTaken = error instanceof PatchroomError && error.code === 'limit-reached';
        if (!isTaken) {
          ports.release(pair);
          throw error;
        }
        ports.discard(pair);
        this.#mustGoOn();
      }
    }
    throw new PatchroomError('limit-reached', 'All ports for media are in use.');
  }

  /** @returns what was agreed on; undefined when the offer is ours */
  #negotiate(): RemoteMedia | undefined {
    const { offer } = this.#incoming;
    const session = this.#session!;
    if (!offer) {
      this.#localDescription = session.offer();
      this.#awaitsAnswer = true;
      return undefined;
    }
    const answered = session.answer(offer.text);
    if (answered.outcome === 'refused') throw new Refusal(answered.status, answered.reason);
    this.#localDescription = answered.sdp;
    return answered.media;
  }

  /** @param signalled - where the description came from */
  async #start(media: RemoteMedia, signalled = this.#signalled): Promise<void> {
    const { mediaTimeoutMs } = this.#surroundings;
    this.#signalled = signalled;
    // Nobody elsewhere may have us send to services of this machine, or of its own network segment.
    const isMisled = INTERNAL.has(media.address) && !INTERNAL.has(signalled);
    const address = isMisled ? UNKNOWN_ADDRESS : media.address;
    await this.#phone?.start({ ...media, address }, mediaTimeoutMs, signalled).catch((error: unknown) => {
      this.#log.warn({ err: error }, 'media could not be started');
      this.#happen({ type: 'end', cause: { type: 'media-lost' } });
    });
  }

  /** @throws Refusal when the caller or the room gave up meanwhile: nobody reads it */
  #mustGoOn(): void {
    if (this.#state.at === 'over') throw new Refusal(487, 'Given up');
  }

  #happen(event: CallEvent): void {
    const { state, effects } = transition(this.#state, event);
    if (state.at === 'ending' && this.#state.at !== 'ending') this.#limitEnding();
    this.#state = state;
    for (const effect of effects) this.#carryOut(effect);
    if (state.at !== 'over') return;
    // An arrival that was under way when it ended has opened more since.
    if (event.type === 'refused') this.#close();
    this.#over.resolve();
    this.#surroundings.onOver(this);
  }

  #carryOut(effect: CallEffect): void {
    switch (effect.type) {
      case 'accept':
        void this.#accept();
        break;
      case 'refuse':
        this.#log.info({ status: effect.status, reason: effect.text }, 'call refused');
        this.#incoming.refuse(effect.status, effect.text);
        break;
      case 'start-media':
        if (this.#agreed) void this.#start(this.#agreed);
        break;
      case 'ask':
        void this.#dialog?.isThere().then((isThere) => this.#happen({ type: 'answered', isThere }));
        break;
      case 'keep':
        this.#phone?.keep();
        break;
      case 'bye':
        this.#ending = this.#dialog?.bye(endReason(effect.cause)) ?? Promise.resolve();
        break;
      case 'leave':
        this.#participant?.leave(effect.reason);
        break;
      case 'close-media':
        this.#close();
        break;
    }
  }

  #accept(): void {
    const onAnswered = (dialog: CallDialog) => {
      this.#dialog = dialog;
      dialog.listen({
        acknowledged: (answer) => this.#onAck(answer),
        reinvited: (reinvite) => this.#onReinvite(reinvite),
        info: ({ type, text }) => {
          const digit = digitOfInfo(type, text);
          if (digit && this.#digits.take())
            this.#phone?.digit(digit, this.#surroundings.host.clock.now(), 'info');
        },
        ended: (by) => this.#happen({ type: by === 'phone' ? 'hung-up' : 'unacknowledged' }),
      });
    };
    this.#incoming.accept(this.#localDescription, onAnswered, () => this.#happen({ type: 'cancelled' }));
  }

  /** The engine tells of every ACK and of every one that did not come; should it not, the call must not stay. */
  #limitEnding(): void {
    const { clock } = this.#surroundings.host;
    clock.after(ENDING_LIMIT_MS, () => this.#happen({ type: 'unacknowledged' }));
  }

  #onAck(answer: Body | undefined): void {
    const awaited = this.#awaitsAnswer && answer?.type === SDP;
    const wasUp = this.#state.at === 'up';
    this.#awaitsAnswer = false;
    const taken = awaited ? this.#session?.take(answer.text) : undefined;
    if (taken?.outcome === 'accepted') this.#agreed = taken.media;
    this.#happen({ type: 'acknowledged', hasAnswer: taken !== undefined });
    if (taken?.outcome === 'refused') {
      this.#happen({ type: 'end', cause: { type: 'media-refused', text: taken.reason } });
    } else if (taken && wasUp) void this.#start(taken.media); // the answer to a re-INVITE without an offer
  }

  #onReinvite(reinvite: Reinvite): void {
    const session = this.#session;
    if (!session || !this.#phone) {
      reinvite.refuse(481, 'The call is over');
      return;
    }
    const { offer } = reinvite;
    if (!offer) {
      this.#awaitsAnswer = true;
      reinvite.accept(session.offer());
      return;
    }
    const answered = offer.type === SDP ? session.answer(offer.text) : undefined;
    if (!answered) reinvite.refuse(415, `Only ${SDP} is understood`);
    else if (answered.outcome === 'refused') reinvite.refuse(answered.status, answered.reason);
    else {
      reinvite.accept(answered.sdp);
      void this.#start(answered.media, reinvite.source.address);
    }
  }

  #close(): void {
    const { ports } = this.#surroundings;
    const pair = this.#ports;
    const phone = this.#phone;
    this.#ports = undefined;
    this.#phone = undefined;
    this.#participant?.leave('left'); // unless it has left already, for a better reason
    const closed = Promise.resolve(phone?.close()).finally(() => {
      if (pair) ports.release(pair);
    });
    this.#ending = Promise.all([this.#ending, closed]).catch((error: unknown) => {
      this.#log.error({ err: error }, 'a call was not closed as it should');
    });
  }
}

/** Why a call is not taken. */
class Refusal extends Error {
  readonly status: number;

  constructor(status: number, text: string) {
    super(text);
    this.status = status;
  }

  get text(): string {
    return this.message;
  }
}
