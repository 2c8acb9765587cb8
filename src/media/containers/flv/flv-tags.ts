/** FLV's file: a header, and tags (Adobe FLV 10.1, sections E.2 and E.4). */

/** What a tag holds; script is metadata in AMF0. */
export interface FlvTag {
  type: 'audio' | 'video' | 'script';
  /** 32 bits */
  timestampMs: number;
  body: Buffer;
}

const TAG_TYPES = { audio: 8, video: 9, script: 18 } as const;
const FILE_HEADER_BYTES = 9;
const TAG_HEADER_BYTES = 11;
/** The size of the tag before, which stands behind each tag, and as 0 in front of the first. */
const SIZE_BYTES = 4;
const HAS_AUDIO = 4;
const HAS_VIDEO = 1;
const MAX_BODY_BYTES = 0xffffff;

/** What a file or stream begins with, up to its first tag (section E.2). */
export function flvHeader(hasAudio: boolean, hasVideo: boolean): Buffer {
  const header = Buffer.alloc(FILE_HEADER_BYTES + SIZE_BYTES);
  header.write('FLV\x01', 0, 'latin1');
  header[4] = (hasAudio ? HAS_AUDIO : 0) | (hasVideo ? HAS_VIDEO : 0);
  header.writeUInt32BE(FILE_HEADER_BYTES, 5);
  return header;
}

/**
 * A whole tag with its size behind it (section E.4.1).
 *
 * @param timestampMs - 32 bits
 * @param body - at most 2^24 - 1 bytes
 * @throws RangeError when the body is larger
 */
export function flvTag(type: FlvTag['type'], timestampMs: number, body: Buffer): Buffer {
  if (body.length > MAX_BODY_BYTES) {
    throw new RangeError(`A tag of FLV holds at most ${MAX_BODY_BYTES} bytes, not ${body.length}.`);
  }
  const size = TAG_HEADER_BYTES + body.length;
  const tag = Buffer.allocUnsafe(size + SIZE_BYTES);
  tag[0] = TAG_TYPES[type];
  tag.writeUIntBE(body.length, 1, 3);
  tag.writeUIntBE(timestampMs & 0xffffff, 4, 3);
  tag[7] = timestampMs >>> 24;
  tag.writeUIntBE(0, 8, 3); // StreamID
  body.copy(tag, TAG_HEADER_BYTES);
  tag.writeUInt32BE(size, size);
  return tag;
}

/** Cuts a stream of FLV into its tags, however it is split. Holds one tag at the most. */
export class FlvReader {
  #maxTagBytes: number;
  /** The file's header, later a tag's with the size of the tag before it. */
  #header: Buffer = Buffer.alloc(FILE_HEADER_BYTES);
  /** Bytes that are there of the header, and behind it of the tag's body. */
  #headerBytes = 0;
  #bodyBytes = 0;
  #tag: FlvTag | undefined;
  #begun = false;
  #broken = false;

  /** @param maxTagBytes - of a tag's body */
  constructor(maxTagBytes: number) {
    this.#maxTagBytes = maxTagBytes;
  }

  /**
   * @param chunk - is not held on to
   * @param onTag - is called with each tag as soon as its last byte is there; the body is a buffer of its own
   * @throws Error for what is no FLV, or a tag that is too large; whatever comes after that is ignored
   */
  read(chunk: Buffer, onTag: (tag: FlvTag) => void): void {
    let at = 0;
    while (at < chunk.length && !this.#broken) {
      if (this.#tag) {
        at += this.#readBody(this.#tag, chunk, at, onTag);
        continue;
      }
      const read = chunk.copy(this.#header, this.#headerBytes, at);
      this.#headerBytes += read;
      at += read;
      if (this.#headerBytes === this.#header.length) this.#endHeader(onTag);
    }
  }

  /** @returns bytes used */
  #readBody(tag: FlvTag, chunk: Buffer, from: number, onTag: (tag: FlvTag) => void): number {
    const read = chunk.copy(tag.body, this.#bodyBytes, from);
    this.#bodyBytes += read;
    if (this.#bodyBytes === tag.body.length) {
      this.#tag = undefined;
      onTag(tag);
    }
    return read;
  }

  #endHeader(onTag: (tag: FlvTag) => void): void {
    this.#headerBytes = 0;
    if (!this.#begun) {
      this.#checkFileHeader();
      this.#begun = true;
      this.#header = Buffer.alloc(SIZE_BYTES + TAG_HEADER_BYTES);
      return;
    }
    const tag = this.#readTagHeader();
    if (tag.body.length === 0) onTag(tag);
    else {
      this.#tag = tag;
      this.#bodyBytes = 0;
    }
  }

  #checkFileHeader(): void {
    const isFlv = this.#header.toString('latin1', 0, 4) === 'FLV\x01';
    if (isFlv && this.#header.readUInt32BE(5) === FILE_HEADER_BYTES) return;
    this.#fail(`no FLV: it begins with the bytes ${this.#header.toString('hex')}`);
  }

  #readTagHeader(): FlvTag {
    const header = this.#header.subarray(SIZE_BYTES);
    // Of the six bits below the two reserved ones the highest says that the tag is encrypted.
    const type = TAG_TYPES_BY_NUMBER.get(header[0]! & 0x3f);
    if (!type) this.#fail(`no FLV: there is no type ${header[0]! & 0x3f} of tag`);
    const bytes = header.readUIntBE(1, 3);
    if (bytes > this.#maxTagBytes) {
      this.#fail(`a tag of ${bytes} bytes, and at most ${this.#maxTagBytes} are permitted`);
    }
    const timestampMs = header.readUIntBE(4, 3) + header[7]! * 2 ** 24;
    return { type, timestampMs, body: Buffer.allocUnsafe(bytes) };
  }

  #fail(what: string): never {
    this.#broken = true;
    throw new Error(`What was read as FLV is ${what}.`);
  }
}

const TAG_TYPES_BY_NUMBER = new Map<number, FlvTag['type']>([
  [TAG_TYPES.audio, 'audio'],
  [TAG_TYPES.video, 'video'],
  [TAG_TYPES.script, 'script'],
]);
