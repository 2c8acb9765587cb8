import type dgram from 'node:dgram';
import { isIP } from 'node:net';
import type { Clock } from '../../base/clock.ts';
import { TokenBucket } from '../../base/token-bucket.ts';
import { Reception } from '../rtp/reception.ts';
import { isRtcp, parseRtp, type RtpPacket } from '../rtp/rtp.ts';
import { Latch } from './latch.ts';
import { MediaSocket } from './media-socket.ts';
import { RtcpSession } from './rtcp-session.ts';
import type { RtpSender } from './rtp-sender.ts';

export interface RtpSessionOptions {
  readonly bind: string;
  readonly rtpPort: number;
  readonly rtcpPort: number;
  /** What descriptions say when they do not know: nothing is sent there. */
  readonly unknownAddress: string;
}

/** The other end of a session, as it was negotiated. */
export interface RtpRemote {
  readonly address: string;
  readonly port: number;
  /** The same as `port`: RTP and RTCP share it (RFC 5761). */
  readonly rtcpPort: number;
  /** Where its signalling comes from. */
  readonly signalled?: string | undefined;
  /** Whether it is to send. */
  readonly sends: boolean;
  /** Of the payload types that say something about jitter, in Hz. */
  readonly clockRate: number;
  /** Payload type of its media. */
  readonly receivePayloadType: number;
}

export interface RtpSessionEvents {
  /** @returns whether the payload type is one of those agreed on; others are counted, and say nothing about the source */
  knows(payloadType: number): boolean;
  /** A packet of the other end. */
  packet(rtp: RtpPacket): void;
  /** There was a sign of the other end: media, a report, or what keeps its way through a NAT open. */
  alive(): void;
}

/** An address that nobody answered from gets a little, as a phone needs it to be found, and no stream that it did not ask for. */
const UNCONFIRMED_PER_SECOND = 1;
const UNCONFIRMED_BURST = 50;

/**
 * RTP and RTCP with one other end (RFC 3550): two sockets, where media comes from and goes to (Latch), what arrived, and
 * the reports about it.
 */
export class RtpSession {
  readonly #options: RtpSessionOptions;
  readonly #clock: Clock;
  readonly #events: RtpSessionEvents;
  #rtp!: MediaSocket;
  #rtcp!: MediaSocket;
  #remote: RtpRemote | undefined;
  #latch: Latch | undefined;
  #reports: RtcpSession;
  #reception: Reception | undefined;
  /** SSRC that the other end sends with. */
  #source = 0;
  /** Of its last packet of media: when it came, in units of the timestamp, and its timestamp. */
  #arrival = 0;
  #timestamp = 0;
  /** It answered from where it said: a report came from there. */
  #isConfirmed = false;
  #unconfirmed: TokenBucket;
  packets = 0;
  bytes = 0;
  /** Not of what was agreed on; dropped. */
  unknown = 0;
  /** What is sent; undefined while nothing is. */
  sender: RtpSender | undefined;

  private constructor(options: RtpSessionOptions, clock: Clock, events: RtpSessionEvents) {
    this.#options = options;
    this.#clock = clock;
    this.#events = events;
    this.#reports = new RtcpSession(clock, (packet, bytes) => this.#sendRtcp(packet, bytes));
    this.#unconfirmed = new TokenBucket(UNCONFIRMED_PER_SECOND, UNCONFIRMED_BURST, clock);
  }

  /** @throws the socket's error: EADDRINUSE when another program has one of the ports */
  static async open(options: RtpSessionOptions, clock: Clock, events: RtpSessionEvents): Promise<RtpSession> {
    const session = new RtpSession(options, clock, events);
    session.#rtp = await MediaSocket.open(options.bind, options.rtpPort, session.#onRtp);
    try {
      session.#rtcp = await MediaSocket.open(options.bind, options.rtcpPort, session.#onRtcp);
    } catch (error) {
      await session.#rtp.close();
      throw error;
    }
    return session;
  }

  /** Media flows as negotiated; again whenever that changes. */
  aim(remote: RtpRemote): void {
    const before = this.#remote;
    this.#remote = remote;
    if (before?.address !== remote.address || before.port !== remote.port) {
      this.#isConfirmed = false;
      this.#unconfirmed = new TokenBucket(UNCONFIRMED_PER_SECOND, UNCONFIRMED_BURST, this.#clock);
    }
    if (this.#latch) this.#latch.release(remote);
    else this.#latch = new Latch(remote);
    this.#reports.release({ ...remote, port: remote.rtcpPort });
  }

  /** What comes from now on is counted anew: another format. */
  forgetReception(): void {
    this.#reception = undefined;
  }

  get reception(): Reception | undefined {
    return this.#reception;
  }

  /** What the other end tells of what it got. */
  get heard(): RtcpSession['heard'] {
    return this.#reports.heard;
  }

  /** Packets from somebody else. */
  get foreign(): number {
    return this.#latch?.foreign ?? 0;
  }

  /** @param bytes - of `packet` that are sent; it must not change until the next turn of the event loop */
  send(packet: Buffer, bytes: number): void {
    const { address, port, latched } = this.#latch!;
    if (!latched && !(this.#isReachable(address) && this.#mayBeSentTo(address))) return;
    this.#rtp.send(packet, bytes, port, address);
  }

  reportIfDue(): void {
    if (this.#remote) this.#reports.sendIfDue(this.sender, this.#reception);
  }

  async close(): Promise<void> {
    this.#reports.sayGoodbye(this.sender, this.#reception);
    await Promise.all([this.#rtp.close(), this.#rtcp.close()]);
  }

  #onRtp = (packet: Buffer, from: dgram.RemoteInfo): void => {
    const remote = this.#remote;
    if (isRtcp(packet)) {
      this.#onRtcp(packet, from);
      return;
    }
    const rtp = remote && parseRtp(packet);
    if (!rtp || !this.#events.knows(rtp.payloadType)) {
      this.unknown++;
      // Whatever it is: the other end is still there (RFC 6263).
      if (this.#latch?.isAt(from.address, from.port)) this.#events.alive();
      return;
    }
    const now = this.#clock.now();
    if (!this.#latch!.accepts(from.address, from.port, now, rtp.ssrc)) return;
    this.#events.alive();
    this.#count(rtp, packet.length, now, remote);
    this.#events.packet(rtp);
  };

  #count(rtp: RtpPacket, bytes: number, nowMs: number, { clockRate, receivePayloadType }: RtpRemote): void {
    this.packets++;
    this.bytes += bytes;
    if (!this.#reception || this.#source !== rtp.ssrc) {
      this.#source = rtp.ssrc;
      this.#reception = new Reception(rtp.ssrc);
    }
    // Packets of a telephone event share one timestamp: they say nothing about jitter.
    if (rtp.payloadType === receivePayloadType) {
      this.#arrival = (nowMs * clockRate) / 1000;
      this.#timestamp = rtp.timestamp;
    }
    this.#reception.onPacket(rtp.sequenceNumber, this.#timestamp, this.#arrival);
  }

  #onRtcp = (packet: Buffer, from: dgram.RemoteInfo): void => {
    const remote = this.#remote;
    if (!remote) return;
    const latched = this.#latch?.latched ? this.#latch.address : undefined;
    const { address, port } = from;
    if (!this.#reports.receive(packet, address, port, latched, this.#reception, this.sender)) return;
    if (address === remote.address) this.#isConfirmed = true;
    this.#events.alive();
  };

  #sendRtcp(packet: Buffer, bytes: number): void {
    const { address, port } = this.#reports;
    if (this.#remote?.rtcpPort === this.#remote?.port) this.send(packet, bytes);
    else if (this.#isReachable(address)) this.#rtcp.send(packet, bytes, port, address);
  }

  /** Whether it can be sent to; where not, the first packet shows where the other end is. */
  #isReachable(address: string): boolean {
    return isIP(address) > 0 && address !== this.#options.unknownAddress;
  }

  /** A caller may name any address: whoever is there did not ask for it, unless he signals from there or has answered. */
  #mayBeSentTo(address: string): boolean {
    const signalled = this.#remote?.signalled;
    return this.#isConfirmed || signalled === undefined || address === signalled || this.#unconfirmed.take();
  }
}
