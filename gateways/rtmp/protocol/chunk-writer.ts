import { DEFAULT_CHUNK_BYTES, EXTENDED, MAX_CHUNK_BYTES } from './chunk-reader.ts';
import type { RtmpMessage } from './messages.ts';
import { MESSAGE, parseControlNumber } from './messages.ts';

/** What the last message on a chunk stream left for headers to refer to. */
interface ChunkStream {
  timestamp: number;
  /** To the message before; undefined after a whole header. */
  deltaMs: number | undefined;
  length: number;
  type: number;
  streamId: number;
  /** The header of the chunks that go on with a message. */
  readonly continuation: Buffer;
}

const LAST_CSID = 65599;

/** Cuts messages into chunks (RTMP 1.0, section 5.3). One for each connection. */
export class ChunkWriter {
  #chunkBytes = DEFAULT_CHUNK_BYTES;
  #streams = new Map<number, ChunkStream>();

  /** A Set Chunk Size message that is written changes it from then on. */
  get chunkBytes(): number {
    return this.#chunkBytes;
  }

  /**
   * @param csid - 2 to 65599; the state of each that is used is kept
   * @returns buffers to be written one after the other; they have views of the payload, which must not
   * change until then
   */
  write(message: RtmpMessage, csid: number): Buffer[] {
    if (!(csid >= 2 && csid <= LAST_CSID)) throw new RangeError(`There is no chunk stream ${csid}.`);
    const { payload } = message;
    if (payload.length > 0xffffff) throw new RangeError(`A message can't have ${payload.length} bytes.`);
    const timestamp = message.timestamp >>> 0;
    const { format, field, stream } = this.#compress(message, timestamp, csid);
    const buffers = [header(format, csid, field, message)];
    const continuation = field < EXTENDED ? stream.continuation : extend(stream.continuation, field);
    for (let at = 0; at < payload.length; at += this.#chunkBytes) {
      if (at > 0) buffers.push(continuation);
      buffers.push(payload.subarray(at, at + this.#chunkBytes));
    }
    if (message.type === MESSAGE.setChunkSize) this.#setChunkSize(message);
    return buffers;
  }

  /** Decides on the shortest header that every reader understands alike, and remembers the message. */
  #compress(
    { type, streamId, payload: { length } }: RtmpMessage,
    timestamp: number,
    csid: number,
  ): { format: number; field: number; stream: ChunkStream } {
    const stream = this.#streams.get(csid);
    const deltaMs = stream ? (timestamp - stream.timestamp) >>> 0 : 0;
    // A time that goes back looks like a very large difference. Extended differences are read in more ways than one.
    if (!stream || stream.streamId !== streamId || deltaMs >= EXTENDED) {
      const continuation = stream?.continuation ?? basicHeader(3, csid);
      const next = { timestamp, deltaMs: undefined, length, type, streamId, continuation };
      this.#streams.set(csid, next);
      return { format: 0, field: timestamp, stream: next };
    }
    // Never format 3 after format 0: readers disagree on what it means (see ChunkReader).
    const format = stream.length !== length || stream.type !== type ? 1 : stream.deltaMs !== deltaMs ? 2 : 3;
    stream.timestamp = timestamp;
    stream.deltaMs = deltaMs;
    stream.length = length;
    stream.type = type;
    return { format, field: deltaMs, stream };
  }

  #setChunkSize(message: RtmpMessage): void {
    const bytes = parseControlNumber(message);
    if (bytes === undefined || bytes < 1 || bytes > MAX_CHUNK_BYTES)
      throw new RangeError(`${bytes} is no chunk size.`);
    this.#chunkBytes = bytes;
  }
}

function header(
  format: number,
  csid: number,
  field: number,
  { type, streamId, payload }: RtmpMessage,
): Buffer {
  const basic = basicHeader(format, csid);
  if (format === 3) return basic;
  const bytes = Buffer.alloc(format === 0 ? 11 : format === 1 ? 7 : 3);
  bytes.writeUIntBE(Math.min(field, EXTENDED), 0, 3);
  if (format < 2) {
    bytes.writeUIntBE(payload.length, 3, 3);
    bytes[6] = type;
  }
  if (format === 0) bytes.writeUInt32LE(streamId, 7);
  const whole = Buffer.concat([basic, bytes]);
  return field < EXTENDED ? whole : extend(whole, field);
}

/** Section 5.3.1.1: one, two or three bytes. */
function basicHeader(format: number, csid: number): Buffer {
  const first = format << 6;
  if (csid < 64) return Buffer.of(first | csid);
  const beyond = csid - 64;
  return beyond < 256 ? Buffer.of(first, beyond) : Buffer.of(first | 1, beyond & 0xff, beyond >> 8);
}

/** Behind the header of every chunk of the message, those of format 3 included (section 5.3.1.3). */
function extend(bytes: Buffer, field: number): Buffer {
  const extended = Buffer.alloc(bytes.length + 4);
  bytes.copy(extended);
  extended.writeUInt32BE(field, bytes.length);
  return extended;
}
