import { expect, onTestFinished } from 'vitest';
import { createLogger } from '../../../src/base/log.ts';
import { Director } from '../../../src/outputs/director.ts';
import type { OutputSource } from '../../../src/outputs/output.ts';
import { ProducerOnDemand } from '../../../src/room/producer-on-demand.ts';
import type { Room } from '../../../src/room/room.ts';
import type { NewTrack, Track } from '../../../src/room/track.ts';
import type { MediaPlane } from '../../../src/workers/media-plane.ts';
import { DEFAULT_ENCODING } from '../../../transcode/ffmpeg/program-arguments.ts';
import { FakeClock } from './fake-clock.ts';
import { turn } from './fake-process.ts';
import { FakeProgramWorker } from './fake-program-worker.ts';
import { Gate } from './gate.ts';
import { camera, openRoom, person } from './rooms.ts';

/* A room whose program is made by nobody, and what became of what that took. */

export let worker: FakeProgramWorker;
export let room: Room;
export let clock: FakeClock;
/** Producers that are open at the hub. */
export let atHub: string[];
export let opening: Gate;
/** Pushes that send pictures, by the token that they got. */
export let pushing: string[];
export let sending: Gate;
/** Mixes that have the program's sound in them, by id. */
export let mixes: string[];

/** For `beforeEach`. */
export function beginRoom(): void {
  worker = new FakeProgramWorker();
  clock = new FakeClock();
  atHub = [];
  opening = new Gate();
  pushing = [];
  sending = new Gate();
  mixes = [];
  ({ room } = openRoom({ maxParticipants: 0, maxTracksPerParticipant: 9 }));
}

export const SETTINGS = { encoding: DEFAULT_ENCODING, audioBitrateBps: 128_000 };
export const link = async () => ({ id: 'a-link', consume: (id: string) => worker.consume(id) });

export function mix(id: string): () => void {
  mixes.push(id);
  return () => void mixes.splice(mixes.indexOf(id), 1);
}

/** As much of a media plane as a program needs. */
function plane({ mix }: { mix: (id: string) => () => void }): MediaPlane {
  const parts = {
    workerOf: () => worker,
    mix: ({ sid }: Room) => mix(sid),
    mixOf: (_room: Room, _port: unknown, id: string) => mix(id),
    link,
  };
  return parts as unknown as MediaPlane;
}

/** A program, once all has come about that needs no picture. */
export async function open(
  of: OutputSource = { type: 'room' },
  { epochAt, ...change }: { mix?: typeof mix; epochAt?: number } = {},
) {
  const program = await Director.open({
    room,
    of,
    settings: SETTINGS,
    plane: plane({ mix, ...change }),
    clock,
    log: createLogger('silent'),
    epochAt,
  });
  onTestFinished(() => program.close());
  await turn();
  return program;
}

export function onDemand(producerId: string): ProducerOnDemand {
  return new ProducerOnDemand(async () => {
    await opening.pass();
    atHub.push(producerId);
    return { producerId, close: () => void atHub.splice(atHub.indexOf(producerId), 1) };
  });
}

/** Of somebody who joins if need be; by the hub, while it is held there. */
export function publish(name: string, track: NewTrack = { ...camera(), producerId: onDemand(name) }): Track {
  return (room.participant(name) ?? room.join(person(name))).publish(track);
}

/** What is pushed. */
export function push(): NewTrack {
  return {
    ...camera(),
    codec: { name: 'H264', clockRate: 90_000 },
    producerId: onDemand('hub copy'),
    sendFrames: async ({ port, token }) => {
      await sending.pass();
      const stream = `${port} ${token}`;
      pushing.push(stream);
      let ended = false;
      return () => {
        if (!ended) pushing.splice(pushing.indexOf(stream), 1);
        ended = true;
      };
    },
  };
}

/** Its first picture comes. */
export async function see(): Promise<void> {
  worker.see();
  await turn();
}

/** Nothing is left anywhere. */
export function expectNothing(): void {
  expect({ atHub, linked: worker.linked, sources: [...worker.sources], pushing, mixes }).toEqual({
    atHub: [],
    linked: [],
    sources: [],
    pushing: [],
    mixes: [],
  });
}

/** The id that a track's pictures have in the worker. @param round - of deciding who is shown */
export const sourceOf = (track: Track, round: number) => `${track.sid}-${round}`;
