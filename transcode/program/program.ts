import type { Clock } from '../../src/base/clock.ts';
import type { AccessUnit, MediaFormat, VideoUnit } from '../../src/media/access-unit.ts';
import type { ProgramDescription, ProgramFeed } from '../../src/media/program.ts';
import type { EncodingOptions } from '../ffmpeg/program-arguments.ts';
import { PROGRAM_AUDIO, ProgramAudio } from './program-audio.ts';
import { ProgramCache } from './program-cache.ts';
import { ProgramVideo } from './program-video.ts';

export interface ProgramOptions {
  readonly clock: Clock;
  readonly encoding: EncodingOptions;
  readonly audioBitrateBps: number;
  readonly title: string;
  /** When the program's time began, by the local clock, ms: of a program that goes on with one made elsewhere. */
  readonly epochAt: number;
  /** @returns how long a source's sound waits in the mix, ms; 0 while that is unknown */
  readonly mixDelayMs: (source: string) => number;
  readonly onDeath: (what: string, cause: string) => void;
  readonly onPlan: (plan: 'copied' | 'encoded', reason: string) => void;
}

/** Program times begin here: what is copied begins with pictures from before the program. */
const ORIGIN_MS = 10_000;

/**
 * What goes out of a room: one video and one audio stream, made once for all who send it on. This is the place for what
 * composes several pictures into one: it would stand where ProgramVideo stands.
 */
export class Program implements ProgramFeed {
  readonly video: ProgramVideo;
  readonly audio: ProgramAudio;
  #options: ProgramOptions;
  #cache = new ProgramCache();
  #listeners = new Set<(unit: AccessUnit) => void>();

  constructor(options: ProgramOptions) {
    this.#options = options;
    const { clock, audioBitrateBps, onDeath, epochAt } = options;
    const toProgramMs = (localMs: number) => localMs - epochAt + ORIGIN_MS;
    this.audio = new ProgramAudio({
      clock,
      bitrateBps: audioBitrateBps,
      toProgramMs,
      emit: (unit) => this.#emit(unit),
      onDeath: (cause) => onDeath('audio encoder', cause),
    });
    this.video = new ProgramVideo({
      ...options,
      toProgramMs,
      emit: (unit) => this.#onVideo(unit),
    });
  }

  get recent(): readonly AccessUnit[] {
    return this.#cache.units;
  }

  get description(): ProgramDescription {
    const { encoding, audioBitrateBps } = this.#options;
    const { mode, format } = this.video;
    return {
      ...(format?.width && format.height ? { width: format.width, height: format.height } : {}),
      ...(mode === 'encoded' ? { frameRate: encoding.frameRate, videoBitrateBps: encoding.bitrateBps } : {}),
      audioBitrateBps,
      audioSampleRate: 48_000,
      audioChannels: 2,
    };
  }

  get formats(): readonly MediaFormat[] {
    const { format } = this.video;
    return format ? [format, PROGRAM_AUDIO] : [PROGRAM_AUDIO];
  }

  get listenerCount(): number {
    return this.#listeners.size;
  }

  subscribe(listener: (unit: AccessUnit) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  async close(): Promise<void> {
    this.#listeners.clear();
    this.video.close();
    await this.audio.close();
  }

  #onVideo(unit: VideoUnit): void {
    this.audio.beginAt(unit.dtsUs / 1000);
    this.audio.coverUntil(unit.dtsUs / 1000);
    this.#emit(unit);
  }

  #emit(unit: AccessUnit): void {
    this.#cache.add(unit);
    for (const listener of this.#listeners) listener(unit);
  }
}
