import type { Clock, Logger } from '../../../src/gateway.ts';
import { parseFlvAudio, parseFlvVideo } from '../../../src/media/flv.ts';
import { SourceClock } from '../../../src/media/source-clock.ts';
import { profileName } from '../../../src/media/sps.ts';
import { TokenBucket } from '../../../src/token-bucket.ts';
import type { VideoPlan } from '../../../transcode/video-plan.ts';
import type { SessionStatistics } from '../messages.ts';
import type { AmfValue } from '../protocol/amf0.ts';
import { RtmpError } from '../protocol/rtmp-error.ts';
import { AudioPath, type AudioPathOptions } from './audio-path.ts';
import type { AudioPlan } from './audio-plan.ts';
import type { HubTarget } from './hub-stream.ts';
import { Lateness } from './lateness.ts';
import { type PictureTap, PictureTaps } from './picture-taps.ts';
import { type StreamKind, TimestampMender } from './timestamp-mender.ts';
import { type IncomingPicture, type PictureSize, VideoPath, type VideoPathOptions } from './video-path.ts';

export interface IngestOptions {
  readonly video: VideoPathOptions;
  readonly audio: AudioPathOptions;
}

export interface IngestEvents {
  /** What the encoder calls itself. */
  encoder(name: string): void;
  video(codec: string, size: PictureSize | undefined, plan: VideoPlan): void;
  audio(codec: string, plan: AudioPlan): void;
}

/** Codecs as RTP names them. */
const RTP_NAMES: Record<string, string> = { HEVC: 'H265' };
const MAX_NAME_CHARACTERS = 40;
const MAX_SIZE = 16_384;
/** Of form, at once and a second from then on: each may start a child process, and everybody in the room is told. */
const CHANGES_AT_ONCE = 12;
const CHANGES_PER_SECOND = 0.5;

/** What one encoder publishes, on its way to the hub: one clock for sound and pictures, and a path for each. */
export class Ingest {
  #clock: Clock;
  #events: IngestEvents;
  #mender = new TimestampMender();
  #source = new SourceClock();
  #videoLateness = new Lateness();
  #audioLateness = new Lateness();
  #video: VideoPath;
  #audio: AudioPath;
  #taps = new PictureTaps();
  #maxDelayMs: number;
  #malformed: Record<StreamKind, number> = { audio: 0, video: 0 };
  #allowance: TokenBucket;
  #changes = 0;
  #renamed = 0;

  constructor(options: IngestOptions, clock: Clock, log: Logger, events: IngestEvents) {
    this.#clock = clock;
    this.#events = events;
    this.#maxDelayMs = options.audio.maxWaitMs;
    this.#allowance = new TokenBucket(CHANGES_PER_SECOND, CHANGES_AT_ONCE, clock);
    this.#video = new VideoPath(options.video, clock, log, {
      planned: (plan) => this.#onVideoPlan(plan),
      sent: (showMs) => this.#videoLateness.note(this.#source.latenessOf(showMs, clock.now())),
      configured: (config) => this.#taps.configure(config),
      came: (picture) => this.#tap(picture),
    });
    this.#audio = new AudioPath(options.audio, clock, log, {
      planned: (plan) => events.audio(this.#audio.codec, plan),
      ready: (sourceMs) => this.#onAudioReady(sourceMs),
    });
  }

  /** @throws RtmpError, as do the next two: it changes all the time, and its connection has to end */
  video(body: Buffer, timestamp: number): void {
    const video = parseFlvVideo(body);
    if (!video) {
      if (body.length > 0) this.#malformed.video++;
      return;
    }
    const now = this.#clock.now();
    this.#video.receive(video, video.packet === 'frame' ? this.#mend('video', timestamp, now) : 0, now);
    this.#restrain();
  }

  audio(body: Buffer, timestamp: number): void {
    const audio = parseFlvAudio(body);
    if (!audio) {
      if (body.length > 0) this.#malformed.audio++;
      return;
    }
    const now = this.#clock.now();
    this.#audio.receive(audio, body, audio.packet === 'frame' ? this.#mend('audio', timestamp, now) : 0, now);
    this.#restrain();
  }

  metadata(values: { readonly [key: string]: AmfValue }): void {
    const { encoder, width, height } = values;
    if (isLength(width) && isLength(height)) this.#video.statedSize = { width, height };
    if (typeof encoder !== 'string') return;
    const name = nameOf(encoder);
    if (name === this.#video.who) return; // some say it again with nearly every picture
    this.#video.who = name;
    this.#audio.who = name;
    this.#events.encoder(name);
    this.#renamed++;
    this.#restrain();
  }

  #restrain(): void {
    const changes = this.#video.changes + this.#audio.changes + this.#renamed;
    for (; this.#changes < changes; this.#changes++) {
      if (!this.#allowance.take())
        throw new RtmpError('format', 'The encoder changes what it sends all the time.');
    }
  }

  open(kind: StreamKind, target: HubTarget): void {
    this.#path(kind).open(target);
  }

  close(kind: StreamKind): void {
    this.#path(kind).close();
    if (kind === 'video') this.#videoLateness = new Lateness();
  }

  setMuted(kind: StreamKind, muted: boolean): void {
    this.#path(kind).setMuted(muted);
    if (kind === 'video') this.#taps.setMuted(muted);
  }

  /** From now on a program gets its pictures as they come, those since the last key frame first. */
  addTap(id: string, tap: PictureTap): void {
    this.#taps.add(id, tap);
  }

  removeTap(id: string): void {
    this.#taps.remove(id);
  }

  /** The encoder is gone. */
  end(): void {
    this.close('video');
    this.close('audio');
    this.#taps.close();
  }

  get statistics(): SessionStatistics {
    return {
      ...(this.#audio.codec ? { audio: this.#audioStatistics() } : {}),
      ...(this.#video.analysis.codec ? { video: this.#videoStatistics() } : {}),
      repairs: { ...this.#mender.repairs },
    };
  }

  /** Of sound and pictures only: configurations that are repeated may have any time. */
  #mend(kind: StreamKind, timestamp: number, now: number): number {
    const mended = this.#mender.mend(kind, timestamp, now);
    this.#source.heard(mended, now);
    return mended;
  }

  #tap(picture: IncomingPicture): void {
    const now = this.#clock.now();
    const { sender } = this.#audio;
    this.#taps.send({
      ...picture,
      dueAt: now - this.#source.latenessOf(picture.showMs, now),
      keyFrameGapMs: this.#video.analysis.keyFrameGapMs,
      soundLateMs: sender ? this.#audioLateness.ms + sender.delayMs : 0,
    });
  }

  #path(kind: StreamKind): VideoPath | AudioPath {
    return kind === 'video' ? this.#video : this.#audio;
  }

  #onVideoPlan(plan: VideoPlan): void {
    const { codec, sps } = this.#video.analysis;
    this.#events.video(RTP_NAMES[codec] ?? codec, sps ?? this.#video.statedSize, plan);
  }

  /** Sound waits for as much as pictures come later than it. */
  #onAudioReady(sourceMs: number): void {
    this.#audioLateness.note(this.#source.latenessOf(sourceMs, this.#clock.now()));
    const sender = this.#audio.sender;
    if (!sender) return;
    const behind = this.#videoLateness.ms - this.#audioLateness.ms;
    sender.wantedDelayMs = Math.max(0, Math.min(this.#maxDelayMs, behind));
  }

  #videoStatistics(): NonNullable<SessionStatistics['video']> {
    const { analysis, job, deaths } = this.#video;
    const { sps, rate, codec, keyFrameIntervalMs } = analysis;
    const size = sps ?? this.#video.statedSize;
    return {
      format: sps ? `H.264 ${profileName(sps)}` : codec,
      bitrateBps: rate.bitrateBps,
      packetsSent: this.#video.packetsSent,
      dropped: this.#video.framesDropped + this.#malformed.video,
      ...(size ? { width: size.width, height: size.height } : {}),
      ...(rate.perSecond > 0 ? { frameRate: Math.round(rate.perSecond * 10) / 10 } : {}),
      ...(keyFrameIntervalMs === undefined ? {} : { keyFrameIntervalMs }),
      bFrames: analysis.reorders,
      ...(job ? { job: { pid: job.pid, latencyMs: job.latencyMs, deaths: deaths.total } } : {}),
    };
  }

  #audioStatistics(): NonNullable<SessionStatistics['audio']> {
    const { rate, job, sender, deaths } = this.#audio;
    return {
      format: this.#audio.format,
      bitrateBps: rate.bitrateBps,
      packetsSent: sender?.packetsSent ?? 0,
      dropped: this.#audio.dropped + this.#malformed.audio,
      ...(sender ? { delayMs: Math.round(sender.delayMs) } : {}),
      ...(job ? { job: { pid: job.pid, deaths: deaths.total } } : {}),
    };
  }
}

/** Of a picture's side, in samples. */
function isLength(value: AmfValue): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value > 0 && value <= MAX_SIZE;
}

/** 'obs-output module (libobs version 29.0.2)' is OBS to people, and 'Lavf59.27.100' FFmpeg. */
function nameOf(encoder: string): string {
  if (/obs/i.test(encoder)) return 'OBS';
  if (/^Lavf/i.test(encoder)) return 'FFmpeg';
  const printable = encoder.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, ' ').trim();
  return printable.slice(0, MAX_NAME_CHARACTERS) || 'The encoder';
}
