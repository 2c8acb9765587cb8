import type { Clock, Logger } from '../../../src/gateway.ts';
import { type AvcConfig, parseAvcConfig } from '../../../src/media/avc-config.ts';
import type { FlvVideo } from '../../../src/media/flv.ts';
import { GopCache } from '../../../src/media/gop-cache.ts';
import { toAnnexB } from '../../../src/media/h264.ts';
import { parseHevcConfig } from '../../../src/media/hevc-config.ts';
import type { SourceConfig, SourcePicture } from '../../../src/media/picture-source.ts';
import { ChildDeaths } from '../../../transcode/child-deaths.ts';
import { ivfFourCc, videoArguments } from '../../../transcode/video-arguments.ts';
import { type EncodedFrame, VideoJob } from '../../../transcode/video-job.ts';
import { planVideo, type VideoPlan } from '../../../transcode/video-plan.ts';
import type { HubTarget } from './hub-stream.ts';
import { VideoAnalysis } from './video-analysis.ts';
import { VideoSender } from './video-sender.ts';

export interface VideoPathOptions {
  readonly maxKeyFrameGapMs: number;
  readonly maxHeight: number;
  readonly bitrateBps: number;
  readonly preset: string;
  readonly maxWaitMs: number;
}

export interface VideoPathEvents {
  /** How its pictures get to browsers was decided, or decided anew. */
  planned(plan: VideoPlan): void;
  /** One went out. @param showMs - when it is shown, source time */
  sent(showMs: number): void;
  /** Pictures of another form begin, with a key frame. */
  configured(config: SourceConfig): void;
  /** One came, whatever browsers get of it. */
  came(picture: IncomingPicture): void;
}

/** A picture as it came, mended. */
export type IncomingPicture = Pick<SourcePicture, 'data' | 'decodeMs' | 'showMs' | 'key' | 'disposable'>;

/** In samples. */
export interface PictureSize {
  readonly width: number;
  readonly height: number;
}

/** What a decoder needs first, and how the pictures after it are framed. */
interface StreamConfig {
  readonly lengthBytes: 1 | 2 | 3 | 4;
  readonly parameterSets: readonly Buffer[];
  readonly avc: AvcConfig | undefined;
}

/** A re-encoded source is passed through again when nothing was in the way of that for so long, ms. */
const CALM_MS = 10_000;
/** Without B-frames and lookahead, so much more bitrate makes pictures as good as the source's; and not less than that. */
const ENCODED_SHARE = 1.5;
const MIN_ENCODED_BPS = 300_000;
const REORDERED_FRAMES = 4;

/**
 * One publisher's pictures on their way to the hub: repacketized as they are where browsers can take them so, by an
 * encoder where not. Which of the two is looked at with each picture, and can change while browsers watch.
 */
export class VideoPath {
  readonly analysis = new VideoAnalysis();
  /** Pictures that were not passed on: malformed, too large, or behind the latency ceiling. */
  dropped = 0;
  /** How often it became something else: another codec, configuration, or way to browsers. */
  changes = 0;
  who = 'The encoder';
  /** As its metadata has it: of codecs whose parameter sets are not read. */
  statedSize: PictureSize | undefined;
  readonly deaths: ChildDeaths;
  #options: VideoPathOptions;
  #clock: Clock;
  #log: Logger;
  #events: VideoPathEvents;
  #muted = false;
  #config: StreamConfig | undefined;
  /** As it came. */
  #record: Buffer | undefined;
  #plan: VideoPlan | undefined;
  #cache = new GopCache<IncomingPicture>();
  #sender: VideoSender | undefined;
  #job: VideoJob | undefined;
  #jobConfig: AvcConfig | undefined;
  /** Whether browsers see what came (after its first key frame), or what the encoder made of it. */
  #showing: 'nothing' | 'source' | 'encoded' = 'nothing';
  #lastShownMs = Number.NEGATIVE_INFINITY;
  /** Source time from which on nothing spoke against passing through. */
  #calmSinceMs = Number.NEGATIVE_INFINITY;
  #droppedByJobs = 0;

  constructor(options: VideoPathOptions, clock: Clock, log: Logger, events: VideoPathEvents) {
    this.#options = options;
    this.#clock = clock;
    this.#log = log;
    this.#events = events;
    this.deaths = new ChildDeaths(clock);
  }

  get job(): VideoJob | undefined {
    return this.#job;
  }

  get framesDropped(): number {
    return this.dropped + this.#droppedByJobs + (this.#job?.counters.dropped ?? 0);
  }

  get packetsSent(): number {
    return this.#sender?.packetsSent ?? 0;
  }

  /** @param decodeMs - mended */
  receive(video: FlvVideo, decodeMs: number, now: number): void {
    if (video.packet === 'config') this.#configure(video);
    else if (video.packet === 'frame') this.#receiveFrame(video, decodeMs, now);
  }

  /** From now on there is somebody to send to. */
  open(target: HubTarget): void {
    this.close();
    this.#sender = new VideoSender(
      target,
      this.#clock,
      () => this.#job?.requestKeyFrame(),
      () => this.close(),
    );
    if (this.#plan?.outcome === 'transcode' && !this.#muted) this.#startJob();
  }

  /** Nobody wants it any more. */
  close(): void {
    this.#sender?.close();
    this.#sender = undefined;
    this.#stopJob();
    this.#showing = 'nothing';
  }

  /** Nothing goes out while it is muted; afterwards it begins with a whole picture. */
  setMuted(muted: boolean): void {
    if (muted === this.#muted) return;
    this.#muted = muted;
    this.#stopJob();
    this.#showing = 'nothing';
    if (!muted && this.#sender && this.#plan?.outcome === 'transcode') this.#startJob();
  }

  #configure(video: FlvVideo): void {
    const { codec, data } = video;
    // Some encoders repeat it before each key frame: only another one begins something new.
    if (codec === this.analysis.codec && this.#record?.equals(data)) return;
    const config = readConfig(video);
    if (!config) {
      this.dropped++;
      return;
    }
    this.changes++;
    this.#record = Buffer.from(data);
    this.#config = config;
    this.analysis.configure(codec, config.avc);
    this.#events.configured(sourceConfig(codec, config, this.#record, this.analysis.sps ?? this.statedSize));
    this.#cache.clear();
    // The next key frame decides, and is shown from the start.
    this.#stopJob();
    if (this.#showing === 'encoded') this.#showing = 'nothing';
  }

  #receiveFrame(video: FlvVideo, decodeMs: number, now: number): void {
    const { data, frame } = video;
    const key = frame === 'key';
    const showMs = Math.max(0, decodeMs + video.compositionMs);
    if (!this.#config && !this.#begin(video, key)) {
      this.dropped++;
      return;
    }
    this.analysis.frame({ decodeMs, showMs, key, bytes: data.length }, now);
    const disposable =
      frame === 'disposable' || (this.#config!.avc !== undefined && isDisposable(data, this.#config!));
    const cached: IncomingPicture = { data, decodeMs, showMs, key, disposable };
    this.#cache.add(cached);
    this.#events.came(cached);
    const job = this.#job;
    this.#replan(key, decodeMs);
    if (!this.#sender || this.#muted) return;
    if (!this.#job && key && this.#plan?.outcome === 'transcode') this.#startJob(); // there was another configuration
    // One that was started just now has it from the cache.
    if (this.#job === job) this.#feed(cached, false);
    if (this.#showing !== 'encoded') this.#pass(cached);
  }

  /** Formats without a configuration begin with any key frame, those that need one cannot. */
  #begin(video: FlvVideo, key: boolean): boolean {
    if (video.codec !== this.analysis.codec) this.analysis.configure(video.codec, undefined);
    if (video.codec === 'H264' || video.codec === 'HEVC') return false;
    if (!key) return false;
    this.#config = { lengthBytes: 4, parameterSets: [], avc: undefined };
    this.#events.configured(sourceConfig(video.codec, this.#config, undefined, this.statedSize));
    return true;
  }

  /** Passing through is taken up again only at a key frame, and when all was calm for a while. */
  #replan(key: boolean, decodeMs: number): void {
    if (this.#plan?.outcome === 'refused' && this.#plan.final) return;
    const before = this.#plan;
    const plan = planVideo(this.analysis.facts(this.who), this.#options);
    if (plan.outcome !== 'pass-through') this.#calmSinceMs = decodeMs;
    if (before?.outcome === plan.outcome && before.reason === plan.reason) return;
    if (!before && !key && plan.outcome !== 'refused') return; // the first key frame is looked at first
    const isCalm = key && decodeMs - this.#calmSinceMs >= CALM_MS;
    if (before?.outcome === 'transcode' && plan.outcome === 'pass-through' && !isCalm) return;
    this.changes++;
    this.#adopt(plan);
  }

  #adopt(plan: VideoPlan): void {
    this.#plan = plan;
    this.#log.info({ plan: plan.outcome, reason: plan.reason }, 'pictures of an encoder');
    if (plan.outcome === 'transcode') {
      // What browsers choke on is not shown any more; long distances between key frames can be for a moment.
      if (!plan.showable) this.#showing = this.#showing === 'encoded' ? 'encoded' : 'nothing';
      if (this.#sender && !this.#job && !this.#muted) this.#startJob();
    } else {
      this.#stopJob();
      this.#showing = 'nothing';
    }
    this.#events.planned(plan);
  }

  /** A picture as it came, if browsers are to see that. */
  #pass({ data, showMs, key }: IncomingPicture): void {
    const plan = this.#plan;
    const passes = plan?.outcome === 'pass-through' || (plan?.outcome === 'transcode' && plan.showable);
    const config = this.#config!;
    if (!passes || !config.avc) return;
    if (key) this.#showing = 'source';
    if (this.#showing !== 'source') return;
    if (this.#sender!.send(data, config.lengthBytes, showMs, key ? config.parameterSets : [])) {
      this.#onSent(showMs);
      return;
    }
    this.dropped++;
    if (key) this.#showing = 'nothing'; // what follows cannot be shown without it
  }

  #startJob(): void {
    const { codec, sps, rate } = this.analysis;
    const size = sps ?? this.statedSize;
    const { maxHeight, preset, maxWaitMs } = this.#options;
    if (!this.#config || !isEncodable(codec)) return;
    this.#jobConfig = undefined;
    const { width, height } = size ?? { width: 0, height: 0 };
    const bitrateBps = this.#encodedBps();
    const frameRate = rate.perSecond || sps?.frameRate;
    const job: VideoJob = new VideoJob({
      fourCc: ivfFourCc(codec),
      width,
      height,
      arguments: videoArguments({ codec, width, height, maxHeight, bitrateBps, frameRate, preset }),
      clock: this.#clock,
      maxWaitMs,
      onConfig: (record) => {
        if (this.#job === job) this.#jobConfig = parseAvcConfig(record);
      },
      onFrame: (frame) => {
        if (this.#job === job) this.#show(frame);
      },
      onEnd: (cause) => this.#onJobEnd(job, cause),
    });
    this.#job = job;
    // What came since the last key frame has to be decoded, but only the last of it is shown.
    const { frames } = this.#cache;
    for (const [index, frame] of frames.entries()) this.#feed(frame, index < frames.length - 1);
  }

  #encodedBps(): number {
    const { bitrateBps } = this.#options;
    const source = this.analysis.rate.bitrateBps;
    return source === 0
      ? bitrateBps
      : Math.min(bitrateBps, Math.max(MIN_ENCODED_BPS, ENCODED_SHARE * source));
  }

  #stopJob(): void {
    const job = this.#job;
    this.#job = undefined;
    if (!job) return;
    this.#droppedByJobs += job.counters.dropped;
    void job.stop();
  }

  #feed({ data, showMs, key, disposable }: IncomingPicture, hidden: boolean): void {
    if (!this.#job || this.#plan?.outcome !== 'transcode') return;
    const { lengthBytes, parameterSets, avc } = this.#config!;
    const framed = avc || this.analysis.codec === 'HEVC';
    const unit = framed ? toAnnexB(data, lengthBytes, key ? parameterSets : []) : data;
    if (unit) this.#job.feed([unit], showMs, { key, disposable, hidden });
    else this.dropped++;
  }

  /** A picture of the encoder. The first key frame after what was shown before takes over from that. */
  #show(frame: EncodedFrame): void {
    const config = this.#jobConfig;
    if (!config || !this.#sender || this.#muted) return;
    if (this.#showing === 'encoded' && frame.latencyMs > this.#options.maxWaitMs + this.#reorderMs()) {
      // What waited while the encoder stood still: browsers go on with what is live.
      this.dropped++;
      this.#showing = 'nothing';
    }
    if (this.#showing !== 'encoded') {
      if (!frame.key || frame.timestampMs <= this.#lastShownMs) {
        this.#job?.requestKeyFrame();
        return;
      }
      this.#showing = 'encoded';
    }
    const sets = frame.key ? [...config.sps, ...config.pps] : [];
    if (this.#sender.send(frame.data, config.lengthBytes, frame.timestampMs, sets))
      this.#onSent(frame.timestampMs);
    else this.dropped++;
  }

  /** How long a picture waits for those that are decoded before it, at the most. */
  #reorderMs(): number {
    return (REORDERED_FRAMES * 1000) / Math.max(1, this.analysis.rate.perSecond);
  }

  #onSent(showMs: number): void {
    this.#lastShownMs = showMs;
    this.#events.sent(showMs);
  }

  #onJobEnd(job: VideoJob, cause: string): void {
    if (this.#job !== job) return;
    this.#job = undefined;
    this.#droppedByJobs += job.counters.dropped;
    this.#log.error({ cause }, 'a video encoder ended');
    if (this.#showing === 'encoded') this.#showing = 'nothing';
    if (this.deaths.note()) {
      this.#startJob();
      return;
    }
    const reason = `The video encoder of the server failed three times within a minute: ${cause}`;
    this.#adopt({ outcome: 'refused', reason, steps: [], final: true });
  }
}

function readConfig({ codec, data }: FlvVideo): StreamConfig | undefined {
  if (codec === 'H264') {
    const avc = parseAvcConfig(data);
    return avc && { lengthBytes: avc.lengthBytes, parameterSets: [...avc.sps, ...avc.pps], avc };
  }
  if (codec === 'HEVC') {
    const hevc = parseHevcConfig(data);
    return hevc && { lengthBytes: hevc.lengthBytes, parameterSets: hevc.parameterSets, avc: undefined };
  }
  // Of the others the pictures say everything.
  return { lengthBytes: 4, parameterSets: [], avc: undefined };
}

function sourceConfig(
  codec: string,
  { lengthBytes, parameterSets, avc }: StreamConfig,
  record: Buffer | undefined,
  size: PictureSize | undefined,
): SourceConfig {
  return {
    codec: codec as SourceConfig['codec'],
    ...(avc && record ? { record } : {}),
    ...(codec === 'H264' || codec === 'HEVC' ? { lengthBytes } : {}),
    parameterSets,
    ...(size ? { width: size.width, height: size.height } : {}),
  };
}

/** Whether no other picture refers to it: nal_ref_idc is 0 (ITU-T H.264, section 7.4.1). */
function isDisposable(data: Buffer, { lengthBytes }: StreamConfig): boolean {
  const header = data[lengthBytes] ?? 0xff;
  const type = header & 0x1f;
  return type === 1 && (header & 0x60) === 0;
}

function isEncodable(codec: string): codec is 'H264' | 'HEVC' | 'AV1' | 'VP9' {
  return ['H264', 'HEVC', 'AV1', 'VP9'].includes(codec);
}
