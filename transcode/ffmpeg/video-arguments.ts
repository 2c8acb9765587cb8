/* What the child is told about a video, as FFmpeg's command line has it. */

import type { VideoCodec } from '../../src/media/access-unit.ts';

export interface VideoShape {
  readonly codec: VideoCodec;
  /** Of the source, in samples; square ones are assumed. 0 where it isn't known before it is decoded. */
  readonly width: number;
  readonly height: number;
  /** What is higher is scaled down. */
  readonly maxHeight: number;
  readonly bitrateBps: number;
  /** A second, of what the source really has: the bitrate is off as much as this is. 30 where it isn't known. */
  readonly frameRate: number | undefined;
  /** Of x264: see DEFAULT_PRESET. */
  readonly preset: string;
}

/**
 * 720p30 of 2.5 Mbit/s with B-frames, decoded and encoded, medians of 3: ultrafast takes 0.20 of a core, superfast 0.25,
 * veryfast 0.35. Superfast is 2 dB better than ultrafast, veryfast without B-frames and lookahead no better.
 */
export const DEFAULT_PRESET = 'superfast';

/*
 * Frames go in as IVF with their time in units of a quarter of a millisecond. Whole milliseconds leave two bits in which
 * each frame says what is to be done with it.
 */
export const TICKS_PER_SECOND = 4000;
export const TICKS_PER_MS = 4;
/** Becomes an IDR. FFmpeg's rounding to milliseconds takes it away again. */
export const FORCE_KEY_TICK = 1;
/** Is decoded, and goes no further. */
export const HIDE_TICK = 2;

const FOUR_CCS: Record<VideoCodec, string> = {
  H264: 'H264',
  H265: 'HEVC',
  AV1: 'AV01',
  VP9: 'VP90',
  VP8: 'VP80',
};
/** 8192x4320: what claims to be larger is refused before memory is made for it. */
const MAX_PIXELS = 8192 * 4320;
const DEFAULT_FRAME_RATE = 30;
/** What is measured over a burst or a pause is no frame rate. */
const MIN_FRAME_RATE = 1;
const MAX_FRAME_RATE = 120;
/** Between key frames that nobody asked for. */
const KEY_FRAME_SECONDS = 10;

export function ivfFourCc(codec: VideoCodec): string {
  return FOUR_CCS[codec];
}

/** Takes IVF with frames whose times are in ticks, from its input. */
export function ivfInput(codec: VideoCodec): string[] {
  return [
    ...['-hide_banner', '-v', 'error', '-nostdin'],
    // Starts with the first frame, and leaves times as they are. More threads would hold frames back.
    ...['-copyts', '-probesize', '32', '-analyzeduration', '0', '-threads', '1'],
    ...['-max_pixels', String(MAX_PIXELS)],
    // IVF has no FourCC for HEVC.
    ...(codec === 'H265' ? ['-c:v', 'hevc'] : []),
    ...['-f', 'ivf', '-i', 'pipe:0', '-an'],
  ];
}

/** For a filter's expression: whether a frame is to be shown. */
export const IS_SHOWN = `lt(mod(pts,${2 * HIDE_TICK}),${HIDE_TICK})`;
/** For -force_key_frames: whether a frame is to become an IDR. */
export const IS_KEY_WANTED = `eq(mod(round(t*${TICKS_PER_SECOND}),2),${FORCE_KEY_TICK})`;

/** Frames keep their times on the way to the encoder. */
export const KEEP_TIMES = ['-fps_mode', 'passthrough', '-enc_time_base', `1:${TICKS_PER_SECOND}`] as const;

/** Writes each frame as soon as it is encoded. */
export const FLV_OUTPUT = [
  ...['-flush_packets', '1', '-f', 'flv', '-flvflags', 'no_duration_filesize', 'pipe:1'],
] as const;

/** @returns the size that it is encoded with: even, and not above maxHeight or the source's */
export function encodedSize({
  width,
  height,
  maxHeight,
}: Pick<VideoShape, 'width' | 'height' | 'maxHeight'>): { width: number; height: number } {
  const even = (length: number) => Math.max(2, 2 * Math.floor(length / 2));
  if (height <= maxHeight) return { width: even(width), height: even(height) };
  const target = even(maxHeight);
  return { width: Math.max(2, 2 * Math.round((width * target) / height / 2)), height: target };
}

/** The size as FFmpeg's scale filter has it; where the source's is not known, the filter finds out. */
function scaling(encoding: VideoShape): string {
  const { width, height } = encodedSize(encoding);
  return encoding.width > 0 ? `${width}:${height}` : `-2:trunc(min(${encoding.maxHeight}\\,ih)/2)*2`;
}

export function videoArguments(encoding: VideoShape): string[] {
  const rate = Math.min(MAX_FRAME_RATE, Math.max(MIN_FRAME_RATE, encoding.frameRate ?? DEFAULT_FRAME_RATE));
  const bits = String(Math.round(encoding.bitrateBps));
  return [
    ...ivfInput(encoding.codec),
    '-vf',
    [`select='${IS_SHOWN}'`, `scale=${scaling(encoding)}:flags=bilinear`, 'format=yuv420p', 'setsar=1'].join(
      ',',
    ),
    ...['-filter_threads', '1', ...KEEP_TIMES, '-force_key_frames', `expr:${IS_KEY_WANTED}`],
    // What browsers are told that they get: constrained baseline.
    ...['-c:v', 'libx264', '-preset', encoding.preset, '-tune', 'zerolatency', '-profile:v', 'baseline'],
    ...['-threads', '1', '-forced-idr', '1', '-sc_threshold', '0'],
    ...['-g', String(Math.max(1, Math.round(rate * KEY_FRAME_SECONDS)))],
    ...['-b:v', bits, '-maxrate', bits, '-bufsize', bits],
    // Else every frame would last 1/4000 s, the unit of time, which leaves it next to no bits. Not by the frames' times
    // (force-cfr=0): x264 then holds each frame until the next comes.
    ...['-x264-params', `fps=${rate}`],
    ...FLV_OUTPUT,
  ];
}
