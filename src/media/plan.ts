/** What the planner decides (transcode/plan.ts); a plain value that every layer may read. */

/** One thing done to a stream between its publisher and its listener, in words that people read. */
export interface PlanStep {
  readonly action: 'decode' | 'mix' | 'encode' | 'repacketize';
  readonly detail: string;
}

export type Plan =
  | { readonly outcome: 'pass-through'; readonly reason: string }
  | { readonly outcome: 'transcode'; readonly reason: string; readonly steps: readonly PlanStep[] }
  | { readonly outcome: 'refused'; readonly reason: string };
