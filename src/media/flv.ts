/** FLV (Adobe FLV 10.1, annex E), whose tags have the same bodies as RTMP's audio and video messages. */

/** A video message. */
export interface FlvVideo {
  codec: 'H264' | 'HEVC' | 'AV1' | 'VP9' | 'H263' | 'Screen' | 'VP6' | 'other';
  /** Disposable: no other picture needs it. Info: no picture, but a command for a player. */
  frame: 'key' | 'inter' | 'disposable' | 'info';
  /** Config: how to decode what follows. End: of the stream. Metadata: about colours, or a command. */
  packet: 'config' | 'frame' | 'end' | 'metadata';
  /** How long after its message's time the picture is shown, ms: 24 bits with a sign; 0 where it isn't said. */
  compositionMs: number;
  /** A view of the rest of the body. */
  data: Buffer;
}

/** An audio message. */
export interface FlvAudio {
  codec: 'AAC' | 'MP3' | 'PCM' | 'G711A' | 'G711U' | 'Speex' | 'Nellymoser' | 'other';
  packet: 'config' | 'frame';
  /** Samples a second and channels, as the header says; for AAC its configuration has the true ones (section E.4.2.1). */
  rate: number;
  channels: 1 | 2;
  /** A view of the rest of the body. */
  data: Buffer;
}

const IS_EXTENDED = 0x80;
const FRAMES: readonly (FlvVideo['frame'] | undefined)[] = [
  undefined,
  'key',
  'inter',
  'disposable',
  'key', // made by a server
  'info',
];
const VIDEO_CODECS = new Map<number, FlvVideo['codec']>([
  [2, 'H263'],
  [3, 'Screen'],
  [4, 'VP6'],
  [5, 'VP6'],
  [6, 'Screen'],
  [7, 'H264'],
  // In no specification, but what encoders sent before there was Enhanced RTMP.
  [12, 'HEVC'],
]);
const FOUR_CCS = new Map<string, FlvVideo['codec']>([
  ['avc1', 'H264'],
  ['hvc1', 'HEVC'],
  ['av01', 'AV1'],
  ['vp09', 'VP9'],
]);
/** AVCPacketType (section E.4.3.1). */
const AVC_PACKETS = ['config', 'frame', 'end'] as const;
const AVC_HEADER_BYTES = 5;
/** PacketType of Enhanced RTMP, version 1 ("Defining Additional Video Codecs"). */
const EXTENDED_PACKETS = ['config', 'frame', 'end', 'frame', 'metadata'] as const;
const CODED_FRAMES = 1;
const METADATA = 4;
const EXTENDED_HEADER_BYTES = 5;
const COMPOSITION_BYTES = 3;

/** @returns undefined when it is cut off, or has a type of frame or packet that we don't know */
export function parseFlvVideo(body: Buffer): FlvVideo | undefined {
  const first = body[0];
  if (first === undefined) return undefined;
  const frame = FRAMES[(first >> 4) & 7];
  if (!frame) return undefined;
  if (first & IS_EXTENDED) return parseExtended(body, frame);
  const codec = VIDEO_CODECS.get(first & 0x0f) ?? 'other';
  // A command is one byte, whatever the codec.
  if (frame === 'info') return { codec, frame, packet: 'metadata', compositionMs: 0, data: body.subarray(1) };
  if (codec !== 'H264' && codec !== 'HEVC') {
    return { codec, frame, packet: 'frame', compositionMs: 0, data: body.subarray(1) };
  }
  const packet = AVC_PACKETS[body[1] ?? -1];
  if (!packet || body.length < AVC_HEADER_BYTES) return undefined;
  const compositionMs = packet === 'frame' ? readInt24(body, 2) : 0;
  return { codec, frame, packet, compositionMs, data: body.subarray(AVC_HEADER_BYTES) };
}

function parseExtended(body: Buffer, frame: FlvVideo['frame']): FlvVideo | undefined {
  const type = body[0]! & 0x0f;
  const packet = EXTENDED_PACKETS[type];
  if (!packet) return undefined;
  if (frame === 'info' && type !== METADATA) {
    return { codec: 'other', frame, packet: 'metadata', compositionMs: 0, data: body.subarray(1) };
  }
  if (body.length < EXTENDED_HEADER_BYTES) return undefined;
  const codec = FOUR_CCS.get(body.toString('latin1', 1, EXTENDED_HEADER_BYTES)) ?? 'other';
  if (type !== CODED_FRAMES || (codec !== 'H264' && codec !== 'HEVC')) {
    return { codec, frame, packet, compositionMs: 0, data: body.subarray(EXTENDED_HEADER_BYTES) };
  }
  const start = EXTENDED_HEADER_BYTES + COMPOSITION_BYTES;
  if (body.length < start) return undefined;
  return {
    codec,
    frame,
    packet,
    compositionMs: readInt24(body, EXTENDED_HEADER_BYTES),
    data: body.subarray(start),
  };
}

function readInt24(body: Buffer, at: number): number {
  return body.readIntBE(at, 3);
}

const AAC = 10;
/** By SoundFormat; the numbers are rates that the header can't say and that go with the format. */
const AUDIO_CODECS = new Map<number, readonly [FlvAudio['codec'], number?]>([
  [0, ['PCM']],
  [2, ['MP3']],
  [3, ['PCM']],
  [4, ['Nellymoser', 16_000]],
  [5, ['Nellymoser', 8_000]],
  [6, ['Nellymoser']],
  [7, ['G711A', 8_000]],
  [8, ['G711U', 8_000]],
  [AAC, ['AAC']],
  [11, ['Speex', 16_000]],
  [14, ['MP3', 8_000]],
]);
/** By SoundRate; the first is 5512.5 in truth. */
const RATES = [5_512, 11_025, 22_050, 44_100] as const;

/** @returns undefined when it is cut off, or has a type of AAC packet that we don't know */
export function parseFlvAudio(body: Buffer): FlvAudio | undefined {
  const first = body[0];
  if (first === undefined) return undefined;
  const format = first >> 4;
  const [codec, rate = RATES[((first >> 2) & 3) as 0 | 1 | 2 | 3]] = AUDIO_CODECS.get(format) ?? ['other'];
  const channels = first & 1 ? 2 : 1;
  if (format !== AAC) return { codec, packet: 'frame', rate, channels, data: body.subarray(1) };
  const type = body[1];
  if (type !== 0 && type !== 1) return undefined;
  return { codec, packet: type === 0 ? 'config' : 'frame', rate, channels, data: body.subarray(2) };
}

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
