import type { hubTypes } from '../../src/gateway.ts';
import type { TrackStatistics } from '../../src/room/track.ts';
import type { ConnectionQuality } from '../../src/room/vocabulary.ts';

type Scored = Pick<hubTypes.Producer, 'paused' | 'score'>;

/**
 * How well a browser's packets arrive, from mediasoup's scores (0 to 10, made from loss and repair).
 * Of a simulcast stream the best quality counts: the sender stops the larger ones by itself.
 */
export function qualityOf(producers: readonly Scored[]): ConnectionQuality {
  const scores = producers
    .filter(({ paused, score }) => !paused && score.length > 0)
    .map(({ score }) => Math.max(...score.map((entry) => entry.score)));
  const worst = Math.min(10, ...scores);
  if (worst >= 8) return 'excellent';
  return worst >= 5 ? 'good' : 'poor';
}

/** What arrived so far, all qualities of a simulcast stream together. */
export async function statisticsOf(producer: hubTypes.Producer): Promise<TrackStatistics> {
  const streams = await producer.getStats();
  const sum = (pick: (stream: hubTypes.ProducerStat) => number) =>
    streams.reduce((total, one) => total + pick(one), 0);
  const clockRate = producer.rtpParameters.codecs[0]!.clockRate;
  return {
    packets: sum(({ packetCount }) => packetCount),
    packetsLost: sum(({ packetsLost }) => Math.max(0, packetsLost)),
    bitrateBps: sum(({ bitrate }) => bitrate),
    jitterMs: Math.max(0, ...streams.map(({ jitter }) => (jitter / clockRate) * 1000)),
  };
}
