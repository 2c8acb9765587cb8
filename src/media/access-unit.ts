import type { LengthBytes } from './h264/nal-units.ts';

/*
 * The currency of media workers. Protocols and containers map to and from access units, and everything between them knows
 * nothing else. docs/access-units.md says which bytes each codec has in one.
 */

export const VIDEO_CODECS = ['H264', 'H265', 'AV1', 'VP9', 'VP8'] as const;
export type VideoCodec = (typeof VIDEO_CODECS)[number];
export const UNIT_AUDIO_CODECS = ['AAC', 'MP3', 'opus', 'PCMU', 'PCMA'] as const;
export type UnitAudioCodec = (typeof UNIT_AUDIO_CODECS)[number];

/** How to decode video. A stream whose format changes has another object here from that unit on, which is a key frame. */
export interface VideoFormat {
  readonly kind: 'video';
  readonly codec: VideoCodec;
  /** AVCDecoderConfigurationRecord (ISO/IEC 14496-15, section 5.3.3.1). Without it nothing can be copied into FLV or MP4. */
  readonly record?: Buffer;
  /** NAL units lie behind lengths of so many bytes; absent: behind start codes (annex B), or the codec has none. */
  readonly lengthBytes?: LengthBytes;
  /** Whole NAL units that belong in front of key frames; of units behind lengths only. */
  readonly parameterSets: readonly Buffer[];
  /** In samples, where known. */
  readonly width?: number;
  readonly height?: number;
}

/** How to decode audio. */
export interface AudioFormat {
  readonly kind: 'audio';
  readonly codec: UnitAudioCodec;
  /** AudioSpecificConfig of AAC (ISO/IEC 14496-3, section 1.6.2.1). */
  readonly config?: Buffer;
  /** In Hz, where the container says so. */
  readonly sampleRate?: number;
  readonly channels?: number;
}

export type MediaFormat = VideoFormat | AudioFormat;

interface Unit<Format> {
  readonly format: Format;
  /** Shared by all who get it: it must not change. */
  readonly data: Buffer;
  /** When it is decoded, and when it is presented, in whole µs of its stream's own time. */
  readonly dtsUs: number;
  readonly ptsUs: number;
  /** A decoder can begin here. Always true for audio. */
  readonly key: boolean;
  /** No other unit refers to it. */
  readonly disposable: boolean;
  /** Units before it are missing, or its time goes on from somewhere else. */
  readonly discontinuity: boolean;
}

/** One coded picture. */
export type VideoUnit = Unit<VideoFormat>;
/** One frame of coded sound: AAC's 1024 samples, an Opus packet, or any number of G.711 samples. */
export type AudioUnit = Unit<AudioFormat>;
export type AccessUnit = VideoUnit | AudioUnit;

export function isVideo(unit: AccessUnit): unit is VideoUnit {
  return unit.format.kind === 'video';
}

/** A publisher's video unit on its way to a program, with what the program needs to know of its moment. */
export interface SourceUnit extends VideoUnit {
  /** When it is due to be presented by the local clock, ms: when it would have come had nothing held it up. */
  readonly dueAt: number;
  /** The longest lately from one key frame to the next, ms; 0 while that is unknown. */
  readonly keyFrameGapMs: number;
  /** By how much the audio of that moment reaches the mix later than it was due, ms; before the mix's own buffer. */
  readonly audioLateMs: number;
}
