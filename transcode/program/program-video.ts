import type { Clock, Timer } from '../../src/base/clock.ts';
import type { SourceUnit, VideoFormat, VideoUnit } from '../../src/media/access-unit.ts';
import { parseAvcConfig } from '../../src/media/h264/avc-config.ts';
import { parseSps } from '../../src/media/h264/sps.ts';
import type { EncodingOptions } from '../ffmpeg/program-arguments.ts';
import type { EncodedFrame } from '../ffmpeg/video-transcoder.ts';
import { planCopy } from './copy-plan.ts';
import { ShownSource } from './shown-source.ts';
import { SlatePlayer } from './slate-player.ts';
import { VideoClock } from './video-clock.ts';

export interface ProgramVideoOptions {
  readonly clock: Clock;
  readonly encoding: EncodingOptions;
  /** The slate says it. */
  readonly title: string;
  /** @returns the program's time at a moment of the clock, ms */
  readonly toProgramMs: (localMs: number) => number;
  /** @returns how long a source's sound waits in the mix, ms; 0 while that is unknown */
  readonly mixDelayMs: (source: string) => number;
  readonly emit: (unit: VideoUnit) => void;
  readonly onDeath: (what: string, cause: string) => void;
  /** It is copied from now on, or encoded, and why that. */
  readonly onPlan: (plan: 'copied' | 'encoded', reason: string) => void;
}

/** The source that is to be shown gives nothing for so long: the slate is shown until it does. */
const ENCODED_PATIENCE_MS = 3_000;
/** A copied one is worth waiting for: whoever pushes it comes back, and once encoded it stays encoded. */
const COPIED_PATIENCE_MS = 15_000;
const CHECK_MS = 500;
/** The slate is made so long after the beginning. */
const SLATE_AFTER_MS = 2_000;
/** By two ways, pictures of one moment come so near to each other. */
const SAME_MOMENT_MS = 100;
/** So far behind what was shown before a source may begin; it catches up little by little. */
const MAX_BEHIND_MS = 150;
/** An encoder has so long to come up to that. */
const CATCH_UP_LIMIT_MS = 3_000;

/**
 * A program's picture: one source at a time, its access units as they came or through an encoder, or the slate. It begins
 * with copying where that is possible. What cannot be copied any more is encoded from then on until the end, so that
 * players see other parameter sets once at the most. A source takes over with its first whole picture; until then the
 * one before goes on.
 */
export class ProgramVideo {
  readonly #options: ProgramVideoOptions;
  #mode: 'undecided' | 'copied' | 'encoded' = 'undecided';
  /** Whose pictures go out; undefined: the slate, or nothing yet. */
  #current: ShownSource | undefined;
  /** Who is to be shown as soon as there is something of it. */
  #next: ShownSource | undefined;
  #times: VideoClock;
  /** What was copied is about to be encoded, and not copied any more. */
  #handsOver = false;
  /** What players were told of how to decode. */
  #format: VideoFormat | undefined;
  #slate: SlatePlayer;
  #waiters = new Map<string, () => void>();
  readonly #begunAt: number;
  /** Since when there is nothing to see. */
  #idleSince: number;
  #timer: Timer;
  /** Pictures that went out, and the bytes of them. */
  frames = 0;
  bytes = 0;
  /** Of encoders, so far. */
  deaths = 0;

  constructor(options: ProgramVideoOptions) {
    this.#options = options;
    const { clock, encoding, title } = options;
    this.#times = new VideoClock(Number.NEGATIVE_INFINITY);
    this.#begunAt = clock.now();
    this.#idleSince = this.#begunAt;
    this.#slate = new SlatePlayer({
      text: title,
      encoding,
      clock,
      onFrame: (data, key, record) => this.#showSlate(data, key, record),
      onFailed: (cause) => options.onDeath('slate', cause),
    });
    this.#timer = clock.after(CHECK_MS, this.#check);
  }

  get mode(): 'undecided' | 'copied' | 'encoded' {
    return this.#mode;
  }

  /** How what goes out is decoded; undefined before the first frame. */
  get format(): VideoFormat | undefined {
    return this.#format;
  }

  /** Of the encoder's process; 0 while there is none. */
  get pid(): number {
    return this.#current?.pid || this.#next?.pid || 0;
  }

  get encoderDelayMs(): number {
    return this.#current?.latencyMs ?? 0;
  }

  /**
   * @param id - of the source that is to be shown; undefined: nobody has a picture
   * @returns when it is shown, or not wanted any more
   */
  show(id: string | undefined): Promise<void> {
    if (this.#next && this.#next.id !== id) this.#drop(this.#next);
    if (id === undefined) {
      this.#showNobody();
      return Promise.resolve();
    }
    if (this.#current?.id === id) return Promise.resolve();
    if (this.#next?.id !== id) {
      const { clock, encoding, onDeath } = this.#options;
      const source: ShownSource = new ShownSource(id, {
        clock,
        encoding,
        onEncoded: (frame, record) => this.#showEncoded(source, frame, record),
        onDeath: (cause) => {
          this.deaths++;
          onDeath('picture encoder', cause);
        },
      });
      this.#next = source;
      if (this.#mode === 'encoded') source.encode();
    }
    return new Promise((resolve) => {
      this.#waiters.get(id)?.();
      this.#waiters.set(id, resolve);
    });
  }

  receive(id: string, unit: SourceUnit): void {
    const source = this.#source(id);
    if (!source) return;
    const isNewFormat = source.format !== undefined && source.format !== unit.format;
    source.receive(unit);
    if (this.#mode === 'copied' && !source.encodes && !this.#isKnown(source)) {
      // Copied, it would change the parameter sets under players.
      this.#encode(
        source,
        isNewFormat && source === this.#current ? 'its format changed' : 'somebody else is shown',
      );
    }
    if (this.#mode === 'encoded') source.encode();
    if (source.encodes) {
      // What is copied goes on until the encoder takes over, unless players were told something else of how to decode it.
      const isCopied = source === this.#current && this.#mode === 'copied' && !this.#handsOver;
      if (isCopied && this.#isKnown(source)) this.#copy(source, unit);
      return;
    }
    if (source.recent.length === 0) return; // it waits for a key frame
    if (this.#mode === 'undecided' && !source.hasNews) return; // the latest tells how far apart key frames are
    const plan = planCopy(unit.format, unit.keyFrameGapMs);
    if (!plan.copies) this.#encode(source, plan.reason);
    else if (this.#mode === 'undecided') {
      this.#beginCopying(source);
      return;
    }
    if (this.#mode !== 'copied') return;
    if (plan.copies && source === this.#next && this.#goesOnWith(source, unit)) this.#takeOver(source);
    if (source === this.#current) this.#copy(source, unit);
  }

  /** Whether players were told how to decode it. */
  #isKnown({ format }: ShownSource): boolean {
    const record = this.#format?.record;
    return record !== undefined && format?.record?.equals(record) === true;
  }

  /** The push that is copied comes by another way, or came back: this is where it can go on. */
  #goesOnWith(source: ShownSource, { key, ptsUs }: SourceUnit): boolean {
    return key && this.#due(source, ptsUs / 1000) + this.#delay(source) > this.#times.lastMs - SAME_MOMENT_MS;
  }

  close(): void {
    this.#timer.cancel();
    this.#slate.stop();
    this.#current?.stop();
    this.#next?.stop();
    this.#current = undefined;
    this.#next = undefined;
    for (const resolve of this.#waiters.values()) resolve();
    this.#waiters.clear();
  }

  #source(id: string): ShownSource | undefined {
    return [this.#next, this.#current].find((source) => source?.id === id);
  }

  #drop(source: ShownSource): void {
    source.stop();
    if (this.#next === source) this.#next = undefined;
    if (this.#current === source) this.#current = undefined;
    this.#settle(source.id);
  }

  #settle(id: string): void {
    this.#waiters.get(id)?.();
    this.#waiters.delete(id);
  }

  #showNobody(): void {
    if (this.#current) this.#drop(this.#current);
    this.#play('nobody in the room has a picture');
  }

  #play(reason: string): void {
    if (this.#mode !== 'encoded') this.#options.onPlan('encoded', reason);
    // Its parameter sets are those of everything that is encoded.
    this.#slate.play();
  }

  #encode(source: ShownSource, reason: string): void {
    this.#options.onPlan('encoded', reason);
    source.encode();
  }

  #beginCopying(source: ShownSource): void {
    this.#mode = 'copied';
    this.#takeOver(source);
    this.#options.onPlan('copied', '');
    this.#tell(source.format!.record!);
    for (const unit of source.recent) this.#copy(source, unit);
  }

  #copy(source: ShownSource, { data, dtsUs, ptsUs, key, disposable }: SourceUnit): void {
    const showMs = ptsUs / 1000;
    const times = this.#times.place(dtsUs / 1000, showMs, this.#due(source, showMs), this.#delay(source));
    this.#emit(data, key, times, disposable);
  }

  #showEncoded(source: ShownSource, frame: EncodedFrame, record: Buffer): void {
    const isNews = source !== this.#current;
    if (isNews && source !== this.#next) return;
    if (isNews && (!frame.key || this.#isStale(source, frame.timestampMs))) {
      // Nobody can decode what goes on from before the slate; and what waited for the encoder to start is of the past.
      source.requestKeyFrame();
      return;
    }
    if (isNews) this.#takeOver(source);
    else if (this.#mode === 'copied' && !this.#isHandedOver(source, frame)) return;
    this.#mode = 'encoded';
    this.#tell(record);
    const { timestampMs, data, key } = frame;
    const due = this.#due(source, timestampMs);
    this.#emit(data, key, this.#times.place(timestampMs, timestampMs, due, this.#delay(source)));
  }

  /**
   * What is copied gives way to its own encoding. Once that is up to date nothing more is copied, and a key frame that is
   * shown after all of it begins the other.
   */
  #isHandedOver(source: ShownSource, { key, timestampMs }: EncodedFrame): boolean {
    if (!this.#handsOver && !this.#isStale(source, timestampMs)) this.#handsOver = true;
    if (this.#handsOver && key && this.#times.isLater(timestampMs, this.#due(source, timestampMs)))
      return true;
    if (this.#handsOver) source.requestKeyFrame();
    return false;
  }

  #showSlate(data: Buffer, key: boolean, record: Buffer): void {
    const { clock, toProgramMs } = this.#options;
    this.#mode = 'encoded';
    if (key) this.#tell(record);
    const now = clock.now();
    this.#emit(data, key, this.#times.place(now, now, toProgramMs(now)));
  }

  /** Whether it lies well before what is shown already. An encoder that does not catch up is taken as it is. */
  #isStale(source: ShownSource, showMs: number): boolean {
    const behindMs = this.#times.lastMs - this.#due(source, showMs) - this.#delay(source);
    return behindMs > MAX_BEHIND_MS && source.encodedForMs < CATCH_UP_LIMIT_MS;
  }

  /** @returns when a picture is due, program time */
  #due(source: ShownSource, showMs: number): number {
    return this.#options.toProgramMs(showMs + source.dueShiftMs);
  }

  /** @returns by how much its sound comes later, ms */
  #delay(source: ShownSource): number {
    return source.audioLateMs + this.#options.mixDelayMs(source.id);
  }

  #takeOver(source: ShownSource): void {
    const before = this.#current;
    this.#current = source;
    if (this.#next === source) this.#next = undefined;
    if (before) this.#drop(before);
    this.#slate.stop();
    this.#handsOver = false;
    this.#times = new VideoClock(this.#times.lastShownMs);
    this.#settle(source.id);
  }

  #tell(record: Buffer): void {
    if (this.#format?.record?.equals(record)) return;
    const avc = parseAvcConfig(record);
    const size = avc && parseSps(avc.sps[0]!);
    this.#format = {
      ...{
        kind: 'video',
        codec: 'H264',
        record,
        lengthBytes: 4,
        parameterSets: avc ? [...avc.sps, ...avc.pps] : [],
      },
      ...(size ? { width: size.width, height: size.height } : {}),
    };
  }

  #emit(data: Buffer, key: boolean, times: { dtsUs: number; ptsUs: number }, disposable = false): void {
    this.#idleSince = this.#options.clock.now();
    this.frames++;
    this.bytes += data.length;
    this.#options.emit({ format: this.#format!, data, ...times, key, disposable, discontinuity: false });
  }

  /** A source that gives nothing makes room for the slate, and takes over again once it does. */
  #check = (): void => {
    const { clock } = this.#options;
    this.#timer = clock.after(CHECK_MS, this.#check);
    if (this.#slate.plays) return;
    // Not sooner: the start of a program has enough to do.
    if (this.#current && clock.now() - this.#begunAt > SLATE_AFTER_MS) this.#slate.prepare();
    const patienceMs = this.#mode === 'copied' ? COPIED_PATIENCE_MS : ENCODED_PATIENCE_MS;
    if (clock.now() - this.#idleSince < patienceMs) return;
    const silent = this.#current;
    if (silent) {
      this.#current = undefined;
      if (this.#next) silent.stop();
      else {
        this.#next = silent;
        silent.encode();
      }
    }
    this.#play('there were no pictures for a while');
  };
}
