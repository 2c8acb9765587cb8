import type { Clock } from '../../src/base/clock.ts';
import { parseFlvVideo } from '../../src/media/containers/flv/flv.ts';
import { FlvReader, type FlvTag } from '../../src/media/containers/flv/flv-tags.ts';
import { FfmpegProcess } from './ffmpeg-process.ts';
import { drawableText, escapeFilterText } from './filter-text.ts';
import { type EncodingOptions, programEncoder } from './program-arguments.ts';
import { layOut } from './slate-layout.ts';
import { FLV_OUTPUT } from './video-arguments.ts';

export interface SlateFrame {
  /** NAL units of H.264, each behind its length in 4 bytes. */
  readonly data: Buffer;
  readonly key: boolean;
}

/** A still picture with a text, to be shown over and over. */
export interface Slate {
  /** AVCDecoderConfigurationRecord (ISO/IEC 14496-15, section 5.3.3.1): that of all pictures of the encoding. */
  readonly config: Buffer;
  /** As many as there are from one key frame to the next; the first is the key frame. */
  readonly frames: readonly SlateFrame[];
  /** Why the slate has no text although there is one, with what to do. */
  readonly textFailure: string | undefined;
}

const MAX_CHARACTERS = 128;
const BACKGROUND = '0x15191f';
const FOREGROUND = '0xf1f3f5';
/** From the middle of a capital letter to its foot, as a share of the font's size. */
const HALF_CAPITAL = 0.36;
/** Which frames are key frames (expression). */
const FIRST_ONLY = 'eq(n,0)';
/** Of the ten seconds in all. Looking for fonts takes long where nobody has looked before. */
const WITH_TEXT_MS = 6000;
const WITHOUT_TEXT_MS = 4000;
/** A child that gives more than a slate can have is broken. */
const MAX_BYTES = 32 * 2 ** 20;
const MAX_TAG_BYTES = 8 * 2 ** 20;

/**
 * Makes a slate with one ffmpeg, which ends then. When it cannot write (there is no font), the slate is empty.
 *
 * @param text - anything; 128 characters of it are shown, in few lines
 * @param executable - another one than ffmpeg, for tests
 * @throws (rejects with) Error with the cause when there is no picture after 10 s or ffmpeg fails
 */
export async function encodeSlate(
  text: string,
  encoding: EncodingOptions,
  clock: Clock,
  executable?: string,
): Promise<Slate> {
  const line = drawableText(text, MAX_CHARACTERS);
  const withoutText = () => encode([], encoding, { clock, limitMs: WITHOUT_TEXT_MS, executable });
  if (line === '') return withoutText();
  try {
    return await encode(writing(line, encoding), encoding, { clock, limitMs: WITH_TEXT_MS, executable });
  } catch (error) {
    const slate = await withoutText();
    const cause = (error as Error).message;
    return { ...slate, textFailure: `${cause} (is a font installed, such as fonts-dejavu-core?)` };
  }
}

/** A filter for each line, as all lines of one are aligned to the left. */
function writing(text: string, { width, height }: EncodingOptions): string[] {
  const { fontSize, lineHeight, lines } = layOut(text, width, height);
  return lines.map((line, index) => {
    const middle = height / 2 + (index - (lines.length - 1) / 2) * lineHeight;
    const baseline = Math.round(middle + HALF_CAPITAL * fontSize);
    return [
      `drawtext=expansion=none:text=${escapeFilterText(line)}`,
      `fontsize=${fontSize}:fontcolor=${FOREGROUND}`,
      `x=(w-text_w)/2:y=${baseline}-max_glyph_a`,
    ].join(':');
  });
}

function slateArguments(filters: readonly string[], encoding: EncodingOptions, frames: number): string[] {
  const { width, height, frameRate } = encoding;
  const source = `color=color=${BACKGROUND}:size=${width}x${height}:rate=${frameRate}`;
  return [
    ...['-hide_banner', '-v', 'error', '-nostdin'],
    ...['-f', 'lavfi', '-i', [source, 'format=yuv420p', ...filters, 'setsar=1'].join(',')],
    ...['-frames:v', String(frames), '-filter_threads', '1'],
    ...programEncoder(encoding, FIRST_ONLY),
    ...FLV_OUTPUT,
  ];
}

interface RunOptions {
  readonly clock: Clock;
  readonly limitMs: number;
  readonly executable: string | undefined;
}

async function encode(
  filters: readonly string[],
  encoding: EncodingOptions,
  options: RunOptions,
): Promise<Slate> {
  const count = Math.max(1, Math.round(encoding.keyFrameSeconds * encoding.frameRate));
  const frames: SlateFrame[] = [];
  let config: Buffer | undefined;
  const cause = await run(slateArguments(filters, encoding, count), options, (tag) => {
    const video = tag.type === 'video' ? parseFlvVideo(tag.body) : undefined;
    if (video?.packet === 'config') config = video.data;
    if (video?.packet === 'frame') frames.push({ data: video.data, key: video.frame === 'key' });
  });
  if (!config || frames.length !== count || !frames[0]!.key) {
    throw new Error(`the slate could not be encoded: ${cause}`);
  }
  return { config, frames, textFailure: undefined };
}

/** @returns how it ended */
function run(
  args: readonly string[],
  { clock, limitMs, executable }: RunOptions,
  onTag: (tag: FlvTag) => void,
): Promise<string> {
  return new Promise((resolve) => {
    const reader = new FlvReader(MAX_TAG_BYTES);
    let bytes = 0;
    let failure: string | undefined;
    const fail = (why: string) => {
      failure ??= why;
      child.kill();
    };
    const limit = clock.after(limitMs, () => fail(`ffmpeg took longer than ${limitMs / 1000} s`));
    const child = FfmpegProcess.start({
      args,
      clock,
      ...(executable === undefined ? {} : { executable }),
      maxQueuedBytes: 0,
      onOutput: (chunk) => {
        if (failure !== undefined) return;
        bytes += chunk.length;
        try {
          if (bytes > MAX_BYTES) fail(`ffmpeg gave more than ${MAX_BYTES} bytes`);
          else reader.read(chunk, onTag);
        } catch (error) {
          fail((error as Error).message);
        }
      },
      onEnd: (cause) => {
        limit.cancel();
        resolve(failure ?? cause);
      },
    });
  });
}
