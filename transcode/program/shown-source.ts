import type { Clock } from '../../src/base/clock.ts';
import type { SourceUnit, VideoFormat } from '../../src/media/access-unit.ts';
import { GopCache } from '../../src/media/gop-cache.ts';
import { toAnnexB } from '../../src/media/h264/nal-units.ts';
import { ProcessDeaths } from '../ffmpeg/process-deaths.ts';
import { type EncodingOptions, programArguments } from '../ffmpeg/program-arguments.ts';
import { ivfFourCc } from '../ffmpeg/video-arguments.ts';
import { type EncodedFrame, VideoTranscoder } from '../ffmpeg/video-transcoder.ts';

export interface ShownSourceOptions {
  readonly clock: Clock;
  readonly encoding: EncodingOptions;
  /** The first is a key frame. @param record - AVCDecoderConfigurationRecord that it goes with */
  readonly onEncoded: (frame: EncodedFrame, record: Buffer) => void;
  readonly onDeath: (cause: string) => void;
}

/** Pictures that wait for the encoder longer than that are left out, ms. */
const MAX_WAIT_MS = 1_000;
/** What was due so long before the source, or its encoder, was wanted is there only to be decoded from, ms. */
const BACKLOG_MS = 200;
/** An encoder that died too often is left alone for so long. */
const REST_MS = 10_000;

/** Whose pictures a program shows, or is about to: what came since the last key frame, and the encoder when there is one. */
export class ShownSource {
  readonly id: string;
  readonly #options: ShownSourceOptions;
  readonly deaths: ProcessDeaths;
  format: VideoFormat | undefined;
  /** From its own time to when it is due by the local clock, as its latest picture had it, ms. */
  dueShiftMs = 0;
  /** By how much its sound is late before the mix, ms. */
  audioLateMs = 0;
  /** When its latest picture came. */
  heardAt = Number.NEGATIVE_INFINITY;
  #cache = new GopCache<SourceUnit>();
  #job: VideoTranscoder | undefined;
  #record: Buffer | undefined;
  #wantsEncoder = false;
  #wantedSince: number;
  /** When its first encoded picture came. */
  #encodedAt: number | undefined;
  #restsUntil = 0;
  #dropped = 0;

  constructor(id: string, options: ShownSourceOptions) {
    this.id = id;
    this.#options = options;
    this.deaths = new ProcessDeaths(options.clock);
    this.#wantedSince = options.clock.now();
  }

  /** Since the last key frame, which is the first. */
  get recent(): readonly SourceUnit[] {
    return this.#cache.frames;
  }

  /** Whether its latest picture is one to be shown, not one of those that come first to have the later ones decoded. */
  get hasNews(): boolean {
    const latest = this.#cache.frames.at(-1);
    return latest !== undefined && !this.#isBacklog(latest);
  }

  get encodes(): boolean {
    return this.#wantsEncoder;
  }

  /** Of the encoder's process; 0 while there is none. */
  get pid(): number {
    return this.#job?.pid ?? 0;
  }

  /** Pictures that the encoder had no time for. */
  get dropped(): number {
    return this.#dropped + (this.#job?.counters.dropped ?? 0);
  }

  /** How long a picture takes through the encoder, ms. */
  get latencyMs(): number {
    return this.#job?.latencyMs ?? 0;
  }

  receive(unit: SourceUnit): void {
    if (unit.format !== this.format) this.#configure(unit.format);
    this.heardAt = this.#options.clock.now();
    this.dueShiftMs = unit.dueAt - unit.ptsUs / 1000;
    this.audioLateMs = unit.audioLateMs;
    this.#cache.add(unit);
    if (!this.#wantsEncoder) return;
    if (this.#job) this.#feed(unit, false);
    else this.#start(); // it is in the cache already
  }

  /** From now on its pictures go through an encoder: the first that is news begins, those since the last key frame are decoded before it. */
  encode(): void {
    if (this.#wantsEncoder) return;
    this.#wantsEncoder = true;
    this.#wantedSince = this.#options.clock.now();
    this.#start();
  }

  /** How long ago its encoder gave the first picture, ms. */
  get encodedForMs(): number {
    return this.#encodedAt === undefined ? 0 : this.#options.clock.now() - this.#encodedAt;
  }

  /** Of the encoder. */
  requestKeyFrame(): void {
    this.#job?.requestKeyFrame();
  }

  stop(): void {
    this.#wantsEncoder = false;
    this.#cache.clear();
    this.#stopJob();
  }

  #start(): void {
    const { clock, encoding } = this.#options;
    const { format } = this;
    const pictures = this.#cache.frames;
    if (!format || !this.hasNews || clock.now() < this.#restsUntil) return;
    this.#record = undefined;
    const { width = 0, height = 0 } = format;
    const job: VideoTranscoder = new VideoTranscoder({
      fourCc: ivfFourCc(format.codec),
      width,
      height,
      arguments: programArguments(format, encoding),
      clock,
      maxWaitMs: MAX_WAIT_MS,
      onConfig: (record) => {
        if (this.#job === job) this.#record = record;
      },
      onFrame: (frame) => {
        if (this.#job !== job || !this.#record) return;
        this.#encodedAt ??= clock.now();
        this.#options.onEncoded(frame, this.#record);
      },
      onEnd: (cause) => this.#onJobEnd(job, cause),
    });
    this.#job = job;
    // All have to be decoded, and only the last is news.
    for (const [index, picture] of pictures.entries()) this.#feed(picture, index < pictures.length - 1);
  }

  /** All since the last key frame may come at once: shown, seconds of them would go out in a moment. */
  #isBacklog({ dueAt }: SourceUnit): boolean {
    return dueAt < this.#wantedSince - BACKLOG_MS;
  }

  #configure(format: VideoFormat): void {
    this.format = format;
    this.#cache.clear();
    this.#stopJob();
  }

  #feed({ data, ptsUs, key, disposable, format }: SourceUnit, hidden: boolean): void {
    const { lengthBytes, parameterSets } = format;
    const unit = lengthBytes ? toAnnexB(data, lengthBytes, key ? parameterSets : []) : data;
    if (unit) this.#job?.feed([unit], Math.round(ptsUs / 1000), { key, disposable, hidden });
    else this.#dropped++;
  }

  #stopJob(): void {
    const job = this.#job;
    this.#job = undefined;
    if (!job) return;
    this.#dropped += job.counters.dropped;
    void job.stop();
  }

  #onJobEnd(job: VideoTranscoder, cause: string): void {
    if (this.#job !== job) return;
    this.#dropped += job.counters.dropped;
    this.#job = undefined;
    this.#options.onDeath(cause);
    if (this.deaths.note()) this.#start();
    else this.#restsUntil = this.#options.clock.now() + REST_MS;
  }
}
