import { randomInt } from 'node:crypto';
import { type Clock, systemClock } from '../../base/clock.ts';
import { RTP_HEADER_BYTES, writeRtpHeader } from '../rtp/rtp.ts';

/** What is sent each time: 20 ms, in one packet that fits an Ethernet frame. */
const FRAME_MS = 20;
const MAX_PAYLOAD_BYTES = 1500;
/** Packets in turn, so that one which the kernel takes a moment later is still what it was. */
const PACKETS = 4;

/** Makes RTP packets of a mix's frames: one a tick, without a gap in time or sequence numbers. */
export class RtpSender {
  readonly ssrc: number;
  /** Sent so far, for sender reports (RFC 3550, section 6.4.1). */
  packets = 0;
  /** Payload only. */
  octets = 0;
  #clock: Clock;
  /** When the last packet went, in ms; what was skipped since counts as sent. */
  #sentAt = 0;
  /** Of the next packet, in units of the codec's clock. */
  #timestamp = randomInt(2 ** 32);
  #send: (packet: Buffer, bytes: number) => void;
  #payloadType: number;
  #timestampStep: number;
  #packetMs = FRAME_MS;
  #sequenceNumber = randomInt(2 ** 16);
  #marker = true;
  #packets = Array.from({ length: PACKETS }, () => Buffer.alloc(RTP_HEADER_BYTES + MAX_PAYLOAD_BYTES));
  #turn = 0;
  #header = { payloadType: 0, marker: false, sequenceNumber: 0, timestamp: 0, ssrc: 0 };

  /**
   * @param timestampStep - of one packet, in units of the codec's clock
   * @param send - takes the first `bytes` bytes of `packet` at once
   */
  constructor(
    payloadType: number,
    timestampStep: number,
    send: (packet: Buffer, bytes: number) => void,
    ssrc: number = randomInt(1, 2 ** 32),
    clock: Clock = systemClock,
  ) {
    this.ssrc = ssrc;
    this.#clock = clock;
    this.#payloadType = payloadType;
    this.#timestampStep = timestampStep;
    this.#send = send;
  }

  /** The same stream goes on in another format (after a re-INVITE). */
  setFormat(payloadType: number, timestampStep: number, packetMs: number = FRAME_MS): void {
    this.#packetMs = packetMs;
    this.#payloadType = payloadType;
    this.#timestampStep = timestampStep;
  }

  deliver(payload: Uint8Array, bytes: number): void {
    const packet = this.#packets[this.#turn]!;
    this.#turn = (this.#turn + 1) % PACKETS;
    const header = this.#header;
    header.payloadType = this.#payloadType;
    header.marker = this.#marker;
    header.sequenceNumber = this.#sequenceNumber;
    header.timestamp = this.#timestamp;
    header.ssrc = this.ssrc;
    writeRtpHeader(packet, header);
    packet.set(payload.subarray(0, bytes), RTP_HEADER_BYTES); // four times as fast as a loop
    this.#marker = false;
    this.#sequenceNumber = (this.#sequenceNumber + 1) & 0xffff;
    this.#timestamp = (this.#timestamp + this.#timestampStep) >>> 0;
    this.#sentAt = this.#clock.now();
    this.packets++;
    this.octets += bytes;
    this.#send(packet, RTP_HEADER_BYTES + bytes);
  }

  /** A gap: time goes on, and what follows is a new spurt (RFC 3551, section 4.1). */
  skip(frames: number): void {
    this.#timestamp = (this.#timestamp + frames * (FRAME_MS / this.#packetMs) * this.#timestampStep) >>> 0;
    this.#sentAt += frames * FRAME_MS;
    this.#marker = true;
  }

  /** Goes on after nothing was sent for a while: time went on (RFC 3550, section 5.1). */
  resume(): void {
    if (this.packets > 0) this.skip(Math.floor((this.#clock.now() - this.#sentAt) / FRAME_MS));
  }

  /** What the timestamp is at this instant, between packets too (RFC 3550, section 6.4.1). */
  get timestampNow(): number {
    const sinceMs = this.#clock.now() - this.#sentAt;
    return (this.#timestamp + Math.round((sinceMs / this.#packetMs - 1) * this.#timestampStep)) >>> 0;
  }
}
