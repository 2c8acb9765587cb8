import { randomBytes, randomInt } from 'node:crypto';
import type { Clock } from '../../base/clock.ts';
import { ntpFraction, ntpMiddle, ntpSeconds, roundTripMs } from '../rtp/ntp.ts';
import type { Reception } from '../rtp/reception.ts';
import { parseRtcp, reportBytes, reportIntervalMs, writeReport } from '../rtp/rtcp.ts';
import { type Expected, Latch } from './latch.ts';
import type { RtpSender } from './rtp-sender.ts';

/** Tells every report of this process from those of others, and says nothing about the machine (RFC 7022). */
const CNAME = Buffer.from(randomBytes(12).toString('base64url'));

/** What the phone tells of what it got. */
interface Heard {
  lostAtPhone?: number;
  roundTripMs?: number;
}

/** The reports of one call (RFC 3550, section 6): what we sent and got, every five seconds or so, and what the phone says. */
export class RtcpSession {
  readonly heard: Heard = {};
  #clock: Clock;
  #send: (packet: Buffer, bytes: number) => void;
  #latch: Latch | undefined;
  #packet = Buffer.alloc(reportBytes(1));
  #dueAt: number;
  /** Sent by the last report, and by the one before it. */
  #sentByLast = 0;
  /** SSRC of the sender that the last report was about. */
  #reported: number | undefined;
  #sentByOneBefore = 0;
  /** For a report before anything was sent. */
  #ssrc = randomInt(1, 2 ** 32);

  /** @param send - takes the first `bytes` bytes of `packet` at once */
  constructor(clock: Clock, send: (packet: Buffer, bytes: number) => void) {
    this.#clock = clock;
    this.#send = send;
    this.#dueAt = clock.now() + reportIntervalMs(Math.random);
  }

  /** Where reports go; an address that cannot be sent to until the phone's first one came. */
  get address(): string {
    return this.#latch?.address ?? '';
  }

  get port(): number {
    return this.#latch?.port ?? 0;
  }

  /** The other end may have moved. @param expected - with the port of its reports */
  release(expected: Expected): void {
    if (this.#latch) this.#latch.release(expected);
    else this.#latch = new Latch(expected);
  }

  /**
   * A packet that came to the RTCP port.
   * @param phone - where its RTP comes from, where that is known: its RTCP comes from the same address
   * @returns whether it is the phone's
   */
  receive(
    packet: Buffer,
    address: string,
    port: number,
    phone: string | undefined,
    reception: Reception | undefined,
    sender: RtpSender | undefined,
  ): boolean {
    if (phone !== undefined && address !== phone) return false;
    const parts = parseRtcp(packet);
    if (!parts || !this.#latch?.accepts(address, port, this.#clock.now())) return false;
    for (const part of parts) {
      if (part.type !== 'report') continue;
      if (part.sender) {
        reception?.onSenderReport(part.sender.ntpSeconds, part.sender.ntpFraction, this.#clock.now());
      }
      const block = part.blocks.find(({ ssrc }) => ssrc === sender?.ssrc);
      if (!block) continue;
      this.heard.lostAtPhone = block.packetsLost;
      const wall = this.#clock.wallClock();
      const arrival = ntpMiddle(ntpSeconds(wall), ntpFraction(wall));
      const tripMs = roundTripMs(arrival, block.lastSenderReport, block.delaySinceLastSenderReport);
      if (tripMs !== undefined) this.heard.roundTripMs = tripMs;
    }
    return true;
  }

  sendIfDue(sender: RtpSender | undefined, reception: Reception | undefined): void {
    if (this.#clock.now() < this.#dueAt) return;
    this.#dueAt = this.#clock.now() + reportIntervalMs(Math.random);
    this.#report(sender, reception, false);
  }

  sayGoodbye(sender: RtpSender | undefined, reception: Reception | undefined): void {
    if (sender && sender.packets > 0) this.#report(sender, reception, true);
  }

  #report(sender: RtpSender | undefined, reception: Reception | undefined, bye: boolean): void {
    const wall = this.#clock.wallClock();
    const block = reception?.takeReport(this.#clock.now());
    if (sender?.ssrc !== this.#reported) {
      // Another stream counts from its own start.
      this.#reported = sender?.ssrc;
      this.#sentByOneBefore = 0;
      this.#sentByLast = 0;
    }
    const hasSent = sender !== undefined && sender.packets > this.#sentByOneBefore;
    this.#sentByOneBefore = this.#sentByLast;
    this.#sentByLast = sender?.packets ?? 0;
    const bytes = writeReport(this.#packet, {
      ssrc: sender?.ssrc ?? this.#ssrc,
      sender: hasSent
        ? {
            ntpSeconds: ntpSeconds(wall),
            ntpFraction: ntpFraction(wall),
            rtpTimestamp: sender.timestampNow,
            packets: sender.packets,
            octets: sender.octets,
          }
        : undefined,
      blocks: block ? [block] : [],
      cname: CNAME,
      bye,
    });
    this.#send(this.#packet, bytes);
  }
}
