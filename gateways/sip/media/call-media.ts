import type dgram from 'node:dgram';
import { isIP } from 'node:net';
import { TokenBucket } from '../../../src/base/token-bucket.ts';
import type { Clock, MediaLink } from '../../../src/gateway.ts';
import { AUDIO_CODECS } from '../../../src/media/codec.ts';
import { opusHasVoice } from '../../../src/media/opus-packet.ts';
import { Reception } from '../../../src/media/rtp/reception.ts';
import { isRtcp, parseRtp, type RtpPacket } from '../../../src/media/rtp/rtp.ts';
import { Latch } from '../../../src/media/rtp-session/latch.ts';
import { MediaSocket } from '../../../src/media/rtp-session/media-socket.ts';
import { RtcpSession } from '../../../src/media/rtp-session/rtcp-session.ts';
import { RtpSender } from '../../../src/media/rtp-session/rtp-sender.ts';
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
 * The media of one phone: its two sockets, what it says into its room's mix and to the hub, and what it
 * hears of the mix.
 */
export class CallMedia {
  #options: CallMediaOptions;
  #events: CallMediaEvents;
  #findMixer: () => Mixer;
  /** Of its room, while it takes part in it. */
  #mixer: Mixer | undefined;
  #clock: Clock;
  #rtp!: MediaSocket;
  #rtcp!: MediaSocket;
  #remote: RemoteEnd | undefined;
  #latch: Latch | undefined;
  #contributor: Contributor | undefined;
  #listener: MixListener | undefined;
  #sender: RtpSender | undefined;
  #reception: Reception | undefined;
  /** SSRC that the phone sends with. */
  #source = 0;
  /** Of its last packet of sound: when it came, in units of the timestamp, and its timestamp. */
  #arrival = 0;
  #timestamp = 0;
  #reports: RtcpSession;
  #passThrough: PassThrough | undefined;
  /** Takes back what waits for the pass-through's link to close. */
  #forgetLink: () => void = () => {};
  #digits = new DigitDetector();
  #digitRate: TokenBucket;
  #quality = new LineQuality();
  #muted = false;
  #packets = 0;
  #bytes = 0;
  #bitrateBps = 0;
  #unknown = 0;
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
    this.#reports = new RtcpSession(clock, (packet, bytes) => this.#sendRtcp(packet, bytes));
  }

  /** @throws the socket's error: EADDRINUSE when another program has one of the ports */
  static async open(
    options: CallMediaOptions,
    findMixer: () => Mixer,
    clock: Clock,
    events: CallMediaEvents,
  ): Promise<CallMedia> {
    const media = new CallMedia(options, findMixer, clock, events);
    media.#rtp = await MediaSocket.open(options.bind, options.rtpPort, media.#onRtp);
    try {
      media.#rtcp = await MediaSocket.open(options.bind, options.rtcpPort, media.#onRtcp);
    } catch (error) {
      await media.#rtp.close();
      throw error;
    }
    return media;
  }

  /** Media flows as negotiated; again after each re-INVITE. */
  start(remote: RemoteEnd, timeoutMs: number): void {
    const before = this.#remote;
    this.#remote = remote;
    this.#timeoutMs = timeoutMs;
    this.#heardAt = this.#clock.now();
    this.#told = false;
    if (this.#latch) this.#latch.release(remote.address, remote.port);
    else this.#latch = new Latch(remote.address, remote.port, remote.signalled);
    this.#reports.release(remote.address, remote.rtcpPort);
    // Another clock rate is another stream (RFC 7160, section 4.1): it gets an SSRC of its own.
    if (before && stepOf(before) !== stepOf(remote)) this.#sender = undefined;
    this.#sender?.setFormat(remote.payloadType, stepOf(remote));
    if (before?.codec !== remote.codec || before.rate !== remote.rate) this.#changeFormat(remote);
    else if (before.receives !== remote.receives) this.#followHold(remote);
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
    this.#passThrough = new PassThrough(link, ssrc, payloadType);
    this.#forgetLink = link.onClose(() => this.unpass());
  }

  unpass(): void {
    this.#passThrough = undefined;
    this.#forgetLink();
    this.#forgetLink = () => {};
  }

  /** Called about once a second: reports that are due, and whether the phone is still there. */
  watch(): void {
    if (this.#remote) this.#reports.sendIfDue(this.#sender, this.#reception);
    const now = this.#clock.now();
    this.#bitrateBps = ((this.#bytes - this.#watched.bytes) * 8000) / Math.max(1, now - this.#watched.at);
    this.#watched = { at: now, bytes: this.#bytes };
    const silentMs = now - this.#heardAt;
    const { received = 0, lost = 0 } = this.#reception ?? {};
    const quality = this.#quality.judge(received, lost, this.#remote?.sends ? silentMs : 0);
    if (quality) this.#events.quality(quality);
    const limitMs = this.#remote?.sends ? this.#timeoutMs : HELD_TIMEOUT_MS;
    if (this.#told || !this.#remote || silentMs < limitMs) return;
    this.#told = true;
    this.#events.silent();
  }

  get statistics(): CallStatistics {
    const reception = this.#reception;
    const clockRate = this.#remote ? AUDIO_CODECS[this.#remote.codec].clockRate : 8000;
    return {
      packets: this.#packets,
      packetsLost: Math.max(0, reception?.lost ?? 0),
      bitrateBps: this.#bitrateBps,
      jitterMs: ((reception?.jitter ?? 0) * 1000) / clockRate,
      packetsForeign: this.#latch?.foreign ?? 0,
      packetsUnknown: this.#unknown,
      packetsSent: this.#sender?.packets ?? 0,
      ...this.#reports.heard,
      jitterBuffer: this.#contributor?.jitter ?? { depth: 0, late: 0, lost: 0, discarded: 0, stretched: 0 },
    };
  }

  async close(): Promise<void> {
    this.#reports.sayGoodbye(this.#sender, this.#reception);
    this.unpass();
    this.#leaveMix();
    await Promise.all([this.#rtp.close(), this.#rtcp.close()]);
  }

  #changeFormat(remote: RemoteEnd): void {
    this.#leaveMix();
    this.#mixer = this.#findMixer();
    this.#contributor = this.#mixer.addContributor(this.#options.call, remote.codec, 'gateway');
    this.#contributor.muted = this.#muted;
    this.#reception = undefined;
    this.#sender ??= new RtpSender(
      remote.payloadType,
      stepOf(remote),
      (packet, bytes) => this.#sendRtp(packet, bytes),
      undefined,
      this.#clock,
    );
    this.#followHold(remote);
  }

  /** A phone that holds the call gets nothing. */
  #followHold({ codec, rate, receives }: RemoteEnd): void {
    this.#unlisten();
    if (!receives || !this.#mixer || !this.#contributor || !this.#sender) return;
    this.#sender.resume();
    this.#listener = this.#mixer.addListener({ codec, rate, own: this.#contributor }, this.#sender);
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

  #onRtp = (packet: Buffer, from: dgram.RemoteInfo): void => {
    if (isRtcp(packet)) {
      this.#onRtcp(packet, from);
      return;
    }
    const remote = this.#remote;
    const rtp = remote && parseRtp(packet);
    if (!rtp) {
      this.#unknown++;
      return;
    }
    const isSound = rtp.payloadType === remote.receivePayloadType;
    const isDigits = rtp.payloadType === remote.digitsPayloadType;
    if (!isSound && !isDigits && rtp.payloadType !== COMFORT_NOISE) {
      this.#unknown++;
      return;
    }
    const now = this.#clock.now();
    if (!this.#latch!.accepts(from.address, from.port, now)) return;
    this.#heardAt = now;
    this.#told = false;
    this.#count(rtp, packet.length, now, remote);
    if (isDigits) this.#onDigits(rtp);
    if (isSound && remote.sends && !this.#muted && rtp.payload.length > 0) this.#onSound(rtp, remote);
    else this.#passThrough?.leaveOut();
  };

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

  #count(rtp: RtpPacket, bytes: number, nowMs: number, remote: RemoteEnd): void {
    this.#packets++;
    this.#bytes += bytes;
    if (!this.#reception || this.#source !== rtp.ssrc) {
      this.#source = rtp.ssrc;
      this.#reception = new Reception(rtp.ssrc);
    }
    // Packets of a telephone event share one timestamp: they say nothing about jitter.
    const { clockRate } = AUDIO_CODECS[remote.codec];
    if (rtp.payloadType === remote.receivePayloadType) {
      this.#arrival = (nowMs * clockRate) / 1000;
      this.#timestamp = rtp.timestamp;
    }
    this.#reception.onPacket(rtp.sequenceNumber, this.#timestamp, this.#arrival);
  }

  #onRtcp = (packet: Buffer, from: dgram.RemoteInfo): void => {
    if (!this.#remote) return;
    const latched = this.#latch?.latched ? this.#latch.address : undefined;
    if (!this.#reports.receive(packet, from.address, from.port, latched, this.#reception, this.#sender))
      return;
    this.#heardAt = this.#clock.now();
    this.#told = false;
  };

  #sendRtp(packet: Buffer, bytes: number): void {
    const { address, port, latched } = this.#latch!;
    if (latched || isReachable(address)) this.#rtp.send(packet, bytes, port, address);
  }

  #sendRtcp(packet: Buffer, bytes: number): void {
    const { address, port } = this.#reports;
    if (this.#remote?.rtcpPort === this.#remote?.port) this.#sendRtp(packet, bytes);
    else if (isReachable(address)) this.#rtcp.send(packet, bytes, port, address);
  }
}

/** Whether it can be sent to; where not, the phone's first packet shows where it is. */
function isReachable(address: string): boolean {
  return isIP(address) > 0 && address !== UNKNOWN_ADDRESS;
}

/** How far the RTP timestamp goes in 20 ms. */
function stepOf({ codec }: RemoteEnd): number {
  return AUDIO_CODECS[codec].clockRate / 50;
}
