import type { PlanStep } from '../../../src/media/plan.ts';

/** How an encoder's sound gets to browsers. */
export interface AudioPlan {
  readonly outcome: 'transcode' | 'refused';
  readonly reason: string;
  readonly steps: readonly PlanStep[];
}

/** Pure. @param who - sends it @param codec - as in FLV: 'AAC', 'MP3', … */
export function planAudio(who: string, codec: string): AudioPlan {
  if (codec !== 'AAC' && codec !== 'MP3') {
    const reason = `${who} sends ${codec} sound, which is not taken: set the audio encoder to AAC`;
    return { outcome: 'refused', reason, steps: [] };
  }
  return {
    outcome: 'transcode',
    reason: `browsers and phones do not take ${codec}`,
    steps: [
      { action: 'decode', detail: codec },
      { action: 'encode', detail: 'opus, once for all' },
    ],
  };
}
