import fs from 'node:fs';
import path from 'node:path';
import { type FlvTag, isSequenceHeader, readFlv } from './flv-clip.ts';
import type { NginxRtmp } from './nginx-rtmp.ts';

/** What a stream of media looks like from some moment on; times and distances in ms. */
export interface Continuity {
  /** Between two packets of a kind, in the order of the file: negative where time goes back. */
  readonly leastVideoStep: number;
  readonly leastAudioStep: number;
  readonly greatestVideoStep: number;
  readonly greatestAudioStep: number;
  /** How many packets there are more than there should be in that time; negative: less. */
  readonly videoSurplus: number;
  readonly audioSurplus: number;
  /** Media time that passed, for the earlier of both ends. */
  readonly span: number;
}

const AUDIO_FRAME_MS = 1024 / 48;
const FLV_HEADER_BYTES = 13;

/** What an nginx keeps of one key: looked at while it grows. */
export class KeptStream {
  /** Where to push. */
  readonly address: string;
  #nginx: NginxRtmp;
  #key: string;
  #frameRate: number;
  #since = { wall: 0, video: 0, audio: 0 };

  /** @param frameRate - of what is pushed, pictures a second */
  constructor(nginx: NginxRtmp, key: string, frameRate: number) {
    this.address = `${nginx.url}/${key}`;
    this.#nginx = nginx;
    this.#key = key;
    this.#frameRate = frameRate;
  }

  /** One for each time that somebody published with that key, the oldest first. */
  get files(): string[] {
    const name = new RegExp(`^${RegExp.escape(this.#key)}-\\d+\\.flv$`);
    return this.#nginx.recordings().filter((file) => name.test(path.basename(file)));
  }

  /** Of the latest time. */
  get tags(): FlvTag[] {
    const file = this.files.at(-1);
    // It is created before its first bytes are written.
    if (file === undefined || fs.statSync(file).size < FLV_HEADER_BYTES) return [];
    return readFlv(fs.readFileSync(file));
  }

  /** Up to where there are both sound and pictures, ms of its own time. */
  get lastMs(): number {
    const { video, audio } = this.#times();
    return Math.min(video.at(-1) ?? 0, audio.at(-1) ?? 0);
  }

  /** What is told by `continuity` begins here. */
  mark(): void {
    const { video, audio } = this.#times();
    this.#since = { wall: performance.now(), video: video.at(-1) ?? 0, audio: audio.at(-1) ?? 0 };
  }

  /** By how much its time is behind the clock's since `mark`; negative: ahead. */
  get behindMs(): number {
    return performance.now() - this.#since.wall - this.continuity.span;
  }

  /** Since `mark`. */
  get continuity(): Continuity {
    const all = this.#times();
    const video = all.video.filter((ms) => ms >= this.#since.video);
    const audio = all.audio.filter((ms) => ms >= this.#since.audio);
    const [videoSteps, audioSteps] = [stepsOf(video), stepsOf(audio)];
    const [videoSpan, audioSpan] = [spanOf(video), spanOf(audio)];
    return {
      leastVideoStep: Math.min(...videoSteps),
      leastAudioStep: Math.min(...audioSteps),
      greatestVideoStep: Math.max(...videoSteps),
      greatestAudioStep: Math.max(...audioSteps),
      videoSurplus: videoSteps.length - (videoSpan * this.#frameRate) / 1000,
      audioSurplus: audioSteps.length - audioSpan / AUDIO_FRAME_MS,
      span: Math.min(videoSpan, audioSpan),
    };
  }

  #times(): { video: number[]; audio: number[] } {
    const media = this.tags.filter((tag) => !isSequenceHeader(tag));
    const of = (type: FlvTag['type']) =>
      media.filter((tag) => tag.type === type).map(({ timestampMs }) => timestampMs);
    return { video: of('video'), audio: of('audio') };
  }
}

function stepsOf(times: readonly number[]): number[] {
  return times.slice(1).map((at, index) => at - times[index]!);
}

function spanOf(times: readonly number[]): number {
  return (times.at(-1) ?? 0) - (times[0] ?? 0);
}
