import { once } from 'node:events';
import fs from 'node:fs';
import type { Browser } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Server } from '../../src/server.ts';
import { launchBrowser, Person } from '../peers/browser.ts';
import { ALL_TONES, type Caller, Callers, hearEachOther, leaving, TONES } from '../peers/callers.ts';
import { Phone } from '../peers/phone.ts';
import { descendantsOf } from '../peers/processes.ts';
import { publishing } from '../peers/room-events.ts';
import { startServer } from '../peers/server.ts';
import { SignallingClient } from '../peers/signalling-client.ts';
import { sipPort } from '../peers/sip-port.ts';

/** Phone calls when a process dies under them. */

const BROWSER_HZ = 1800;

let server: Server;
beforeEach(async () => {
  server = await startServer({ config: { workers: { hubs: 1, media: 2 } } });
});
afterEach(async () => {
  await server.stop();
  Phone.closeAll();
});

function kill(pid: number | undefined): void {
  expect(pid).toBeGreaterThan(0);
  process.kill(pid!, 'SIGKILL');
}

function enginePid(): number | undefined {
  return descendantsOf(process.pid).find((pid) =>
    fs.readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('gateways/sip/engine/main.ts'),
  );
}

/** Resolves with what the phones were told; they must have left the room as by a failure. */
async function interruption(...callers: Caller[]): Promise<string[]> {
  for (const { participant } of callers) expect(await leaving(participant)).toBe('interrupted');
  const endings = await Promise.all(callers.map(({ phone }) => phone.ended));
  expect(endings.map(({ by }) => by)).toEqual(callers.map(() => 'server'));
  return endings.map(({ reasonHeader }) => reasonHeader ?? '');
}

test('the SIP engine: its calls end, their phones are told by the next one, and new calls come in', async (context) => {
  const callers = new Callers(server, context);
  const port = sipPort(server);
  for (let round = 1; round <= 3; round++) {
    const [ann, bob] = await callers.pair('engine');
    const late = await callers.call('other', 'Cat', { lateOffer: true });
    kill(enginePid());
    expect(await interruption(ann, bob, late)).toEqual(
      Array(3).fill('Q.850;cause=41;text="A part of the server failed"'),
    );
    expect(server.rooms.mustGet('engine').participants).toEqual([]);
    expect(sipPort(server)).toBe(port);
    expect((await figures()).engineDeaths).toBe(round);
  }
  await callers.pair('engine');
});

test('a media worker: the calls in it end and are told so, those in others go on, and new calls come in', async (context) => {
  const callers = new Callers(server, context);
  const bystanders = await callers.pair('elsewhere');
  for (let round = 1; round <= 3; round++) {
    const [ann, bob] = await callers.pair('media', { codec: 'opus' });
    const [worker, other] = ['media', 'elsewhere'].map(
      (room) => server.plane.placement(server.rooms.mustGet(room)).mediaWorkerPid,
    );
    expect(worker).not.toBe(other);
    kill(worker);
    expect(await interruption(ann, bob)).toEqual(
      Array(2).fill('Q.850;cause=41;text="The media process failed"'),
    );
    await expect
      .poll(() => server.plane.health.mediaWorkers, { timeout: 20_000 })
      .toEqual({ running: 2, deaths: round });
  }
  await callers.pair('media');
  for (const { phone, participant } of bystanders) {
    expect([participant.leftBecause, phone.received.lost]).toEqual([undefined, 0]);
  }
  await hearEachOther(...bystanders);
});

describe('a hub worker', () => {
  let browser: Browser;
  let person: Person | undefined;
  beforeAll(async () => {
    browser = await launchBrowser();
  });
  afterAll(() => browser.close());
  afterEach(async () => {
    const problems = person?.problems ?? [];
    await person?.close();
    person = undefined;
    expect(problems).toEqual([]);
  });

  /**
   * Resolves with `done`; until then there were never 0.3 s without that tone: a hub takes longer to be replaced, and a
   * machine that starts one, and a browser's connections, may hold the mixer up for a moment.
   */
  async function hearingAllTheTime({ phone }: Caller, toneHz: number, done: Promise<unknown>): Promise<void> {
    let isDone = false;
    const end = done.finally(() => {
      isDone = true;
    });
    for (let misses = 0; !isDone; ) {
      await phone.receives(5);
      misses = phone.meter.hears(toneHz) ? 0 : misses + 1;
      expect(misses).toBeLessThan(3);
    }
    await end;
  }

  test('phones hear each other all the time; browsers and phones hear each other again', async (context) => {
    const callers = new Callers(server, context);
    person = await Person.join(browser, server, { name: 'Dan', toneHz: BROWSER_HZ });
    const dan = person;
    const [ann, bob] = await callers.pair('demo');
    const all = () =>
      Promise.all([
        dan.hears(TONES.Ann, TONES.Bob),
        ann.phone.hears(BROWSER_HZ),
        bob.phone.hears(BROWSER_HZ),
      ]);
    await all();
    for (let round = 1; round <= 2; round++) {
      const [before] = ann.participant.tracks.values();
      const lost = once(ann.participant.room, 'mediaLost');
      kill(server.plane.placement(ann.participant.room).hubWorkerPid);
      const again = lost.then(async () => {
        await publishing(ann.participant, 1);
        // Half a second of new sound: what is heard then is not what was heard before.
        await Promise.all([ann.phone.receives(30), bob.phone.receives(30)]);
        await all();
      });
      await Promise.all([hearingAllTheTime(ann, TONES.Bob, again), hearingAllTheTime(bob, TONES.Ann, again)]);
      const [after] = ann.participant.tracks.values();
      expect(after!.sid).not.toBe(before!.sid);
    }
    expect([ann.phone.received.lost, bob.phone.received.lost]).toEqual([0, 0]);
  });

  test('a phone that was muted stays so, and others are told of its new track', async (context) => {
    const callers = new Callers(server, context);
    const watcher = await SignallingClient.open(server);
    await watcher.ask('join', { room: 'muted', name: 'Watcher' });
    const [ann, bob] = await callers.pair('muted');
    const { room } = ann.participant;
    const [track] = ann.participant.tracks.values();
    ann.participant.setMuted(track!, true);
    await bob.phone.hearsNoMore(TONES.Ann);
    await server.plane.hub(room);
    const lost = once(room, 'mediaLost');
    kill(server.plane.placement(room).hubWorkerPid);
    await lost;
    await publishing(ann.participant, 1);
    expect(await bob.phone.heardDuring(ALL_TONES, 1)).toEqual([]);
    const [again] = ann.participant.tracks.values();
    const told = () =>
      watcher.notices.flatMap(({ type, body }) =>
        type === 'track-published' && body.sid === again!.sid ? [body.muted] : [],
      );
    await expect.poll(told, { timeout: 20_000 }).toEqual([true]);
    watcher.close();
  });
});

async function figures(): Promise<Record<string, number>> {
  const report = await (await fetch(`${server.url}/api/server`)).json();
  return (report as { gateways: { sip: Record<string, number> } }).gateways.sip;
}
