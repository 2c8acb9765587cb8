import { once } from 'node:events';
import type { Browser } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { roomReport } from '../../src/api/room-report.ts';
import type { Server } from '../../src/server.ts';
import { launchBrowser, Person, type PersonOptions } from '../peers/browser.ts';
import { Relay } from '../peers/relay.ts';
import { participantNamed } from '../peers/room-events.ts';
import { startServer } from '../peers/server.ts';

/** People at headless Chromiums meet on the real page: tones and pictures tell who hears and sees whom. */

const ANN = 440;
const BOB = 1000;
const CAT = 1800;

let browser: Browser;
let server: Server;
let people: Person[] = [];
beforeAll(async () => {
  browser = await launchBrowser();
});
afterAll(() => browser.close());
beforeEach(async () => {
  server = await startServer();
});
afterEach(async () => {
  const problems = people.flatMap((person) => person.problems);
  await Promise.all(people.map((person) => person.close()));
  people = [];
  await server.stop();
  expect(problems).toEqual([]);
});

async function join(
  name: string,
  toneHz: number,
  options: Partial<PersonOptions> = {},
  at: { url: string } = server,
): Promise<Person> {
  const person = await Person.join(browser, at, { name, toneHz, ...options });
  people.push(person);
  return person;
}

async function meet(query = ''): Promise<[Person, Person]> {
  const ann = await join('Ann', ANN, { query });
  const bob = await join('Bob', BOB, { query });
  await mutual(ann, bob);
  return [ann, bob];
}

/** Both decode each other's pictures and hear each other's tone. */
async function mutual(ann: Person, bob: Person): Promise<void> {
  await Promise.all([ann.sees('Bob'), bob.sees('Ann'), ann.hears(BOB), bob.hears(ANN)]);
}

describe('two people hear each other and see each other', () => {
  test('over UDP, with VP8 simulcast and Opus', async () => {
    const [ann, bob] = await meet();
    expect(new Set([...(await ann.paths()), ...(await bob.paths())])).toEqual(new Set(['udp']));
    const report = roomReport.parse(await (await fetch(`${server.url}/api/rooms/demo`)).json());
    const tracks = report.participants.flatMap((one) => one.tracks);
    expect(tracks.map(({ codec }) => codec.name).sort()).toEqual(['VP8', 'VP8', 'opus', 'opus']);
    expect(tracks.filter(({ kind }) => kind === 'video').map(({ layers }) => layers)).toEqual([3, 3]);
    const opus = tracks.find(({ kind }) => kind === 'audio')!;
    expect(opus.codec.parameters).toMatchObject({ useinbandfec: 1, usedtx: 1 });
    expect(opus.received!.packets).toBeGreaterThan(0);
    const subscriptions = report.participants.flatMap((one) => one.subscriptions);
    expect(subscriptions.map(({ outcome }) => outcome)).toEqual(Array(4).fill('pass-through'));
  });

  test('over TCP only', async () => {
    const [ann, bob] = await meet('transport=tcp');
    expect(new Set([...(await ann.paths()), ...(await bob.paths())])).toEqual(new Set(['tcp']));
  });

  test('with H.264', async () => {
    await meet('video=h264');
    const codecs = server.rooms
      .mustGet('demo')
      .tracks.filter(({ kind }) => kind === 'video')
      .map(({ codec }) => codec.name);
    expect(codecs).toEqual(['H264', 'H264']);
  });
});

test('three people: each hears every other and never himself', async () => {
  const ann = await join('Ann', ANN);
  const bob = await join('Bob', BOB);
  const cat = await join('Cat', CAT);
  await Promise.all([ann.hears(BOB, CAT), bob.hears(ANN, CAT), cat.hears(ANN, BOB)]);
  const [toAnn, toBob, toCat] = await Promise.all([
    ann.heardDuring([ANN, BOB, CAT], 1),
    bob.heardDuring([ANN, BOB, CAT], 1),
    cat.heardDuring([ANN, BOB, CAT], 1),
  ]);
  expect(new Set(toAnn)).toEqual(new Set([BOB, CAT]));
  expect(new Set(toBob)).toEqual(new Set([ANN, CAT]));
  expect(new Set(toCat)).toEqual(new Set([ANN, BOB]));
});

test('who speaks is shown, and muting is shown and heard', async () => {
  const [ann, bob] = await meet();
  await ann.page.locator('.tile.speaking', { hasText: 'Bob' }).waitFor();
  await bob.page.keyboard.press('m');
  await ann.tile('Bob').locator('.muted').waitFor();
  await ann.hearsNoMore(BOB);
  await bob.page.getByRole('button', { name: 'Unmute' }).click();
  await ann.hears(BOB);
});

test('the API mutes somebody: the hub stops the sound, the page says so, and he can unmute himself', async () => {
  const [ann, bob] = await meet();
  const participant = await participantNamed(server.rooms.mustGet('demo'), 'Bob');
  participant.setMuted([...participant.tracks.values()].find(({ purpose }) => purpose === 'voice')!, true);
  await bob.page.getByRole('button', { name: 'Unmute' }).waitFor();
  await ann.tile('Bob').locator('.muted').waitFor();
  await ann.hearsNoMore(BOB);
  await bob.page.getByRole('button', { name: 'Unmute' }).click();
  await ann.hears(BOB);
});

test('turning the camera off and on is seen by the others', async () => {
  const [ann, bob] = await meet();
  await bob.page.getByRole('button', { name: 'Stop camera' }).click();
  await ann.tile('Bob').locator('.initials').waitFor();
  await bob.page.getByRole('button', { name: 'Camera', exact: true }).click();
  await ann.sees('Bob');
});

test('a shared screen is a tile of its own', async () => {
  const [ann, bob] = await meet();
  await bob.page.getByRole('button', { name: 'Share screen' }).click();
  await ann.sees('Bob: screen', 2);
  await bob.page.getByRole('button', { name: 'Stop sharing' }).click();
  await ann.tile('Bob: screen').waitFor({ state: 'detached' });
});

test('a WebSocket that is cut resumes without leaving the room, while sound and picture go on', async () => {
  const relay = await Relay.open(server.url);
  const ann = await join('Ann', ANN, {}, relay);
  const bob = await join('Bob', BOB);
  await mutual(ann, bob);
  const room = server.rooms.mustGet('demo');
  const before = await participantNamed(room, 'Ann');
  let left = 0;
  room.on('participantLeft', () => left++);
  const cut = once(room, 'qualityChanged');
  relay.cut();
  await cut;
  const back = once(room, 'qualityChanged');
  await back;
  expect(await participantNamed(room, 'Ann')).toBe(before);
  expect(left).toBe(0);
  await mutual(ann, bob);
  // What happens after the resumption is told through it.
  await join('Cat', CAT);
  await ann.sees('Cat');
  await ann.page.locator('.banner').waitFor({ state: 'detached' });
  ann.problems.length = 0; // the browser logs the cut connection as an error
  await relay.close();
});

test('what one does while the connection is away holds when it is back', async () => {
  const relay = await Relay.open(server.url);
  const ann = await join('Ann', ANN, {}, relay);
  const bob = await join('Bob', BOB);
  await mutual(ann, bob);
  await ann.page.getByRole('button', { name: 'Mute', exact: true }).click();
  await bob.hearsNoMore(ANN);
  relay.pause();
  await ann.page.locator('.banner').waitFor();
  await ann.page.getByRole('button', { name: 'Unmute' }).click();
  await ann.page.getByRole('button', { name: 'Stop camera' }).click();
  relay.resume();
  await bob.hears(ANN);
  await bob.tile('Ann').locator('.initials').waitFor();
  await ann.page.getByRole('button', { name: 'Camera', exact: true }).click();
  await bob.sees('Ann');
  expect(server.rooms.mustGet('demo').tracks).toHaveLength(4);
  ann.problems.length = 0; // the browser logs the cut connection as an error
  await relay.close();
});

test('a hub worker that dies while the connection is away costs nobody the meeting', async () => {
  const relay = await Relay.open(server.url);
  const ann = await join('Ann', ANN, {}, relay);
  const bob = await join('Bob', BOB);
  await mutual(ann, bob);
  relay.pause();
  await ann.page.locator('.banner').waitFor();
  const room = server.rooms.mustGet('demo');
  const lost = once(room, 'mediaLost');
  process.kill(server.plane.placement(room).hubWorkerPid!, 'SIGKILL');
  await lost;
  relay.resume();
  await mutual(ann, bob);
  ann.problems.length = 0;
  await relay.close();
});

test('who leaves while the connection is away has left', async () => {
  const relay = await Relay.open(server.url);
  const ann = await join('Ann', ANN, {}, relay);
  relay.pause();
  await ann.page.locator('.banner').waitFor();
  await ann.page.getByRole('button', { name: 'Leave' }).click();
  await ann.page.getByText('You have left the room.').waitFor();
  relay.resume();
  const room = server.rooms.mustGet('demo');
  await once(room, 'participantLeft'); // when its place is not kept any longer
  expect(await ann.page.getByText('You have left the room.').count()).toBe(1);
  ann.problems.length = 0;
  await relay.close();
});

test('when the hub worker is killed, everybody is back by himself', async () => {
  const [ann, bob] = await meet();
  const room = server.rooms.mustGet('demo');
  const people = room.participants;
  process.kill(server.plane.placement(room).hubWorkerPid!, 'SIGKILL');
  await once(room, 'mediaLost');
  await mutual(ann, bob);
  expect(room.participants).toEqual(people);
  expect(server.plane.health.hubWorkers.deaths).toBe(1);
});

test('a media worker that is killed is replaced, and people at browsers notice nothing', async () => {
  const [ann, bob] = await meet();
  const report = (await (await fetch(`${server.url}/api/server`)).json()) as {
    workers: { kind: string; pid: number }[];
  };
  const { pid } = report.workers.find(({ kind }) => kind === 'media')!;
  process.kill(pid, 'SIGKILL');
  await expect
    .poll(() => server.plane.health.mediaWorkers, { timeout: 30_000 })
    .toEqual({ running: 1, deaths: 1 });
  await mutual(ann, bob);
});
