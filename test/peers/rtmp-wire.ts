/* RTMP's bytes for the tests' own client: chunks and AMF0, written apart from the server's so that a mistake
   there is not mirrored here. Adobe's RTMP specification 1.0 (sections in brackets) and AMF 0 specification. */

export const MessageType = {
  setChunkSize: 1,
  abort: 2,
  acknowledgement: 3,
  userControl: 4,
  windowAcknowledgementSize: 5,
  setPeerBandwidth: 6,
  audio: 8,
  video: 9,
  dataAmf0: 18,
  commandAmf3: 17,
  commandAmf0: 20,
} as const;

export interface RtmpMessage {
  readonly type: number;
  readonly payload: Buffer;
  /** 2 to 65599; 2 is for protocol control. */
  readonly chunkStream: number;
  readonly streamId: number;
  /** Sent modulo 2^32. */
  readonly timestampMs: number;
}

/** An object is sent as an AMF object, a Map as an ECMA array, a list as a strict array. */
export type AmfValue =
  | number
  | string
  | boolean
  | null
  | undefined
  | readonly AmfValue[]
  | Map<string, AmfValue>
  | { readonly [key: string]: AmfValue };

const OBJECT_END = Buffer.from([0, 0, 9]);
const LONGEST_SHORT_STRING = 0xffff;
/** A timestamp from here on follows the header as 32 bits [5.3.1.3]. */
const EXTENDED = 0xffffff;

export function encodeAmf(...values: readonly AmfValue[]): Buffer {
  return Buffer.concat(values.map(encodeValue));
}

function encodeValue(value: AmfValue): Buffer {
  if (value === undefined) return Buffer.from([6]);
  if (value === null) return Buffer.from([5]);
  if (typeof value === 'boolean') return Buffer.from([1, value ? 1 : 0]);
  if (typeof value === 'number') {
    const bytes = Buffer.alloc(9);
    bytes.writeDoubleBE(value, 1);
    return bytes;
  }
  if (typeof value === 'string') {
    const text = Buffer.from(value);
    const isShort = text.length <= LONGEST_SHORT_STRING;
    const length = isShort ? [text.length >> 8, text.length & 0xff] : [...uint32(text.length)];
    return Buffer.concat([Buffer.from([isShort ? 2 : 12, ...length]), text]);
  }
  if (value instanceof Map) {
    return Buffer.concat([Buffer.from([8]), uint32(value.size), encodePairs([...value]), OBJECT_END]);
  }
  if (Array.isArray(value)) {
    return Buffer.concat([Buffer.from([10]), uint32(value.length), ...value.map(encodeValue)]);
  }
  return Buffer.concat([Buffer.from([3]), encodePairs(Object.entries(value)), OBJECT_END]);
}

function encodePairs(pairs: readonly (readonly [string, AmfValue])[]): Buffer {
  return Buffer.concat(
    // The key is a string without its marker.
    pairs.flatMap(([key, value]) => [encodeValue(key).subarray(1), encodeValue(value)]),
  );
}

/** Decodes all values one behind the other: objects and ECMA arrays become plain objects. */
export function decodeAmf(bytes: Buffer): unknown[] {
  const values: unknown[] = [];
  let at = 0;
  /** Goes on by so many bytes. @returns where they begin */
  const pass = (length: number) => {
    at += length;
    return at - length;
  };
  const text = (length: number) => bytes.toString('utf8', pass(length), at);
  const shortText = () => text(bytes.readUInt16BE(pass(2)));
  const pairs = () => {
    const found: Record<string, unknown> = {};
    for (;;) {
      const key = shortText();
      if (key === '' && bytes[at] === 9) {
        at++;
        return found;
      }
      found[key] = value();
    }
  };
  const value = (): unknown => {
    const marker = bytes[at++];
    if (marker === 0) return bytes.readDoubleBE(pass(8));
    if (marker === 1) return bytes[at++] !== 0;
    if (marker === 2) return shortText();
    if (marker === 3) return pairs();
    if (marker === 5) return null;
    if (marker === 6) return undefined;
    if (marker === 8) {
      at += 4;
      return pairs();
    }
    if (marker === 10) return Array.from({ length: bytes.readUInt32BE(pass(4)) }, value);
    if (marker === 12) return text(bytes.readUInt32BE(pass(4)));
    throw new Error(`The server sent AMF0 with marker ${marker} at byte ${at - 1}: ${bytes.toString('hex')}`);
  };
  while (at < bytes.length) values.push(value());
  return values;
}

/** The bytes of a chunk's basic header [5.3.1.1]: one, two or three. */
export function basicHeader(format: number, chunkStream: number): Buffer {
  const top = format << 6;
  if (chunkStream < 64) return Buffer.from([top | chunkStream]);
  const rest = chunkStream - 64;
  return rest < 256 ? Buffer.from([top, rest]) : Buffer.from([top | 1, rest & 0xff, rest >> 8]);
}

/** Cuts messages into chunks, with the shortest header that says it, as librtmp does. */
export class ChunkWriter {
  /** Bytes of payload in one chunk. Say it to the server before it changes. */
  chunkBytes = 128;
  #last = new Map<number, RtmpMessage>();

  encode(message: RtmpMessage): Buffer {
    const { chunkStream, payload, type, streamId } = message;
    const timestamp = message.timestampMs >>> 0;
    const last = this.#last.get(chunkStream);
    const delta = last ? timestamp - last.timestampMs : -1;
    let format = 0;
    if (last && last.streamId === streamId && delta >= 0) {
      format = last.type === type && last.payload.length === payload.length ? 2 : 1;
    }
    this.#last.set(chunkStream, { ...message, timestampMs: timestamp });
    const time = format === 0 ? timestamp : delta;
    const header = Buffer.alloc([11, 7, 3][format]!);
    header.writeUIntBE(Math.min(time, EXTENDED), 0, 3);
    if (format < 2) {
      header.writeUIntBE(payload.length, 3, 3);
      header[6] = type;
    }
    if (format === 0) header.writeUInt32LE(streamId, 7);
    const extension = time >= EXTENDED ? uint32(time) : Buffer.alloc(0);
    const parts = [basicHeader(format, chunkStream), header, extension];
    for (let at = 0; at < payload.length; at += this.chunkBytes) {
      // The extended timestamp comes again in every chunk of the message.
      if (at > 0) parts.push(basicHeader(3, chunkStream), extension);
      parts.push(payload.subarray(at, at + this.chunkBytes));
    }
    return Buffer.concat(parts);
  }
}

interface Incoming {
  type: number;
  streamId: number;
  length: number;
  timestamp: number;
  delta: number;
  extended: boolean;
  parts: Buffer[];
  got: number;
}

/** Puts the server's chunks together again. Trusts the server: what is not RTMP gives nonsense. */
export class ChunkReader {
  chunkBytes = 128;
  #bytes: Buffer = Buffer.alloc(0);
  #streams = new Map<number, Incoming>();

  /** @returns the messages that are whole now */
  push(bytes: Buffer): RtmpMessage[] {
    this.#bytes = Buffer.concat([this.#bytes, bytes]);
    const messages: RtmpMessage[] = [];
    for (;;) {
      const used = this.#chunk(messages);
      if (used === 0) return messages;
      this.#bytes = this.#bytes.subarray(used);
    }
  }

  /** @returns how long the chunk was; 0: it is not all there */
  #chunk(messages: RtmpMessage[]): number {
    const bytes = this.#bytes;
    if (bytes.length < 3) return 0;
    const format = bytes[0]! >> 6;
    const small = bytes[0]! & 0x3f;
    let at = small > 1 ? 1 : small + 2;
    const chunkStream = small > 1 ? small : 64 + bytes[1]! + (small === 1 ? bytes[2]! * 256 : 0);
    const before = this.#streams.get(chunkStream) ?? {
      ...{ type: 0, streamId: 0, length: 0, timestamp: 0, delta: 0, extended: false, parts: [], got: 0 },
    };
    const now = { ...before };
    const headerEnd = at + [11, 7, 3, 0][format]!;
    if (bytes.length < headerEnd) return 0;
    let time = now.delta;
    if (format < 3) {
      time = bytes.readUIntBE(at, 3);
      now.extended = time === EXTENDED;
    }
    if (format < 2) {
      now.length = bytes.readUIntBE(at + 3, 3);
      now.type = bytes[at + 6]!;
    }
    if (format === 0) now.streamId = bytes.readUInt32LE(at + 7);
    at = headerEnd;
    if (now.extended) {
      if (bytes.length < at + 4) return 0;
      time = bytes.readUInt32BE(at);
      at += 4;
    }
    const take = Math.min(this.chunkBytes, now.length - now.got);
    if (bytes.length < at + take) return 0;
    if (now.got === 0) {
      now.timestamp = format === 0 ? time : (now.timestamp + time) >>> 0;
      now.delta = time;
    }
    now.parts = [...now.parts, Buffer.from(bytes.subarray(at, at + take))];
    now.got += take;
    if (now.got === now.length) {
      const { type, streamId, timestamp: timestampMs } = now;
      const payload = Buffer.concat(now.parts);
      // What the next bytes mean depends on it.
      if (type === MessageType.setChunkSize) this.chunkBytes = payload.readUInt32BE(0);
      messages.push({ type, streamId, timestampMs, chunkStream, payload });
      now.parts = [];
      now.got = 0;
    }
    this.#streams.set(chunkStream, now);
    return at + take;
  }
}

export function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value >>> 0);
  return bytes;
}
