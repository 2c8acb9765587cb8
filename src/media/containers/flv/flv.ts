/** FLV (Adobe FLV 10.1, annex E), whose tags have the same bodies as RTMP's audio and video messages. */

/** A video message. */
export interface FlvVideo {
  /** 'H264', 'H265', 'AV1', 'VP9', 'VP8', or the name of one that is in no access unit; 'codec 9' where it has none. */
  codec: string;
  /** The number of its track, where there are several. */
  track?: number;
  /** Disposable: no other frame needs it. Info: no frame, but a command for a player. */
  frame: 'key' | 'inter' | 'disposable' | 'info';
  /** Config: how to decode what follows. End: of the stream. Metadata: about colours, or a command. */
  packet: 'config' | 'frame' | 'end' | 'metadata';
  /** How long after its message's time the frame is presented, ms: 24 bits with a sign; 0 where it isn't said. */
  compositionMs: number;
  /** A view of the rest of the body. */
  data: Buffer;
}

/** An audio message. */
export interface FlvAudio {
  /** 'AAC', 'MP3', 'opus', 'PCMU', 'PCMA', or the name of one that is in no access unit; 'format 12' where it has none. */
  codec: string;
  /** The number of its track, where there are several. */
  track?: number;
  packet: 'config' | 'frame' | 'end';
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
const VIDEO_CODECS = new Map<number, string>([
  [2, 'Sorenson H.263'],
  [3, 'Screen Video'],
  [4, 'VP6'],
  [5, 'VP6'],
  [6, 'Screen Video'],
  [7, 'H264'],
  // In no specification, but what encoders sent before there was Enhanced RTMP.
  [12, 'H265'],
]);
const VIDEO_FOUR_CCS = new Map<string, string>([
  ['avc1', 'H264'],
  ['hvc1', 'H265'],
  ['av01', 'AV1'],
  ['vp09', 'VP9'],
  ['vp08', 'VP8'],
  ['vvc1', 'H.266'],
]);
/** AVCPacketType (section E.4.3.1). */
const AVC_PACKETS = ['config', 'frame', 'end'] as const;
const AVC_HEADER_BYTES = 5;
/** VideoPacketType of Enhanced RTMP, version 2 ("Enhanced Video"). */
const VIDEO_PACKETS = ['config', 'frame', 'end', 'frame', 'metadata'] as const;
const CODED_FRAMES = 1;
const VIDEO_METADATA = 4;
const VIDEO_MULTITRACK = 6;
const COMPOSITION_BYTES = 3;

/**
 * @param track - the one that is wanted of several; the first one that is listed when undefined
 * @returns undefined when it is cut off, or has a type of frame or packet that we don't know
 */
export function parseFlvVideo(body: Buffer, track?: number): FlvVideo | undefined {
  const first = body[0];
  if (first === undefined) return undefined;
  const frame = FRAMES[(first >> 4) & 7];
  if (!frame) return undefined;
  if (first & IS_EXTENDED) return parseExtendedVideo(body, frame, track);
  const codec = VIDEO_CODECS.get(first & 0x0f) ?? `codec ${first & 0x0f}`;
  // A command is one byte, whatever the codec.
  if (frame === 'info') return { codec, frame, packet: 'metadata', compositionMs: 0, data: body.subarray(1) };
  if (codec !== 'H264' && codec !== 'H265') {
    return { codec, frame, packet: 'frame', compositionMs: 0, data: body.subarray(1) };
  }
  const packet = AVC_PACKETS[body[1] ?? -1];
  if (!packet || body.length < AVC_HEADER_BYTES) return undefined;
  const compositionMs = packet === 'frame' ? body.readIntBE(2, 3) : 0;
  return { codec, frame, packet, compositionMs, data: body.subarray(AVC_HEADER_BYTES) };
}

function parseExtendedVideo(
  body: Buffer,
  frame: FlvVideo['frame'],
  wanted: number | undefined,
): FlvVideo | undefined {
  const isCommand = frame === 'info' && (body[0]! & 0x0f) !== VIDEO_METADATA;
  // A command has no FourCC.
  if (isCommand) return { codec: '', frame, packet: 'metadata', compositionMs: 0, data: body.subarray(1) };
  const header = readExtendedHeader(body, VIDEO_MULTITRACK, wanted);
  if (!header) return undefined;
  const { type, fourCc, data } = header;
  const codec = VIDEO_FOUR_CCS.get(fourCc) ?? fourCc;
  const track = header.track === undefined ? {} : { track: header.track };
  const packet = header.isOther ? 'metadata' : VIDEO_PACKETS[type];
  if (!packet) return undefined;
  const hasOffset = packet === 'frame' && type === CODED_FRAMES && (codec === 'H264' || codec === 'H265');
  if (!hasOffset) return { ...track, codec, frame, packet, compositionMs: 0, data };
  if (data.length < COMPOSITION_BYTES) return undefined;
  const compositionMs = data.readIntBE(0, 3);
  return { ...track, codec, frame, packet, compositionMs, data: data.subarray(COMPOSITION_BYTES) };
}

const MOD_EX = 7;
const FOUR_CC_BYTES = 4;
/** AvMultitrackType of Enhanced RTMP, version 2. */
const ONE_TRACK = 0;
const MANY_CODECS = 2;
const TRACK_SIZE_BYTES = 3;

interface ExtendedHeader {
  readonly type: number;
  readonly fourCc: string;
  /** Its number, in a multitrack message. */
  readonly track?: number;
  /** The message has other tracks than the one that is wanted. */
  readonly isOther: boolean;
  readonly data: Buffer;
}

/**
 * Reads the header that Enhanced RTMP has for audio and video alike. Modifiers are passed over.
 *
 * @param wanted - number of a track; undefined for the one that is listed first
 * @returns undefined when it is cut off
 */
function readExtendedHeader(
  body: Buffer,
  multitrack: number,
  wanted: number | undefined,
): ExtendedHeader | undefined {
  let type = body[0]! & 0x0f;
  let at = 1;
  while (type === MOD_EX) {
    if (at >= body.length) return undefined;
    let bytes = body[at]! + 1;
    at++;
    if (bytes === 256) {
      if (at + 2 > body.length) return undefined;
      bytes = body.readUInt16BE(at) + 1;
      at += 2;
    }
    at += bytes;
    if (at >= body.length) return undefined;
    type = body[at]! & 0x0f;
    at++;
  }
  if (type === multitrack) return readTrack(body, at, wanted);
  if (at + FOUR_CC_BYTES > body.length) return undefined;
  // What has no number is the track 0.
  const isOther = wanted !== undefined && wanted !== 0;
  return { type, fourCc: fourCcAt(body, at), isOther, data: body.subarray(at + FOUR_CC_BYTES) };
}

/** @param from - behind the type of packet that says that there are tracks */
function readTrack(body: Buffer, from: number, wanted: number | undefined): ExtendedHeader | undefined {
  if (from >= body.length) return undefined;
  const tracks = body[from]! >> 4;
  const type = body[from]! & 0x0f;
  if (tracks > MANY_CODECS) return undefined;
  let at = from + 1;
  let fourCc = '';
  for (;;) {
    if (fourCc === '' || tracks === MANY_CODECS) {
      if (at + FOUR_CC_BYTES > body.length) return undefined;
      fourCc = fourCcAt(body, at);
      at += FOUR_CC_BYTES;
    }
    const track = body[at];
    if (track === undefined) return undefined;
    at++;
    const isOther = wanted !== undefined && wanted !== track;
    if (tracks === ONE_TRACK) return { type, fourCc, track, isOther, data: body.subarray(at) };
    if (at + TRACK_SIZE_BYTES > body.length) return undefined;
    const end = at + TRACK_SIZE_BYTES + body.readUIntBE(at, TRACK_SIZE_BYTES);
    if (end > body.length) return undefined;
    if (!isOther || end === body.length)
      return { type, fourCc, track, isOther, data: body.subarray(at + TRACK_SIZE_BYTES, end) };
    at = end;
  }
}

/** @returns it as text where it can be printed, else in hexadecimal */
function fourCcAt(body: Buffer, at: number): string {
  const text = body.toString('latin1', at, at + FOUR_CC_BYTES);
  return /^[ -~]{4}$/.test(text) ? text : `0x${body.toString('hex', at, at + FOUR_CC_BYTES)}`;
}

const AAC = 10;
const EXTENDED_AUDIO = 9;
/** By SoundFormat; the numbers are rates that the header can't say and that go with the format. */
const AUDIO_CODECS = new Map<number, readonly [string, number?]>([
  [0, ['PCM']],
  [1, ['ADPCM']],
  [2, ['MP3']],
  [3, ['PCM']],
  [4, ['Nellymoser', 16_000]],
  [5, ['Nellymoser', 8_000]],
  [6, ['Nellymoser']],
  [7, ['PCMA', 8_000]],
  [8, ['PCMU', 8_000]],
  [AAC, ['AAC']],
  [11, ['Speex', 16_000]],
  [14, ['MP3', 8_000]],
  [15, ['device-specific']],
]);
/** By SoundRate; the first is 5512.5 in truth. */
const RATES = [5_512, 11_025, 22_050, 44_100] as const;
const AUDIO_FOUR_CCS = new Map<string, string>([
  ['mp4a', 'AAC'],
  ['Opus', 'opus'],
  ['.mp3', 'MP3'],
  ['fLaC', 'FLAC'],
  ['ac-3', 'AC-3'],
  ['ec-3', 'E-AC-3'],
]);
/** AudioPacketType of Enhanced RTMP, version 2. */
const AUDIO_PACKETS = new Map<number, FlvAudio['packet']>([
  [0, 'config'],
  [1, 'frame'],
  [2, 'end'],
]);
const AUDIO_MULTITRACK = 5;

/** @param track - see parseFlvVideo @returns undefined when it is cut off, or has a type of packet that we don't know */
export function parseFlvAudio(body: Buffer, track?: number): FlvAudio | undefined {
  const first = body[0];
  if (first === undefined) return undefined;
  const format = first >> 4;
  if (format === EXTENDED_AUDIO) return parseExtendedAudio(body, track);
  const [codec, rate = RATES[((first >> 2) & 3) as 0 | 1 | 2 | 3]] = AUDIO_CODECS.get(format) ?? [
    `format ${format}`,
  ];
  const channels = first & 1 ? 2 : 1;
  if (format !== AAC) return { codec, packet: 'frame', rate, channels, data: body.subarray(1) };
  const type = body[1];
  if (type !== 0 && type !== 1) return undefined;
  return { codec, packet: type === 0 ? 'config' : 'frame', rate, channels, data: body.subarray(2) };
}

function parseExtendedAudio(body: Buffer, wanted: number | undefined): FlvAudio | undefined {
  const header = readExtendedHeader(body, AUDIO_MULTITRACK, wanted);
  // What is of another track, or says how channels lie, is nothing to listen to.
  const packet = header && (header.isOther ? 'end' : AUDIO_PACKETS.get(header.type));
  if (!packet) return undefined;
  const { track, data } = header;
  const codec = AUDIO_FOUR_CCS.get(header.fourCc) ?? header.fourCc;
  return { ...(track === undefined ? {} : { track }), codec, packet, rate: 48_000, channels: 2, data };
}
