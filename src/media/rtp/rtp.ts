/** RTP packets as bytes (RFC 3550, section 5.1; header extensions RFC 8285). Pure; nothing is copied when reading. */

export const RTP_HEADER_BYTES = 12;

export interface RtpHeader {
  payloadType: number;
  /** 16 bits */
  sequenceNumber: number;
  /** 32 bits, in units of the codec's clock rate */
  timestamp: number;
  ssrc: number;
  marker: boolean;
}

export interface RtpPacket extends RtpHeader {
  /** A view of the packet's payload without padding. */
  payload: Buffer;
}

/** @returns whether it is RTCP: packet types 192 to 223 when both share a port (RFC 5761, section 4) */
export function isRtcp(packet: Buffer): boolean {
  return packet.length >= 8 && packet[1]! >= 192 && packet[1]! <= 223;
}

/** @returns the packet, or undefined when the bytes are no whole RTP packet of version 2 */
export function parseRtp(packet: Buffer): RtpPacket | undefined {
  if (packet.length < RTP_HEADER_BYTES || packet[0]! >> 6 !== 2) return undefined;
  const first = packet[0]!;
  let start = RTP_HEADER_BYTES + (first & 0x0f) * 4;
  if (first & 0x10) {
    if (packet.length < start + 4) return undefined;
    start += 4 + packet.readUInt16BE(start + 2) * 4;
  }
  let end = packet.length;
  if (first & 0x20) {
    const padding = packet[end - 1]!; // counts itself
    if (padding === 0) return undefined;
    end -= padding;
  }
  if (start > end) return undefined;
  return {
    marker: (packet[1]! & 0x80) !== 0,
    payloadType: packet[1]! & 0x7f,
    sequenceNumber: packet.readUInt16BE(2),
    timestamp: packet.readUInt32BE(4),
    ssrc: packet.readUInt32BE(8),
    payload: packet.subarray(start, end),
  };
}

/** Writes a header without contributing sources and without an extension at the start of `target` (12 bytes). */
export function writeRtpHeader(target: Buffer, header: RtpHeader): void {
  target[0] = 0x80;
  target[1] = (header.marker ? 0x80 : 0) | (header.payloadType & 0x7f);
  target.writeUInt16BE(header.sequenceNumber & 0xffff, 2);
  target.writeUInt32BE(header.timestamp >>> 0, 4);
  target.writeUInt32BE(header.ssrc >>> 0, 8);
}
