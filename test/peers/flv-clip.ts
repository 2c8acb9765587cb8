import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { type Encoding, encodingArguments } from './ffmpeg-encoding.ts';

/** One FLV tag, which is also one RTMP message. */
export interface FlvTag {
  readonly type: 'audio' | 'video' | 'script';
  /** Decoding time since the clip's start. */
  readonly timestampMs: number;
  /** From the byte with the codec on. */
  readonly body: Buffer;
}

export type ClipOptions = Encoding & { readonly seconds: number };

const clips = new Map<string, Promise<FlvTag[]>>();
const TYPES: Readonly<Record<number, FlvTag['type']>> = { 8: 'audio', 9: 'video', 18: 'script' };
const AAC_RATES = [96000, 88200, 64000, 48000, 44100, 32000, 24000, 22050, 16000, 12000, 11025, 8000];
const AAC_FRAME_SAMPLES = 1024;

/**
 * A clip that ffmpeg encoded, as fast as it can, once a process for the same options: metadata, the sequence
 * headers, then audio and video by their timestamps. Do not change it: others get the same one.
 */
export function makeClip(options: ClipOptions): Promise<FlvTag[]> {
  const key = JSON.stringify(options);
  const clip =
    clips.get(key) ?? runFfmpeg([...encodingArguments(options, false), '-f', 'flv', '-']).then(readFlv);
  clips.set(key, clip);
  return clip;
}

/**
 * @param input - what it gets on its standard input
 * @returns what ffmpeg wrote on its standard output
 * @throws with what it complained of when it fails
 */
export async function runFfmpeg(args: readonly string[], input?: Buffer): Promise<Buffer> {
  const child = spawn('ffmpeg', args, { stdio: ['pipe', 'pipe', 'pipe'] });
  child.stdin.on('error', () => {}); // it ended before it had read all: its exit code says why
  child.stdin.end(input);
  const output: Buffer[] = [];
  let complaints = '';
  child.stdout.on('data', (bytes: Buffer) => output.push(bytes));
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    complaints += text;
  });
  const [code] = (await once(child, 'close')) as [number | null];
  if (code !== 0) throw new Error(`ffmpeg ended with ${code}: ${complaints}`);
  return Buffer.concat(output);
}

/** Reads an FLV file, or one that is still being written (the tag that is not whole yet is left out). */
export function readFlv(file: Buffer): FlvTag[] {
  if (file.toString('latin1', 0, 3) !== 'FLV') throw new Error('This is no FLV file.');
  const tags: FlvTag[] = [];
  let at = file.readUInt32BE(5) + 4;
  while (at + 11 <= file.length) {
    const type = TYPES[file[at]! & 0x1f];
    const end = at + 11 + file.readUIntBE(at + 1, 3);
    if (end > file.length) break;
    // 24 bits, and the upper 8 behind them
    const timestampMs = file.readUIntBE(at + 4, 3) + file[at + 7]! * 0x1000000;
    if (type) tags.push({ type, timestampMs, body: file.subarray(at + 11, end) });
    at = end + 4;
  }
  return tags;
}

/** Whether it carries a decoder's configuration: AAC, AVC, or video of Enhanced RTMP. */
export function isSequenceHeader({ type, body }: FlvTag): boolean {
  if (type === 'audio') return body[0]! >> 4 === 10 && body[1] === 0;
  if (type !== 'video') return false;
  const enhanced = (body[0]! & 0x80) !== 0;
  return enhanced ? (body[0]! & 0x0f) === 0 : (body[0]! & 0x0f) === 7 && body[1] === 0;
}

/** Whether it is a picture that decoding can begin with. */
export function isKeyFrame(tag: FlvTag): boolean {
  return tag.type === 'video' && ((tag.body[0]! >> 4) & 0x07) === 1 && !isSequenceHeader(tag) && !isEnd(tag);
}

function isEnd({ type, body }: FlvTag): boolean {
  if (type !== 'video') return false;
  return (body[0]! & 0x80) !== 0 ? (body[0]! & 0x0f) === 2 : (body[0]! & 0x0f) === 7 && body[1] === 2;
}

/**
 * The clip over and over, with timestamps that go on: metadata and headers once, then the media of each lap.
 * Audio and video repeat each on its own, so that both keep their exact rate: no gap and no drift between them.
 * A lap of video begins with a key frame; the tone has a click where its lap begins.
 * Made for clips of AAC and of a whole number of frames a second.
 */
export function* loop(tags: readonly FlvTag[]): Generator<FlvTag, never> {
  const media = tags.filter((tag) => tag.type !== 'script' && !isSequenceHeader(tag) && !isEnd(tag));
  if (media.length === 0) throw new Error('A clip without media cannot be looped.');
  yield* tags.filter((tag) => tag.type === 'script' || isSequenceHeader(tag));
  const video = media.filter((tag) => tag.type === 'video');
  const audio = media.filter((tag) => tag.type === 'audio');
  const tracks = [repeat(video, videoFrameMs(video)), repeat(audio, audioFrameMs(tags))].map((laps) => ({
    laps,
    next: laps.next().value,
  }));
  const [first, second] = tracks as [(typeof tracks)[0], (typeof tracks)[0]];
  for (;;) {
    const isFirst = !second.next || (first.next && first.next.timestampMs <= second.next.timestampMs);
    const track = isFirst ? first : second;
    yield track.next!;
    track.next = track.laps.next().value;
  }
}

function* repeat(track: readonly FlvTag[], frameMs: number): Generator<FlvTag, undefined> {
  if (track.length === 0) return undefined;
  const lapMs = track.length * frameMs;
  for (let lap = 0; ; lap++) {
    for (const tag of track) yield { ...tag, timestampMs: Math.round(tag.timestampMs + lap * lapMs) };
  }
}

/** From the timestamps, which are rounded: the nearest whole number of frames a second. */
function videoFrameMs(video: readonly FlvTag[]): number {
  if (video.length < 2) return 1000;
  const spanMs = video.at(-1)!.timestampMs - video[0]!.timestampMs;
  return 1000 / Math.max(1, Math.round(((video.length - 1) * 1000) / spanMs));
}

function audioFrameMs(tags: readonly FlvTag[]): number {
  const header = tags.find((tag) => tag.type === 'audio' && isSequenceHeader(tag));
  // AudioSpecificConfig (ISO 14496-3, 1.6.2.1): 5 bits of object type, 4 of the rate
  const index = header ? (header.body.readUInt16BE(2) >> 7) & 0x0f : 3;
  return (AAC_FRAME_SAMPLES * 1000) / (AAC_RATES[index] ?? 48000);
}
