import type { AccessUnit, VideoUnit } from '../../../../../src/media/access-unit.ts';
import { isVideo } from '../../../../../src/media/access-unit.ts';
import { FlvDemuxer } from '../../../../../src/media/containers/flv/flv-demuxer.ts';

/** Main, 8 bits, as FFmpeg writes it for x265: one VPS, SPS and PPS. */
export const HEVC_SETS = ['40010c01ffff', '42010101600000', '4401c073c189'].map((hex) =>
  Buffer.from(hex, 'hex'),
);
export const HEVC_RECORD = Buffer.concat([
  Buffer.from('0101600000009000000000003cf000fcfdf8f800000f03', 'hex'),
  ...HEVC_SETS.flatMap((set, index) => [Buffer.of(0x20 + index, 0, 1, 0, set.length), set]),
]);

/** A demuxer with all that it says. */
export function demuxing() {
  const units: AccessUnit[] = [];
  /** What it says no unit can be made of. */
  const told: string[] = [];
  const demuxer = new FlvDemuxer({
    unit: (unit) => units.push(unit),
    unsupported: (kind, codec, why) => told.push(`${kind}: ${codec}${why ? ` ${why}` : ''}`),
  });
  return {
    demuxer,
    units,
    told,
    /** Gives it so many bodies, 40 ms apart. @returns the video that it makes of them, to the end */
    videoOf: (bodies: readonly Buffer[], fromMs = 1_000): VideoUnit[] => {
      for (const [index, body] of bodies.entries()) demuxer.video(body, fromMs + 40 * index);
      demuxer.end();
      return units.filter(isVideo);
    },
  };
}

/** In ms, with k for key frames and d for disposable ones: `k1000 1040 d1080`. */
export function times(units: readonly AccessUnit[]): string {
  return units
    .map(
      (unit) =>
        `${isVideo(unit) ? `${unit.key ? 'k' : ''}${unit.disposable ? 'd' : ''}` : 'a'}${unit.dtsUs / 1000}`,
    )
    .join(' ');
}
