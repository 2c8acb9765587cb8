import type { LengthBytes } from './h264.ts';

/* What a program shows: one participant's pictures, as a push or the hub delivers them. */

export type SourceCodec = 'H264' | 'HEVC' | 'AV1' | 'VP9' | 'VP8';

/** How to read the pictures that follow. */
export interface SourceConfig {
  readonly codec: SourceCodec;
  /** H.264 of a push: AVCDecoderConfigurationRecord. Without it nothing can be copied. */
  readonly record?: Buffer;
  /** NAL units are behind lengths of so many bytes; absent: behind start codes (annex B), or the codec has none. */
  readonly lengthBytes?: LengthBytes;
  /** In front of key frames, whole NAL units; of pictures behind lengths only. */
  readonly parameterSets: readonly Buffer[];
  /** In samples, where known. */
  readonly width?: number;
  readonly height?: number;
}

export interface SourcePicture {
  /** Must not change. */
  readonly data: Buffer;
  /** In the source's own time, ms: when it is decoded, and when it is shown. */
  readonly decodeMs: number;
  readonly showMs: number;
  readonly key: boolean;
  /** No other picture refers to it. */
  readonly disposable: boolean;
  /** When `showMs` is due by the local clock: when it would have come had nothing held it up. */
  readonly dueAt: number;
  /** The longest lately from one key frame to the next, ms; 0 while that is unknown. */
  readonly keyFrameGapMs: number;
  /** By how much the sound of that moment goes into the mix later than it was due, ms; before the mix's own buffer. */
  readonly soundLateMs: number;
}
