import type { hubTypes } from '../../src/gateway.ts';
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
