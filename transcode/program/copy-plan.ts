import type { VideoFormat } from '../../src/media/access-unit.ts';
import { parseAvcConfig } from '../../src/media/h264/avc-config.ts';
import { parseSps } from '../../src/media/h264/sps.ts';

/** Whether a source's pictures go out as they are, and if not, why: in words for people. */
export type CopyPlan = { readonly copies: true } | { readonly copies: false; readonly reason: string };

/** Players have to be able to begin, and CDNs to cut, so often. */
export const MAX_COPIED_KEY_FRAME_GAP_MS = 4_000;
/** Key frames that are a little late don't count. */
const TOLERANCE_MS = 100;

/** Pure. @param format - of the source @param keyFrameGapMs - the longest lately, 0 while it is unknown */
export function planCopy(format: VideoFormat, keyFrameGapMs: number): CopyPlan {
  const unfit = unfitness(format);
  if (unfit) return { copies: false, reason: unfit };
  if (keyFrameGapMs > MAX_COPIED_KEY_FRAME_GAP_MS + TOLERANCE_MS) {
    const seconds = Math.round(keyFrameGapMs / 100) / 10;
    return {
      copies: false,
      reason: `key frames are ${seconds} s apart; set the keyframe interval to 2 s to have it copied`,
    };
  }
  return { copies: true };
}

function unfitness({ codec, record, lengthBytes }: VideoFormat): string | undefined {
  if (codec !== 'H264') return `it is ${codec}, and CDNs take H.264`;
  if (!record) return 'it does not come as a push';
  if (lengthBytes !== 4) return `its NAL units have lengths of ${lengthBytes} bytes, and CDNs expect 4`;
  const avc = parseAvcConfig(record);
  const sps = avc && parseSps(avc.sps[0]!);
  if (!sps) return 'its parameter sets cannot be read';
  if (sps.chromaFormat !== 1) return 'its colours are not 4:2:0';
  if (sps.bitDepth !== 8) return `it has ${sps.bitDepth} bits a colour`;
  if (sps.interlaced) return 'its pictures are interlaced';
  return undefined;
}
