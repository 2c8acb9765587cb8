import type { VideoCodec } from '../../src/media/access-unit.ts';
import {
  FLV_OUTPUT,
  IS_KEY_WANTED,
  IS_SHOWN,
  ivfInput,
  KEEP_TIMES,
  TICKS_PER_SECOND,
} from './video-arguments.ts';

/* What the children that encode a program's picture are told, as FFmpeg's command line has it. */

/** The one form that all pictures of a program have, whatever they were made of. */
export interface EncodingOptions {
  /** In samples, even. */
  readonly width: number;
  readonly height: number;
  /** Pictures a second, at the most. */
  readonly frameRate: number;
  readonly bitrateBps: number;
  /** From one key frame to the next. */
  readonly keyFrameSeconds: number;
  /** Of x264: see DEFAULT_PRESET. */
  readonly preset: string;
}

export const DEFAULT_ENCODING: EncodingOptions = {
  width: 1280,
  height: 720,
  frameRate: 30,
  bitrateBps: 2_500_000,
  keyFrameSeconds: 2,
  preset: 'superfast',
};

/**
 * A picture may come so much of a period earlier than at an even pace: times are rounded, and those of browsers waver.
 * Less than half, so that of twice the frame rate exactly every second one is left.
 */
const EARLY_SHARE = 0.45;
/** Key frames that nobody forced come never before those that are due. */
const SPARE_KEY_FRAMES = 4;

/**
 * For VideoTranscoder: decodes a source, brings it to the program's form, and encodes it.
 *
 * Pictures beyond the frame rate are left out, none is shown twice, and none waits for the next. The source may change
 * its size while it runs. The parameter sets that come out depend on the encoding alone, so that one decoder takes what
 * several sources and the slate give.
 */
export function programArguments(
  source: { readonly codec: VideoCodec },
  encoding: EncodingOptions,
): string[] {
  return [
    ...ivfInput(source.codec),
    ...['-vf', [`select='${pacing(encoding.frameRate)}'`, ...fitting(encoding)].join(',')],
    ...['-filter_threads', '1'],
    ...programEncoder(encoding, `${isKeyDue(encoding)}+${IS_KEY_WANTED}`),
    ...FLV_OUTPUT,
  ];
}

/**
 * Encodes what the filters give: H.264, main profile, no B-frames, no lookahead; bitrate as constant as can be.
 *
 * @param isKey - expression that says of a frame whether it becomes an IDR
 */
export function programEncoder(encoding: EncodingOptions, isKey: string): string[] {
  const { frameRate, keyFrameSeconds } = encoding;
  const bits = String(Math.round(encoding.bitrateBps));
  return [
    ...KEEP_TIMES,
    ...['-force_key_frames', `expr:${isKey}`],
    ...['-c:v', 'libx264', '-preset', encoding.preset, '-tune', 'zerolatency', '-profile:v', 'main'],
    ...['-threads', '1', '-forced-idr', '1', '-sc_threshold', '0'],
    ...['-g', String(Math.ceil(frameRate * keyFrameSeconds * SPARE_KEY_FRAMES))],
    ...['-b:v', bits, '-maxrate', bits, '-bufsize', bits],
    // fps: else every frame would last one tick, which leaves it next to no bits. The others: what a source says of its
    // colours would be in the parameter sets.
    '-x264-params',
    `fps=${frameRate}:range=tv:colorprim=bt709:transfer=bt709:colormatrix=bt709:chromaloc=0`,
  ];
}

/** By the frames' times, whatever these begin with. Half a period early is nearer than half a period late. */
function isKeyDue({ keyFrameSeconds, frameRate }: EncodingOptions): string {
  return `isnan(prev_forced_t)+gte(t,prev_forced_t+${decimal(keyFrameSeconds - 0.5 / frameRate)})`;
}

/**
 * A select expression that passes pictures while they are not ahead of an even pace (the generic cell rate algorithm,
 * ITU-T I.371): ld(0) is when the next is due, in seconds.
 */
function pacing(frameRate: number): string {
  const [period, early] = [1 / frameRate, EARLY_SHARE / frameRate].map(decimal);
  return `if(${IS_SHOWN}*gte(t,ld(0)-${early}),1+0*st(0,max(t,ld(0))+${period}),0)`;
}

/** As large as it fits, with square samples, in the middle of black. */
function fitting({ width, height }: EncodingOptions): string[] {
  // Both are at least 2, also for a line of a picture; rounded to even by ourselves as FFmpeg would make 0 of that.
  const fittedWidth = `max(2,2*round(min(${width},${height}*iw/ih)/2))`;
  const fittedHeight = `max(2,2*round(min(${height},${width}*ih/iw)/2))`;
  return [
    `scale=w='${fittedWidth}':h='${fittedHeight}':flags=bilinear:out_range=tv`,
    'format=yuv420p',
    `pad=${width}:${height}:-1:-1:color=black`,
    'setsar=1',
  ];
}

/** Without an exponent, and finer than a tick. */
function decimal(value: number): string {
  return value.toFixed(Math.ceil(Math.log10(TICKS_PER_SECOND)) + 2);
}
