import { RTP_HEADER_BYTES, writeRtpHeader } from '../../../src/media/rtp/rtp.ts';

/** What a payload descriptor has (RFC 7741, section 4.2) beyond what tells where a frame begins. */
export interface Vp8Extensions {
  /** 7 bits, or 15. */
  readonly pictureId?: { value: number; bits: 7 | 15 };
  /** 8 bits */
  readonly tl0PictureIndex?: number;
  /** 2 bits, and whether it depends on the base layer alone */
  readonly tid?: { value: number; layerSync: boolean };
  /** 5 bits */
  readonly keyIndex?: number;
  /** The N bit. */
  readonly nonReference?: boolean;
}

export function vp8Descriptor(start: boolean, partition: number, extensions: Vp8Extensions = {}): Buffer {
  const { pictureId, tl0PictureIndex, tid, keyIndex, nonReference } = extensions;
  const first = (nonReference ? 0x20 : 0) | (start ? 0x10 : 0) | partition;
  const present =
    (pictureId ? 0x80 : 0) |
    (tl0PictureIndex === undefined ? 0 : 0x40) |
    (tid ? 0x20 : 0) |
    (keyIndex === undefined ? 0 : 0x10);
  if (present === 0) return Buffer.of(first);
  const bytes = [0x80 | first, present];
  if (pictureId?.bits === 7) bytes.push(pictureId.value);
  if (pictureId?.bits === 15) bytes.push(0x80 | (pictureId.value >> 8), pictureId.value & 0xff);
  if (tl0PictureIndex !== undefined) bytes.push(tl0PictureIndex);
  if (tid || keyIndex !== undefined) {
    bytes.push(((tid?.value ?? 0) << 6) | (tid?.layerSync ? 0x20 : 0) | (keyIndex ?? 0));
  }
  return Buffer.from(bytes);
}

/** A frame whose bytes show where a part of it was from. Its header is real (RFC 6386, section 9.1), the rest is not. */
export function vp8Frame(key: boolean, size: number, width = 640, height = 360): Buffer {
  const frame = Buffer.from(Array.from({ length: size }, (_, at) => (at * 7 + (at >> 8)) & 0xff));
  frame[0] = key ? 0x10 : 0x11;
  if (!key) return frame;
  frame.writeUIntBE(0x9d012a, 3, 3);
  frame.writeUInt16LE(width, 6);
  frame.writeUInt16LE(height, 8);
  return frame;
}

export interface Vp8PacketsOptions {
  readonly sequenceNumber: number;
  readonly timestamp: number;
  readonly maxPayloadBytes?: number;
  readonly extensions?: Vp8Extensions;
}

/** Cuts a frame into RTP packets, all of it as one partition. */
export function vp8Packets(frame: Buffer, options: Vp8PacketsOptions): Buffer[] {
  const { sequenceNumber, timestamp, maxPayloadBytes = 1_200, extensions } = options;
  const packets: Buffer[] = [];
  for (let at = 0; at < frame.length; ) {
    const descriptor = vp8Descriptor(at === 0, 0, extensions);
    const end = Math.min(frame.length, at + maxPayloadBytes - descriptor.length);
    const header = Buffer.alloc(RTP_HEADER_BYTES);
    writeRtpHeader(header, {
      payloadType: 96,
      sequenceNumber: (sequenceNumber + packets.length) & 0xffff,
      timestamp,
      ssrc: 0x0badcafe,
      marker: end === frame.length,
    });
    packets.push(Buffer.concat([header, descriptor, frame.subarray(at, end)]));
    at = end;
  }
  return packets;
}
