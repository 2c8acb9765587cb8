import type { TestContext } from 'vitest';
import type { Output } from '../../src/outputs/output.ts';
import type { Room } from '../../src/room/room.ts';
import type { Server } from '../../src/server.ts';
import type { DeliveryReport } from '../../transcode/delivery/delivery-report.ts';
import type { Encoding } from './ffmpeg-encoding.ts';
import { FfmpegPush } from './ffmpeg-push.ts';
import { KeptStream } from './kept-stream.ts';
import type { NginxRtmp } from './nginx-rtmp.ts';
import { participantNamed, publishing, roomNamed } from './room-events.ts';
import { rtmpPort } from './rtmp-port.ts';

/** A test's own, or that of vitest: tests that run side by side each have to use their own. */
type Expect = TestContext['expect'];

/** What players wait for without stopping, ms. */
const LARGEST_PICTURE_GAP = 500;
const LARGEST_SOUND_GAP = 200;
/** The same where the machine is too busy. */
const LARGEST_WAIT = 1_500;
/** Packets by which a count may differ from what the time says. */
const FEW = 8;
/** What is looked at is at least as long, ms. */
const LEAST_SPAN = 2_000;
/** How far a recording may be from the clock, ms. */
const LARGEST_LAG = 2_000;
/** What is sent in the beginning takes so long, ms. */
const BEGINNING = 500;

/** A room that goes out to an nginx, and elsewhere. */
export interface GoingOut {
  /** What the nginx gets. */
  readonly kept: KeptStream;
  readonly output: Output;
  /** Of all destinations; the nginx is the first. */
  readonly reports: () => DeliveryReport[];
}

export interface GoingOutOptions {
  readonly server: Server;
  readonly room: Room;
  readonly cdn: NginxRtmp;
  /** At the nginx. */
  readonly key: string;
  /** Whole addresses. */
  readonly others: readonly string[];
  /** Pictures a second. */
  readonly frameRate: number;
}

/** An encoder that calls itself Studio pushes that to the room demo. @returns the room once both tracks are there */
export async function pushToDemo(server: Server, encoding: Encoding): Promise<Room> {
  FfmpegPush.start(`rtmp://127.0.0.1:${rtmpPort(server)}/live/demo?name=Studio`, encoding);
  const room = await roomNamed(server, 'demo');
  await publishing(await participantNamed(room, 'Studio'), 2);
  return room;
}

/** Resolves when the nginx gets something; what is looked at begins there. */
export async function goOut(expect: Expect, options: GoingOutOptions): Promise<GoingOut> {
  const { server, room, cdn, key, others, frameRate } = options;
  const kept = new KeptStream(cdn, key, frameRate);
  const output = await server.outputs.start(room, { type: 'room' }, [kept.address, ...others]);
  const reports = () => output.destinations.map(({ report }) => report);
  await expect.poll(() => reports()[0]!.state).toBe('live');
  await expect.poll(() => kept.lastMs).toBeGreaterThan(BEGINNING);
  kept.mark();
  return { kept, output, reports };
}

export interface Allowance {
  /** ms; 500 unless given. */
  readonly pictureGap?: number;
  /** ms; 200 unless given. */
  readonly soundGap?: number;
  /** A few unless given. */
  readonly missingPictures?: number;
}

/** It is one recording, as long as time passed, without a gap or a step back. */
export async function expectUndisturbed(
  expect: Expect,
  kept: KeptStream,
  { pictureGap = LARGEST_PICTURE_GAP, soundGap = LARGEST_SOUND_GAP, missingPictures = FEW }: Allowance = {},
): Promise<void> {
  await expect.poll(() => kept.continuity.span).toBeGreaterThan(LEAST_SPAN);
  await expect.poll(() => Math.abs(kept.behindMs)).toBeLessThan(LARGEST_LAG);
  const found = kept.continuity;
  expect(kept.files).toHaveLength(1);
  expect(found.leastVideoStep).toBeGreaterThanOrEqual(0);
  expect(found.leastAudioStep).toBeGreaterThanOrEqual(0);
  expect(found.greatestVideoStep).toBeLessThanOrEqual(pictureGap);
  expect(found.greatestAudioStep).toBeLessThanOrEqual(soundGap);
  expect(found.videoSurplus).toBeGreaterThanOrEqual(-missingPictures);
  expect(found.videoSurplus).toBeLessThanOrEqual(FEW);
  expect(Math.abs(found.audioSurplus)).toBeLessThanOrEqual(FEW);
}

/**
 * What another destination gets has of gaps in its pictures beyond those that are allowed: on a machine that is too busy
 * to keep sound in time the program itself waits for it, for all. More than that would be somebody in its way.
 */
export function allowanceOf(program: KeptStream): Allowance {
  const { greatestVideoStep, videoSurplus } = program.continuity;
  return {
    pictureGap: Math.min(Math.max(LARGEST_PICTURE_GAP, greatestVideoStep), LARGEST_WAIT),
    missingPictures: FEW + Math.max(0, -videoSurplus),
  };
}
