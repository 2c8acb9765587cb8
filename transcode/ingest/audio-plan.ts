import type { PlanStep } from '../../src/media/plan.ts';

/** How a publisher's audio gets to browsers. */
export interface AudioPlan {
  readonly outcome: 'pass-through' | 'transcode' | 'refused';
  readonly reason: string;
  readonly steps: readonly PlanStep[];
}

/** Pure. @param who - sends it @param codec - 'AAC', 'MP3', 'PCMU', … */
export function planAudio(who: string, codec: string): AudioPlan {
  if (codec === 'PCMU' || codec === 'PCMA' || codec === 'opus')
    return { outcome: 'pass-through', reason: 'browsers take it as it is', steps: [] };
  if (codec !== 'AAC' && codec !== 'MP3') return refuseAudio(who, codec);
  return {
    outcome: 'transcode',
    reason: `browsers and phones do not take ${codec}`,
    steps: [
      { action: 'decode', detail: codec },
      { action: 'encode', detail: 'opus, once for all' },
    ],
  };
}

/** @param why - what is the matter with it, such as 'without its configuration'; absent: the codec is not taken */
export function refuseAudio(who: string, codec: string, why?: string): AudioPlan {
  const reason = why
    ? `${who} sends ${codec} ${why}, so that it cannot be decoded`
    : `${who} sends ${codec} audio, which is not taken: set the audio encoder to AAC`;
  return { outcome: 'refused', reason, steps: [] };
}
