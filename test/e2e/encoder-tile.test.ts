import fs from 'node:fs';
import type { Browser } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { EVERYDAY_PERMISSIONS } from '../../src/room/permissions.ts';
import type { Server } from '../../src/server.ts';
import { launchBrowser, Person, type PersonOptions } from '../peers/browser.ts';
import { EncoderProcess } from '../peers/encoder-process.ts';
import type { Encoding } from '../peers/ffmpeg-encoding.ts';
import { FfmpegPush } from '../peers/ffmpeg-push.ts';
import { rtmpPort } from '../peers/rtmp-port.ts';
import { startServer } from '../peers/server.ts';

/** What the page shows of an encoder: what it sends, what is done about it, and that it is waited for. */

const PICTURES = 'test-results/screenshots';
const WORDS = 'What OBS sends';
const WAITING = 'OBS lost its connection; waiting for it to come back';

let browser: Browser;
let server: Server;
let people: Person[] = [];
beforeAll(async () => {
  browser = await launchBrowser();
  fs.mkdirSync(PICTURES, { recursive: true });
});
afterAll(() => browser.close());
beforeEach(async () => {
  server = await startServer();
});
afterEach(async () => {
  await EncoderProcess.killAll();
  const problems = people.flatMap((person) => person.problems);
  await Promise.all(people.map((person) => person.close()));
  people = [];
  await server.stop();
  expect(problems).toEqual([]);
});

async function join(options: Partial<PersonOptions> = {}): Promise<Person> {
  const person = await Person.join(browser, server, { name: 'Ann', ...options });
  people.push(person);
  return person;
}

function push(encoding: Encoding): FfmpegPush {
  return FfmpegPush.start(`rtmp://127.0.0.1:${rtmpPort(server)}/live/demo?name=OBS`, encoding);
}

const button = (person: Person, expanded: boolean) =>
  person.tile('OBS').getByRole('button', { name: WORDS, expanded });
const panel = (person: Person) => person.page.getByRole('region', { name: WORDS });
const badge = (person: Person) => person.tile('OBS').getByTitle('The picture is re-encoded');

/** The panel's words on the picture, then on the sound. */
function streams(person: Person): Promise<string[]> {
  return panel(person).getByRole('definition').allTextContents();
}

async function openByKeyboard(person: Person): Promise<void> {
  await button(person, false).waitFor();
  const focused = () => document.activeElement?.textContent;
  for (let presses = 0; presses < 10 && (await person.page.evaluate(focused)) !== WORDS; presses++) {
    await person.page.keyboard.press('Tab');
  }
  await person.page.keyboard.press('Enter');
  await panel(person).waitFor();
}

test('a re-encoded picture has a badge, and the panel with the reason is opened and closed by keyboard', async () => {
  const ann = await join();
  push({ video: { bFrames: 2, profile: 'high' } });
  await ann.sees('OBS');
  await badge(ann).waitFor();
  expect(await badge(ann).textContent()).toBe('re-encoded');
  await openByKeyboard(ann);
  await button(ann, true).waitFor();
  await expect
    .poll(() => streams(ann))
    .toEqual([
      expect.stringMatching(
        /^640×360, .*H\.264 High.*B-frames.*Re-encoded\. .*sends B-frames, which browsers cannot show/,
      ),
      expect.stringMatching(/^AAC-LC 48 kHz stereo, .*Re-encoded\. Browsers and phones do not take AAC\.$/),
    ]);
  await ann.page.keyboard.press('Escape');
  await panel(ann).waitFor({ state: 'hidden' });
  await button(ann, false).waitFor();
  expect(await ann.page.evaluate(() => document.activeElement?.textContent)).toBe(WORDS);
});

test('a picture that is passed on has no badge, and a press elsewhere closes the panel', async () => {
  const ann = await join();
  push({ video: { gop: 30 }, audio: 'none' });
  await ann.sees('OBS');
  await ann.tile('OBS').getByTitle('No sound').waitFor();
  expect(await ann.tile('OBS').locator('footer').textContent()).not.toContain('microphone');
  expect(await badge(ann).count()).toBe(0);
  await button(ann, false).click();
  await expect
    .poll(() => streams(ann))
    .toEqual([
      expect.stringMatching(/^640×360, .*key frame every 1\.0 s.*Passed on as it is\. Browsers take it\.$/),
      'none',
    ]);
  await ann.page.locator('.tiles').click({ position: { x: 3, y: 3 } });
  await panel(ann).waitFor({ state: 'hidden' });
});

test('a picture that is not taken is explained in its place', async () => {
  const ann = await join();
  push({ video: { codec: 'flv1' } });
  const reason = /No picture: .*not taken: set the video encoder to H\.264/;
  await ann.tile('OBS').getByText(reason).waitFor();
  expect(await badge(ann).count()).toBe(0);
  await openByKeyboard(ann);
  await expect.poll(async () => (await streams(ann))[0]).toMatch(/Not passed on\. .*set the video encoder/);
});

test('while its connection is lost the last picture stays, and the tile says that it is waited for', async () => {
  const ann = await join();
  const encoder = push({});
  await ann.sees('OBS');
  const status = ann.tile('OBS').getByRole('status');
  expect(await status.textContent()).toBe('');
  const tile = await ann.tile('OBS').elementHandle();
  encoder.vanish();
  await status.getByText(WAITING).waitFor();
  const width = (video: HTMLVideoElement) => video.videoWidth;
  expect(await ann.tile('OBS').locator('video').evaluate(width)).toBe(640);
  push({});
  await status.getByText(WAITING).waitFor({ state: 'detached' });
  await ann.sees('OBS');
  expect(await ann.tile('OBS').evaluate((now, before) => now === before, tile)).toBe(true);
});

test.each([
  { width: 375, height: 720, colorScheme: 'light' },
  { width: 375, height: 720, colorScheme: 'dark' },
  { width: 1440, height: 900, colorScheme: 'light' },
  { width: 1440, height: 900, colorScheme: 'dark' },
] as const)('fits $width pixels, $colorScheme, with many tiles', async ({ width, height, colorScheme }) => {
  const ann = await join({ viewport: { width, height }, colorScheme });
  const who = { kind: 'encoder', gateway: 'rtmp', permissions: EVERYDAY_PERMISSIONS } as const;
  const attributes = {
    'ingest.picture': '1280×720, 30 fps, H.264 High, 2.4 Mbit/s, key frame every 8.3 s, B-frames, 12 dropped',
    'ingest.sound': 'AAC-LC 48 kHz stereo, 160 kbit/s',
    'ingest.video': 'OBS sends FLV1 video, which is not taken: set the video encoder to H.264 (x264)',
  };
  const names = [
    'Stage with a rather long name that does not fit',
    'OBS',
    'Camera 2',
    'Camera 3',
    'Camera 4',
  ];
  for (const [index, name] of names.entries()) {
    const status = index % 2 === 0 ? 'waiting' : 'live';
    const room = server.rooms.mustGet('demo');
    room.join({ ...who, identity: name, name, attributes: { ...attributes, 'ingest.status': status } });
  }
  await ann.tile('Camera 4').waitFor();
  await ann.page.screenshot({ path: `${PICTURES}/encoders-${width}-${colorScheme}.png` });
  await button(ann, false).click();
  const { x, y, ...box } = (await panel(ann).boundingBox())!;
  expect(Math.min(x, y)).toBeGreaterThanOrEqual(0);
  expect(x + box.width).toBeLessThanOrEqual(width);
  expect(y + box.height).toBeLessThanOrEqual(height);
  await ann.page.screenshot({ path: `${PICTURES}/encoder-details-${width}-${colorScheme}.png` });
  const overflows = () => document.documentElement.scrollWidth > document.documentElement.clientWidth;
  expect(await ann.page.evaluate(overflows)).toBe(false);
});
