import { parseAvcConfig } from '../../src/media/avc-config.ts';
import type { Clock } from '../../src/media/clock.ts';
import type { ProgramDescription, ProgramFeed, ProgramPacket } from '../../src/media/program.ts';
import { parseSps } from '../../src/media/sps.ts';
import type { ProgramShape } from '../program-arguments.ts';
import { ProgramCache } from './program-cache.ts';
import { ProgramPicture } from './program-picture.ts';
import { ProgramSound } from './program-sound.ts';

export interface ProgramOptions {
  readonly clock: Clock;
  readonly shape: ProgramShape;
  readonly audioBitrateBps: number;
  readonly title: string;
  /** @returns how long a source's sound waits in the mix, ms; 0 while that is unknown */
  readonly mixDelayMs: (source: string) => number;
  readonly onDeath: (what: string, cause: string) => void;
  readonly onPlan: (plan: 'copied' | 'encoded', reason: string) => void;
}

/** Program times begin here: what is copied begins with pictures from before the program. */
const ORIGIN_MS = 10_000;

/**
 * What goes out of a room: one picture and one sound, made once for all who send it on. This is the place for what
 * composes several pictures into one: it would stand where ProgramPicture stands.
 */
export class Program implements ProgramFeed {
  readonly picture: ProgramPicture;
  readonly sound: ProgramSound;
  #options: ProgramOptions;
  #cache = new ProgramCache();
  #listeners = new Set<(packet: ProgramPacket) => void>();

  constructor(options: ProgramOptions) {
    this.#options = options;
    const { clock, audioBitrateBps, onDeath } = options;
    const begunAt = clock.now();
    const toProgramMs = (localMs: number) => localMs - begunAt + ORIGIN_MS;
    this.sound = new ProgramSound({
      clock,
      bitrateBps: audioBitrateBps,
      toProgramMs,
      emit: (packet) => this.#emit(packet),
      onDeath: (cause) => onDeath('sound encoder', cause),
    });
    this.picture = new ProgramPicture({
      ...options,
      toProgramMs,
      emit: (packet) => this.#onPicture(packet),
    });
  }

  get videoConfig(): ProgramPacket | undefined {
    return this.picture.config;
  }

  get audioConfig(): ProgramPacket {
    return this.sound.config;
  }

  get recent(): readonly ProgramPacket[] {
    return this.#cache.packets;
  }

  get description(): ProgramDescription {
    const { shape, audioBitrateBps } = this.#options;
    const { mode, record } = this.picture;
    const sps = record && parseAvcConfig(record)?.sps[0];
    const size = sps && parseSps(sps);
    return {
      ...(size ? { width: size.width, height: size.height } : {}),
      ...(mode === 'encoded' ? { frameRate: shape.frameRate, videoBitrateBps: shape.bitrateBps } : {}),
      audioBitrateBps,
      audioSampleRate: 48_000,
      audioChannels: 2,
    };
  }

  get listenerCount(): number {
    return this.#listeners.size;
  }

  subscribe(listener: (packet: ProgramPacket) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  async close(): Promise<void> {
    this.#listeners.clear();
    this.picture.close();
    await this.sound.close();
  }

  #onPicture(packet: ProgramPacket): void {
    if (packet.packet === 'frame') {
      this.sound.beginAt(packet.timestampMs);
      this.sound.coverUntil(packet.timestampMs);
    }
    this.#emit(packet);
  }

  #emit(packet: ProgramPacket): void {
    if (packet.packet === 'frame') this.#cache.add(packet);
    else if (packet.kind === 'video') this.#cache.clear();
    for (const listener of this.#listeners) listener(packet);
  }
}
