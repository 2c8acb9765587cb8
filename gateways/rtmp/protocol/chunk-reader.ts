import { splitAggregate } from './aggregate.ts';
import { MESSAGE, parseControlNumber, type RtmpMessage } from './messages.ts';
import { RtmpError } from './rtmp-error.ts';

/** What one connection may make us keep. */
export interface ChunkLimits {
  maxMessageBytes: number;
  /** Chunk streams that it may ever use. */
  maxChunkStreams: number;
  /** Of all unfinished messages together. */
  maxBufferedBytes: number;
}

/** The length in a header has three bytes. */
const MAX_MESSAGE_BYTES = 0xffffff;

export const DEFAULT_CHUNK_LIMITS: Readonly<ChunkLimits> = {
  maxMessageBytes: MAX_MESSAGE_BYTES,
  maxChunkStreams: 64,
  maxBufferedBytes: 20 * 2 ** 20,
};

/** Until a peer says otherwise (RTMP 1.0, section 5.4.1). */
export const DEFAULT_CHUNK_BYTES = 128;
/** Section 5.4.1; no chunk is larger than its message, and memory is allocated as bytes come. */
export const MAX_CHUNK_BYTES = 0x7fffffff;
/** In the place of a time or a difference: the time is in 4 bytes behind the header (section 5.3.1.3). */
export const EXTENDED = 0xffffff;
/** Of message headers by their format (section 5.3.1.2). */
const MESSAGE_HEADER_BYTES = [11, 7, 3, 0] as const;
/** The least that is allocated for a message, unless it is shorter. */
const FIRST_BYTES = 1024;

interface ChunkStream {
  timestamp: number;
  /** The time or difference of the last header that had one, for those of format 3 to repeat. */
  field: number;
  /** It was in 4 bytes of its own. */
  extended: boolean;
  length: number;
  type: number;
  streamId: number;
  /** A message has begun, and is not whole. */
  unfinished: boolean;
  /** Its first `stored` bytes; grows as they come. */
  body: Buffer | undefined;
  stored: number;
}

/**
 * Puts a peer's chunks together to messages (RTMP 1.0, section 5.3). Set Chunk Size and Abort are obeyed
 * and Aggregates taken apart here; all other messages are handed over. Memory is allocated as bytes
 * come, whatever lengths a peer announces. After an error the connection has to end.
 */
export class ChunkReader {
  #limits: ChunkLimits;
  #streams = new Map<number, ChunkStream>();
  #chunkBytes = DEFAULT_CHUNK_BYTES;
  /** The chunk that is being read, and how much of its payload is still to come. */
  #current: ChunkStream | undefined;
  #left = 0;
  /** The beginning of a header of which the rest has not come: 17 bytes at the most. */
  #held: Buffer | undefined;
  #bytesRead = 0;
  #bufferedBytes = 0;

  /** @param limits - as below */
  constructor(limits: Partial<ChunkLimits> = {}) {
    this.#limits = { ...DEFAULT_CHUNK_LIMITS, ...limits };
  }

  /** From now on; those not given are the default ones. */
  set limits(limits: Partial<ChunkLimits>) {
    this.#limits = { ...DEFAULT_CHUNK_LIMITS, ...limits };
  }

  /** All bytes taken, for acknowledgements (section 5.4.3). Doesn't wrap. */
  get bytesRead(): number {
    return this.#bytesRead;
  }

  /** What is allocated for unfinished messages. */
  get bufferedBytes(): number {
    return this.#bufferedBytes;
  }

  /**
   * @param chunk - as it came from the connection; nothing of it is kept
   * @param onMessage - called for each message that is whole now; its payload is the receiver's
   * @throws RtmpError; all messages before what is wrong have been handed over
   */
  read(chunk: Buffer, onMessage: (message: RtmpMessage) => void): void {
    this.#bytesRead += chunk.length;
    let bytes = chunk;
    if (this.#held) {
      // Copies the chunk too, which is seldom: most reads don't end within a header.
      bytes = Buffer.concat([this.#held, chunk]);
      this.#held = undefined;
    }
    let at = 0;
    while (at < bytes.length) {
      if (!this.#current) {
        const size = this.#readHeader(bytes, at);
        if (size === 0) {
          this.#held = Buffer.from(bytes.subarray(at));
          return;
        }
        at += size;
      }
      at += this.#readPayload(bytes, at, onMessage);
    }
  }

  /** @returns how many bytes were taken, which may be none; at the end of the chunk `#current` is cleared */
  #readPayload(bytes: Buffer, at: number, onMessage: (message: RtmpMessage) => void): number {
    const stream = this.#current!;
    const size = Math.min(this.#left, bytes.length - at);
    if (size > 0) this.#store(stream, bytes, at, size);
    this.#left -= size;
    if (this.#left === 0) {
      this.#current = undefined;
      if (stream.stored === stream.length) this.#finish(stream, onMessage);
    }
    return size;
  }

  #store(stream: ChunkStream, bytes: Buffer, at: number, size: number): void {
    const stored = stream.stored + size;
    let { body } = stream;
    if (!body || body.length < stored) {
      // What is left of these bytes has come, so room for it may be made: mostly it is this message's.
      const wanted = Math.max(FIRST_BYTES, 2 * stream.stored, stream.stored + bytes.length - at);
      const grown = Buffer.allocUnsafe(Math.min(wanted, stream.length));
      this.#buffer(grown.length - (body?.length ?? 0));
      body?.copy(grown, 0, 0, stream.stored);
      body = grown;
      stream.body = grown;
    }
    bytes.copy(body, stream.stored, at, at + size);
    stream.stored = stored;
  }

  #buffer(bytes: number): void {
    if (this.#bufferedBytes + bytes > this.#limits.maxBufferedBytes)
      throw new RtmpError(
        'too-much-unfinished',
        `Unfinished messages have more than ${this.#limits.maxBufferedBytes} bytes.`,
      );
    this.#bufferedBytes += bytes;
  }

  #finish(stream: ChunkStream, onMessage: (message: RtmpMessage) => void): void {
    const { type, timestamp, streamId } = stream;
    const payload = stream.body ?? Buffer.alloc(0);
    this.#clear(stream);
    const message: RtmpMessage = { type, timestamp, streamId, payload };
    if (type === MESSAGE.setChunkSize) this.#setChunkSize(message);
    else if (type === MESSAGE.abort) this.#abort(message);
    else if (type === MESSAGE.aggregate) splitAggregate(message, onMessage);
    else onMessage(message);
  }

  #clear(stream: ChunkStream): void {
    this.#bufferedBytes -= stream.body?.length ?? 0;
    stream.body = undefined;
    stream.stored = 0;
    stream.unfinished = false;
  }

  #setChunkSize(message: RtmpMessage): void {
    const bytes = parseControlNumber(message);
    if (bytes === undefined || bytes < 1 || bytes > MAX_CHUNK_BYTES)
      throw new RtmpError(
        'chunk',
        `The peer sets a chunk size of ${bytes ?? 'nothing'}; 1 to ${MAX_CHUNK_BYTES} will do.`,
      );
    this.#chunkBytes = bytes;
  }

  /** Section 5.4.2. The header stays known: what follows on that chunk stream may refer to it. */
  #abort(message: RtmpMessage): void {
    const csid = parseControlNumber(message);
    if (csid === undefined) throw new RtmpError('chunk', 'An abort message does not say what to abort.');
    const stream = this.#streams.get(csid);
    if (stream) this.#clear(stream);
  }

  /**
   * Reads basic header, message header and extended timestamp (section 5.3.1), and makes them the
   * current chunk's. Changes nothing until all of it is there.
   * @returns its bytes; 0 when they have not all come
   */
  #readHeader(bytes: Buffer, at: number): number {
    const come = bytes.length - at;
    const format = (bytes[at]! >> 6) as 0 | 1 | 2 | 3;
    let csid = bytes[at]! & 0x3f;
    let size = csid === 0 ? 2 : csid === 1 ? 3 : 1;
    if (come < size) return 0;
    if (csid < 2) csid = 64 + bytes[at + 1]! + (csid === 1 ? bytes[at + 2]! * 256 : 0);
    const stream = this.#stream(csid, format);
    const fields = at + size;
    size += MESSAGE_HEADER_BYTES[format];
    if (come < size) return 0;

    if (format === 3) {
      if (stream.extended) {
        const repeated = startsWith(bytes, at + size, stream.field);
        if (repeated === undefined) return 0;
        if (repeated) size += 4;
      }
    } else {
      let field = bytes.readUIntBE(fields, 3);
      const extended = field === EXTENDED;
      if (extended) {
        size += 4;
        if (come < size) return 0;
        field = bytes.readUInt32BE(at + size - 4);
      }
      stream.field = field;
      stream.extended = extended;
      if (format < 2) {
        stream.length = bytes.readUIntBE(fields + 3, 3);
        stream.type = bytes[fields + 6]!;
      }
      if (format === 0) stream.streamId = bytes.readUInt32LE(fields + 7); // the one number in this byte order
    }
    if (!stream.unfinished) this.#begin(stream, format);
    this.#streams.set(csid, stream);
    this.#current = stream;
    this.#left = Math.min(this.#chunkBytes, stream.length - stream.stored);
    return size;
  }

  /** @returns what is known of the chunk stream that a header of this format is for */
  #stream(csid: number, format: number): ChunkStream {
    const stream = this.#streams.get(csid);
    if (stream) {
      if (stream.unfinished && format !== 3)
        throw new RtmpError(
          'chunk',
          `A message begins on chunk stream ${csid} while one is unfinished there.`,
        );
      return stream;
    }
    // librtmp (and so OBS) begins with format 1 what it answers to a ping: it then belongs to stream 0.
    if (format > 1)
      throw new RtmpError(
        'chunk',
        `Chunk stream ${csid} begins with a header that refers to an earlier one.`,
      );
    if (this.#streams.size >= this.#limits.maxChunkStreams)
      throw new RtmpError(
        'too-many-streams',
        `The peer uses more than ${this.#limits.maxChunkStreams} chunk streams.`,
      );
    return {
      timestamp: 0,
      field: 0,
      extended: false,
      length: 0,
      type: 0,
      streamId: 0,
      unfinished: false,
      body: undefined,
      stored: 0,
    };
  }

  /**
   * A message whose header has format 3 comes as long after the one before as that came after its own.
   * If that had a whole header, its time is added once more: section 5.3.1.2.4 says so, and ffmpeg,
   * librtmp and SRS read and ffmpeg writes it that way (nginx-rtmp takes it for a difference of 0).
   */
  #begin(stream: ChunkStream, format: number): void {
    if (stream.length > this.#limits.maxMessageBytes)
      throw new RtmpError(
        'message-too-long',
        `The peer announces a message of ${stream.length} bytes; ${this.#limits.maxMessageBytes} is the most.`,
      );
    stream.timestamp = format === 0 ? stream.field : (stream.timestamp + stream.field) >>> 0;
    stream.unfinished = true;
  }
}

/**
 * Whether a chunk of format 3 repeats the extended timestamp. Section 5.3.1.3 and ffmpeg, librtmp and
 * nginx-rtmp say that it does; some peers don't, and then these bytes are payload, which begins with
 * just these four once in 2^32 times.
 * @returns undefined when too little has come to tell
 */
function startsWith(bytes: Buffer, at: number, expected: number): boolean | undefined {
  for (let index = 0; index < 4; index++) {
    if (at + index >= bytes.length) return undefined;
    if (bytes[at + index] !== ((expected >>> (24 - 8 * index)) & 0xff)) return false;
  }
  return true;
}
