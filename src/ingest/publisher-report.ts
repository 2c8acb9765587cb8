import type { IngestStatistics, KindStatistics } from '../../transcode/ingest/ingest-statistics.ts';
import type { TrackStatistics } from '../room/track.ts';

/** What is told of an encoder's stream: to the API in figures, to people in words. Pure. */

export function trackStatistics(kind: KindStatistics, repairs: IngestStatistics['repairs']): TrackStatistics {
  const { format, bitrateBps, packetsSent, dropped, job, width, height, ...rest } = kind;
  return {
    packets: packetsSent,
    packetsLost: 0,
    bitrateBps,
    jitterMs: 0,
    source: {
      format,
      ...(width && height ? { width, height } : {}),
      ...rest,
      dropped,
      timestampJumps: repairs.jumps,
      timestampSteps: repairs.steps,
      ...(job ? { job: { ...job, ...(job.latencyMs ? { latencyMs: Math.round(job.latencyMs) } : {}) } } : {}),
    },
  };
}

/** Attributes of the participant that the page shows. @param encodingCores - what re-encoding costs, where it was measured */
export function statusAttributes(
  { audio, video, repairs }: IngestStatistics,
  encodingCores: number | undefined,
): Record<string, string> {
  const mended = repairs.jumps + repairs.steps;
  return {
    'ingest.picture': video ? pictureWords(video) : '',
    'ingest.sound': audio ? soundWords(audio) : '',
    'ingest.repairs': mended > 0 ? `${mended} timestamps mended` : '',
    ...(video?.job
      ? encodingCores !== undefined && { 'ingest.cost': `${encodingCores.toFixed(1)} of a core` }
      : { 'ingest.cost': '' }),
  };
}

function pictureWords(video: KindStatistics): string {
  const { width, height, frameRate, format, keyFrameIntervalMs, bFrames, dropped } = video;
  return [
    width && height ? `${width}×${height}` : undefined,
    frameRate ? `${Math.round(frameRate)} fps` : undefined,
    format,
    bitrateWords(video.bitrateBps),
    keyFrameIntervalMs ? `key frame every ${(keyFrameIntervalMs / 1000).toFixed(1)} s` : undefined,
    bFrames ? 'B-frames' : undefined,
    dropped > 0 ? `${dropped} dropped` : undefined,
  ]
    .filter((part) => part !== undefined)
    .join(', ');
}

function soundWords({ format, bitrateBps, dropped }: KindStatistics): string {
  return [format, bitrateWords(bitrateBps), ...(dropped > 0 ? [`${dropped} dropped`] : [])].join(', ');
}

/** In steps that do not change all the time. */
function bitrateWords(bitrateBps: number): string {
  return bitrateBps >= 1e6
    ? `${(bitrateBps / 1e6).toFixed(1)} Mbit/s`
    : `${Math.round(bitrateBps / 1e4) * 10} kbit/s`;
}
