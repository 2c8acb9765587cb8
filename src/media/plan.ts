import type { Codec } from './codec.ts';

/* What the planner decides (transcode/plan.ts): plain values that every layer may read. */

/** One thing done to a stream between its publisher and its listener, in words that people read. */
export interface PlanStep {
  readonly action: 'decode' | 'mix' | 'encode' | 'repacketize';
  readonly detail: string;
}

/** What is done to a track on its way to the hub, and what it is there. */
export interface Route {
  readonly codec: Codec;
  readonly reason: string;
  readonly steps: readonly PlanStep[];
}

export type Plan =
  | { readonly outcome: 'pass-through'; readonly reason: string }
  | { readonly outcome: 'transcode'; readonly reason: string; readonly steps: readonly PlanStep[] }
  | { readonly outcome: 'refused'; readonly reason: string };
