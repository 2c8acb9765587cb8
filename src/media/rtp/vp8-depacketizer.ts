import { FrameAssembly, type FrameEvents, type PayloadFormat } from './frame-assembly.ts';
import type { FrameBuffer } from './frame-buffer.ts';

/* Bits of the payload descriptor's bytes (RFC 7741, section 4.2). */
const EXTENDED = 0x80;
const PARTITION_START = 0x10;
const PARTITION = 0x07;
const HAS_PICTURE_ID = 0x80;
const HAS_TL0_PICTURE_INDEX = 0x40;
/** Either makes it have the byte that both are in. */
const HAS_TID_OR_KEY_INDEX = 0x30;
const LONG_PICTURE_ID = 0x80;

/** Of the payload header, which all frames have, and of it with what only key frames have (RFC 6386, section 9.1). */
const FRAME_TAG_BYTES = 3;
const KEY_FRAME_HEADER_BYTES = 10;
const START_CODE = 0x9d012a;
const INTER_FRAME = 0x01;
/** Above them are two bits of how much to scale it up. */
const SIZE = 0x3fff;

/** A frame as decoders take it. */
export interface Vp8Frame {
  /** A view that stays as it is until the next packet. */
  readonly data: Buffer;
  readonly key: boolean;
  /** 32 bits, 90 kHz */
  readonly timestamp: number;
  /** In samples, 1 to 16383; undefined for what is no key frame, as is the height. */
  readonly width: number | undefined;
  readonly height: number | undefined;
}

/** Puts VP8 together from RTP (RFC 7741). */
export class Vp8Depacketizer extends FrameAssembly<Vp8Frame> {
  constructor(events: FrameEvents<Vp8Frame>) {
    super(new Vp8Payloads(), events);
  }
}

class Vp8Payloads implements PayloadFormat<Vp8Frame> {
  begins(payload: Buffer): boolean {
    return (payload[0]! & (PARTITION_START | PARTITION)) === PARTITION_START;
  }

  add(payload: Buffer, buffer: FrameBuffer): boolean {
    // Its start comes first, and once.
    if (this.begins(payload) !== (buffer.length === 0)) return false;
    const start = descriptorBytes(payload);
    return start !== undefined && buffer.append(payload, start, payload.length);
  }

  end(buffer: FrameBuffer, timestamp: number): Vp8Frame | 'malformed' {
    if (buffer.length < FRAME_TAG_BYTES) return 'malformed';
    const data = buffer.view(0, buffer.length);
    // The P bit (RFC 7741, section 4.3).
    if (data[0]! & INTER_FRAME) return { data, key: false, timestamp, width: undefined, height: undefined };
    if (data.length < KEY_FRAME_HEADER_BYTES || data.readUIntBE(3, 3) !== START_CODE) return 'malformed';
    const width = data.readUInt16LE(6) & SIZE;
    const height = data.readUInt16LE(8) & SIZE;
    return width > 0 && height > 0 ? { data, key: true, timestamp, width, height } : 'malformed';
  }

  /** The buffer is all it knows of a frame. */
  reset(): void {}
}

/** @returns where the frame's bytes begin; undefined when there are none */
function descriptorBytes(payload: Buffer): number | undefined {
  let at = 1;
  if (payload[0]! & EXTENDED) {
    const present = payload[at++] ?? 0;
    if (present & HAS_PICTURE_ID) at += (payload[at] ?? 0) & LONG_PICTURE_ID ? 2 : 1;
    if (present & HAS_TL0_PICTURE_INDEX) at++;
    if (present & HAS_TID_OR_KEY_INDEX) at++;
  }
  return at < payload.length ? at : undefined;
}
