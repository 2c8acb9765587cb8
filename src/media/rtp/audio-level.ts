import { RTP_HEADER_BYTES } from './rtp.ts';

/* The header extension that tells how loud a packet is, so that nobody has to decode it for that (RFC 6464; RFC 8285, section 4.2). */

export const AUDIO_LEVEL_URI = 'urn:ietf:params:rtp-hdrext:ssrc-audio-level';
/** Id that stands for it in what media workers send to hubs. */
export const AUDIO_LEVEL_ID = 6;
/** "One-byte" extension headers follow. */
const ONE_BYTE_PROFILE = 0xbede;
/** Profile and length, one element of one byte, two of padding. */
export const AUDIO_LEVEL_BYTES = 8;

/**
 * Writes a header extension block with the level only.
 * @param id - that stands for the extension, 1 to 14
 * @param levelDb - dBFS, -127 to 0
 * @param speaks - whether it is voice
 */
export function writeAudioLevel(
  target: Buffer,
  offset: number,
  id: number,
  levelDb: number,
  speaks: boolean,
): void {
  target.writeUInt16BE(ONE_BYTE_PROFILE, offset);
  target.writeUInt16BE(1, offset + 2);
  target[offset + 4] = id << 4;
  target[offset + 5] = (speaks ? 0x80 : 0) | Math.min(127, Math.max(0, Math.round(-levelDb)));
  target[offset + 6] = 0;
  target[offset + 7] = 0;
}

/** @returns the level that a packet says it has, dBFS; undefined when it does not say */
export function readAudioLevel(packet: Buffer, id: number): number | undefined {
  if (packet.length < RTP_HEADER_BYTES || (packet[0]! & 0x10) === 0) return undefined;
  const start = RTP_HEADER_BYTES + (packet[0]! & 0x0f) * 4;
  if (packet.length < start + 4 || packet.readUInt16BE(start) !== ONE_BYTE_PROFILE) return undefined;
  const end = Math.min(packet.length, start + 4 + packet.readUInt16BE(start + 2) * 4);
  let at = start + 4;
  while (at < end) {
    const element = packet[at]!;
    if (element === 0) {
      at++; // padding
      continue;
    }
    if (element >> 4 === 15) return undefined; // ends the block (RFC 8285, section 4.2)
    const length = (element & 0x0f) + 1;
    if (element >> 4 === id) return at + 1 < end ? -(packet[at + 1]! & 0x7f) : undefined;
    at += 1 + length;
  }
  return undefined;
}
