import { setTimeout as delay } from 'node:timers/promises';
import type { Misbehaviour } from '../peers/bad-cdn.ts';
import { type JOBS, killJob } from './census.ts';
import type { SoakStage } from './soak-stage.ts';

/** One thing that happens. It is over, and all is as before, when its `run` is. */
export interface Trouble {
  readonly name: string;
  /** The encoder of the picture dies: it may be away for longer. */
  readonly endsPicture?: boolean;
  readonly run: (stage: SoakStage) => Promise<void>;
}

const MISBEHAVING_MS = 9_000;
const AWAY_MS = 3_000;
const FROZEN_MS = 15_000;

function misbehaves(name: string, behaviour: Misbehaviour): Trouble {
  const run = async ({ unsteady }: SoakStage) => {
    await unsteady.misbehave(behaviour);
    await delay(MISBEHAVING_MS);
    await unsteady.behave();
  };
  return { name: `B ${name}`, run };
}

function kills(job: keyof typeof JOBS): Trouble {
  const run = async (stage: SoakStage) => {
    if (!killJob(stage.pid, job)) stage.problems.push(`There was no ${job} to be killed.`);
  };
  return { name: `${job} killed`, endsPicture: job === 'picture encoder', run };
}

function pins(name: string | undefined): Trouble {
  return { name: name ? `pinned: ${name}` : 'nobody pinned', run: (stage) => stage.pin(name) };
}

/** In this order, over and over. It begins while the pictures are copied; after the first pin they are encoded. */
export const TROUBLES: readonly Trouble[] = [
  {
    name: 'B restarted',
    run: async ({ unsteady }) => {
      await unsteady.kill();
      await delay(AWAY_MS);
      await unsteady.revive();
    },
  },
  kills('sound encoder'),
  {
    name: 'B frozen',
    run: async ({ unsteady }) => {
      unsteady.freeze();
      await delay(FROZEN_MS);
      unsteady.thaw();
    },
  },
  pins('OBS'),
  misbehaves('sends garbage', { kind: 'garbage-when-live' }),
  kills('picture encoder'),
  misbehaves('closes each second', { kind: 'closes', afterMs: 1_000 }),
  pins('Cat'),
  misbehaves('refuses the key', {
    kind: 'refuses',
    code: 'NetStream.Publish.BadName',
    description: 'Stream key is not valid.',
  }),
  kills("push's decoder"),
  {
    name: 'B not there',
    run: async ({ unsteady }) => {
      await unsteady.vanish();
      await delay(MISBEHAVING_MS);
      await unsteady.behave();
    },
  },
  pins('Plain'),
  pins(undefined),
];
