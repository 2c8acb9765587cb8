import type { SourceUnit } from './access-unit.ts';

/** One participant's video on its way to a program. Never blocks: what is too much is left out up to a key frame. */
export interface FrameSender {
  /** In decoding order; the first of each format is a key frame. */
  send(unit: SourceUnit): void;
  close(): void;
}
