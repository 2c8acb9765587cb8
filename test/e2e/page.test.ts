import fs from 'node:fs';
import type { Browser } from 'playwright-core';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { createToken } from '../../src/api/tokens.ts';
import type { Server } from '../../src/server.ts';
import { launchBrowser, Person, type PersonOptions } from '../peers/browser.ts';
import { participantNamed, publishing, roomNamed } from '../peers/room-events.ts';
import { API_KEY, API_SECRET, startServer } from '../peers/server.ts';

/** The page itself: what it says when something is wrong, keyboard, widths, light and dark. */

const PICTURES = 'test-results/screenshots';

let browser: Browser;
const servers: Server[] = [];
const people: Person[] = [];
beforeAll(async () => {
  browser = await launchBrowser();
  fs.mkdirSync(PICTURES, { recursive: true });
});
afterAll(() => browser.close());
afterEach(async () => {
  await Promise.all(people.splice(0).map((person) => person.close()));
  await Promise.all(servers.splice(0).map((server) => server.stop()));
});

async function start(...options: Parameters<typeof startServer>): Promise<Server> {
  const server = await startServer(...options);
  servers.push(server);
  return server;
}

async function open(server: Server, options: Partial<PersonOptions> = {}): Promise<Person> {
  const person = await Person.open(browser, server, { name: 'Ann', ...options });
  people.push(person);
  return person;
}

async function join(server: Server, options: Partial<PersonOptions> = {}): Promise<Person> {
  const person = await Person.join(browser, server, { name: 'Ann', ...options });
  people.push(person);
  return person;
}

const joinButton = (person: Person) => person.page.getByRole('button', { name: 'Join', exact: true });

test('a full room says so, and lets in when somebody has left', async () => {
  const server = await start({ config: { rooms: { maxParticipants: 1 } } });
  const ann = await join(server);
  const bob = await open(server, { name: 'Bob' });
  await joinButton(bob).click();
  await bob.page.getByText('This room is full').waitFor();
  await ann.page.getByRole('button', { name: 'Leave' }).click();
  await ann.page.getByText('You have left the room.').waitFor();
  await joinButton(bob).click();
  await bob.tile('Bob (you)').waitFor();
});

test('a denied microphone is explained, and one can join without it', async () => {
  const server = await start();
  const person = await open(server);
  await person.page.addInitScript(() => {
    navigator.mediaDevices.getUserMedia = () => Promise.reject(new DOMException('denied', 'NotAllowedError'));
  });
  await person.page.reload();
  await person.page.getByText('does not let this page use the microphone').waitFor();
  await person.page.getByLabel('Your name').fill('Ann');
  await joinButton(person).click();
  await person.tile('Ann (you)').locator('.muted').waitFor();
});

test('a server that is gone is said, and returned to when it is back', async () => {
  const server = await start();
  const port = Number(new URL(server.url).port);
  const person = await join(server);
  await server.stop();
  await person.page.locator('.banner', { hasText: 'Trying again' }).waitFor();
  const again = await start({ config: { http: { port } } });
  await person.page.locator('.banner').waitFor({ state: 'detached' });
  await publishing(await participantNamed(await roomNamed(again, 'demo'), 'Ann'), 2);
});

test('somebody who is removed is told, and can come back', async () => {
  const server = await start();
  const person = await join(server);
  server.rooms.mustGet('demo').participants[0]!.leave('removed');
  await person.page.getByText('You were removed from the room.').waitFor();
  await person.page.getByRole('button', { name: 'Back to the door' }).click();
  await person.join();
});

test('outside demo mode the page needs a token, and the token decides what its bearer may do', async () => {
  const server = await start({ demo: false });
  const stranger = await open(server);
  await joinButton(stranger).click();
  await stranger.page.getByText('This room needs a token').waitFor();
  const video = { roomJoin: true, room: 'demo', canPublish: false };
  const token = await createToken(API_KEY, API_SECRET, { identity: 'ann', name: 'Ann', video }, 60);
  const listener = await join(server, { query: `token=${token}` });
  expect(await listener.page.getByRole('button', { name: 'Mute' }).count()).toBe(0);
  expect(server.rooms.mustGet('demo').tracks).toEqual([]);
});

test('an administrator mutes and removes others from the page; nobody else can', async () => {
  const server = await start({ demo: false });
  const tokenFor = (identity: string, roomAdmin: boolean) =>
    createToken(API_KEY, API_SECRET, { identity, video: { roomJoin: true, room: 'demo', roomAdmin } }, 60);
  const ann = await join(server, { query: `token=${await tokenFor('Ann', true)}` });
  const bob = await join(server, { name: 'Bob', query: `token=${await tokenFor('Bob', false)}` });
  await ann.page.getByRole('button', { name: 'Mute Bob' }).click();
  await bob.page.getByRole('button', { name: 'Unmute' }).waitFor();
  expect(await bob.page.getByRole('button', { name: 'Remove Ann' }).count()).toBe(0);
  await ann.page.getByRole('button', { name: 'Remove Bob' }).click();
  await bob.page.getByText('You were removed from the room.').waitFor();
});

test('everything can be reached and done by keyboard alone', async () => {
  const server = await start();
  const person = await open(server);
  const { page } = person;
  await page.locator('.preview video').waitFor();
  await page.getByLabel('Your name').focus();
  await page.keyboard.press('Enter');
  await person.tile('Ann (you)').waitFor();
  await page.getByRole('button', { name: 'Mute' }).waitFor();
  const reached: string[] = [];
  for (let presses = 0; presses < 6; presses++) {
    await page.keyboard.press('Tab');
    reached.push(await page.evaluate(() => document.activeElement?.textContent?.trim() ?? ''));
  }
  expect(reached).toEqual(expect.arrayContaining(['Mute', 'Stop camera', 'Share screen', 'Leave']));
  await page.keyboard.press('m');
  await page.getByRole('button', { name: 'Unmute' }).waitFor();
  await page.getByRole('button', { name: 'Leave' }).focus();
  await page.keyboard.press('Space');
  await page.getByText('You have left the room.').waitFor();
});

test.each([
  { width: 375, height: 720, colorScheme: 'dark' },
  { width: 820, height: 1000, colorScheme: 'light' },
  { width: 1440, height: 900, colorScheme: 'light' },
] as const)('fits $width pixels, $colorScheme', async ({ width, height, colorScheme }) => {
  const server = await start();
  const look = { viewport: { width, height }, colorScheme };
  const ann = await open(server, { name: 'Ann Ångström', ...look });
  await ann.page.locator('.preview video').waitFor();
  await ann.page.screenshot({ path: `${PICTURES}/lobby-${width}.png`, fullPage: true });
  await ann.join();
  await join(server, { name: 'Bob' });
  const cat = await join(server, { name: 'Cat with a rather long name that does not fit' });
  await cat.page.getByRole('button', { name: 'Stop camera' }).click();
  await ann.sees('Bob');
  await ann.page.locator('.initials').waitFor();
  await ann.page.screenshot({ path: `${PICTURES}/room-${width}.png` });
  const overflows = () => document.documentElement.scrollWidth > document.documentElement.clientWidth;
  expect(await ann.page.evaluate(overflows)).toBe(false);
  const leave = await ann.page.getByRole('button', { name: 'Leave' }).boundingBox();
  expect(leave!.y + leave!.height).toBeLessThanOrEqual(height);
  expect(leave!.height).toBeGreaterThanOrEqual(44);
});
