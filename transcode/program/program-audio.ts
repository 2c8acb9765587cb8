import type { Clock } from '../../src/base/clock.ts';
import type { AudioFormat, AudioUnit } from '../../src/media/access-unit.ts';
import { AacEncoder } from '../ffmpeg/aac-encoder.ts';
import { ProcessDeaths } from '../ffmpeg/process-deaths.ts';
import { AAC_SAMPLES, SILENT_AAC } from './silence.ts';

export interface ProgramAudioOptions {
  readonly clock: Clock;
  readonly bitrateBps: number;
  /** @returns the program's time at a moment of the clock, ms */
  readonly toProgramMs: (localMs: number) => number;
  readonly emit: (unit: AudioUnit) => void;
  /** An encoder died, and is replaced. */
  readonly onDeath: (cause: string) => void;
}

/** AAC-LC, 48 kHz, stereo (AudioSpecificConfig: ISO/IEC 14496-3, section 1.6.2.1). */
const CONFIG = Buffer.of(0x11, 0x90);
export const PROGRAM_AUDIO: AudioFormat = {
  kind: 'audio',
  codec: 'AAC',
  config: CONFIG,
  sampleRate: 48_000,
  channels: 2,
};
const SAMPLES_PER_MS = 48;
const FRAME_MS = AAC_SAMPLES / SAMPLES_PER_MS;
const TICK_SAMPLES = 960;
/** Of one tick: 20 ms, 16 bits, stereo. */
const SILENT_TICK = Buffer.alloc(TICK_SAMPLES * 4);
/** By so much a tick the time of sound that has begun is put right. */
const BASE_STEP_MS = 0.2;
/** More ticks than that are not made up for by silence, but by going on later. */
const MAX_SKIPPED = 50;
/** Sound that is so late will not come any more: there is silence instead, so that players go on. */
const LATEST_MS = 1_500;
/** An encoder that died too often is left alone for so long. */
const REST_MS = 10_000;

/**
 * A program's sound: what its listener in the mixer gets each 20 ms, encoded as AAC by one child. It never stops:
 * what a dying encoder takes with it is replaced by silence.
 */
export class ProgramAudio {
  readonly deaths: ProcessDeaths;
  /** Frames of silence that stand for missing ones. */
  silences = 0;
  #options: ProgramAudioOptions;
  #job: AacEncoder | undefined;
  /** Samples that were given to the mixer's listener, all in all. */
  #samples = 0;
  /** Program time of the first of them. */
  #baseMs: number | undefined;
  /** At which the next frame is due, program time, with fractions. */
  #nextMs: number | undefined;
  /** No sound of the mix has gone out. */
  #isSilentSoFar = true;
  #restsUntil = 0;
  #closed = false;

  constructor(options: ProgramAudioOptions) {
    this.#options = options;
    this.deaths = new ProcessDeaths(options.clock);
    this.#start();
  }

  /** Of the child's process; 0 while there is none. */
  get pid(): number {
    return this.#job?.pid ?? 0;
  }

  /** 20 ms of the mix. @param l16 - 960 stereo samples, 16 bits big-endian; is not held on to */
  tick(l16: Uint8Array): void {
    const now = this.#options.clock.now();
    this.#follow(this.#options.toProgramMs(now) - this.#samples / SAMPLES_PER_MS);
    this.#nextMs ??= this.#baseMs;
    this.#feed(Buffer.from(l16));
    this.coverUntil(Number.POSITIVE_INFINITY);
    if (!this.#job && !this.#closed && now >= this.#restsUntil) this.#start();
  }

  /**
   * Ticks come late, never early: the earliest so far tells when they are due.
   * @param baseMs - when the first sample would have been due by this tick
   */
  #follow(baseMs: number): void {
    if (this.#baseMs === undefined) this.#baseMs = baseMs;
    else if (baseMs < this.#baseMs && this.#isSilentSoFar) {
      if (this.#nextMs === this.#baseMs) this.#nextMs = baseMs;
      this.#baseMs = baseMs;
    } else if (baseMs < this.#baseMs) this.#baseMs -= Math.min(BASE_STEP_MS, this.#baseMs - baseMs);
  }

  /** So many ticks will never come. */
  skip(ticks: number): void {
    if (this.#baseMs === undefined) return;
    const silent = Math.min(ticks, MAX_SKIPPED);
    for (let count = 0; count < silent; count++) this.#feed(SILENT_TICK);
    this.#baseMs += ((ticks - silent) * TICK_SAMPLES) / SAMPLES_PER_MS;
  }

  /** Pictures begin before there is any sound. @param timestampMs - program time */
  beginAt(timestampMs: number): void {
    this.#nextMs ??= timestampMs;
  }

  /** Silence up to a moment, as far as no sound can be expected there any more. @param timestampMs - program time */
  coverUntil(timestampMs: number): void {
    const { clock, toProgramMs } = this.#options;
    if (this.#nextMs === undefined) return;
    const until = Math.min(timestampMs, toProgramMs(clock.now()) - LATEST_MS);
    while (this.#nextMs + FRAME_MS <= until) this.#emitSilence();
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#job?.stop();
  }

  #feed(l16: Buffer): void {
    // Counted first: should the encoder be found dead now, the next one begins behind these.
    this.#samples += TICK_SAMPLES;
    this.#job?.feed(l16);
  }

  #start(): void {
    const { clock, bitrateBps } = this.#options;
    const begin = this.#samples;
    const job: AacEncoder = new AacEncoder({
      clock,
      bitrateBps,
      onConfig: () => {}, // it is always the same
      onFrame: (frame, firstSample) => {
        if (this.#job === job) this.#emitFrame(frame, begin + firstSample);
      },
      onEnd: (cause) => {
        if (this.#job !== job || this.#closed) return;
        this.#job = undefined;
        this.#options.onDeath(cause);
        if (this.deaths.note()) this.#start();
        else this.#restsUntil = clock.now() + REST_MS;
      },
    });
    this.#job = job;
  }

  #emitFrame(frame: Buffer, sample: number): void {
    const timestampMs = this.#baseMs! + sample / SAMPLES_PER_MS;
    this.#isSilentSoFar = false;
    this.#nextMs ??= timestampMs;
    if (timestampMs < this.#nextMs - FRAME_MS / 2) return; // silence went out in its place
    while (timestampMs > this.#nextMs + FRAME_MS / 2) this.#emitSilence();
    this.#nextMs = timestampMs;
    this.#emit(frame);
  }

  #emitSilence(): void {
    this.silences++;
    this.#emit(SILENT_AAC);
  }

  #emit(data: Buffer): void {
    const timeUs = Math.round(this.#nextMs! * 1000);
    this.#nextMs! += FRAME_MS;
    const flags = { key: true, disposable: false, discontinuity: false };
    this.#options.emit({ format: PROGRAM_AUDIO, data, dtsUs: timeUs, ptsUs: timeUs, ...flags });
  }
}
