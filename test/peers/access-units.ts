import { parseFlvVideo } from '../../src/media/containers/flv/flv.ts';
import { parseAvcConfig } from '../../src/media/h264/avc-config.ts';
import { parseHevcConfig } from '../../src/media/h264/hevc-config.ts';
import { NAL, nalUnitsOf, toAnnexB } from '../../src/media/h264/nal-units.ts';
import { type FlvTag, isSequenceHeader } from './flv-clip.ts';

/** A frame in the order of decoding, as decoders take it. */
export interface AccessUnit {
  /** With start codes; key frames have the parameter sets in front. */
  readonly data: Buffer;
  /** When it is shown. */
  readonly timestampMs: number;
  readonly key: boolean;
  /** Told for H.264 only. */
  readonly disposable: boolean;
}

/** @returns the frames of a clip of H.264 or HEVC */
export function accessUnits(clip: readonly FlvTag[]): AccessUnit[] {
  const video = clip.filter(({ type }) => type === 'video');
  const header = parseFlvVideo(video.find(isSequenceHeader)!.body)!;
  const avc = header.codec === 'H264' ? parseAvcConfig(header.data)! : undefined;
  const sets = avc ? [...avc.sps, ...avc.pps] : parseHevcConfig(header.data)!.parameterSets;
  return video.flatMap(({ timestampMs, body }): AccessUnit[] => {
    const { packet, frame, compositionMs, data } = parseFlvVideo(body)!;
    if (packet !== 'frame') return [];
    const key = frame === 'key';
    return [
      {
        data: toAnnexB(data, 4, key ? sets : [])!,
        timestampMs: timestampMs + compositionMs,
        key,
        disposable: avc !== undefined && isDisposable(data),
      },
    ];
  });
}

/** nal_ref_idc is 0 in all slices (ITU-T H.264, section 7.4.1). */
function isDisposable(frame: Buffer): boolean {
  let disposable = true;
  nalUnitsOf(frame, 4, (start) => {
    const type = frame[start]! & 0x1f;
    if (type >= NAL.SLICE && type <= NAL.IDR && (frame[start]! & 0x60) !== 0) disposable = false;
  });
  return disposable;
}
