import fs from 'node:fs';
import type { Browser } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { createToken } from '../../src/api/tokens.ts';
import type { Server } from '../../src/server.ts';
import { launchBrowser, Person, type PersonOptions } from '../peers/browser.ts';
import { NginxRtmp } from '../peers/nginx-rtmp.ts';
import { freePort } from '../peers/ports.ts';
import { participantNamed, roomNamed } from '../peers/room-events.ts';
import { API_KEY, API_SECRET, startServer } from '../peers/server.ts';

/** Going live from the room's page: the form, what is told of each destination, and whose picture goes out. */

const PICTURES = 'test-results/screenshots';
const KEY = 'secret-key-of-a-channel';

let browser: Browser;
let nginx: NginxRtmp;
const servers: Server[] = [];
const people: Person[] = [];
beforeAll(async () => {
  browser = await launchBrowser();
  fs.mkdirSync(PICTURES, { recursive: true });
});
afterAll(() => browser.close());
beforeEach(async () => {
  nginx = await NginxRtmp.start({ record: true });
});
afterEach(async () => {
  await Promise.all(people.splice(0).map((person) => person.close()));
  await Promise.all(servers.splice(0).map((server) => server.stop()));
  await nginx.stop();
});

async function start(...options: Parameters<typeof startServer>): Promise<Server> {
  const server = await startServer(...options);
  servers.push(server);
  return server;
}

async function join(server: Server, options: Partial<PersonOptions> = {}): Promise<Person> {
  const person = await Person.join(browser, server, { name: 'Ann', ...options });
  people.push(person);
  return person;
}

const goLiveButton = ({ page }: Person) => page.getByRole('button', { name: 'Go live' });
const panel = ({ page }: Person) => page.getByRole('complementary', { name: 'Go live' });
const serverField = (person: Person) => panel(person).getByLabel('Server');
const keyField = (person: Person) => panel(person).getByLabel('Stream key');
const card = (person: Person, address: string) =>
  panel(person).getByRole('listitem').filter({ hasText: address });
const badge = ({ page }: Person) => page.locator('.air-badge');
const onAir = (person: Person, name: string) => person.tile(name).getByText('In the stream', { exact: true });

async function openPanel(person: Person): Promise<void> {
  await goLiveButton(person).click();
  await panel(person).waitFor();
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

test('a destination goes live and is stopped, and its key is seen nowhere', async () => {
  const server = await start();
  const ann = await join(server);
  const answers = answersTo(ann);
  await openPanel(ann);
  expect(await keyField(ann).getAttribute('type')).toBe('password');
  await goLive(ann, nginx.url, KEY);
  const relay = card(ann, `127.0.0.1:${nginx.port}/live/`);
  await relay.getByText('Live', { exact: true }).waitFor();
  await badge(ann).getByText('LIVE', { exact: true }).waitFor();
  await expect.poll(() => relay.locator('dl').innerText()).toMatch(/Bitrate\s+[\d.]+ [kM]bit\/s/);
  await expect.poll(() => relay.locator('dl').innerText()).toMatch(/Uptime\s+0:0?[1-9]/);
  expect(await relay.locator('dl').innerText()).toMatch(/Dropped frames\s+\d+/);
  expect(await relay.locator('dl').innerText()).not.toContain('Retries');
  expect(nginx.recordings()).toHaveLength(1);

  expect(await keyField(ann).inputValue()).toBe('');
  expect(await serverField(ann).inputValue()).toBe('');
  expect(await ann.page.content()).not.toContain(KEY);
  expect(answers.length).toBeGreaterThan(4);
  expect(answers.join()).not.toContain(KEY);

  await ann.page.screenshot({ path: `${PICTURES}/relay-live.png` });
  await relay.getByRole('button', { name: 'Stop' }).click();
  await relay.waitFor({ state: 'detached' });
  await badge(ann).waitFor({ state: 'detached' });
  expect(server.outputs.all.map(({ status }) => status)).toEqual(['complete']);
  expect(ann.problems).toEqual([]);
});

test('one destination that is not there says why, while another is live; others in the room see it too', async () => {
  const server = await start();
  const ann = await join(server);
  await openPanel(ann);
  const nobody = `127.0.0.1:${await freePort()}/live/`;
  // The whole address in the first field.
  await serverField(ann).fill(`rtmp://${nobody}${KEY}`);
  await serverField(ann).press('Enter');
  await card(ann, nobody).getByText('Waiting to try again').waitFor();
  await card(ann, nobody)
    .getByText(/^Nothing listens on 127/)
    .waitFor();
  await expect.poll(() => card(ann, nobody).locator('dl').innerText()).toMatch(/Retries\s+[1-9]/);
  await badge(ann).getByText('Not live').waitFor();

  await goLive(ann, nginx.url, KEY);
  await badge(ann).getByText('LIVE on 1 of 2').waitFor();
  await card(ann, String(nginx.port)).getByText('Live', { exact: true }).waitFor();
  await ann.page.screenshot({ path: `${PICTURES}/relay-waiting.png` });

  const bob = await join(server, { name: 'Bob' });
  await badge(bob).getByText('LIVE on 1 of 2').waitFor();
  await openPanel(bob);
  await card(bob, nobody).getByRole('button', { name: 'Stop' }).click();
  await badge(ann).getByText('LIVE', { exact: true }).waitFor();
  expect(await card(ann, nobody).count()).toBe(0);
});

test('who is pinned goes out, and is marked for everybody', async () => {
  const server = await start();
  const ann = await join(server);
  const bob = await join(server, { name: 'Bob' });
  await ann.sees('Bob');
  const pin = ann.page.getByRole('button', { name: 'Show Bob in the stream' });
  expect(await pin.count()).toBe(0);
  await openPanel(ann);
  await goLive(ann, nginx.url, KEY);
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
  expect(server.rooms.mustGet('demo').pinned).toBeUndefined();
});

test('what is no address is refused in words, and can be mended', async () => {
  const server = await start();
  const ann = await join(server);
  await openPanel(ann);
  await goLive(ann, 'http://cdn.example/app', KEY);
  const problem = panel(ann).getByRole('alert');
  await problem.getByText('The address has to begin with').waitFor();
  expect(await problem.innerText()).not.toContain(KEY);
  expect(await serverField(ann).inputValue()).toBe('http://cdn.example/app');
  await goLive(ann, nginx.url, KEY);
  await badge(ann).getByText('LIVE', { exact: true }).waitFor();
  expect(await problem.count()).toBe(0);
});

test('the panel is opened, used and closed by keyboard', async () => {
  const server = await start();
  const ann = await join(server);
  const { page } = ann;
  await goLiveButton(ann).focus();
  await page.keyboard.press('Enter');
  await page.keyboard.type('rtmp://cdn.example/app');
  expect(await serverField(ann).inputValue()).toBe('rtmp://cdn.example/app');
  await page.keyboard.press('Tab');
  // What mutes and leaves elsewhere is a letter here.
  await page.keyboard.type('msv');
  expect(await keyField(ann).inputValue()).toBe('msv');
  await page.keyboard.press('Tab');
  await page.keyboard.press('Space');
  expect(await keyField(ann).getAttribute('type')).toBe('text');
  await page.keyboard.press('Escape');
  await panel(ann).waitFor({ state: 'detached' });
  expect(await page.evaluate(() => document.activeElement?.textContent)).toBe('Go live');
  expect(await page.getByRole('button', { name: 'Mute' }).count()).toBe(1);
  expect(server.outputs.all).toEqual([]);
});

test.each([
  { grant: {}, offered: false, directs: false },
  { grant: { roomAdmin: true }, offered: false, directs: true },
  { grant: { roomRecord: true }, offered: true, directs: true },
])('outside demo mode the token decides: $grant', async ({ grant, offered, directs }) => {
  const server = await start({ demo: false, config: { outputs: { allow: ['127.0.0.1'] } } });
  const video = { roomJoin: true, room: 'demo', ...grant };
  const token = await createToken(API_KEY, API_SECRET, { identity: 'ann', name: 'Ann', video }, 60);
  const asked = { relays: 0, program: 0 };
  const ann = await Person.open(browser, server, { name: 'Ann', query: `token=${token}` });
  people.push(ann);
  ann.page.on('requestfinished', (request) => {
    if (request.url().endsWith('/relays')) asked.relays++;
    if (request.url().endsWith('/program')) asked.program++;
  });
  await ann.page.locator('.preview video').waitFor();
  await ann.join();
  await expect.poll(() => asked).toEqual({ relays: 1, program: 1 });
  const address = `${nginx.url}/${KEY}`;
  await server.outputs.start(server.rooms.mustGet('demo'), { type: 'room' }, [address]);
  // What is not refused is asked for again.
  if (directs) await expect.poll(() => asked.program).toBeGreaterThan(1);
  if (directs) await ann.page.getByRole('button', { name: 'Show Ann in the stream' }).waitFor();
  if (offered) await badge(ann).waitFor();
  else expect(asked.relays).toBe(1);
  expect(await goLiveButton(ann).count()).toBe(offered ? 1 : 0);
  expect(await badge(ann).count()).toBe(offered ? 1 : 0);
  expect(await ann.page.getByRole('button', { name: 'Show Ann in the stream' }).count()).toBe(
    directs ? 1 : 0,
  );
});

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
    address: 'rtmp://a.rtmp.video.example/live2/{***}?{***}',
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

test.each([
  { width: 375, height: 720, colorScheme: 'dark' },
  { width: 820, height: 1000, colorScheme: 'light' },
  { width: 1440, height: 900, colorScheme: 'light' },
  { width: 1440, height: 900, colorScheme: 'dark' },
] as const)('fits $width pixels, $colorScheme', async ({ width, height, colorScheme }) => {
  const server = await start();
  const ann = await join(server, { viewport: { width, height }, colorScheme });
  await join(server, { name: 'Bob' });
  await ann.sees('Bob');
  const { identity, tracks } = await participantNamed(await roomNamed(server, 'demo'), 'Bob');
  const picture = [...tracks.values()].find(({ kind }) => kind === 'video')!;
  const program = { pinned: identity, shown: { participant: identity, track: picture.sid } };
  await ann.page.route('**/relays', (route) => route.fulfill({ json: { relays: RELAYS } }));
  await ann.page.route('**/program', (route) => route.fulfill({ json: program }));
  await openPanel(ann);
  await badge(ann).getByText('LIVE on 1 of 3').waitFor();
  await onAir(ann, 'Bob').waitFor({ state: 'attached' });
  await ann.page.screenshot({ path: `${PICTURES}/relays-${width}-${colorScheme}.png` });
  const overflows = () => document.documentElement.scrollWidth > document.documentElement.clientWidth;
  expect(await ann.page.evaluate(overflows)).toBe(false);
  const leave = await ann.page.getByRole('button', { name: 'Leave' }).boundingBox();
  expect(leave!.y + leave!.height).toBeLessThanOrEqual(height);
  const box = (await panel(ann).boundingBox())!;
  expect(box.x).toBeGreaterThanOrEqual(0);
  expect(box.x + box.width).toBeLessThanOrEqual(width);
  // Beside the tiles, or over them where there is no room.
  expect(box.width).toBeGreaterThanOrEqual(Math.min(width, 340));

  await card(ann, 'a-server').getByRole('button', { name: 'Dismiss' }).click();
  await badge(ann).getByText('LIVE on 1 of 2').waitFor();
  await panel(ann).getByRole('button', { name: 'Close' }).click();
  await panel(ann).waitFor({ state: 'detached' });
  await ann.page.screenshot({ path: `${PICTURES}/on-air-${width}-${colorScheme}.png` });
});
