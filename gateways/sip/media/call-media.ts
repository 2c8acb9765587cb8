import { TokenBucket } from '../../../src/base/token-bucket.ts';
import type { Clock, MediaLink } from '../../../src/gateway.ts';
import { AUDIO_CODECS } from '../../../src/media/codec.ts';
import { opusHasVoice } from '../../../src/media/opus-packet.ts';
import type { RtpPacket } from '../../../src/media/rtp/rtp.ts';
import { RtpSender } from '../../../src/media/rtp-session/rtp-sender.ts';
import { RtpSession } from '../../../src/media/rtp-session/rtp-session.ts';
import type { ConnectionQuality } from '../../../src/room/vocabulary.ts';
import type { Contributor } from '../../../transcode/audio/contributor.ts';
import type { MixListener } from '../../../transcode/audio/mix-listener.ts';
import type { Mixer } from '../../../transcode/audio/mixer.ts';
import { DigitDetector } from '../digits.ts';
import { UNKNOWN_ADDRESS } from '../sdp/media.ts';
import { LineQuality } from './line-quality.ts';
import type { CallStatistics, RemoteEnd } from './messages.ts';
import { PassThrough } from './pass-through.ts';

export interface CallMediaOptions {
  /** Names it in its room's mix, and in notices. */
  readonly call: string;
  readonly bind: string;
  readonly rtpPort: number;
  readonly rtcpPort: number;
}

export interface CallMediaEvents {
  digit(digit: string): void;
  quality(quality: ConnectionQuality): void;
  /** It should send and was silent for too long. Called once until it is heard again. */
  silent(): void;
}

/** What a phone sends instead of silence (RFC 3389, static payload type of RFC 3551): a sign of life, and no more to us. */
const COMFORT_NOISE = 13;
/** Nobody presses keys faster; what is above is dropped, for it goes to every browser. */
const DIGITS_PER_SECOND = 10;
const DIGITS_BURST = 20;
/** One that holds the call, or only listens, need not send; but an hour without a sign of life is the end. */
const HELD_TIMEOUT_MS = 3_600_000;
/** A level for Opus packets that nobody decodes: only whether they are voice is known. */
const VOICE_DB = -30;
const SILENCE_DB = -127;

/**
 * The wiring of one phone's media: its RTP session, what it says into its room's mix and to the hub, and what it hears of
 * the mix.
 */
export class CallMedia {
  #options: CallMediaOptions;
  #events: CallMediaEvents;
  #findMixer: () => Mixer;
  /** Of its room, while it takes part in it. */
  #mixer: Mixer | undefined;
  #clock: Clock;
  #session!: RtpSession;
  #remote: RemoteEnd | undefined;
  #contributor: Contributor | undefined;
  #listener: MixListener | undefined;
  #passThrough: PassThrough | undefined;
  /** Takes back what waits for the pass-through's link to close. */
  #forgetLink: () => void = () => {};
  #digits = new DigitDetector();
  #digitRate: TokenBucket;
  #quality = new LineQuality();
  #muted = false;
  #bitrateBps = 0;
  #watched: { at: number; bytes: number };
  #timeoutMs = Number.POSITIVE_INFINITY;
  /** Something of the phone's came, or it was told that it may be silent until now. */
  #heardAt: number;
  #told = false;

  private constructor(
    options: CallMediaOptions,
    findMixer: () => Mixer,
    clock: Clock,
    events: CallMediaEvents,
  ) {
    this.#options = options;
    this.#findMixer = findMixer;
    this.#clock = clock;
    this.#events = events;
    this.#digitRate = new TokenBucket(DIGITS_PER_SECOND, DIGITS_BURST, clock);
    this.#heardAt = clock.now();
    this.#watched = { at: this.#heardAt, bytes: 0 };
  }

  /** @throws the socket's error: EADDRINUSE when another program has one of the ports */
  static async open(
    options: CallMediaOptions,
    findMixer: () => Mixer,
    clock: Clock,
    events: CallMediaEvents,
  ): Promise<CallMedia> {
    const media = new CallMedia(options, findMixer, clock, events);
    media.#session = await RtpSession.open({ ...options, unknownAddress: UNKNOWN_ADDRESS }, clock, {
      knows: (payloadType) => media.#knows(payloadType),
      packet: (rtp) => media.#onPacket(rtp),
      alive: () => media.stay(),
    });
    return media;
  }

  /** Media flows as negotiated; again after each re-INVITE. */
  start(remote: RemoteEnd, timeoutMs: number): void {
    const before = this.#remote;
    this.#remote = remote;
    this.#timeoutMs = timeoutMs;
    this.stay();
    this.#session.aim({ ...remote, clockRate: AUDIO_CODECS[remote.codec].clockRate });
    // Another clock rate is another stream (RFC 7160, section 4.1): it gets an SSRC of its own.
    if (before && clockRateOf(before) !== clockRateOf(remote)) this.#session.sender = undefined;
    this.#session.sender?.setFormat(remote.payloadType, stepOf(remote), remote.packetMs);
    if (before?.codec !== remote.codec || before.rate !== remote.rate) this.#changeFormat(remote);
    else if (before.receives !== remote.receives || hasOtherLimits(before, remote)) this.#followHold(remote);
  }

  /** The phone is known to be there, by what came of it or by what its signalling says. */
  stay(): void {
    this.#heardAt = this.#clock.now();
    this.#told = false;
  }

  mute(muted: boolean): void {
    this.#muted = muted;
    if (this.#contributor) this.#contributor.muted = muted;
  }

  /** Whether it gets any sound. */
  hear(receives: boolean): void {
    if (!this.#remote || this.#remote.receives === receives) return;
    this.#remote = { ...this.#remote, receives };
    this.#followHold(this.#remote);
  }

  /** From now on its packets go to the hub, too. */
  pass(link: MediaLink, ssrc: number, payloadType: number): void {
    this.unpass();
    const clockRate = this.#remote ? AUDIO_CODECS[this.#remote.codec].clockRate : undefined;
    this.#passThrough = new PassThrough(link, ssrc, payloadType, this.#clock, clockRate);
    this.#forgetLink = link.onClose(() => this.unpass());
  }

  unpass(): void {
    this.#passThrough = undefined;
    this.#forgetLink();
    this.#forgetLink = () => {};
  }

  /** Called about once a second: reports that are due, and whether the phone is still there. */
  watch(): void {
    this.#session.reportIfDue();
    const now = this.#clock.now();
    const { bytes, reception } = this.#session;
    this.#bitrateBps = ((bytes - this.#watched.bytes) * 8000) / Math.max(1, now - this.#watched.at);
    this.#watched = { at: now, bytes };
    const silentMs = now - this.#heardAt;
    const { received = 0, lost = 0 } = reception ?? {};
    const quality = this.#quality.judge(received, lost, this.#remote?.sends ? silentMs : 0);
    if (quality) this.#events.quality(quality);
    const limitMs = this.#remote?.sends ? this.#timeoutMs : HELD_TIMEOUT_MS;
    if (this.#told || !this.#remote || silentMs < limitMs) return;
    this.#told = true;
    this.#events.silent();
  }

  get statistics(): CallStatistics {
    const { reception, packets, unknown, foreign, sender, heard } = this.#session;
    const clockRate = this.#remote ? AUDIO_CODECS[this.#remote.codec].clockRate : 8000;
    return {
      packets,
      packetsLost: Math.max(0, reception?.lost ?? 0),
      bitrateBps: this.#bitrateBps,
      jitterMs: ((reception?.jitter ?? 0) * 1000) / clockRate,
      packetsForeign: foreign,
      packetsUnknown: unknown,
      packetsSent: sender?.packets ?? 0,
      ...heard,
      jitterBuffer: this.#contributor?.jitter ?? { depth: 0, late: 0, lost: 0, discarded: 0, stretched: 0 },
    };
  }

  async close(): Promise<void> {
    this.unpass();
    this.#leaveMix();
    await this.#session.close();
  }

  #changeFormat(remote: RemoteEnd): void {
    this.#leaveMix();
    this.#mixer = this.#findMixer();
    this.#contributor = this.#mixer.addContributor(this.#options.call, remote.codec, 'gateway');
    this.#contributor.muted = this.#muted;
    this.#session.forgetReception();
    this.#session.sender ??= new RtpSender(
      remote.payloadType,
      stepOf(remote),
      (packet, bytes) => this.#session.send(packet, bytes),
      undefined,
      this.#clock,
    );
    this.#session.sender.setFormat(remote.payloadType, stepOf(remote), remote.packetMs);
    this.#followHold(remote);
  }

  /** A phone that holds the call gets nothing. */
  #followHold({ codec, rate, receives, maxBitrateBps, packetMs }: RemoteEnd): void {
    this.#unlisten();
    const { sender } = this.#session;
    if (!receives || !this.#mixer || !this.#contributor || !sender) return;
    sender.resume();
    this.#listener = this.#mixer.addListener(
      { codec, rate, own: this.#contributor, maxBitrateBps, packetMs },
      sender,
    );
  }

  #unlisten(): void {
    if (this.#listener) this.#mixer?.removeListener(this.#listener);
    this.#listener = undefined;
  }

  #leaveMix(): void {
    this.#unlisten();
    this.#mixer?.removeContributor(this.#options.call);
    this.#mixer = undefined;
  }

  #knows(payloadType: number): boolean {
    const { receivePayloadType, digitsPayloadType } = this.#remote!;
    return (
      payloadType === receivePayloadType || payloadType === digitsPayloadType || payloadType === COMFORT_NOISE
    );
  }

  #onPacket(rtp: RtpPacket): void {
    const remote = this.#remote!;
    if (rtp.payloadType === remote.digitsPayloadType) this.#onDigits(rtp);
    const isSound = rtp.payloadType === remote.receivePayloadType;
    if (isSound && remote.sends && !this.#muted && rtp.payload.length > 0) this.#onSound(rtp, remote);
    else this.#passThrough?.leaveOut(rtp);
  }

  #onSound(rtp: RtpPacket, remote: RemoteEnd): void {
    const contributor = this.#contributor!;
    contributor.receive(rtp.sequenceNumber, rtp.payload);
    if (!this.#passThrough) return;
    if (remote.codec === 'opus' && contributor.decoders === 0) {
      const speaks = opusHasVoice(rtp.payload);
      this.#passThrough.forward(rtp, speaks ? VOICE_DB : SILENCE_DB, speaks);
    } else this.#passThrough.forward(rtp, contributor.levelDb, contributor.speaking);
  }

  #onDigits(rtp: RtpPacket): void {
    const digit = this.#digits.packet(rtp.timestamp, rtp.marker, rtp.payload);
    if (digit !== undefined && this.#digitRate.take()) this.#events.digit(digit);
  }
}

/** How far the RTP timestamp goes from packet to packet. */
function stepOf(remote: RemoteEnd): number {
  return (clockRateOf(remote) * (remote.packetMs ?? 20)) / 1000;
}

function clockRateOf({ codec }: RemoteEnd): number {
  return AUDIO_CODECS[codec].clockRate;
}

function hasOtherLimits(before: RemoteEnd, remote: RemoteEnd): boolean {
  return before.maxBitrateBps !== remote.maxBitrateBps || before.packetMs !== remote.packetMs;
}
