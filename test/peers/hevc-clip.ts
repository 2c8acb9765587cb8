import { execFile } from 'node:child_process';
import fs from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { type EncodedVideo, encodingArguments } from './ffmpeg-encoding.ts';
import { type ClipOptions, type FlvTag, makeClip, runFfmpeg } from './flv-clip.ts';

const FOURCC = Buffer.from('hvc1', 'latin1');
const PACKETS = ['-show_entries', 'packet=pts_time,dts_time,size,pos,flags', '-of', 'json'];
// Enhanced RTMP v1: IsExHeader, the frame's type in three bits, the packet's in four
const EX_HEADER = 0x80;
const KEY_FRAME = 0x10;
const INTER_FRAME = 0x20;
const SEQUENCE_START = 0;
const CODED_FRAMES = 1;
const CODED_FRAMES_X = 3;

interface Packet {
  readonly pts_time: string;
  readonly dts_time: string;
  readonly size: string;
  readonly pos: string;
  readonly flags: string;
}

/**
 * A clip of HEVC in tags of Enhanced RTMP (FourCC hvc1), with the usual audio. ffmpeg 5.1 has no such FLV, so
 * the frames come out of an MP4 file and the tags are made here. A frame whose composition time is 0 goes
 * as CodedFramesX, which leaves it out, any other as CodedFrames.
 */
export async function makeHevcClip(options: ClipOptions): Promise<FlvTag[]> {
  const { video = {}, audio } = options;
  if (video === 'none') throw new Error('A clip of HEVC needs video.');
  const pictures = await hevcTags(video, options.seconds);
  if (audio === 'none') return pictures;
  const sound = await makeClip({ video: 'none', audio, seconds: options.seconds });
  // Stable: of those with one timestamp, metadata and headers stay in front.
  return [...sound, ...pictures].sort((a, b) => a.timestampMs - b.timestampMs || rank(a) - rank(b));
}

function rank(tag: FlvTag): number {
  return tag.type === 'script' ? 0 : 1;
}

async function hevcTags(video: EncodedVideo, seconds: number): Promise<FlvTag[]> {
  const folder = await fs.mkdtemp(path.join(os.tmpdir(), 'patchroom-hevc-'));
  try {
    const file = path.join(folder, 'clip.mp4');
    const encoding = { video: { ...video, codec: 'libx265' }, audio: 'none', seconds } as const;
    await runFfmpeg([...encodingArguments(encoding, false), '-tag:v', 'hvc1', file]);
    const { stdout } = await promisify(execFile)('ffprobe', ['-loglevel', 'error', ...PACKETS, file]);
    const { packets } = JSON.parse(stdout) as { packets: Packet[] };
    const bytes = await fs.readFile(file);
    const firstMs = Number(packets[0]!.dts_time) * 1000;
    const header = Buffer.from([EX_HEADER | KEY_FRAME | SEQUENCE_START]);
    return [
      { type: 'video', timestampMs: 0, body: Buffer.concat([header, FOURCC, hvcC(bytes)]) },
      ...packets.map((packet) => frameTag(packet, bytes, firstMs)),
    ];
  } finally {
    await fs.rm(folder, { recursive: true, force: true });
  }
}

function frameTag(packet: Packet, file: Buffer, firstMs: number): FlvTag {
  const decodeMs = Math.round(Number(packet.dts_time) * 1000 - firstMs);
  const compositionMs = Math.round(Number(packet.pts_time) * 1000 - firstMs) - decodeMs;
  const kind = EX_HEADER | (packet.flags.startsWith('K') ? KEY_FRAME : INTER_FRAME);
  const header = Buffer.alloc(compositionMs === 0 ? 5 : 8);
  header[0] = kind | (compositionMs === 0 ? CODED_FRAMES_X : CODED_FRAMES);
  FOURCC.copy(header, 1);
  if (compositionMs !== 0) header.writeIntBE(compositionMs, 5, 3);
  const at = Number(packet.pos);
  const frame = file.subarray(at, at + Number(packet.size));
  return { type: 'video', timestampMs: decodeMs, body: Buffer.concat([header, frame]) };
}

/** The HEVCDecoderConfigurationRecord (ISO 14496-15, 8.3.3.1) out of the only box of that name. */
function hvcC(file: Buffer): Buffer {
  const at = file.lastIndexOf('hvcC', file.length, 'latin1'); // the index is behind the media
  if (at < 4) throw new Error('The MP4 file has no hvcC box.');
  return file.subarray(at + 4, at - 4 + file.readUInt32BE(at - 4));
}
