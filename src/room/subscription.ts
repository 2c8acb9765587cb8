import type { Plan } from '../media/plan.ts';

import type { Track } from './track.ts';

/** That a participant gets another's track, and what Patchroom does to bring it there. */
export class Subscription {
  readonly track: Track;
  /** Pass-through or the steps in between, or why there is nothing: see the planner. */
  plan: Plan;
  /** Not sent at the moment: the listener is not ready for it yet, or has turned it off. */
  paused: boolean;

  constructor(track: Track, plan: Plan, paused: boolean) {
    this.track = track;
    this.plan = plan;
    this.paused = paused;
  }
}
