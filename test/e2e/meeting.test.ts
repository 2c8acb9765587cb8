import { once } from 'node:events';
import type { Browser } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, type TestContext, test } from 'vitest';
import { roomReport } from '../../src/api/room-report.ts';
import type { Server } from '../../src/server.ts';
import { launchBrowser, type Person } from '../peers/browser.ts';
import { People } from '../peers/people.ts';
import { Relay } from '../peers/relay.ts';
import { participantNamed } from '../peers/room-events.ts';
import { startServer } from '../peers/server.ts';

/** People at headless Chromiums meet on the real page: tones and pictures tell who hears and sees whom. */

const ANN = 440;
const BOB = 1000;
const CAT = 1800;
/** Of those whose pictures only have to move. */
const cameraWidth = 320;
/** Rooms are used side by side; the tests of one, which share its people, one after the other. */
const ONE_BY_ONE = { concurrent: false };

let browser: Browser;
beforeAll(async () => {
  browser = await launchBrowser();
});
afterAll(() => browser.close());

/** Both decode each other's pictures and hear each other's tone. */
async function mutual(ann: Person, bob: Person): Promise<void> {
  await Promise.all([ann.sees('Bob'), bob.sees('Ann'), ann.hears(BOB), bob.hears(ANN)]);
}

describe.concurrent('Ann and Bob', () => {
  const room = 'pair';
  let server: Server;
  let people: People;
  let ann: Person;
  let bob: Person;
  beforeAll(async () => {
    server = await startServer();
    people = new People({ browser, server, room });
    ann = await people.join({ name: 'Ann', toneHz: ANN });
    bob = await people.join({ name: 'Bob', toneHz: BOB });
    await mutual(ann, bob);
  });
  afterEach(({ expect }) => {
    expect(people.problems).toEqual([]);
  });
  afterAll(async () => {
    await people.close();
    await server.stop();
  });

  test(
    'two people hear and see each other over UDP, with VP8 simulcast and Opus',
    ONE_BY_ONE,
    async ({ expect }) => {
      expect(new Set([...(await ann.paths()), ...(await bob.paths())])).toEqual(new Set(['udp']));
      const report = roomReport.parse(await (await fetch(`${server.url}/api/rooms/${room}`)).json());
      const tracks = report.participants.flatMap((one) => one.tracks);
      expect(tracks.map(({ codec }) => codec.name).sort()).toEqual(['VP8', 'VP8', 'opus', 'opus']);
      expect(tracks.filter(({ kind }) => kind === 'video').map(({ layers }) => layers)).toEqual([3, 3]);
      const opus = tracks.find(({ kind }) => kind === 'audio')!;
      expect(opus.codec.parameters).toMatchObject({ useinbandfec: 1, usedtx: 1 });
      expect(opus.received!.packets).toBeGreaterThan(0);
      const subscriptions = report.participants.flatMap((one) => one.subscriptions);
      expect(subscriptions.map(({ outcome }) => outcome)).toEqual(Array(4).fill('pass-through'));
    },
  );

  test('who speaks is shown, and muting is shown and heard', ONE_BY_ONE, async () => {
    await ann.page.locator('.tile.speaking', { hasText: 'Bob' }).waitFor();
    await bob.page.keyboard.press('m');
    await ann.tile('Bob').locator('.muted').waitFor();
    await ann.hearsNoMore(BOB);
    await bob.page.getByRole('button', { name: 'Unmute' }).click();
    await ann.hears(BOB);
  });

  test(
    'the API mutes somebody: the hub stops the sound, the page says so, and he can unmute himself',
    ONE_BY_ONE,
    async () => {
      const participant = await participantNamed(server.rooms.mustGet(room), 'Bob');
      participant.setMuted(
        [...participant.tracks.values()].find(({ purpose }) => purpose === 'voice')!,
        true,
      );
      await bob.page.getByRole('button', { name: 'Unmute' }).waitFor();
      await ann.tile('Bob').locator('.muted').waitFor();
      await ann.hearsNoMore(BOB);
      await bob.page.getByRole('button', { name: 'Unmute' }).click();
      await ann.hears(BOB);
    },
  );

  test('turning the camera off and on is seen by the others', ONE_BY_ONE, async () => {
    await bob.page.getByRole('button', { name: 'Stop camera' }).click();
    await ann.tile('Bob').locator('.initials').waitFor();
    await bob.page.getByRole('button', { name: 'Camera', exact: true }).click();
    await ann.sees('Bob');
  });

  test('a shared screen is a tile of its own', ONE_BY_ONE, async () => {
    await bob.page.getByRole('button', { name: 'Share screen' }).click();
    await ann.sees('Bob: screen', 2);
    await bob.page.getByRole('button', { name: 'Stop sharing' }).click();
    await ann.tile('Bob: screen').waitFor({ state: 'detached' });
  });

  test(
    'a media worker that is killed is replaced, and people at browsers notice nothing',
    ONE_BY_ONE,
    async ({ expect }) => {
      const report = (await (await fetch(`${server.url}/api/server`)).json()) as {
        workers: { kind: string; pid: number }[];
      };
      const { pid } = report.workers.find(({ kind }) => kind === 'media')!;
      process.kill(pid, 'SIGKILL');
      await expect
        .poll(() => server.plane.health.mediaWorkers, { timeout: 30_000 })
        .toEqual({ running: 1, deaths: 1 });
      await mutual(ann, bob);
    },
  );

  test('when the hub worker is killed, everybody is back by himself', ONE_BY_ONE, async ({ expect }) => {
    const meeting = server.rooms.mustGet(room);
    const { participants } = meeting;
    process.kill(server.plane.placement(meeting).hubWorkerPid!, 'SIGKILL');
    await once(meeting, 'mediaLost');
    await mutual(ann, bob);
    expect(meeting.participants).toEqual(participants);
    expect(server.plane.health.hubWorkers.deaths).toBe(1);
  });

  test('three people: each hears every other and never himself', ONE_BY_ONE, async ({ expect }) => {
    const cat = await people.join({ name: 'Cat', toneHz: CAT, cameraWidth });
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
});

describe.concurrent('a connection to the server', () => {
  const room = 'away';
  let server: Server;
  let relay: Relay;
  let people: People;
  /** Reaches the server through the relay. */
  let ann: Person;
  let bob: Person;
  beforeAll(async () => {
    server = await startServer();
    relay = await Relay.open(server.url);
    people = new People({ browser, server, room });
    ann = await people.join({ name: 'Ann', toneHz: ANN, cameraWidth }, relay);
    bob = await people.join({ name: 'Bob', toneHz: BOB, cameraWidth });
    await mutual(ann, bob);
  });
  afterEach(({ expect }) => {
    expect(people.problems).toEqual([]);
  });
  afterAll(async () => {
    await people.close();
    await relay.close();
    await server.stop();
  });

  test(
    'a WebSocket that is cut resumes without leaving the room, while sound and picture go on',
    ONE_BY_ONE,
    async ({ expect }) => {
      const meeting = server.rooms.mustGet(room);
      const before = await participantNamed(meeting, 'Ann');
      let left = 0;
      meeting.on('participantLeft', () => left++);
      const cut = once(meeting, 'qualityChanged');
      relay.cut();
      await cut;
      const back = once(meeting, 'qualityChanged');
      await back;
      expect(await participantNamed(meeting, 'Ann')).toBe(before);
      expect(left).toBe(0);
      await mutual(ann, bob);
      // What happens after the resumption is told through it.
      const cat = await people.join({ name: 'Cat', cameraWidth });
      await ann.sees('Cat');
      await ann.page.locator('.banner').waitFor({ state: 'detached' });
      const leaving = once(meeting, 'participantLeft');
      await cat.page.getByRole('button', { name: 'Leave' }).click();
      await leaving;
      ann.problems.length = 0; // the browser logs the cut connection as an error
    },
  );

  test('what one does while the connection is away holds when it is back', ONE_BY_ONE, async ({ expect }) => {
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
    expect(server.rooms.mustGet(room).tracks).toHaveLength(4);
    ann.problems.length = 0; // the browser logs the cut connection as an error
  });

  test(
    'a hub worker that dies while the connection is away costs nobody the meeting',
    ONE_BY_ONE,
    async () => {
      relay.pause();
      await ann.page.locator('.banner').waitFor();
      const meeting = server.rooms.mustGet(room);
      const lost = once(meeting, 'mediaLost');
      process.kill(server.plane.placement(meeting).hubWorkerPid!, 'SIGKILL');
      await lost;
      relay.resume();
      await mutual(ann, bob);
      ann.problems.length = 0;
    },
  );
});

describe.concurrent('in rooms of one server', () => {
  let server: Server;
  beforeAll(async () => {
    server = await startServer({ config: { rooms: { departureSeconds: 8 } } });
  });
  afterAll(() => server.stop());

  test('who leaves while the connection is away has left', async (context) => {
    const { expect } = context;
    const relay = await Relay.open(server.url);
    const people = new People({ browser, server, room: 'leaving' });
    context.onTestFinished(async () => {
      await people.close();
      await relay.close();
    });
    const ann = await people.join({ name: 'Ann', cameraWidth }, relay);
    const meeting = server.rooms.mustGet(people.room);
    const leaving = once(meeting, 'participantLeft');
    relay.pause();
    await ann.page.locator('.banner').waitFor();
    await ann.page.getByRole('button', { name: 'Leave' }).click();
    await ann.page.getByText('You have left the room.').waitFor();
    relay.resume();
    await leaving; // when its place is not kept any longer
    expect(await ann.page.getByText('You have left the room.').count()).toBe(1);
  });

  describe.concurrent('two people meet', () => {
    async function meet(room: string, query: string, context: TestContext): Promise<[Person, Person]> {
      const people = new People({ browser, server, room });
      context.onTestFinished(async () => {
        const { problems } = people;
        await people.close();
        context.expect(problems).toEqual([]);
      });
      const ann = await people.join({ name: 'Ann', toneHz: ANN, cameraWidth, query });
      const bob = await people.join({ name: 'Bob', toneHz: BOB, cameraWidth, query });
      await mutual(ann, bob);
      return [ann, bob];
    }

    test('over TCP only', ONE_BY_ONE, async (context) => {
      const { expect } = context;
      const [ann, bob] = await meet('tcp', 'transport=tcp', context);
      // A connection that is being set up has no path to tell of.
      const paths = async () => new Set([...(await ann.paths()), ...(await bob.paths())]);
      await expect.poll(paths).toEqual(new Set(['tcp']));
    });

    test('with H.264', ONE_BY_ONE, async (context) => {
      const { expect } = context;
      await meet('h264', 'video=h264', context);
      const codecs = server.rooms
        .mustGet('h264')
        .tracks.filter(({ kind }) => kind === 'video')
        .map(({ codec }) => codec.name);
      expect(codecs).toEqual(['H264', 'H264']);
    });
  });
});
