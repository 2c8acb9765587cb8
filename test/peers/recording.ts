import { spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import { flvHeader, flvTag } from '../../src/media/containers/flv/flv-tags.ts';
import { ToneMeter } from '../signals/tone-meter.ts';
import { type FlvTag, isKeyFrame, isSequenceHeader, readFlv, runFfmpeg } from './flv-clip.ts';

/** Hue of a whole picture; grey: next to none, as the slate has. */
export type Hue = 'red' | 'green' | 'blue' | 'grey';

/** Of what a stream of it looks like from outside. */
export interface Timing {
  readonly frames: number;
  /** From one frame's decoding time to the next one's, ms: negative where time goes back. */
  readonly leastStepMs: number;
  readonly greatestStepMs: number;
}

const RATE = 48_000;
const WINDOW_MS = 500;
/** Of the tail whose tones are told: a window, and what the decoder needs to get going. */
const TAIL_MS = 700;
/** Pictures are looked at in this size. */
const SAMPLES = 16 * 16;
const PLANES = 3;
/** A hue is what is so far from grey, of 128. */
const LEAST_COLOUR = 12;

/** The FLV file into which an RTMP server writes what it gets: AAC and H.264. It may still be growing. */
export class Recording {
  readonly file: string;

  constructor(file: string) {
    this.file = file;
  }

  get bytes(): number {
    return fs.statSync(this.file).size;
  }

  /** Which of these tones are there together in the last half second. None while there is less. */
  async tonesNow(tonesHz: readonly number[]): Promise<number[]> {
    const audio = this.#tags('audio');
    const lastMs = audio.at(-1)?.timestampMs ?? 0;
    const tail = audio.filter((tag) => isSequenceHeader(tag) || tag.timestampMs > lastMs - TAIL_MS);
    if (lastMs < TAIL_MS) return [];
    const [meter] = metersOf(await decodeSound(asFile(tail)), Number.POSITIVE_INFINITY);
    return tonesHz.filter((hz) => meter!.hears(hz));
  }

  /** All tones that were there in each half second, in Hz rounded to tens. */
  async tones(): Promise<number[][]> {
    const pcm = await decodeSound(asFile(this.#tags('audio')));
    return metersOf(pcm, (RATE * WINDOW_MS) / 1000).map((meter) => meter.tones());
  }

  /** Hue of the last picture; undefined while there is none. */
  async hueNow(): Promise<Hue | undefined> {
    const video = this.#tags('video');
    const begin = video.findLastIndex(isKeyFrame);
    if (begin < 0) return undefined;
    const header = video.slice(0, begin).findLast(isSequenceHeader);
    return (await huesOf(asFile([...(header ? [header] : []), ...video.slice(begin)]))).at(-1);
  }

  /** Hues of all pictures, each as often as it came anew. */
  async hues(): Promise<Hue[]> {
    const all = await huesOf(asFile(this.#tags('video')));
    return all.filter((hue, index) => hue !== all[index - 1]);
  }

  /** How often players are told of parameter sets other than those before; the first do not count. */
  get formatChanges(): number {
    const records = this.#tags('video').filter(isSequenceHeader);
    return records.filter(({ body }, index) => index > 0 && !body.equals(records[index - 1]!.body)).length;
  }

  timing(type: 'audio' | 'video'): Timing {
    const times = this.#tags(type)
      .filter((tag) => !isSequenceHeader(tag))
      .map(({ timestampMs }) => timestampMs);
    const steps = times.slice(1).map((at, index) => at - times[index]!);
    return {
      frames: times.length,
      leastStepMs: Math.min(...steps),
      greatestStepMs: Math.max(...steps),
    };
  }

  /** What ffprobe, and ffmpeg when it decodes the whole file, complain of; empty when all is well. */
  async complaints(): Promise<string> {
    const options = ['-v', 'error', '-i', this.file];
    const [probed, decoded] = await Promise.all([
      complaintsOf('ffprobe', [...options, '-show_streams']),
      // In the file's own time base: ffmpeg's is one over the frame rate, in which two pictures may have one time.
      complaintsOf('ffmpeg', ['-nostdin', ...options, '-enc_time_base', '-1', '-f', 'null', '-']),
    ]);
    return probed + decoded;
  }

  #tags(type: FlvTag['type']): FlvTag[] {
    const file = fs.readFileSync(this.file);
    // It is created before its first bytes are written.
    return file.length < flvHeader(true, true).length ? [] : readFlv(file).filter((tag) => tag.type === type);
  }
}

function asFile(tags: readonly FlvTag[]): Buffer {
  const has = (type: FlvTag['type']) => tags.some((tag) => tag.type === type);
  return Buffer.concat([
    flvHeader(has('audio'), has('video')),
    ...tags.map(({ type, timestampMs, body }) => flvTag(type, timestampMs, body)),
  ]);
}

async function decodeSound(flv: Buffer): Promise<Int16Array> {
  const output = ['-f', 's16le', '-ar', String(RATE), '-ac', '1', '-'];
  const pcm = await runFfmpeg(['-v', 'error', '-f', 'flv', '-i', 'pipe:0', ...output], flv);
  return Int16Array.from({ length: pcm.length >> 1 }, (_, index) => pcm.readInt16LE(index * 2));
}

/** One for each so many samples, and at least one; what is left over is in none. */
function metersOf(pcm: Int16Array, samples: number): ToneMeter[] {
  const count = Math.max(1, Math.floor(pcm.length / samples));
  return Array.from({ length: count }, (_, index) => {
    const meter = new ToneMeter(RATE, WINDOW_MS);
    meter.push(pcm.subarray(index === 0 ? 0 : index * samples, (index + 1) * samples));
    return meter;
  });
}

async function huesOf(flv: Buffer): Promise<Hue[]> {
  const picture = ['-vf', 'scale=16:16:flags=area', '-pix_fmt', 'yuv444p', '-fps_mode', 'passthrough'];
  const input = ['-v', 'error', '-f', 'flv', '-i', 'pipe:0'];
  const pictures = await runFfmpeg([...input, ...picture, '-f', 'rawvideo', '-'], flv);
  return Array.from({ length: pictures.length / (PLANES * SAMPLES) }, (_, index) => {
    const [u, v] = [1, 2].map((plane) => {
      const at = (index * PLANES + plane) * SAMPLES;
      return pictures.subarray(at, at + SAMPLES).reduce((sum, value) => sum + value - 128, 0) / SAMPLES;
    });
    return hueOf(u!, v!);
  });
}

/** @param u, v - colour differences, blue's and red's, about 0 */
function hueOf(u: number, v: number): Hue {
  if (Math.hypot(u, v) < LEAST_COLOUR) return 'grey';
  if (u < 0 && v < 0) return 'green';
  return u > v ? 'blue' : 'red';
}

async function complaintsOf(command: string, args: readonly string[]): Promise<string> {
  const child = spawn(command, args, { stdio: ['ignore', 'ignore', 'pipe'] });
  let complaints = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    complaints += text;
  });
  const [code] = (await once(child, 'close')) as [number | null];
  return code === 0 ? complaints : `${complaints}${command} ended with ${code}\n`;
}
