import { type LengthBytes, NAL, nalUnitsOf } from '../h264/nal-units.ts';
import { RTP_HEADER_BYTES, type RtpHeader, writeRtpHeader } from './rtp.ts';
import { sequenceDistance } from './sequence.ts';

const STAP_A = 24;
const FU_A = 28;
/** Types from here on have a meaning of their own in RTP (RFC 6184, table 1). */
const FIRST_RTP_TYPE = 24;
const FU_HEADER_BYTES = 2;
const FU_START = 0x80;
const FU_END = 0x40;
const MIN_PAYLOAD_BYTES = 16;
const MAX_PAYLOAD_BYTES = 65_000;
const MAX_RING_PACKETS = 16_384;
/** Say nothing to a receiver of RTP, which knows a picture's end by the marker bit. */
const LEFT_OUT: ReadonlySet<number> = new Set([NAL.AUD, NAL.END_OF_SEQUENCE, NAL.END_OF_STREAM, NAL.FILLER]);

export interface H264PacketizerOptions {
  /** 32 bits */
  ssrc: number;
  /** 0 to 127 */
  payloadType: number;
  /** Of a packet without its RTP header: 16 to 65000, 1200 unless given. */
  maxPayloadBytes?: number;
  /** Packets kept, so that they can be sent again: 2 to 16384, 1024 unless given. */
  ringPackets?: number;
  /** Of the first packet, 16 bits; 0 unless given. */
  sequenceNumber?: number;
}

/**
 * Cuts H.264 into RTP packets, as packetization-mode 1 has it (RFC 6184, section 6.3): a NAL unit a packet, in fragments
 * where it is too large for one (FU-A), parameter sets in one packet together (STAP-A).
 *
 * Packets are written into a ring that is allocated once: each stays as it is until `ringPackets` others were made.
 */
export class H264Packetizer {
  #maxPayloadBytes: number;
  #ringPackets: number;
  #ring: Buffer;
  /** The packets in the ring, each a view of its slot: most have the length of the one before and need no new view. */
  #views: (Buffer | undefined)[];
  #header: RtpHeader;
  /** Packets made in all. */
  #made = 0;

  /* The access unit that is being cut. */
  #accessUnit: Buffer = Buffer.alloc(0);
  #parameterSets: readonly Buffer[] = [];
  #emit: (packet: Buffer) => void = ignore;
  /** Packets that it takes, and those of them that are still to be made. */
  #planned = 0;
  #left = 0;
  #plan = (start: number, end: number) => {
    if (this.#isSent(start, end)) this.#planned += this.#packetsOf(end - start);
  };
  #send = (start: number, end: number) => {
    if (this.#isSent(start, end)) this.#sendUnit(this.#accessUnit, start, end);
  };

  /** @throws RangeError when an option is out of its range */
  constructor(options: H264PacketizerOptions) {
    const { maxPayloadBytes = 1200, ringPackets = 1024, sequenceNumber = 0 } = options;
    if (!(maxPayloadBytes >= MIN_PAYLOAD_BYTES && maxPayloadBytes <= MAX_PAYLOAD_BYTES)) {
      throw new RangeError(
        `Payloads have ${MIN_PAYLOAD_BYTES} to ${MAX_PAYLOAD_BYTES} bytes, not ${maxPayloadBytes}.`,
      );
    }
    if (!(ringPackets >= 2 && ringPackets <= MAX_RING_PACKETS)) {
      throw new RangeError(`The ring holds 2 to ${MAX_RING_PACKETS} packets, not ${ringPackets}.`);
    }
    this.#maxPayloadBytes = maxPayloadBytes;
    this.#ringPackets = ringPackets;
    this.#ring = Buffer.allocUnsafeSlow(ringPackets * this.#slotBytes);
    this.#views = new Array(ringPackets).fill(undefined);
    this.#header = {
      payloadType: options.payloadType,
      sequenceNumber: sequenceNumber & 0xffff,
      timestamp: 0,
      ssrc: options.ssrc,
      marker: false,
    };
  }

  /** Of the next packet, 16 bits. */
  get sequenceNumber(): number {
    return this.#header.sequenceNumber;
  }

  /**
   * Cuts one access unit. Left out are delimiters, fillers, ends of sequences, NAL units whose type means something else in
   * RTP, and parameter sets that are the same as one of `parameterSets`.
   *
   * @param accessUnit - NAL units, each behind its length
   * @param timestamp - 32 bits, 90 kHz
   * @param parameterSets - whole NAL units to send before it; none for an access unit that can do without
   * @param emit - is called with each packet, in order; must not call back
   * @returns how many packets were made. 0, without any having been made, for an access unit that is malformed, that has
   *   nothing to send, or that needs more than half the ring
   */
  packetize(
    accessUnit: Buffer,
    lengthBytes: LengthBytes,
    timestamp: number,
    parameterSets: readonly Buffer[],
    emit: (packet: Buffer) => void,
  ): number {
    this.#accessUnit = accessUnit;
    this.#parameterSets = parameterSets;
    this.#emit = emit;
    this.#planned = 0;
    const wellFormed = nalUnitsOf(accessUnit, lengthBytes, this.#plan);
    if (!wellFormed || this.#planned === 0) return 0;
    const together = this.#aggregateBytes();
    if (together > 0) this.#planned++;
    else for (const unit of parameterSets) this.#planned += this.#packetsOf(unit.length);
    if (this.#planned > this.#ringPackets / 2) return 0;
    this.#header.timestamp = timestamp;
    this.#left = this.#planned;
    if (together > 0) this.#sendTogether(together);
    else for (const unit of parameterSets) this.#sendUnit(unit, 0, unit.length);
    nalUnitsOf(accessUnit, lengthBytes, this.#send);
    return this.#planned;
  }

  /**
   * @param sequenceNumber - 16 bits
   * @returns the packet as it was sent, for who lost it; undefined when it wasn't sent or is no longer in the ring
   */
  packet(sequenceNumber: number): Buffer | undefined {
    const age = -sequenceDistance(sequenceNumber, this.sequenceNumber);
    if (age < 1 || age > this.#made || age > this.#ringPackets) return undefined;
    return this.#views[(this.#made - age) % this.#ringPackets];
  }

  get #slotBytes(): number {
    return RTP_HEADER_BYTES + this.#maxPayloadBytes;
  }

  #isSent(start: number, end: number): boolean {
    const type = this.#accessUnit[start]! & 0x1f;
    if (type === 0 || type >= FIRST_RTP_TYPE || LEFT_OUT.has(type)) return false;
    if (type !== NAL.SPS && type !== NAL.PPS) return true;
    // One that differs is sent: it has changed since, and comes after the ones put in front.
    for (const unit of this.#parameterSets) {
      if (this.#accessUnit.compare(unit, 0, unit.length, start, end) === 0) return false;
    }
    return true;
  }

  #packetsOf(unitBytes: number): number {
    if (unitBytes === 0) return 0;
    if (unitBytes <= this.#maxPayloadBytes) return 1;
    return Math.ceil((unitBytes - 1) / (this.#maxPayloadBytes - FU_HEADER_BYTES));
  }

  /** @returns of the payload of an STAP-A with all parameter sets; 0 when there is no use for it, or they don't fit */
  #aggregateBytes(): number {
    let units = 0;
    let bytes = 1;
    for (const { length } of this.#parameterSets) {
      if (length === 0) continue;
      units++;
      bytes += 2 + length;
    }
    return units > 1 && bytes <= this.#maxPayloadBytes ? bytes : 0;
  }

  /** STAP-A (section 5.7.1): its header has the highest importance and the error bit of what is in it. */
  #sendTogether(bytes: number): void {
    const packet = this.#begin(bytes);
    let forbidden = 0;
    let importance = 0;
    let at = RTP_HEADER_BYTES + 1;
    for (const unit of this.#parameterSets) {
      if (unit.length === 0) continue;
      forbidden |= unit[0]! & 0x80;
      importance = Math.max(importance, unit[0]! & 0x60);
      at = packet.writeUInt16BE(unit.length, at);
      at += unit.copy(packet, at);
    }
    packet[RTP_HEADER_BYTES] = forbidden | importance | STAP_A;
    this.#emit(packet);
  }

  #sendUnit(source: Buffer, start: number, end: number): void {
    const packets = this.#packetsOf(end - start);
    if (packets === 1) {
      const packet = this.#begin(end - start);
      source.copy(packet, RTP_HEADER_BYTES, start, end);
      this.#emit(packet);
    } else if (packets > 1) this.#sendFragments(source, start, end, packets);
  }

  /** FU-A (section 5.8): the unit's header byte goes apart into those of the fragments, which are equally long but for a byte. */
  #sendFragments(source: Buffer, start: number, end: number, packets: number): void {
    const indicator = (source[start]! & 0xe0) | FU_A;
    const type = source[start]! & 0x1f;
    const body = end - start - 1;
    const bytes = Math.floor(body / packets);
    const longer = body % packets;
    let at = start + 1;
    for (let fragment = 0; fragment < packets; fragment++) {
      const length = bytes + (fragment < longer ? 1 : 0);
      const packet = this.#begin(FU_HEADER_BYTES + length);
      packet[RTP_HEADER_BYTES] = indicator;
      packet[RTP_HEADER_BYTES + 1] =
        type | (fragment === 0 ? FU_START : 0) | (fragment === packets - 1 ? FU_END : 0);
      source.copy(packet, RTP_HEADER_BYTES + FU_HEADER_BYTES, at, at + length);
      at += length;
      this.#emit(packet);
    }
  }

  /** @returns the next packet's place in the ring, with its RTP header written */
  #begin(payloadBytes: number): Buffer {
    const slot = this.#made % this.#ringPackets;
    const length = RTP_HEADER_BYTES + payloadBytes;
    let packet = this.#views[slot];
    if (packet?.length !== length) {
      const from = slot * this.#slotBytes;
      packet = this.#ring.subarray(from, from + length);
      this.#views[slot] = packet;
    }
    this.#left--;
    this.#header.marker = this.#left === 0;
    writeRtpHeader(packet, this.#header);
    this.#header.sequenceNumber = (this.#header.sequenceNumber + 1) & 0xffff;
    this.#made++;
    return packet;
  }
}

function ignore(): void {}
