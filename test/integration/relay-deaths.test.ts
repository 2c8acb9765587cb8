import fs from 'node:fs';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import type { Output } from '../../src/outputs/output.ts';
import type { Room } from '../../src/room/room.ts';
import type { Server } from '../../src/server.ts';
import { BadCdn, beginsWhole } from '../peers/bad-cdn.ts';
import { reportOf } from '../peers/callers.ts';
import { EncoderProcess } from '../peers/encoder-process.ts';
import type { Encoding } from '../peers/ffmpeg-encoding.ts';
import { isKeyFrame } from '../peers/flv-clip.ts';
import { expectUndisturbed, goOut, pushToDemo } from '../peers/going-out.ts';
import type { KeptStream } from '../peers/kept-stream.ts';
import { NginxRtmp } from '../peers/nginx-rtmp.ts';
import { descendantsOf } from '../peers/processes.ts';
import { Recording } from '../peers/recording.ts';
import { rtmpPort } from '../peers/rtmp-port.ts';
import { RtmpPublisher } from '../peers/rtmp-publisher.ts';
import { startServer } from '../peers/server.ts';

/** What goes out of a room while each of the processes that make it is killed in turn. */

const TONE_HZ = 1000;
const SMALL_RATE = 15;
/** Too few key frames to be copied. */
const ENCODED: Encoding = {
  video: { size: '320x180', rate: SMALL_RATE, gop: 8 * SMALL_RATE, bitrateKbps: 400 },
  audio: { toneHz: TONE_HZ },
};
const SMALL = {
  width: 320,
  height: 180,
  frameRate: SMALL_RATE,
  videoKbps: 400,
  preset: 'ultrafast',
} as const;
/** Where what encodes the pictures died, ms, and the pictures of that time. */
const ENCODER_GAP = 1_500;
const PICTURES_OF_A_GAP = (ENCODER_GAP * SMALL_RATE) / 1000;
/** Between two packets of sound without a gap, ms, with room for rounding. */
const NO_GAP = 50;

let server: Server;
let room: Room;
let cdn: NginxRtmp;
let kept: KeptStream;
let other: BadCdn;
let output: Output;
beforeAll(async () => {
  server = await startServer({ config: { workers: { hubs: 1, media: 2 }, outputs: SMALL } });
  [cdn, other] = await Promise.all([NginxRtmp.start({ record: true }), BadCdn.start({ kind: 'none' })]);
  // It takes the first worker, so that the push gets the second one, and the program the first.
  const elsewhere = await RtmpPublisher.connect({ port: rtmpPort(server) });
  await elsewhere.publish('elsewhere');
  room = await pushToDemo(server, ENCODED);
});
afterAll(async () => {
  await EncoderProcess.killAll();
  await server.stop();
  await Promise.all([cdn.stop(), other.stop()]);
});
afterEach(() => {
  expect(output.status).toBe('active');
});

async function program() {
  const workers = await server.plane.statistics();
  return workers.flatMap((worker) => ('programs' in worker ? worker.programs : [])).at(0);
}

/** The program's child that has that among its arguments. */
async function childWith(argument: string): Promise<number> {
  const pids = (await program())?.pids ?? [];
  return pids.find((pid) => argumentsOf(pid).includes(argument)) ?? 0;
}

/** Kills it, and waits for the next one. */
async function replace(find: () => Promise<number>): Promise<void> {
  await expect.poll(find).toBeGreaterThan(0);
  const pid = await find();
  kept.mark();
  process.kill(pid, 'SIGKILL');
  await expect.poll(async () => [0, pid].includes(await find())).toBe(false);
}

/** The tone of the push is there, now. */
async function sounds(): Promise<void> {
  const recording = () => new Recording(kept.files.at(-1)!);
  await expect.poll(() => recording().tonesNow([TONE_HZ]), { interval: 300 }).toEqual([TONE_HZ]);
}

async function goesOn(seconds: number): Promise<void> {
  await expect.poll(() => kept.continuity.span).toBeGreaterThan(seconds * 1000);
}

test('before that, all goes well', async () => {
  ({ kept, output } = await goOut(expect, {
    server,
    room,
    cdn,
    key: 'encoded',
    others: [`${other.url}/other`],
    frameRate: SMALL_RATE,
  }));
  await expect.poll(async () => (await program())?.picture).toBe('encoded');
  await sounds();
  kept.mark();
  await expectUndisturbed(expect, kept, { soundGap: NO_GAP });
});

test("the program's sound encoder: there is no gap at all", async () => {
  await replace(() => childWith('aac'));
  await sounds();
  await expectUndisturbed(expect, kept, { soundGap: NO_GAP });
  expect((await program())!.silences).toBeGreaterThan(0);
  expect((await program())!.deaths).toBe(1);
});

test("the program's picture encoder", async () => {
  await replace(() => childWith('libx264'));
  await goesOn(4);
  await expectUndisturbed(expect, kept, {
    pictureGap: ENCODER_GAP,
    soundGap: NO_GAP,
    missingPictures: PICTURES_OF_A_GAP,
  });
  expect((await program())!.deaths).toBe(2);
});

test("the push's decoder", async () => {
  const decoder = async () => {
    const { participants } = await reportOf(server, 'demo');
    const tracks = participants.find(({ name }) => name === 'Studio')?.tracks ?? [];
    return tracks.find(({ kind }) => kind === 'audio')?.received?.source?.job?.pid ?? 0;
  };
  await replace(decoder);
  await sounds();
  await expectUndisturbed(expect, kept, { soundGap: NO_GAP });
});

test('the hub', async () => {
  await replace(async () => server.plane.placement(room).hubWorkerPid ?? 0);
  await goesOn(4);
  await sounds();
  await expectUndisturbed(expect, kept, {
    pictureGap: ENCODER_GAP,
    soundGap: NO_GAP,
    missingPictures: PICTURES_OF_A_GAP,
  });
  expect(output.destinations.map(({ report }) => report.retries)).toEqual([0, 0]);
  expect(other.visits).toHaveLength(1);
});

test('the media worker that makes the program: both are live again by themselves', async () => {
  const worker = () => server.plane.placement(room).mediaWorkerPid ?? 0;
  const killed = worker();
  const { pid } = (await server.plane.statistics()).find(
    (one) => 'programs' in one && one.programs.length > 0,
  )!;
  expect(killed).toBe(pid);
  const left = descendantsOf(killed);
  process.kill(killed, 'SIGKILL');
  await expect.poll(() => output.destinations.map(({ report }) => report.state)).toContain('waiting');
  await expect.poll(() => output.destinations.map(({ report }) => report.state)).toEqual(['live', 'live']);
  await expect.poll(() => kept.files.length).toBe(2);
  await expect.poll(() => kept.lastMs).toBeGreaterThan(1000);
  for (const tags of [kept.tags, other.visits[1]!.tags]) expect(beginsWhole(tags, isKeyFrame)).toBe(true);
  for (const { report } of output.destinations) {
    expect(report.retries).toBeGreaterThanOrEqual(1);
    expect(report.bytesSent).toBeGreaterThan(0);
  }
  await sounds();
  // Its children ended with it.
  await expect.poll(() => left.filter((one) => argumentsOf(one).length > 0)).toEqual([]);
});

function argumentsOf(pid: number): string[] {
  try {
    return fs.readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').filter(Boolean);
  } catch {
    return []; // it has ended
  }
}
