import fs from 'node:fs';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, test } from 'vitest';
import { createToken } from '../../src/api/tokens.ts';
import type { Server } from '../../src/server.ts';
import { launchBrowser, type Person } from '../peers/browser.ts';
import { NginxRtmp } from '../peers/nginx-rtmp.ts';
import { People } from '../peers/people.ts';
import { freePort } from '../peers/ports.ts';
import { participantNamed, roomNamed } from '../peers/room-events.ts';
import { API_KEY, API_SECRET, startServer } from '../peers/server.ts';

/** Going live from the room's page: the form, what is told of each destination, and whose picture goes out. */

const PICTURES = 'test-results/screenshots';

/** Of cameras. How pictures look, and those that go out, is not asked here. */
const cameraWidth = 320;
const outputs = { width: 320, height: 180, frameRate: 10, preset: 'ultrafast' } as const;

let browser: Browser;
let nginx: NginxRtmp;
/** Does what anybody asks for. */
let server: Server;
/** Asks for tokens. */
let guarded: Server;
beforeAll(async () => {
  fs.mkdirSync(PICTURES, { recursive: true });
  [browser, nginx, server, guarded] = await Promise.all([
    launchBrowser({ cameraRate: 10 }),
    NginxRtmp.start({ record: true }),
    startServer({ config: { outputs } }),
    startServer({ demo: false, config: { outputs: { ...outputs, allow: ['127.0.0.1'] } } }),
  ]);
});
afterAll(async () => {
  await browser.close();
  await Promise.all([server.stop(), guarded.stop()]);
  await nginx.stop();
});

/** A stream key that is used by nobody else: nginx takes each once at a time. */
const keyOf = (room: string) => `secret-key-of-the-${room}-channel`;

const join = (people: People, name: string) => people.join({ name, cameraWidth });

const goLiveButton = ({ page }: Person) => page.getByRole('button', { name: 'Go live' });
const panel = ({ page }: Person) => page.getByRole('complementary', { name: 'Go live' });
const serverField = (person: Person) => panel(person).getByLabel('Server');
const keyField = (person: Person) => panel(person).getByLabel('Stream key');
const card = (person: Person, address: string) =>
  panel(person).getByRole('listitem').filter({ hasText: address });
const badge = ({ page }: Person) => page.locator('.air-badge');
const onAir = (person: Person, name: string) => person.tile(name).getByText('In the stream', { exact: true });

/** Where it is not open already. */
async function openPanel(person: Person): Promise<void> {
  if ((await panel(person).count()) === 0) await goLiveButton(person).click();
  await panel(person).waitFor();
}

async function closePanel(person: Person): Promise<void> {
  await panel(person).getByRole('button', { name: 'Close' }).click();
  await panel(person).waitFor({ state: 'detached' });
}

/** The only destination that there is, at the end of a test that others follow in its room. */
async function stopOnly(person: Person): Promise<void> {
  await panel(person).getByRole('button', { name: 'Stop' }).click();
  await badge(person).waitFor({ state: 'detached' });
}

async function goLive(person: Person, url: string, key: string): Promise<void> {
  await serverField(person).fill(url);
  await keyField(person).fill(key);
  await panel(person).getByRole('button', { name: 'Start' }).click();
}

/** Every answer of the API that the page gets from now on. */
function answersTo({ page }: Person): string[] {
  const answers: string[] = [];
  page.on('response', async (response) => {
    if (!response.url().includes('/api/')) return;
    answers.push(response.url(), await response.text().catch(() => ''));
  });
  return answers;
}

/** That went, or go, out of a room. */
const outputsOf = (room: string) => server.outputs.all.filter(({ roomName }) => roomName === room);

/** Rooms are used side by side; the tests of one, which share its people, one after the other. */
const ONE_BY_ONE = { concurrent: false };

const RELAY = { reason: '', bitrateBps: 0, framesDropped: 0, retries: 0, uptimeMs: 0 };
const RELAYS = [
  {
    ...RELAY,
    id: 'a',
    address: 'rtmps://live.example.com/app/{liv...9xk}',
    state: 'live',
    bitrateBps: 2_640_000,
    uptimeMs: 3_723_000,
    framesDropped: 12,
    retries: 1,
  },
  {
    ...RELAY,
    id: 'b',
    address: 'rtmp://a.ingest.video.example/live2/{***}?{***}',
    state: 'waiting',
    reason: 'NetStream.Publish.BadName: somebody is publishing with this stream key already.',
    retries: 4,
    framesDropped: 230,
  },
  {
    ...RELAY,
    id: 'c',
    address: 'rtmp://a-server-with-a-very-long-name.europe-west.ingest.example.com:19350/x/y/{***}',
    state: 'failed',
    reason: 'The server refused the stream key.',
  },
];

describe.concurrent('the panel', () => {
  const room = 'panel';
  const key = keyOf(room);
  let people: People;
  let ann: Person;
  beforeAll(async () => {
    people = new People({ browser, server, room });
    ann = await join(people, 'Ann');
  });
  afterAll(() => people.close());

  test('the panel is opened, used and closed by keyboard', ONE_BY_ONE, async ({ expect }) => {
    const { page } = ann;
    await goLiveButton(ann).focus();
    await page.keyboard.press('Enter');
    // Fields and buttons get the focus when the page has been painted: keys pressed before go elsewhere.
    await serverField(ann).and(page.locator(':focus')).waitFor();
    await page.keyboard.type('rtmp://cdn.example/app');
    expect(await serverField(ann).inputValue()).toBe('rtmp://cdn.example/app');
    await page.keyboard.press('Tab');
    // What mutes and leaves elsewhere is a letter here.
    await page.keyboard.type('msv');
    expect(await keyField(ann).inputValue()).toBe('msv');
    await page.keyboard.press('Tab');
    await page.keyboard.press('Space');
    await expect.poll(() => keyField(ann).getAttribute('type')).toBe('text');
    await page.keyboard.press('Escape');
    await panel(ann).waitFor({ state: 'detached' });
    await goLiveButton(ann).and(page.locator(':focus')).waitFor();
    expect(await page.getByRole('button', { name: 'Mute' }).count()).toBe(1);
    expect(outputsOf(room)).toEqual([]);
  });

  test(
    'a destination goes live and is stopped, and its key is seen nowhere',
    ONE_BY_ONE,
    async ({ expect }) => {
      const answers = answersTo(ann);
      await openPanel(ann);
      expect(await keyField(ann).getAttribute('type')).toBe('password');
      await goLive(ann, nginx.url, key);
      const relay = card(ann, `127.0.0.1:${nginx.port}/live/`);
      await relay.getByText('Live', { exact: true }).waitFor();
      await badge(ann).getByText('LIVE', { exact: true }).waitFor();
      await expect.poll(() => relay.locator('dl').innerText()).toMatch(/Bitrate\s+[\d.]+ [kM]bit\/s/);
      await expect.poll(() => relay.locator('dl').innerText()).toMatch(/Uptime\s+0:0?[1-9]/);
      expect(await relay.locator('dl').innerText()).toMatch(/Dropped frames\s+\d+/);
      expect(await relay.locator('dl').innerText()).not.toContain('Retries');
      expect(nginx.recordings().filter((file) => file.includes(key))).toHaveLength(1);

      expect(await keyField(ann).inputValue()).toBe('');
      expect(await serverField(ann).inputValue()).toBe('');
      expect(await ann.page.content()).not.toContain(key);
      expect(answers.length).toBeGreaterThan(4);
      expect(answers.join()).not.toContain(key);

      await ann.page.screenshot({ path: `${PICTURES}/relay-live.png` });
      await relay.getByRole('button', { name: 'Stop' }).click();
      await relay.waitFor({ state: 'detached' });
      await badge(ann).waitFor({ state: 'detached' });
      expect(outputsOf(room).map(({ status }) => status)).toEqual(['complete']);
      expect(people.problems).toEqual([]);
    },
  );

  test('what is no address is refused in words, and can be mended', ONE_BY_ONE, async ({ expect }) => {
    await openPanel(ann);
    await goLive(ann, 'http://cdn.example/app', key);
    const problem = panel(ann).getByRole('alert');
    await problem.getByText('The address must begin with').waitFor();
    expect(await problem.innerText()).not.toContain(key);
    expect(await serverField(ann).inputValue()).toBe('http://cdn.example/app');
    await goLive(ann, nginx.url, key);
    await badge(ann).getByText('LIVE', { exact: true }).waitFor();
    expect(await problem.count()).toBe(0);
    await stopOnly(ann);
  });

  describe('of a room with three destinations', () => {
    let program: object;
    let relays: readonly object[] = [];
    beforeAll(async () => {
      await join(people, 'Bob');
      await ann.sees('Bob');
      const { identity, tracks } = await participantNamed(await roomNamed(server, room), 'Bob');
      const picture = [...tracks.values()].find(({ kind }) => kind === 'video')!;
      program = { pinned: identity, shown: { participant: identity, track: picture.sid } };
      await ann.page.route('**/relays', (route) => route.fulfill({ json: { relays } }));
      await ann.page.route('**/program', (route) => route.fulfill({ json: program }));
    });

    test.for([
      { width: 375, height: 720, colorScheme: 'dark' },
      { width: 820, height: 1000, colorScheme: 'light' },
      { width: 1440, height: 900, colorScheme: 'light' },
      { width: 1440, height: 900, colorScheme: 'dark' },
    ] as const)(
      'fits $width pixels, $colorScheme',
      ONE_BY_ONE,
      async ({ width, height, colorScheme }, { expect }) => {
        const { page } = ann;
        // Others than those that were dismissed before.
        relays = RELAYS.map((relay) => ({ ...relay, id: `${relay.id}-${width}-${colorScheme}` }));
        await page.setViewportSize({ width, height });
        await page.emulateMedia({ colorScheme });
        await openPanel(ann);
        await badge(ann).getByText('LIVE on 1 of 3').waitFor();
        await onAir(ann, 'Bob').waitFor({ state: 'attached' });
        await page.screenshot({ path: `${PICTURES}/relays-${width}-${colorScheme}.png` });
        const overflows = () => document.documentElement.scrollWidth > document.documentElement.clientWidth;
        expect(await page.evaluate(overflows)).toBe(false);
        const leave = await page.getByRole('button', { name: 'Leave' }).boundingBox();
        expect(leave!.y + leave!.height).toBeLessThanOrEqual(height);
        const box = (await panel(ann).boundingBox())!;
        expect(box.x).toBeGreaterThanOrEqual(0);
        expect(box.x + box.width).toBeLessThanOrEqual(width);
        // Beside the tiles, or over them where there is no room.
        expect(box.width).toBeGreaterThanOrEqual(Math.min(width, 340));

        await card(ann, 'a-server').getByRole('button', { name: 'Dismiss' }).click();
        await badge(ann).getByText('LIVE on 1 of 2').waitFor();
        await closePanel(ann);
        await page.screenshot({ path: `${PICTURES}/on-air-${width}-${colorScheme}.png` });
      },
    );
  });
});

describe.concurrent('several people', () => {
  const room = 'people';
  const key = keyOf(room);
  let people: People;
  let ann: Person;
  let bob: Person;
  beforeAll(async () => {
    people = new People({ browser, server, room });
    ann = await join(people, 'Ann');
  });
  afterAll(() => people.close());

  test(
    'one destination that is not there says why, while another is live; others in the room see it too',
    ONE_BY_ONE,
    async ({ expect }) => {
      await openPanel(ann);
      const nobody = `127.0.0.1:${await freePort()}/live/`;
      // The whole address in the first field.
      await serverField(ann).fill(`rtmp://${nobody}${key}`);
      await serverField(ann).press('Enter');
      await card(ann, nobody).getByText('Waiting to try again').waitFor();
      await card(ann, nobody)
        .getByText(/^Nothing listens on 127/)
        .waitFor();
      await expect.poll(() => card(ann, nobody).locator('dl').innerText()).toMatch(/Retries\s+[1-9]/);
      await badge(ann).getByText('Not live').waitFor();

      await goLive(ann, nginx.url, key);
      await badge(ann).getByText('LIVE on 1 of 2').waitFor();
      await card(ann, String(nginx.port)).getByText('Live', { exact: true }).waitFor();
      await ann.page.screenshot({ path: `${PICTURES}/relay-waiting.png` });

      bob = await join(people, 'Bob');
      await badge(bob).getByText('LIVE on 1 of 2').waitFor();
      await openPanel(bob);
      await card(bob, nobody).getByRole('button', { name: 'Stop' }).click();
      await badge(ann).getByText('LIVE', { exact: true }).waitFor();
      expect(await card(ann, nobody).count()).toBe(0);

      await stopOnly(ann);
      await Promise.all([closePanel(ann), closePanel(bob)]);
    },
  );

  test('who is pinned goes out, and is marked for everybody', ONE_BY_ONE, async ({ expect }) => {
    await ann.sees('Bob');
    const pin = ann.page.getByRole('button', { name: 'Show Bob in the stream' });
    await expect.poll(() => pin.count()).toBe(0);
    await openPanel(ann);
    await goLive(ann, nginx.url, key);
    await onAir(ann, 'Ann').waitFor();
    expect(await onAir(ann, 'Bob').count()).toBe(0);

    await pin.click();
    await onAir(ann, 'Bob').waitFor();
    await onAir(ann, 'Ann').waitFor({ state: 'detached' });
    expect(await pin.getAttribute('aria-pressed')).toBe('true');
    await panel(ann).getByText('The stream shows Bob, pinned.').waitFor();
    await ann.page.screenshot({ path: `${PICTURES}/relay-pin.png` });
    const pinned = bob.page.getByRole('button', { name: 'Show Bob in the stream', pressed: true });
    await pinned.waitFor();
    await onAir(bob, 'Bob').waitFor();

    await pinned.click();
    await panel(ann).getByText('The stream shows Bob, chosen automatically.').waitFor();
    expect(server.rooms.mustGet(room).pinned).toBeUndefined();
  });
});

describe.concurrent('outside demo mode', () => {
  test.for([
    { room: 'listener', grant: {}, offered: false, directs: false },
    { room: 'director', grant: { roomAdmin: true }, offered: false, directs: true },
    { room: 'recorder', grant: { roomRecord: true }, offered: true, directs: true },
  ])('the token decides: $grant', async ({ room, grant, offered, directs }, context) => {
    const { expect } = context;
    const people = new People({ browser, server: guarded, room });
    context.onTestFinished(() => people.close());
    const video = { roomJoin: true, room, ...grant };
    const token = await createToken(API_KEY, API_SECRET, { identity: 'ann', name: 'Ann', video }, 60);
    const asked = { relays: 0, program: 0 };
    const ann = await people.open({ name: 'Ann', cameraWidth, query: `token=${token}` });
    ann.page.on('requestfinished', (request) => {
      if (request.url().endsWith('/relays')) asked.relays++;
      if (request.url().endsWith('/program')) asked.program++;
    });
    await ann.page.locator('.preview video').waitFor();
    await ann.join();
    await expect.poll(() => asked).toEqual({ relays: 1, program: 1 });
    const address = `${nginx.url}/${keyOf(room)}`;
    await guarded.outputs.start(guarded.rooms.mustGet(room), { type: 'room' }, [address]);
    // What is not refused is asked for again.
    if (directs) await expect.poll(() => asked.program).toBeGreaterThan(1);
    const pin = ann.page.getByRole('button', { name: 'Show Ann in the stream' });
    if (directs) await pin.waitFor();
    else expect(await pin.count()).toBe(0);
    if (offered) await badge(ann).waitFor();
    else expect(await badge(ann).count()).toBe(0);
    if (!offered) expect(asked.relays).toBe(1);
    expect(await goLiveButton(ann).count()).toBe(offered ? 1 : 0);
  });
});
