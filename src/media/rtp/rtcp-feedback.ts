/** What a receiver asks of a sender by RTCP (RFC 4585): packets again, or a whole picture. Pure. */

const TRANSPORT_FEEDBACK = 205;
const PAYLOAD_FEEDBACK = 206;
const GENERIC_NACK = 1;
const PICTURE_LOSS = 1;
const FULL_INTRA_REQUEST = 4;
/** Common header, and the SSRCs of who asks and whose stream it is about (section 6.1). */
const HEADER_BYTES = 12;
/** Of a NACK that are read: 17 packets each, far more than a sender keeps. */
const MAX_NACK_ITEMS = 128;

/** @returns the SSRC of the stream that a packet's first part is about; undefined when that is no feedback */
export function feedbackTarget(packet: Buffer): number | undefined {
  const type = packet[1];
  if ((type !== TRANSPORT_FEEDBACK && type !== PAYLOAD_FEEDBACK) || packet.length < HEADER_BYTES)
    return undefined;
  const format = packet[0]! & 0x1f;
  // A FIR names its streams in its items (RFC 5104, section 4.3.1.1).
  if (type === PAYLOAD_FEEDBACK && format === FULL_INTRA_REQUEST && packet.length >= HEADER_BYTES + 8)
    return packet.readUInt32BE(HEADER_BYTES);
  return packet.readUInt32BE(8);
}

/** @returns whether it asks for a key frame: PLI (RFC 4585, section 6.3.1) or FIR (RFC 5104, section 4.3.1) */
export function asksForKeyFrame(packet: Buffer): boolean {
  if (packet.length < HEADER_BYTES || packet[1] !== PAYLOAD_FEEDBACK) return false;
  const format = packet[0]! & 0x1f;
  return format === PICTURE_LOSS || format === FULL_INTRA_REQUEST;
}

/** Tells the sequence numbers that a generic NACK asks for (RFC 4585, section 6.2.1). */
export function readNack(packet: Buffer, onLost: (sequenceNumber: number) => void): void {
  if (packet.length < HEADER_BYTES || packet[1] !== TRANSPORT_FEEDBACK) return;
  if ((packet[0]! & 0x1f) !== GENERIC_NACK) return;
  const end = Math.min(packet.length, 4 + packet.readUInt16BE(2) * 4, HEADER_BYTES + MAX_NACK_ITEMS * 4);
  for (let at = HEADER_BYTES; at + 4 <= end; at += 4) {
    const first = packet.readUInt16BE(at);
    const following = packet.readUInt16BE(at + 2);
    onLost(first);
    for (let bit = 0; bit < 16; bit++) {
      if (following & (1 << bit)) onLost((first + bit + 1) & 0xffff);
    }
  }
}

/**
 * Writes a request for a key frame: PLI (RFC 4585, section 6.3.1). A packet by itself (RFC 5506).
 * @param senderSsrc - whose request it is; 32 bits, as the other
 * @param mediaSsrc - of the stream whose pictures are missing
 */
export function pictureLossIndication(senderSsrc: number, mediaSsrc: number): Buffer {
  const packet = Buffer.allocUnsafe(HEADER_BYTES);
  packet.writeUInt16BE(0x8000 | (PICTURE_LOSS << 8) | PAYLOAD_FEEDBACK, 0);
  packet.writeUInt16BE(HEADER_BYTES / 4 - 1, 2);
  packet.writeUInt32BE(senderSsrc >>> 0, 4);
  packet.writeUInt32BE(mediaSsrc >>> 0, 8);
  return packet;
}
