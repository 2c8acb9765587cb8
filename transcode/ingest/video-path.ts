import type { Clock } from '../../src/base/clock.ts';
import type { Logger } from '../../src/base/log.ts';
import type { SourceUnit, VideoFormat } from '../../src/media/access-unit.ts';
import { GopCache } from '../../src/media/gop-cache.ts';
import { type AvcConfig, parseAvcConfig } from '../../src/media/h264/avc-config.ts';
import { toAnnexB } from '../../src/media/h264/nal-units.ts';
import { ProcessDeaths } from '../ffmpeg/process-deaths.ts';
import { ivfFourCc, videoArguments } from '../ffmpeg/video-arguments.ts';
import { type EncodedFrame, VideoTranscoder } from '../ffmpeg/video-transcoder.ts';
import type { HubTarget } from './hub-stream.ts';
import { VideoAnalysis } from './video-analysis.ts';
import { planVideo, type VideoPlan } from './video-plan.ts';
import { VideoSender } from './video-sender.ts';

export interface VideoPathOptions {
  readonly maxKeyFrameGapMs: number;
  readonly maxHeight: number;
  readonly bitrateBps: number;
  readonly preset: string;
  readonly maxWaitMs: number;
}

export interface VideoPathEvents {
  /** How its frames get to browsers was decided, or decided anew. */
  planned(plan: VideoPlan): void;
  /** One went out. @param showMs - when it is presented, source time */
  sent(showMs: number): void;
  /** One came, whatever browsers get of it. */
  came(unit: SourceUnit): void;
}

/** A re-encoded source is passed through again when nothing was in the way of that for so long, ms. */
const CALM_MS = 10_000;
/** Without B-frames and lookahead, so much more bitrate makes pictures as good as the source's; and not less than that. */
const ENCODED_SHARE = 1.5;
const MIN_ENCODED_BPS = 300_000;
const REORDERED_FRAMES = 4;

/**
 * One publisher's video on its way to the hub: repacketized as it is where browsers can take it so, by an
 * encoder where not. Which of the two is looked at with each picture, and can change while browsers watch.
 */
export class VideoPath {
  readonly analysis = new VideoAnalysis();
  /** Pictures that were not passed on: malformed, too large, or behind the latency ceiling. */
  dropped = 0;
  /** How often it became something else: another codec, configuration, or way to browsers. */
  changes = 0;
  who = 'The encoder';
  /** Units since the last key frame: what an encoder, and a program, begin with. */
  readonly recent = new GopCache<SourceUnit>();
  readonly deaths: ProcessDeaths;
  #options: VideoPathOptions;
  #clock: Clock;
  #log: Logger;
  #events: VideoPathEvents;
  #muted = false;
  #format: VideoFormat | undefined;
  #plan: VideoPlan | undefined;
  /** The size that was told with the latest plan. */
  #toldSize: VideoAnalysis['size'];
  #sender: VideoSender | undefined;
  #job: VideoTranscoder | undefined;
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
    this.deaths = new ProcessDeaths(clock);
  }

  get job(): VideoTranscoder | undefined {
    return this.#job;
  }

  get framesDropped(): number {
    return this.dropped + this.#droppedByJobs + (this.#job?.counters.dropped ?? 0);
  }

  get packetsSent(): number {
    return this.#sender?.packetsSent ?? 0;
  }

  /** @param unit - with normalized times */
  receive(unit: SourceUnit, now: number): void {
    if (unit.format !== this.#format) this.#configure(unit.format);
    const decodeMs = unit.dtsUs / 1000;
    const showMs = unit.ptsUs / 1000;
    const { key } = unit;
    this.analysis.frame({ decodeMs, showMs, key, bytes: unit.data.length }, now);
    const came: SourceUnit = { ...unit, keyFrameGapMs: this.analysis.keyFrameGapMs };
    this.recent.add(came);
    this.#events.came(came);
    const job = this.#job;
    this.#replan(key, decodeMs);
    if (!this.#sender || this.#muted) return;
    if (!this.#job && key && this.#plan?.outcome === 'transcode') this.#startJob(); // there was another format
    // One that was started just now has it from the cache.
    if (this.#job === job) this.#feed(came, false);
    if (this.#showing !== 'encoded') this.#pass(came);
  }

  /** What comes cannot be taken, and why. */
  refuse(codec: string, reason: string): void {
    if (this.#plan?.outcome === 'refused' && this.#plan.final) return;
    this.analysis.configure({ kind: 'video', codec: 'H264', parameterSets: [] });
    this.analysis.codec = codec;
    this.#format = undefined;
    this.recent.clear();
    this.changes++;
    this.#adopt({ outcome: 'refused', reason, steps: [] });
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

  #configure(format: VideoFormat): void {
    this.changes++;
    this.#format = format;
    this.analysis.configure(format);
    this.recent.clear();
    // The next key frame decides, and is shown from the start.
    this.#stopJob();
    if (this.#showing === 'encoded') this.#showing = 'nothing';
  }

  /** Passing through is taken up again only at a key frame, and when all was calm for a while. */
  #replan(key: boolean, decodeMs: number): void {
    if (this.#plan?.outcome === 'refused' && this.#plan.final) return;
    const before = this.#plan;
    const plan = planVideo(this.analysis.facts(this.who), this.#options);
    if (plan.outcome !== 'pass-through') this.#calmSinceMs = decodeMs;
    if (before?.outcome === plan.outcome && before.reason === plan.reason) {
      if (this.#toldSize !== this.analysis.size) this.#tell(before);
      return;
    }
    if (!before && !key && plan.outcome !== 'refused') return; // the first key frame is looked at first
    const isCalm = key && decodeMs - this.#calmSinceMs >= CALM_MS;
    if (before?.outcome === 'transcode' && plan.outcome === 'pass-through' && !isCalm) return;
    this.changes++;
    this.#adopt(plan);
  }

  #adopt(plan: VideoPlan): void {
    this.#plan = plan;
    this.#log.info({ plan: plan.outcome, reason: plan.reason }, 'ingest video plan');
    if (plan.outcome === 'transcode') {
      // What browsers choke on is not shown any more; long distances between key frames can be for a moment.
      if (!plan.showable) this.#showing = this.#showing === 'encoded' ? 'encoded' : 'nothing';
      if (this.#sender && !this.#job && !this.#muted) this.#startJob();
    } else {
      this.#stopJob();
      this.#showing = 'nothing';
    }
    this.#tell(plan);
  }

  #tell(plan: VideoPlan): void {
    this.#toldSize = this.analysis.size;
    this.#events.planned(plan);
  }

  /** A frame as it came, if browsers are to see that. */
  #pass({ data, ptsUs, key, format }: SourceUnit): void {
    const plan = this.#plan;
    const passes = plan?.outcome === 'pass-through' || (plan?.outcome === 'transcode' && plan.showable);
    if (!passes || format.codec !== 'H264' || !format.lengthBytes) return;
    if (key) this.#showing = 'source';
    if (this.#showing !== 'source') return;
    if (this.#sender!.send(data, format.lengthBytes, ptsUs / 1000, key ? format.parameterSets : [])) {
      this.#onSent(ptsUs / 1000);
      return;
    }
    this.dropped++;
    this.analysis.noteOversized(); // what came as an access unit is well-formed
    if (key) this.#showing = 'nothing'; // what follows cannot be shown without it
  }

  #startJob(): void {
    const { sps, rate } = this.analysis;
    const format = this.#format;
    const { maxHeight, preset, maxWaitMs } = this.#options;
    if (!format) return;
    this.#jobConfig = undefined;
    const { codec, width = 0, height = 0 } = format;
    const bitrateBps = this.#encodedBps();
    const frameRate = rate.perSecond || sps?.frameRate;
    const job: VideoTranscoder = new VideoTranscoder({
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
    const { frames } = this.recent;
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

  #feed({ data, ptsUs, key, disposable, format }: SourceUnit, hidden: boolean): void {
    if (!this.#job || this.#plan?.outcome !== 'transcode') return;
    const { lengthBytes, parameterSets } = format;
    const unit = lengthBytes ? toAnnexB(data, lengthBytes, key ? parameterSets : []) : data;
    if (unit) this.#job.feed([unit], ptsUs / 1000, { key, disposable, hidden });
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

  #onJobEnd(job: VideoTranscoder, cause: string): void {
    if (this.#job !== job) return;
    this.#job = undefined;
    this.#droppedByJobs += job.counters.dropped;
    this.#log.error({ cause }, 'ingest video transcoder ended');
    if (this.#showing === 'encoded') this.#showing = 'nothing';
    if (this.deaths.note()) {
      this.#startJob();
      return;
    }
    const reason = `The video encoder of the server failed three times within a minute: ${cause}`;
    this.#adopt({ outcome: 'refused', reason, steps: [], final: true });
  }
}
