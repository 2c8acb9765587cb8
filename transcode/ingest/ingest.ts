import type { Clock } from '../../src/base/clock.ts';
import type { Logger } from '../../src/base/log.ts';
import { TokenBucket } from '../../src/base/token-bucket.ts';
import { type AccessUnit, isVideo, type SourceUnit, type VideoUnit } from '../../src/media/access-unit.ts';
import type { MediaKind } from '../../src/media/codec.ts';
import type { FrameSender } from '../../src/media/frame-sender.ts';
import { profileName } from '../../src/media/h264/sps.ts';
import { SourceClock } from '../../src/media/source-clock.ts';
import { AudioPath, type AudioPathOptions } from './audio-path.ts';
import type { AudioPlan } from './audio-plan.ts';
import { FrameTaps } from './frame-taps.ts';
import type { HubTarget } from './hub-stream.ts';
import type { IngestStatistics } from './ingest-statistics.ts';
import { Lateness } from './lateness.ts';
import { TimestampNormalizer } from './timestamp-normalizer.ts';
import { VideoPath, type VideoPathOptions } from './video-path.ts';
import { refuseVideo, type VideoPlan } from './video-plan.ts';

export interface IngestOptions {
  readonly video: VideoPathOptions;
  readonly audio: AudioPathOptions;
}

/** In samples. */
export interface FrameSize {
  readonly width: number;
  readonly height: number;
}

export interface IngestEvents {
  /** What the publisher's encoder calls itself. */
  encoder(name: string): void;
  video(codec: string, size: FrameSize | undefined, plan: VideoPlan): void;
  audio(codec: string, plan: AudioPlan): void;
}

const MAX_NAME_CHARACTERS = 40;
/** Of form, at once and a second from then on: each may start a child process, and everybody in the room is told. */
const CHANGES_AT_ONCE = 12;
const CHANGES_PER_SECOND = 0.5;

/** What one publisher sends, on its way to the hub: one clock for audio and video, and a path for each. */
export class Ingest {
  #clock: Clock;
  #events: IngestEvents;
  #normalizer = new TimestampNormalizer();
  #source = new SourceClock();
  #videoLateness = new Lateness();
  #audioLateness = new Lateness();
  #video: VideoPath;
  #audio: AudioPath;
  #taps: FrameTaps;
  #maxDelayMs: number;
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
      came: (unit) => this.#taps.send(unit),
    });
    this.#taps = new FrameTaps(this.#video.recent);
    this.#audio = new AudioPath(options.audio, clock, log, {
      planned: (plan) => events.audio(this.#audio.codec, plan),
      ready: (sourceMs) => this.#onAudioReady(sourceMs),
    });
  }

  /**
   * Takes what came, with the times of its source.
   * @returns false when the publisher changes what it sends all the time, and its connection has to end; as do the next two
   */
  receive(unit: AccessUnit): boolean {
    const now = this.#clock.now();
    const kind: MediaKind = unit.format.kind;
    const { repairs } = this.#normalizer;
    const jumps = repairs.jumps;
    const mended = this.#normalizer.mend(kind, unit.dtsUs / 1000, now);
    // A clock that was found to be wrong has said when things are due.
    if (repairs.jumps > jumps) this.#source = new SourceClock();
    if (!this.#normalizer.isAhead(kind)) this.#source.heard(mended, now);
    const dtsUs = Math.round(mended * 1000);
    const ptsUs = Math.max(0, dtsUs + unit.ptsUs - unit.dtsUs);
    if (isVideo(unit)) this.#video.receive(this.#timed({ ...unit, dtsUs, ptsUs }, now), now);
    else this.#audio.receive({ ...unit, dtsUs, ptsUs }, now);
    return this.#isSteady();
  }

  /** Something came that no access unit can be made of. @param why - what is the matter with it; undefined: nobody takes that codec */
  refuse(kind: MediaKind, codec: string, why: string | undefined): boolean {
    if (kind === 'audio') this.#audio.refuse(codec, why);
    else this.#video.refuse(codec, refuseVideo(this.#video.who, codec, why));
    return this.#isSteady();
  }

  /** @param encoder - what the encoder calls itself, as it came */
  rename(encoder: string): boolean {
    const name = nameOf(encoder);
    if (name === this.#video.who) return true; // some say it again with nearly every frame
    this.#video.who = name;
    this.#audio.who = name;
    this.#events.encoder(name);
    this.#renamed++;
    return this.#isSteady();
  }

  #isSteady(): boolean {
    const changes = this.#video.changes + this.#audio.changes + this.#renamed;
    for (; this.#changes < changes; this.#changes++) if (!this.#allowance.take()) return false;
    return true;
  }

  open(kind: MediaKind, target: HubTarget): void {
    this.#path(kind).open(target);
  }

  close(kind: MediaKind): void {
    this.#path(kind).close();
    if (kind === 'video') this.#videoLateness = new Lateness();
  }

  setMuted(kind: MediaKind, muted: boolean): void {
    this.#path(kind).setMuted(muted);
    if (kind === 'video') this.#taps.setMuted(muted);
  }

  /** From now on a program gets its pictures as they come, those since the last key frame first. */
  addTap(id: string, tap: FrameSender): void {
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

  get statistics(): IngestStatistics {
    return {
      ...(this.#audio.codec ? { audio: this.#audioStatistics() } : {}),
      ...(this.#video.analysis.codec ? { video: this.#videoStatistics() } : {}),
      repairs: { ...this.#normalizer.repairs },
    };
  }

  /** A unit with what a program needs to know of its moment. */
  #timed(unit: VideoUnit, now: number): SourceUnit {
    const { sender } = this.#audio;
    return {
      ...unit,
      dueAt: now - this.#source.latenessOf(unit.ptsUs / 1000, now),
      keyFrameGapMs: 0,
      audioLateMs: sender ? this.#audioLateness.ms + sender.delayMs : 0,
    };
  }

  #path(kind: MediaKind): VideoPath | AudioPath {
    return kind === 'video' ? this.#video : this.#audio;
  }

  #onVideoPlan(plan: VideoPlan): void {
    const { codec, size } = this.#video.analysis;
    this.#events.video(codec, size, plan);
  }

  /** Sound waits for as much as pictures come later than it. */
  #onAudioReady(sourceMs: number): void {
    this.#audioLateness.note(this.#source.latenessOf(sourceMs, this.#clock.now()));
    const sender = this.#audio.sender;
    if (!sender) return;
    const behind = this.#videoLateness.ms - this.#audioLateness.ms;
    sender.wantedDelayMs = Math.max(0, Math.min(this.#maxDelayMs, behind));
  }

  #videoStatistics(): NonNullable<IngestStatistics['video']> {
    const { analysis, job, deaths } = this.#video;
    const { sps, rate, codec, keyFrameIntervalMs, size } = analysis;
    return {
      format: sps ? `H.264 ${profileName(sps)}` : codec,
      bitrateBps: rate.bitrateBps,
      packetsSent: this.#video.packetsSent,
      dropped: this.#video.framesDropped,
      ...(size ? { width: size.width, height: size.height } : {}),
      ...(rate.perSecond > 0 ? { frameRate: Math.round(rate.perSecond * 10) / 10 } : {}),
      ...(keyFrameIntervalMs === undefined ? {} : { keyFrameIntervalMs }),
      bFrames: analysis.reorders,
      ...(job ? { job: { pid: job.pid, latencyMs: job.latencyMs, deaths: deaths.total } } : {}),
    };
  }

  #audioStatistics(): NonNullable<IngestStatistics['audio']> {
    const { rate, job, sender, deaths } = this.#audio;
    return {
      format: this.#audio.format,
      bitrateBps: rate.bitrateBps,
      packetsSent: sender?.packetsSent ?? 0,
      dropped: this.#audio.dropped,
      ...(sender ? { delayMs: Math.round(sender.delayMs) } : {}),
      ...(job ? { job: { pid: job.pid, deaths: deaths.total } } : {}),
    };
  }
}

/** 'obs-output module (libobs version 29.0.2)' is OBS to people, and 'Lavf59.27.100' FFmpeg. */
function nameOf(encoder: string): string {
  if (/obs/i.test(encoder)) return 'OBS';
  if (/^Lavf/i.test(encoder)) return 'FFmpeg';
  const printable = encoder.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, ' ').trim();
  return printable.slice(0, MAX_NAME_CHARACTERS) || 'The encoder';
}
