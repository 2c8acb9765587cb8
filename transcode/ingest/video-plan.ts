import type { PlanStep } from '../../src/media/plan.ts';

/** What decides whether browsers can take a publisher's pictures as they are. */
export interface VideoFacts {
  /** Who sends it, for the reason: 'OBS', 'the encoder'. */
  readonly who: string;
  /** 'H264', 'H265', … */
  readonly codec: string;
  /** Of H.264, where known. */
  readonly format?: {
    readonly profile: string;
    /** 1 is 4:2:0. */
    readonly chromaFormat: number;
    readonly bitDepth: number;
    readonly interlaced: boolean;
  };
  /** It is shown in another order than it is sent in: there are B-frames. */
  readonly reorders: boolean;
  /** The longest lately from one key frame to the next, the one that is under way included; ms. */
  readonly keyFrameGapMs: number;
  /** Frames came lately that are larger than what is sent as RTP in one piece. */
  readonly oversized?: boolean;
}

export interface VideoLimits {
  readonly maxKeyFrameGapMs: number;
}

export type VideoPlan =
  | { readonly outcome: 'pass-through'; readonly reason: string; readonly steps: readonly PlanStep[] }
  | {
      readonly outcome: 'transcode';
      readonly reason: string;
      readonly steps: readonly PlanStep[];
      /** Browsers can show it all the same, until the re-encoded pictures are there. */
      readonly showable: boolean;
    }
  | {
      readonly outcome: 'refused';
      readonly reason: string;
      readonly steps: readonly PlanStep[];
      /** Nothing that comes later changes that. */
      readonly final?: boolean;
    };

/** What FFmpeg decodes of what encoders send, beside H.264. */
const NAMES: Readonly<Record<string, string>> = { H264: 'H.264', H265: 'H.265' };
const DECODABLE = ['H264', 'H265', 'AV1', 'VP9', 'VP8'];
const MAX_FRAME_MEGABYTES = 1.2;
const REPACKETIZE: readonly PlanStep[] = [{ action: 'repacketize', detail: 'H.264 to RTP' }];

/** How a publisher's pictures get to browsers. Pure; passing through is the first choice, and every answer has its reason. */
export function planVideo(facts: VideoFacts, limits: VideoLimits): VideoPlan {
  const { who, codec } = facts;
  if (!DECODABLE.includes(codec)) {
    return { outcome: 'refused', reason: refuseVideo(who, codec), steps: [] };
  }
  if (codec !== 'H264') {
    return transcode(
      facts,
      `${who} sends ${codec === 'H265' ? 'H.265' : codec}, which not all browsers show`,
      'an H.264 encoder',
      false,
    );
  }
  const unfit = unfitFormat(facts);
  if (unfit) return transcode(facts, ...unfit, false);
  if (facts.reorders) {
    const reason = `${who} sends B-frames, which browsers cannot show`;
    return transcode(facts, reason, 'B-frames to 0 (OBS: x264 option bframes=0)', false);
  }
  if (facts.oversized) {
    const reason = `${who} sends frames of more than ${MAX_FRAME_MEGABYTES} MB, which browsers do not get in time`;
    return transcode(facts, reason, 'a lower bitrate or a smaller picture', false);
  }
  if (facts.keyFrameGapMs > limits.maxKeyFrameGapMs) {
    const seconds = limits.maxKeyFrameGapMs / 1000;
    const reason = `${who} sends key frames more than ${seconds} s apart, for which whoever joins would have to wait`;
    return transcode(facts, reason, `the keyframe interval to ${Math.min(2, seconds)} s`, true);
  }
  return { outcome: 'pass-through', reason: 'browsers take it as it is', steps: REPACKETIZE };
}

/**
 * @param why - what is the matter with it, such as 'without its parameter sets'; absent: the codec is not taken
 * @returns the reason in a sentence
 */
export function refuseVideo(who: string, codec: string, why?: string): string {
  return why
    ? `${who} sends ${NAMES[codec] ?? codec} ${why}, so that it cannot be decoded`
    : `${who} sends ${codec} video, which is not taken: set the video encoder to H.264 (x264)`;
}

function unfitFormat({ who, format }: VideoFacts): [reason: string, advice: string] | undefined {
  if (!format) return undefined;
  const { chromaFormat, bitDepth, interlaced, profile } = format;
  if (chromaFormat !== 1) {
    return [
      `${who} sends ${profile} without 4:2:0 colours, which browsers cannot show`,
      'the colour format to NV12',
    ];
  }
  if (bitDepth !== 8) {
    return [
      `${who} sends ${bitDepth} bits a colour, which browsers cannot show`,
      'the colour format to NV12 (8 bits)',
    ];
  }
  if (interlaced) return [`${who} sends interlaced pictures`, 'it to progressive pictures'];
  return undefined;
}

function transcode({ codec }: VideoFacts, reason: string, advice: string, showable: boolean): VideoPlan {
  return {
    outcome: 'transcode',
    reason: `${reason}; Patchroom re-encodes. To avoid it, set ${advice}.`,
    steps: [
      { action: 'decode', detail: codec === 'H264' ? 'H.264' : codec },
      { action: 'encode', detail: 'H.264 without B-frames, key frames on request' },
    ],
    showable,
  };
}
