import { expect, onTestFinished } from 'vitest';
import { createLogger } from '../../../src/log.ts';
import type { HubLink } from '../../../src/plane/hub-link.ts';
import type { MediaWorker } from '../../../src/plane/media-worker.ts';
import { type ProgramOf, RoomProgram } from '../../../src/plane/room-program.ts';
import { ProducerOnDemand } from '../../../src/room/producer-on-demand.ts';
import type { Room } from '../../../src/room/room.ts';
import type { NewTrack, Track } from '../../../src/room/track.ts';
import { DEFAULT_PROGRAM_SHAPE } from '../../../transcode/program-arguments.ts';
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

export const SETTINGS = { shape: DEFAULT_PROGRAM_SHAPE, audioBitrateBps: 128_000 };
export const link = async () => ({ id: 'a-link', consume: (id: string) => worker.consume(id) });

export function mix(id: string): () => void {
  mixes.push(id);
  return () => void mixes.splice(mixes.indexOf(id), 1);
}

/** A program, once all has come about that needs no picture. */
export async function open(of: ProgramOf = { type: 'room' }, change: { mix?: typeof mix } = {}) {
  const program = await RoomProgram.open({
    room,
    of,
    settings: SETTINGS,
    worker: worker as unknown as MediaWorker,
    mix,
    link: link as unknown as () => Promise<HubLink>,
    clock,
    log: createLogger('silent'),
    ...change,
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
    sendPictures: async ({ port, token }) => {
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
