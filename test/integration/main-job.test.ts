import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Output } from '../../src/outputs/output.ts';
import type { Room } from '../../src/room/room.ts';
import type { Server } from '../../src/server.ts';
import { launchBrowser, Person } from '../peers/browser.ts';
import { EncoderProcess } from '../peers/encoder-process.ts';
import type { EncodedVideo } from '../peers/ffmpeg-encoding.ts';
import { FfmpegPush } from '../peers/ffmpeg-push.ts';
import { NginxRtmp } from '../peers/nginx-rtmp.ts';
import { NodeMediaServerRelay } from '../peers/node-media-server-relay.ts';
import { Phone } from '../peers/phone.ts';
import { type Hue, Recording } from '../peers/recording.ts';
import { participantNamed, publishing, roomNamed } from '../peers/room-events.ts';
import { rtmpPort } from '../peers/rtmp-port.ts';
import { startServer } from '../peers/server.ts';
import { sipPort } from '../peers/sip-port.ts';

/** Phones, encoders and browsers meet in one room, which goes out to two CDNs: all of it at once, with real peers. */

const TONES = { Ann: 440, Bob: 620, Stage: 1000, Studio: 1400, Cat: 1840, Dan: 2260 } as const;
type Name = keyof typeof TONES;
const ALL = Object.values(TONES);
const others = (name: Name) => ALL.filter((tone) => tone !== TONES[name]);
/** Six of them together, of which the browsers' are louder, stay below what a mix limits: else there are tones of nobody. */
const LEVEL_DB = -26;
/** Small pictures, and few: the test is about all of it at once, not about how much of it a machine can do. */
const SMALL = { width: 640, height: 360, frameRate: 15 };
/** What phones, encoders, browsers and CDNs can do in so long, all at once on a busy machine. */
const PATIENCE = { timeout: 90_000, interval: 500 };
const TIMEOUT_MS = 300_000;
/** Of several recordings, as a busy machine may stand still for a second: it is no fault of what it runs. */
const LOOKS = 3;
const LONGEST_GAP_MS = 1_000;
/** From a tone to where it is found in a moment that has but a piece of it. */
const TOLERANCE_HZ = 15;

let browsers: Browser[];
let server: Server;
let room: Room;
let cdns: NginxRtmp[];
let phones: Record<'Ann' | 'Bob', Phone>;
let people: Record<'Cat' | 'Dan', Person>;
let pushes: FfmpegPush[];
let relay: NodeMediaServerRelay | undefined;
let output: Output;
let recordings: Recording[];

beforeAll(async () => {
  cdns = await Promise.all([NginxRtmp.start({ record: true }), NginxRtmp.start({ record: true })]);
  server = await startServer({ config: { outputs: { ...SMALL, preset: 'ultrafast' } } });
  pushes = [
    push('Stage', { rate: 15, tint: 'red' }),
    push('Studio', { rate: 15, tint: 'blue', bFrames: 2, gop: 250, profile: 'high' }),
  ];
  room = await roomNamed(server, 'demo');
  for (const name of ['Stage', 'Studio']) await publishing(await participantNamed(room, name), 2);
  const [ann, bob] = await Promise.all([
    Phone.call(sipPort(server), { name: 'Ann', toneHz: TONES.Ann, toneLevelDb: LEVEL_DB }),
    Phone.call(sipPort(server), { name: 'Bob', codec: 'opus', toneHz: TONES.Bob, toneLevelDb: LEVEL_DB }),
  ]);
  phones = { Ann: ann, Bob: bob };
  browsers = await Promise.all([launchBrowser({ cameraRate: 10 }), launchBrowser({ cameraRate: 10 })]);
  const [cat, dan] = await Promise.all([
    Person.join(browsers[0]!, server, { name: 'Cat', toneHz: TONES.Cat }),
    Person.join(browsers[1]!, server, { name: 'Dan', toneHz: TONES.Dan }),
  ]);
  people = { Cat: cat, Dan: dan };
}, TIMEOUT_MS);

afterAll(async () => {
  Phone.closeAll();
  await EncoderProcess.killAll();
  await Promise.all(browsers.map((browser) => browser.close()));
  await server.stop();
  await relay?.stop();
  await Promise.all(cdns.map((cdn) => cdn.stop()));
});

function push(name: 'Stage' | 'Studio', video: EncodedVideo): FfmpegPush {
  const url = `rtmp://127.0.0.1:${rtmpPort(server)}/live/demo?name=${name}`;
  return FfmpegPush.start(url, { video, audio: { toneHz: TONES[name], levelDb: LEVEL_DB } });
}

async function pin(name: Name): Promise<void> {
  room.pin((await participantNamed(room, name)).identity);
}

/** One CDN takes it from us, the other one by way of node-media-server. */
async function goOut(): Promise<void> {
  await pin('Stage');
  const before = cdns.map((cdn) => cdn.recordings().length);
  const key = `stream-key-${before[0]}`;
  relay = await NodeMediaServerRelay.start(`${cdns[1]!.url}/${key}`);
  const addresses = [`${cdns[0]!.url}/${key}`, `${relay.url}/${key}`];
  output = await server.outputs.start(room, { type: 'room' }, addresses);
  const states = () => output.destinations.map(({ report }) => report.state);
  await expect.poll(states, PATIENCE).toEqual(['live', 'live']);
  const added = () => cdns.map((cdn, index) => cdn.recordings().length - before[index]!);
  await expect.poll(added, PATIENCE).toEqual([1, 1]);
  recordings = cdns.map((cdn) => new Recording(cdn.recordings().at(-1)!));
}

/** Until the recordings are as they will be. */
async function goOutNoMore(): Promise<void> {
  await server.outputs.stop(output.id);
  expect(output.status).toBe('complete');
  let bytes: number[] = [];
  const isStill = () => {
    const before = bytes;
    bytes = recordings.map((recording) => recording.bytes);
    return bytes.every((count, index) => count === before[index]);
  };
  await expect.poll(isStill, PATIENCE).toBe(true);
  await relay!.stop();
}

/** Both CDNs get the picture of that hue. */
async function bothShow(hue: Hue): Promise<void> {
  const now = () => Promise.all(recordings.map((recording) => recording.hueNow()));
  await expect.poll(now, PATIENCE).toEqual([hue, hue]);
}

/** What has to be, however busy the machine. @returns whether it is smooth besides */
async function isWhole(recording: Recording): Promise<boolean> {
  expect(await recording.complaints()).toBe('');
  const timings = (['audio', 'video'] as const).map((type) => recording.timing(type));
  for (const { frames, leastStepMs } of timings) {
    expect(frames).toBeGreaterThan(50);
    expect(leastStepMs).toBeGreaterThan(0);
  }
  // The encoder without B-frames is copied; what is encoded from then on has parameter sets of its own.
  expect(recording.formatChanges).toBe(1);
  const hues = await recording.hues();
  // The slate stands for pictures that are late.
  const people = hues.filter((hue) => hue !== 'grey');
  expect(people.filter((hue, index) => hue !== people[index - 1])).toEqual(['red', 'green', 'blue']);
  const isKnown = (hz: number) => ALL.some((tone) => Math.abs(hz - tone) < TOLERANCE_HZ);
  const strange = (await recording.tones()).map((tones) => tones.filter((hz) => !isKnown(hz)));
  // Where sound is torn apart there is something else for a moment, which is in one half second.
  const lasting = strange.filter((tones, index) => tones.length > 0 && strange[index - 1]?.length);
  expect(lasting).toEqual([]);
  return people.length === hues.length && timings.every((one) => one.greatestStepMs <= LONGEST_GAP_MS);
}

describe('phones, encoders and browsers in one room that goes out to two CDNs', {
  timeout: TIMEOUT_MS,
}, () => {
  test('everybody hears all others and never himself; both CDNs get all', async () => {
    await goOut();
    const ears = { ...phones, ...people };
    const names = Object.keys(ears) as (keyof typeof ears)[];
    await Promise.all(names.map((name) => ears[name].hears(...others(name))));
    const heard = async () => {
      const tones = await Promise.all(names.map((name) => ears[name].heardDuring(ALL, 2)));
      return tones.map((all) => all.sort((one, other) => one - other));
    };
    // Sound that a busy machine tears apart is heard at other frequencies as well: an own tone would be there each time.
    await expect.poll(heard, PATIENCE).toEqual(names.map(others));
    const recorded = () => Promise.all(recordings.map((recording) => recording.tonesNow(ALL)));
    await expect.poll(recorded, PATIENCE).toEqual([ALL, ALL]);
  });

  test('both browsers decode the pictures of both encoders', async () => {
    const seen = (person: Person) => [person.sees('Stage', 30), person.sees('Studio', 30)];
    await Promise.all(Object.values(people).flatMap(seen));
  });

  test('both CDNs get the picture of whoever is pinned, in turn, and record all of it', async () => {
    const smooth: boolean[] = [];
    while (smooth.length < LOOKS && !smooth.includes(true)) {
      if (smooth.length > 0) await goOut();
      await bothShow('red');
      await pin('Cat');
      await bothShow('green');
      await pin('Studio');
      await bothShow('blue');
      const well = { state: 'live', framesDropped: 0, retries: 0 };
      expect(output.destinations.map(({ report }) => report)).toMatchObject([well, well]);
      await goOutNoMore();
      const found = [];
      for (const recording of recordings) found.push(await isWhole(recording));
      smooth.push(found.every(Boolean));
    }
    expect(smooth).toContain(true);
  });

  test('nothing went wrong on the way', () => {
    for (const encoder of pushes) expect(encoder.complaints).toBe('');
    for (const { problems } of Object.values(people)) expect(problems).toEqual([]);
    expect(server.plane.health).toMatchObject({ hubWorkers: { deaths: 0 }, mediaWorkers: { deaths: 0 } });
  });
});
