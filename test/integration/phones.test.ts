import type { Browser } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type RoomReport, roomReport } from '../../src/api/room-report.ts';
import type { Server } from '../../src/server.ts';
import { launchBrowser, Person } from '../peers/browser.ts';
import { LossyRelay } from '../peers/lossy-relay.ts';
import { Phone } from '../peers/phone.ts';
import type { CallOptions } from '../peers/phone-call.ts';
import { startServer } from '../peers/server.ts';
import { sipPort } from '../peers/sip-port.ts';

/** Phones and browsers in one room: each says a tone of its own, hears every other, and never its own. */

const TONES = { Ann: 440, Bob: 620, Cat: 1000, Dan: 1400, Eve: 1800 } as const;
type Name = keyof typeof TONES;
const ALL = Object.values(TONES);

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
  Phone.closeAll();
  await server.stop();
  expect(problems).toEqual([]);
});

function call(name: Name, options: CallOptions = {}, at = server): Promise<Phone> {
  return Phone.call(sipPort(at), { name, toneHz: TONES[name], ...options });
}

async function join(name: Name): Promise<Person> {
  const person = await Person.join(browser, server, { name, toneHz: TONES[name] });
  people.push(person);
  return person;
}

async function report(room = 'demo'): Promise<RoomReport> {
  return roomReport.parse(await (await fetch(`${server.url}/api/rooms/${room}`)).json());
}

function reported({ participants }: RoomReport, name: Name): RoomReport['participants'][number] {
  return participants.find((one) => one.name === name)!;
}

/** Everybody hears all others; nobody hears himself. */
async function allHearAllOthers(members: readonly (readonly [Name, Phone | Person])[]): Promise<void> {
  const inRoom = members.map(([name]) => TONES[name]);
  await Promise.all(
    members.map(async ([name, one]) => one.hears(...inRoom.filter((tone) => tone !== TONES[name]))),
  );
  const heard = await Promise.all(members.map(async ([name, one]) => [name, await one.heardDuring(ALL, 2)]));
  expect(heard).toEqual(members.map(([name]) => [name, inRoom.filter((tone) => tone !== TONES[name])]));
}

test('two phones and two browsers in one room hear all others and never themselves', async () => {
  const ann = await call('Ann');
  const bob = await call('Bob', { codec: 'PCMA' });
  const cat = await join('Cat');
  const dan = await join('Dan');
  await allHearAllOthers([
    ['Ann', ann],
    ['Bob', bob],
    ['Cat', cat],
    ['Dan', dan],
  ]);
});

test('so do a phone with Opus, one with PCMU and a browser', async () => {
  const ann = await call('Ann', { codec: 'opus' });
  const bob = await call('Bob');
  const cat = await join('Cat');
  expect([ann.codec, bob.codec]).toEqual(['opus', 'PCMU']);
  await allHearAllOthers([
    ['Ann', ann],
    ['Bob', bob],
    ['Cat', cat],
  ]);
});

test('phones pass through to browsers in their own codec, only while a browser is there; the report says so', async () => {
  const ann = await call('Ann');
  await call('Bob', { codec: 'opus' });
  await ann.hears(TONES.Bob);
  expect((await report()).workers.filter(({ kind }) => kind === 'hub')).toEqual([]); // no hub is open
  const cat = await join('Cat');
  await cat.hears(TONES.Ann, TONES.Bob);
  const room = await report();
  const [annsTrack] = reported(room, 'Ann').tracks;
  expect(annsTrack).toMatchObject({ codec: { name: 'PCMU' }, received: { packetsLost: 0 } });
  expect(annsTrack!.received!.packets).toBeGreaterThan(50);
  expect(annsTrack!.received!.jitterBuffer).toBeDefined();
  const audio = new Set(
    room.participants
      .flatMap(({ tracks }) => tracks)
      .flatMap(({ sid, kind }) => (kind === 'audio' ? [sid] : [])),
  );
  const plans = (name: Name) => {
    const heard = reported(room, name).subscriptions.filter(({ track }) => audio.has(track));
    return Object.fromEntries(heard.map((one) => [one.publisher, one]));
  };
  const identity = (name: Name) => reported(room, name).identity;
  expect(plans('Cat')).toMatchObject({
    [identity('Ann')]: { outcome: 'pass-through', reason: 'the browser takes PCMU as it is' },
    [identity('Bob')]: { outcome: 'pass-through', reason: 'the browser takes opus as it is' },
  });
  expect(plans('Ann')[identity('Cat')]).toMatchObject({
    outcome: 'transcode',
    steps: [
      { action: 'decode' },
      { action: 'mix' },
      { action: 'encode', detail: expect.stringContaining('PCMU') },
    ],
  });
  await cat.page.getByRole('button', { name: 'Leave' }).click();
  await expect.poll(async () => (await server.plane.hub(server.rooms.mustGet('demo'))).producerCount).toBe(0);
});

test('the page names a caller, shows by the level of its packets who speaks, the keys it presses, and that it holds', async () => {
  const cat = await join('Cat');
  const ann = await call('Ann', { name: '', user: '+4930123456789' });
  await cat.tile('+49…789').waitFor();
  await cat.page.locator('.tile.speaking', { hasText: '+49…789' }).waitFor();
  for (const digit of ['4', '2', '#']) await ann.press(digit);
  await cat.tile('+49…789').locator('.digits', { hasText: '42#' }).waitFor();
  await ann.hold();
  await cat.tile('+49…789').locator('footer', { hasText: 'on hold' }).waitFor();
});

describe('with more phones than pass through', () => {
  let own: Server;
  beforeEach(async () => {
    own = server;
    server = await startServer({ config: { sip: { maxPassThrough: 2 } } });
    await own.stop();
  });

  test('browsers get one Opus mix of all phones, and each by itself again when there are fewer', async () => {
    const cat = await join('Cat');
    const ann = await call('Ann');
    const bob = await call('Bob', { codec: 'opus' });
    await cat.hears(TONES.Ann, TONES.Bob);
    const dan = await call('Dan');
    await allHearAllOthers([
      ['Ann', ann],
      ['Bob', bob],
      ['Cat', cat],
      ['Dan', dan],
    ]);
    const mixed = await report();
    expect(reported(mixed, 'Cat').subscriptions.map(({ outcome }) => outcome)).toEqual(
      Array(3).fill('transcode'),
    );
    expect(reported(mixed, 'Cat').subscriptions[0]!.reason).toContain('more than 2 phones');
    expect(await cat.page.evaluate(() => document.querySelectorAll('audio').length)).toBeLessThanOrEqual(1);
    await cat.page.locator('.tile.speaking', { hasText: 'Dan' }).waitFor();
    await dan.hangUp();
    await bob.hangUp();
    await cat.hearsNoMore(TONES.Dan);
    await cat.hears(TONES.Ann);
    expect(reported(await report(), 'Cat').subscriptions).toMatchObject([{ outcome: 'pass-through' }]);
  });
});

test('with a fifth of the packets lost both ways, the call stays up and tones are still found', async () => {
  const rtp = await LossyRelay.open({ loss: 0.2, seed: 7 });
  const ann = await call('Ann', { via: { rtp } });
  const bob = await call('Bob', { codec: 'opus' });
  await Promise.all([ann.hears(TONES.Bob), bob.hears(TONES.Ann)]);
  await ann.receives(200);
  expect(reported(await report(), 'Ann').tracks[0]!.received!.packetsLost).toBeGreaterThan(0);
  expect(await ann.hangUp()).toBe(200);
});
