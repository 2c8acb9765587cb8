import type { AccessUnit, MediaFormat } from './access-unit.ts';

/* A program, as it goes out: one video and one audio stream, encoded once for all destinations. Plain values that every layer may read. */

/** What a container may want to say in front. What is not known is absent. */
export interface ProgramDescription {
  readonly width?: number;
  readonly height?: number;
  /** Frames a second. */
  readonly frameRate?: number;
  readonly videoBitrateBps?: number;
  readonly audioBitrateBps: number;
  readonly audioSampleRate: 48_000;
  readonly audioChannels: 2;
}

/** A program where it is made, for whoever sends it on. Its units are of H.264 and AAC, in one time for both. */
export interface ProgramFeed {
  readonly description: ProgramDescription;
  /** The formats that its units have now, video first, as far as they are known: many containers and servers want all of them in front. */
  readonly formats: readonly MediaFormat[];
  /** Video since the last key frame, which is the first, and the audio that belongs to it; bounded, in order of arrival. */
  readonly recent: readonly AccessUnit[];
  /**
   * Every unit from now on; of a kind, times of decoding never go back. What the listener does takes little time and never throws.
   * @returns ends it
   */
  subscribe(listener: (unit: AccessUnit) => void): () => void;
}
