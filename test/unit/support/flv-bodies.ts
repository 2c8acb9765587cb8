import type { LengthBytes } from '../../../src/media/h264/nal-units.ts';
import { withLengths } from './nal-units.ts';
import { SPS_SAMPLES } from './sps-samples.ts';

/* Bodies of RTMP's audio and video messages (FLV 10.1, sections E.4.2 and E.4.3), and those of Enhanced RTMP 2, by the letter. */

export function sps(name: string): Buffer {
  return Buffer.from(SPS_SAMPLES.find(([what]) => what === name)![1], 'hex');
}

/** Browsers take its pictures as they are. 640x360. */
export const PLAIN = sps('Main without B-frames');
/** So too. 1920x1080. */
export const LARGE = sps('1080 lines of 1088');
/** Is re-encoded for them. 640x360. */
export const WITH_B = sps('High with B-frames');
export const PPS = Buffer.from('68ee3c80', 'hex');
/** Another one with the same number. */
export const OTHER_PPS = Buffer.from('68ce3c80', 'hex');

export type FrameType = 'key' | 'inter' | 'disposable';

const FRAME_TYPES = { key: 1, inter: 2, disposable: 3 } as const;
const AVC = 7;

export interface AvcOptions {
  readonly frame?: FrameType;
  readonly compositionMs?: number;
  /** CodecID; 7 is AVC, and 12 what some say for HEVC. */
  readonly codecId?: number;
}

/** @param data - what follows the composition time: NAL units behind lengths, or whatever an encoder takes for that */
export function avcBody(data: Buffer, options: AvcOptions = {}): Buffer {
  const { frame = 'inter', compositionMs = 0, codecId = AVC } = options;
  const header = Buffer.of((FRAME_TYPES[frame] << 4) | codecId, 1, 0, 0, 0);
  header.writeIntBE(compositionMs, 2, 3);
  return Buffer.concat([header, data]);
}

/** @param record - AVCDecoderConfigurationRecord, or what comes in its place */
export function sequenceHeader(record: Buffer, codecId = AVC): Buffer {
  return Buffer.concat([Buffer.of((FRAME_TYPES.key << 4) | codecId, 0, 0, 0, 0), record]);
}

/** AVCDecoderConfigurationRecord (ISO/IEC 14496-15, section 5.3.3.1). */
export function recordOf(sps: Buffer, pps: Buffer = PPS, lengthBytes: LengthBytes = 4): Buffer {
  return Buffer.concat([
    Buffer.of(1, sps[1]!, sps[2]!, sps[3]!, 0xfc | (lengthBytes - 1), 0xe0 | 1),
    withLengths([sps], 2),
    Buffer.of(1),
    withLengths([pps], 2),
  ]);
}

/** NAL units behind start codes (ITU-T H.264, annex B). @param startCodeBytes - of each; 'mixed': four for the first, three for the others */
export function annexB(units: readonly Buffer[], startCodeBytes: 3 | 4 | 'mixed' = 4): Buffer {
  return Buffer.concat(
    units.flatMap((unit, index) => {
      const bytes = startCodeBytes === 'mixed' ? (index === 0 ? 4 : 3) : startCodeBytes;
      return [Buffer.from('00000001', 'hex').subarray(4 - bytes), unit];
    }),
  );
}

/** An AAC message. @param header - its first byte @param packet - 0: configuration, 1: frame */
export function aacBody(packet: 0 | 1, data: Buffer, header = 0xaf): Buffer {
  return Buffer.concat([Buffer.of(header, packet), data]);
}

/** Any other sound. @param header - its first byte */
export function soundBody(header: number, data: Buffer): Buffer {
  return Buffer.concat([Buffer.of(header), data]);
}

/** VideoPacketType and AudioPacketType of Enhanced RTMP. */
export const EX = { start: 0, frames: 1, end: 2, framesX: 3, multichannel: 4, modEx: 7 } as const;
export const MULTITRACK = { audio: 5, video: 6 } as const;

export interface ExOptions {
  readonly frame?: FrameType;
  /** Of avc1 and hvc1 in packets of type `frames`. */
  readonly compositionMs?: number;
  /** ModEx in front: of each its data. */
  readonly modEx?: readonly Buffer[];
  /** As the first of several tracks; the others' bodies behind it. Undefined: no multitrack. */
  readonly tracks?: 'one' | 'many' | 'many codecs';
  /** trackId of it. */
  readonly trackId?: number;
}

export function exVideo(packet: number, fourCc: string, data: Buffer, options: ExOptions = {}): Buffer {
  const { frame = 'key', compositionMs } = options;
  const composition = Buffer.alloc(compositionMs === undefined ? 0 : 3);
  if (compositionMs !== undefined) composition.writeIntBE(compositionMs, 0, 3);
  const body = Buffer.concat([composition, data]);
  const first = 0x80 | (FRAME_TYPES[frame] << 4);
  return Buffer.concat(exParts(first, packet, fourCc, body, MULTITRACK.video, options));
}

export function exAudio(packet: number, fourCc: string, data: Buffer, options: ExOptions = {}): Buffer {
  return Buffer.concat(exParts(0x90, packet, fourCc, data, MULTITRACK.audio, options));
}

function exParts(
  first: number,
  packet: number,
  fourCc: string,
  data: Buffer,
  multitrack: number,
  { modEx = [], tracks, trackId = 0 }: ExOptions,
): Buffer[] {
  const types = [...modEx.map(() => EX.modEx), tracks ? multitrack : packet];
  const parts: Buffer[] = [Buffer.of(first | types[0]!)];
  for (const [index, extra] of modEx.entries()) parts.push(modExPart(extra, types[index + 1]!));
  const name = Buffer.from(fourCc, 'latin1');
  if (!tracks) return [...parts, name, data];
  const kind = ['one', 'many', 'many codecs'].indexOf(tracks);
  parts.push(Buffer.of((kind << 4) | packet));
  if (tracks !== 'many codecs') parts.push(name);
  // A second track, of which nothing is known but its size.
  const ofTracks: [number, Buffer][] = [[trackId, data]];
  if (tracks !== 'one') ofTracks.push([trackId + 1, Buffer.alloc(20, 0x55)]);
  for (const [id, body] of ofTracks) {
    if (tracks === 'many codecs') parts.push(name);
    parts.push(Buffer.of(id));
    if (tracks !== 'one')
      parts.push(Buffer.of(body.length >> 16, (body.length >> 8) & 0xff, body.length & 0xff));
    parts.push(body);
  }
  return parts;
}

/** Its size less one in one byte, or from 256 on in two more; the data; TimestampOffsetNano; the type of what follows. */
function modExPart(data: Buffer, nextType: number): Buffer {
  const size =
    data.length < 256
      ? Buffer.of(data.length - 1)
      : Buffer.of(0xff, (data.length - 1) >> 8, (data.length - 1) & 0xff);
  return Buffer.concat([size, data, Buffer.of(nextType)]);
}

/* NAL units of H.264 as x264 makes them, with a number in each that tells which one it is. */

/** An IDR picture's first slice. @param bytes - in all */
export function keySlice(number = 1, bytes = 12): Buffer {
  return slice('658884', number, bytes);
}

/** Another one of the same picture: it begins with macroblock 24. */
export function laterKeySlice(number = 1, bytes = 12): Buffer {
  return slice('650c8884', number, bytes);
}

export function interSlice(number = 1, bytes = 12): Buffer {
  return slice('419a23', number, bytes);
}

export function laterInterSlice(number = 1, bytes = 12): Buffer {
  return slice('410c9a23', number, bytes);
}

function slice(header: string, number: number, bytes: number): Buffer {
  const head = Buffer.from(header, 'hex');
  return Buffer.concat([
    head,
    Buffer.alloc(bytes - head.length - 2, 0x5a),
    Buffer.of(1 + (number % 250), 0x80),
  ]);
}

/** Supplemental information: user data that nobody registered. */
export const SEI = Buffer.concat([Buffer.from('060514', 'hex'), Buffer.alloc(20, 0x33), Buffer.of(0x80)]);
/** A decoder may begin with the picture behind it, after no other (ITU-T H.264, section D.1.8). */
export const RECOVERY_POINT = Buffer.from('060601c480', 'hex');
export const DELIMITER = Buffer.from('09f0', 'hex');
export const FILLER = Buffer.concat([Buffer.of(0x0c), Buffer.alloc(30, 0xff), Buffer.of(0x80)]);
export const END_OF_SEQUENCE = Buffer.of(0x0a);

/** A whole picture in one message. */
export function pictureBody(key: boolean, number = 1, options: Omit<AvcOptions, 'frame'> = {}): Buffer {
  return avcBody(withLengths([key ? keySlice(number) : interSlice(number)]), {
    ...options,
    frame: key ? 'key' : 'inter',
  });
}
