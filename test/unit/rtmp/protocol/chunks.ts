import { ChunkReader } from '../../../../gateways/rtmp/protocol/chunk-reader.ts';
import type { RtmpMessage } from '../../../../gateways/rtmp/protocol/messages.ts';

/* Chunks by the letter of RTMP 1.0, section 5.3, made without the writer that is tested with them. */

/** One chunk as bytes. The format is what the fields given make it, from a whole header (0) to none (3). */
export interface RawChunk {
  readonly csid?: number;
  /** Of format 0: the time. */
  readonly time?: number;
  /** Of formats 1 and 2. */
  readonly delta?: number;
  readonly length?: number;
  readonly type?: number;
  readonly streamId?: number;
  /** Of format 3: the extended timestamp, repeated. */
  readonly repeated?: number;
  readonly payload?: Buffer;
}

export function chunk(raw: RawChunk): Buffer {
  const { csid = 4, time, delta, length = raw.payload?.length ?? 0, type, streamId = 1, repeated } = raw;
  const format = time !== undefined ? 0 : type !== undefined ? 1 : delta !== undefined ? 2 : 3;
  const field = time ?? delta;
  const bytes = basic(format, csid);
  if (field !== undefined) bytes.push(...big(Math.min(field, 0xffffff), 3));
  if (format < 2) bytes.push(...big(length, 3), type!);
  if (format === 0) bytes.push(...big(streamId, 4).reverse());
  if (field !== undefined && field >= 0xffffff) bytes.push(...big(field, 4));
  if (repeated !== undefined) bytes.push(...big(repeated, 4));
  return Buffer.concat([Buffer.from(bytes), raw.payload ?? Buffer.alloc(0)]);
}

function basic(format: number, csid: number): number[] {
  if (csid < 64) return [(format << 6) | csid];
  if (csid < 320) return [format << 6, csid - 64];
  return [(format << 6) | 1, (csid - 64) & 0xff, (csid - 64) >> 8];
}

function big(value: number, bytes: number): number[] {
  return Array.from({ length: bytes }, (_, at) => Math.floor(value / 256 ** (bytes - 1 - at)) % 256);
}

/** Bytes that tell where they are from: `first`, then each one more. */
export function payload(length: number, first = 0): Buffer {
  return Buffer.from(Array.from({ length }, (_, at) => (first + at) & 0xff));
}

/** @returns the messages of a reader given these parts one after the other */
export function messagesOf(parts: readonly Buffer[], reader = new ChunkReader()): RtmpMessage[] {
  const messages: RtmpMessage[] = [];
  for (const part of parts) reader.read(part, (message) => messages.push(message));
  return messages;
}

/** The bytes in two parts, cut at each position, and then in single bytes. */
export function splits(bytes: Buffer): Buffer[][] {
  const ways = Array.from({ length: bytes.length }, (_, at) => [bytes.subarray(0, at), bytes.subarray(at)]);
  ways.push(Array.from(bytes, (byte) => Buffer.of(byte)));
  return ways;
}

/** The same messages, however the bytes are split. */
export function messagesOfAnySplit(bytes: Buffer): RtmpMessage[] {
  const [whole] = splits(bytes).map((parts) => JSON.stringify(messagesOf(parts)));
  for (const parts of splits(bytes)) {
    const messages = JSON.stringify(messagesOf(parts));
    if (messages !== whole) throw new Error(`Cut at ${parts[0]!.length}: ${messages} instead of ${whole}`);
  }
  return messagesOf([bytes]);
}
