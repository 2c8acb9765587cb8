/** A frame of ADTS, taken apart (ISO/IEC 13818-7, section 6.2). */
export interface AdtsFrame {
  /** AudioSpecificConfig that says the same as its header. */
  readonly config: Buffer;
  /** One raw access unit, a view. */
  readonly data: Buffer;
}

const HEADER_BYTES = 7;
const CRC_BYTES = 2;

/** @returns the frames that lie one behind the other; undefined when the bytes are not ADTS from start to end */
export function parseAdts(bytes: Buffer): AdtsFrame[] | undefined {
  const frames: AdtsFrame[] = [];
  let at = 0;
  while (at < bytes.length) {
    // The sync word, and layer 0.
    if (at + HEADER_BYTES > bytes.length || (bytes.readUInt16BE(at) & 0xfff6) !== 0xfff0) return undefined;
    const hasCrc = (bytes[at + 1]! & 1) === 0;
    const length = ((bytes[at + 3]! & 3) << 11) | (bytes[at + 4]! << 3) | (bytes[at + 5]! >> 5);
    const start = at + HEADER_BYTES + (hasCrc ? CRC_BYTES : 0);
    const end = at + length;
    if (end <= start || end > bytes.length) return undefined;
    const objectType = (bytes[at + 2]! >> 6) + 1;
    const rateIndex = (bytes[at + 2]! >> 2) & 0x0f;
    const channels = ((bytes[at + 2]! & 1) << 2) | (bytes[at + 3]! >> 6);
    const config = Buffer.alloc(2);
    config.writeUInt16BE((objectType << 11) | (rateIndex << 7) | (channels << 3));
    frames.push({ config, data: bytes.subarray(start, end) });
    at = end;
  }
  return frames.length > 0 ? frames : undefined;
}
