import type { Clock } from '../../src/base/clock.ts';
import { parseFlvVideo } from '../../src/media/containers/flv/flv.ts';
import { FlvReader, type FlvTag } from '../../src/media/containers/flv/flv-tags.ts';
import { ivfFrameHeader, ivfHeader } from '../../src/media/containers/ivf.ts';
import { FfmpegProcess } from './ffmpeg-process.ts';
import { FrameGate } from './frame-gate.ts';
import { FORCE_KEY_TICK, HIDE_TICK, TICKS_PER_MS, TICKS_PER_SECOND } from './video-arguments.ts';

/** A frame of H.264 as it comes out: no B-frames, in the order it is shown. */
export interface EncodedFrame {
  /** NAL units, each behind its length in 4 bytes. */
  data: Buffer;
  /** When it is shown, as the source's frame was fed with. */
  timestampMs: number;
  key: boolean;
  /** Since the source's frame was fed; in a source with B-frames it includes waiting for those fed later. */
  latencyMs: number;
}

export interface VideoTranscoderOptions {
  /** Of the source, as IVF has it. */
  readonly fourCc: string;
  /** Of the source, in samples; 0 where it isn't known before it is decoded. */
  readonly width: number;
  readonly height: number;
  /** What ffmpeg is told: takes IVF with times in ticks (see ivfInput), gives FLV with H.264. */
  readonly arguments: readonly string[];
  readonly clock: Clock;
  /** How late frames may come before some are left out (see FrameGate), ms; 500 by default. */
  readonly maxWaitMs?: number;
  /** @param config - AVCDecoderConfigurationRecord (ISO/IEC 14496-15, section 5.3.3.1); comes before the first frame */
  readonly onConfig: (config: Buffer) => void;
  readonly onFrame: (frame: EncodedFrame) => void;
  /** Called once when it ends by itself; feeding it does nothing then. */
  readonly onEnd: (cause: string) => void;
}

export interface FeedOptions {
  readonly key: boolean;
  /** Was shown long ago: it is decoded for the frames behind it, and does not come out. */
  readonly hidden?: boolean;
  /** No other frame needs it (nal_ref_idc is 0 in all of its NAL units). */
  readonly disposable?: boolean;
}

export interface VideoTranscoderCounters {
  framesIn: number;
  framesOut: number;
  /** Were fed to be shown and did not or won't come out, also those that the arguments leave out. */
  dropped: number;
  keyFramesForced: number;
}

const DEFAULT_MAX_WAIT_MS = 500;
/** 10 s of 25 Mbit/s: all frames since a key frame may come at once. */
const MAX_QUEUED_BYTES = 32 * 2 ** 20;
const MAX_TAG_BYTES = 8 * 2 ** 20;
/** More key frames than this cost more than they help. */
const KEY_FRAME_INTERVAL_MS = 250;
/** A child that gives and reads nothing for so long, although it is fed, hangs; before its first picture it may take longer. */
const DEAD_MS = 3000;
const STILLBORN_MS = 10_000;
/** Without frames for so long, it is no wonder that nothing came. */
const PAUSE_MS = 1000;
const SMOOTHING = 1 / 16;

/** Re-encodes one source's video to H.264 without B-frames, with a supervised ffmpeg. */
export class VideoTranscoder {
  #options: VideoTranscoderOptions;
  #child: FfmpegProcess;
  #gate: FrameGate;
  #reader = new FlvReader(MAX_TAG_BYTES);
  #framesIn = 0;
  #framesOut = 0;
  #keyFramesForced = 0;
  #latencyMs = 0;
  #wantsKeyFrame = false;
  #lastKeyAt = Number.NEGATIVE_INFINITY;
  #fedAt = Number.NEGATIVE_INFINITY;
  #lifeAt = 0;
  #queuedBytes = 0;
  #hasEnded = false;

  constructor(options: VideoTranscoderOptions) {
    this.#options = options;
    this.#gate = new FrameGate(options.clock, options.maxWaitMs ?? DEFAULT_MAX_WAIT_MS);
    this.#child = FfmpegProcess.start({
      args: options.arguments,
      clock: options.clock,
      maxQueuedBytes: MAX_QUEUED_BYTES,
      onOutput: (chunk) => this.#read(chunk),
      onEnd: (cause) => this.#end(cause),
    });
    const timebase = { numerator: 1, denominator: TICKS_PER_SECOND };
    this.#child.write([ivfHeader(options.fourCc, options.width, options.height, timebase)]);
  }

  get counters(): VideoTranscoderCounters {
    return {
      framesIn: this.#framesIn,
      framesOut: this.#framesOut,
      dropped: this.#gate.dropped,
      keyFramesForced: this.#keyFramesForced,
    };
  }

  /** Of the last frames, smoothed. */
  get latencyMs(): number {
    return this.#latencyMs;
  }

  /** Of its process; 0 when that could not be started. */
  get pid(): number {
    return this.#child.pid;
  }

  /**
   * Frames are fed in the order they are decoded in, beginning with a key frame.
   *
   * @param accessUnit - pieces of one: with start codes (ITU-T H.264, annex B) for H.264 and H.265, where parameter sets
   *   precede those of a key frame; they are kept, so they must not change
   * @param timestampMs - when it is shown; whole milliseconds of one time that goes on
   */
  feed(accessUnit: readonly Buffer[], timestampMs: number, options: FeedOptions): void {
    if (this.#hasEnded) return;
    this.#framesIn++;
    const patienceMs = this.#framesOut === 0 ? STILLBORN_MS : DEAD_MS;
    if (this.#silentMs() > patienceMs) {
      this.#end(`no picture came out of it for ${patienceMs / 1000} s`);
      return;
    }
    const frame = { timestampMs, ...options };
    const verdict = this.#gate.judge(frame, this.#child.queuedBytes);
    if (verdict === 'drop') return;
    let bytes = 0;
    for (const piece of accessUnit) bytes += piece.length;
    const ticks =
      this.#gate.place(timestampMs) * TICKS_PER_MS +
      (verdict === 'hide' ? HIDE_TICK : this.#takesKeyRequest() ? FORCE_KEY_TICK : 0);
    if (this.#child.write([ivfFrameHeader(bytes, ticks), ...accessUnit])) this.#gate.given(frame, verdict);
    else this.#gate.refused(frame);
    this.#queuedBytes = this.#child.queuedBytes;
  }

  /** Makes an IDR of the next frame that is shown, though not sooner than 250 ms after the last one it made so. */
  requestKeyFrame(): void {
    this.#wantsKeyFrame = true;
  }

  /** @returns when its process has ended; nothing comes any more from now on */
  stop(): Promise<void> {
    this.#hasEnded = true;
    return this.#child.stop();
  }

  #takesKeyRequest(): boolean {
    const now = this.#options.clock.now();
    // The first frame is one anyway.
    const isFirst = this.#lastKeyAt === Number.NEGATIVE_INFINITY;
    if (!isFirst && (!this.#wantsKeyFrame || now - this.#lastKeyAt < KEY_FRAME_INTERVAL_MS)) return false;
    this.#wantsKeyFrame = false;
    this.#lastKeyAt = now;
    if (!isFirst) this.#keyFramesForced++;
    return !isFirst;
  }

  /** Called with each frame fed. @returns for how long there was no sign of life, although one was due */
  #silentMs(): number {
    const now = this.#options.clock.now();
    const isReading = this.#child.queuedBytes < this.#queuedBytes;
    if (isReading || this.#gate.underWay === 0 || now - this.#fedAt > PAUSE_MS) this.#lifeAt = now;
    this.#fedAt = now;
    return now - this.#lifeAt;
  }

  #read(chunk: Buffer): void {
    if (this.#hasEnded) return;
    this.#lifeAt = this.#options.clock.now();
    try {
      this.#reader.read(chunk, (tag) => this.#readTag(tag));
    } catch (error) {
      this.#end((error as Error).message);
    }
  }

  #readTag(tag: FlvTag): void {
    const video = tag.type === 'video' && !this.#hasEnded ? parseFlvVideo(tag.body) : undefined;
    if (video?.packet === 'config') this.#options.onConfig(video.data);
    if (video?.packet !== 'frame') return;
    const { timestampMs, latencyMs } = this.#gate.came(tag.timestampMs);
    this.#framesOut++;
    if (latencyMs !== undefined) {
      const weight = this.#framesOut === 1 ? 1 : SMOOTHING;
      this.#latencyMs += (latencyMs - this.#latencyMs) * weight;
    }
    this.#options.onFrame({
      data: video.data,
      timestampMs,
      key: video.frame === 'key',
      latencyMs: latencyMs ?? this.#latencyMs,
    });
  }

  #end(cause: string): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    this.#child.kill();
    this.#options.onEnd(cause);
  }
}
