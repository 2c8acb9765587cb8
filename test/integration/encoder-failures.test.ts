import { once } from 'node:events';
import type { Browser } from 'playwright-core';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import type { RtmpOptions } from '../../gateways/rtmp/options.ts';
import type { RoomReport } from '../../src/api/room-report.ts';
import type { Participant } from '../../src/room/room.ts';
import type { Server } from '../../src/server.ts';
import { launchBrowser, Person } from '../peers/browser.ts';
import { attribute, leaving, reportOf } from '../peers/callers.ts';
import { EncoderProcess } from '../peers/encoder-process.ts';
import { FfmpegPush } from '../peers/ffmpeg-push.ts';
import { type ClipOptions, type FlvTag, loop, makeClip } from '../peers/flv-clip.ts';
import { makeHevcClip } from '../peers/hevc-clip.ts';
import { Phone } from '../peers/phone.ts';
import { descendantsOf } from '../peers/processes.ts';
import { participantNamed, roomNamed } from '../peers/room-events.ts';
import { rtmpPort } from '../peers/rtmp-port.ts';
import { RtmpPublisher } from '../peers/rtmp-publisher.ts';
import { startServer } from '../peers/server.ts';
import { sipPort } from '../peers/sip-port.ts';

/** What becomes of an encoder in a room when its connection, a process or what it sends fails or changes. */

const KEY = 'demo?name=Studio';
const CAT_HZ = 1000;
const FIRST_HZ = 1400;
/** After coming back: what is heard then is not what was heard before. */
const NEXT_HZ = [1800, 2200, 2600] as const;
const START = 'NetStream.Publish.Start';
const BAD_NAME = 'NetStream.Publish.BadName';
/** rtmp.maxWaitMs, if it is not set. */
const MAX_WAIT_MS = 500;
const WAITING = 'Studio lost its connection; waiting for it to come back';
const PLAIN = { video: { gop: 15 }, audio: { toneHz: FIRST_HZ }, seconds: 2 } as const;
const LIKE_OBS = { ...PLAIN, video: { bFrames: 2, gop: 60, profile: 'high' } } as const;

let browser: Browser;
let server: Server;
let cat: Person;
let ann: Phone;
beforeAll(async () => {
  browser = await launchBrowser();
});
afterAll(() => browser.close());
afterEach(async () => {
  await EncoderProcess.killAll();
  const problems = cat?.problems ?? [];
  await cat?.close();
  await server.stop();
  Phone.closeAll();
  expect(problems).toEqual([]);
});

interface Stage {
  readonly rtmp?: Partial<RtmpOptions>;
  readonly mediaWorkers?: number;
}

/** A server with a room where somebody waits to see and hear. */
async function open({ rtmp = {}, mediaWorkers = 1 }: Stage = {}): Promise<void> {
  // How slow this machine is says nothing about who comes back, and whoever is gone is noticed by that, not by silence.
  const patient = { reconnectSeconds: 60, silenceSeconds: 300, ...rtmp };
  server = await startServer({ config: { rtmp: patient, workers: { hubs: 1, media: mediaWorkers } } });
  [cat, ann] = await Promise.all([
    Person.join(browser, server, { name: 'Cat', toneHz: CAT_HZ }),
    Phone.call(sipPort(server), { name: 'Ann' }),
  ]);
}

async function connect(key = KEY): Promise<RtmpPublisher> {
  const encoder = await RtmpPublisher.connect({ port: rtmpPort(server) });
  expect(await encoder.publish(key)).toBe(START);
  return encoder;
}

/** Publishes that clip over and over. */
async function push(clip: ClipOptions | readonly FlvTag[]): Promise<RtmpPublisher> {
  const tags = 'seconds' in clip ? await makeClip(clip) : clip;
  const encoder = await connect();
  void encoder.playFlv(loop(tags), { paced: true });
  return encoder;
}

async function studio(): Promise<Participant> {
  return participantNamed(await roomNamed(server, 'demo'), 'Studio');
}

/** The browser sees it, and all hear it. */
async function seenAndHeard(toneHz: number = FIRST_HZ): Promise<void> {
  await cat.sees('Studio');
  await heard(toneHz);
}

async function heard(toneHz: number = FIRST_HZ): Promise<void> {
  await Promise.all([cat.hears(toneHz), ann.hears(toneHz)]);
}

/** A second later, when nothing is heard any more of what came before. */
async function later(): Promise<void> {
  await ann.receives(50);
}

/** Who it is in the room, and what it publishes there. */
function identityOf({ sid, tracks }: Participant) {
  return { sid, tracks: [...tracks.values()].map((track) => [track.kind, track.sid]) };
}

/** Everything that left the room, from now on. */
function departures({ room }: Participant): string[] {
  const gone: string[] = [];
  room.on('participantLeft', ({ name }) => gone.push(name));
  room.on('trackUnpublished', ({ kind }) => gone.push(kind));
  return gone;
}

type TrackReport = RoomReport['participants'][number]['tracks'][number];

async function trackOf(kind: 'audio' | 'video'): Promise<TrackReport | undefined> {
  const { participants } = await reportOf(server, 'demo');
  return participants.find(({ name }) => name === 'Studio')?.tracks.find((track) => track.kind === kind);
}

/** The child that decodes or encodes it, once there is one. @param except - not that process */
async function jobOf(kind: 'audio' | 'video', except = 0) {
  const job = async () => (await trackOf(kind))?.received?.source?.job;
  await expect.poll(async () => (await job())?.pid ?? except).not.toBe(except);
  return (await job())!;
}

const note = () => cat.tile('Studio').getByRole('status').getByText(WAITING);

/** The room and the browser's page know that its connection is lost. */
async function waitedFor(participant: Participant): Promise<void> {
  await attribute(participant, 'ingest.status', 'waiting');
  await note().waitFor();
}

async function back(participant: Participant): Promise<void> {
  await attribute(participant, 'ingest.status', 'live');
  await note().waitFor({ state: 'detached' });
}

test('whoever comes back in time is the same, however the connection was lost', async () => {
  await open();
  const address = `rtmp://127.0.0.1:${rtmpPort(server)}/live/${KEY}`;
  const killed = FfmpegPush.start(address, PLAIN);
  await seenAndHeard();
  const participant = await studio();
  const before = identityOf(participant);
  const gone = departures(participant);
  let last: RtmpPublisher | undefined;
  for (const [round, toneHz] of NEXT_HZ.entries()) {
    // The first by its process's death, then by FIN, then by RST.
    const end = [() => killed.vanish(), () => last!.close(), () => last!.destroy()][round]!;
    await Promise.all([end(), waitedFor(participant)]);
    expect(participant.quality).toBe('lost');
    // Re-encoded or not, it is the same track.
    last = await push({ ...(round === 1 ? LIKE_OBS : PLAIN), audio: { toneHz } });
    await back(participant);
    await seenAndHeard(toneHz);
    expect(participant.quality).toBe('excellent');
  }
  expect(identityOf(participant)).toEqual(before);
  expect(gone).toEqual([]);
});

test('whoever comes back to another media worker is the same', async () => {
  await open({ mediaWorkers: 2 });
  const worker = async () => {
    const { pid } = await jobOf('audio');
    return server.plane.mediaWorkers.find((one) => descendantsOf(one.pid).includes(pid))!.pid;
  };
  // It takes the first worker, so that the encoder gets the second one.
  const other = await connect('elsewhere');
  const encoder = await push(PLAIN);
  await seenAndHeard();
  const first = await worker();
  const participant = await studio();
  const before = identityOf(participant);
  const gone = departures(participant);
  await other.destroy();
  await encoder.destroy();
  await waitedFor(participant);
  await push({ ...PLAIN, audio: { toneHz: NEXT_HZ[0] } });
  await seenAndHeard(NEXT_HZ[0]);
  expect(await worker()).not.toBe(first);
  expect(identityOf(participant)).toEqual(before);
  expect(gone).toEqual([]);
});

test('whoever comes back may send pictures of another size, and then other codecs', async () => {
  await open();
  const encoder = await push(PLAIN);
  await seenAndHeard();
  const participant = await studio();
  const before = identityOf(participant);
  const gone = departures(participant);
  await encoder.destroy();
  await waitedFor(participant);
  const small = await push({
    video: { size: '320x180', gop: 30 },
    audio: { toneHz: NEXT_HZ[0] },
    seconds: 2,
  });
  await seenAndHeard(NEXT_HZ[0]);
  const shown = cat.tile('Studio').locator('video');
  await expect.poll(() => shown.evaluate((video: HTMLVideoElement) => video.videoWidth)).toBe(320);
  expect(identityOf(participant)).toEqual(before);
  expect(gone).toEqual([]);
  await small.destroy();
  await waitedFor(participant);
  const pictures = await makeHevcClip({ video: { size: '320x180', gop: 30 }, audio: 'none', seconds: 2 });
  const audio = { toneHz: NEXT_HZ[1], codec: 'libmp3lame' } as const;
  const sound = await makeClip({ video: 'none', audio, seconds: 10 });
  const next = await connect();
  void next.playFlv(loop(pictures), { paced: true });
  void next.playFlv(sound, { paced: true });
  await seenAndHeard(NEXT_HZ[1]);
  expect(participant.sid).toBe(before.sid);
  expect(gone.toSorted()).toEqual(['audio', 'video']);
  const codecs = [...participant.tracks.values()].map(({ codec }) => codec.name);
  expect(codecs.toSorted()).toEqual(['H265', 'MP3']);
});

test('what whoever comes back does not send any more is taken away', async () => {
  await open();
  const encoder = await push(LIKE_OBS);
  await seenAndHeard();
  const participant = await studio();
  const before = identityOf(participant);
  const gone = departures(participant);
  await encoder.close();
  await waitedFor(participant);
  await push({ ...PLAIN, video: 'none', audio: { toneHz: NEXT_HZ[0] } });
  await heard(NEXT_HZ[0]);
  await expect.poll(() => gone).toEqual(['video']);
  await cat.tile('Studio').locator('video').waitFor({ state: 'detached' });
  await heard(NEXT_HZ[0]);
  expect(identityOf(participant)).toEqual({
    ...before,
    tracks: before.tracks.filter(([kind]) => kind === 'audio'),
  });
  // What there was to say of its pictures.
  expect(participant.attributes['ingest.video']).toBeUndefined();
});

test('a key belongs to one encoder, until that says goodbye or does not come back', async () => {
  await open({ rtmp: { reconnectSeconds: 1 } });
  const polite = await push(PLAIN);
  await seenAndHeard();
  const left = await studio();
  const before = identityOf(left);
  const second = await RtmpPublisher.connect({ port: rtmpPort(server) });
  expect(await second.publish(KEY)).toBe(BAD_NAME);
  expect(second.statuses.at(-1)?.description).toMatch(/publishing with this stream key already/);
  await second.closed;
  await later();
  await seenAndHeard();
  expect(identityOf(left)).toEqual(before);
  expect(polite.statuses.map(({ code }) => code)).toEqual([START]);
  polite.unpublish();
  expect(await leaving(left)).toBe('left');
  await cat.tile('Studio').waitFor({ state: 'detached' });
  await ann.hearsNoMore(FIRST_HZ);
  const lost = await push(PLAIN);
  await seenAndHeard();
  const participant = await studio();
  await lost.destroy();
  expect(await leaving(participant)).toBe('connection-lost');
  await cat.tile('Studio').waitFor({ state: 'detached' });
});

test('an encoding child that dies is replaced, up to the third time; then the picture ends', async () => {
  await open();
  const encoder = await push(LIKE_OBS);
  await seenAndHeard();
  const participant = await studio();
  const before = identityOf(participant);
  for (const deaths of [1, 2]) {
    const { pid } = await jobOf('video');
    process.kill(pid, 'SIGKILL');
    expect(await jobOf('video', pid)).toMatchObject({ deaths });
    await seenAndHeard();
    expect(identityOf(participant)).toEqual(before);
  }
  process.kill((await jobOf('video')).pid, 'SIGKILL');
  await expect.poll(() => [...participant.tracks.values()].map(({ kind }) => kind)).toEqual(['audio']);
  const reason = /failed three times within a minute: killed by SIGKILL/;
  expect(participant.attributes['ingest.video']).toMatch(reason);
  await cat.tile('Studio').locator('.refusal').getByText(reason).waitFor();
  await later();
  await heard();
  await encoder.destroy();
  await waitedFor(participant);
  await push(LIKE_OBS);
  await seenAndHeard();
  expect(participant.attributes['ingest.video']).toMatch(/B-frames/);
});

test('a decoding child that dies, and children that hang, are replaced', async () => {
  await open();
  await push(LIKE_OBS);
  await seenAndHeard();
  const before = identityOf(await studio());
  const dies = await jobOf('audio');
  process.kill(dies.pid, 'SIGKILL');
  expect(await jobOf('audio', dies.pid)).toMatchObject({ deaths: 1 });
  await later();
  await seenAndHeard();
  const [video, audio] = await Promise.all([jobOf('video'), jobOf('audio')]);
  for (const { pid } of [video, audio]) process.kill(pid, 'SIGSTOP');
  expect(await jobOf('video', video.pid)).toMatchObject({ deaths: 1 });
  expect(await jobOf('audio', audio.pid)).toMatchObject({ deaths: 2 });
  await later();
  await seenAndHeard();
  expect(identityOf(await studio())).toEqual(before);
});

test('pictures that wait for an encoding child that stalls are dropped and counted, and then it is live again', async () => {
  await open();
  await push(LIKE_OBS);
  await seenAndHeard();
  const { pid } = await jobOf('video');
  const dropped = async () => (await trackOf('video'))!.received!.source!.dropped;
  const before = await dropped();
  process.kill(pid, 'SIGSTOP');
  await later();
  await later();
  process.kill(pid, 'SIGCONT');
  await seenAndHeard();
  expect(await dropped()).toBeGreaterThan(before);
  await expect.poll(async () => (await jobOf('video')).latencyMs).toBeLessThan(MAX_WAIT_MS);
  expect(await jobOf('video')).toMatchObject({ pid, deaths: 0 });
});

/** As encoders do. */
async function pushAgain(clip: ClipOptions): Promise<RtmpPublisher> {
  const attempt = () => push(clip).catch(() => undefined);
  let encoder: RtmpPublisher | undefined;
  await expect.poll(async () => (encoder = await attempt())).toBeDefined();
  return encoder!;
}

test('a media worker that dies: its encoders come back, and are seen and heard again', async () => {
  await open({ mediaWorkers: 2 });
  // It takes the first worker, where the telephone is; the encoder gets the second one.
  await connect('elsewhere');
  const encoder = await push(PLAIN);
  await seenAndHeard();
  const [, worker] = server.plane.mediaWorkers;
  expect(descendantsOf(worker!.pid)).toContain((await jobOf('audio')).pid);
  const participant = await studio();
  const before = identityOf(participant);
  const gone = departures(participant);
  process.kill(worker!.pid, 'SIGKILL');
  await encoder.closed;
  await waitedFor(participant);
  await pushAgain({ ...PLAIN, audio: { toneHz: NEXT_HZ[0] } });
  await seenAndHeard(NEXT_HZ[0]);
  await back(participant);
  expect(identityOf(participant)).toEqual(before);
  expect(gone).toEqual([]);
});

test.each([
  ['passed through', PLAIN],
  ['re-encoded', LIKE_OBS],
])('a hub worker that dies: what is %s is seen and heard again without reconnecting', async (_, clip) => {
  await open();
  const encoder = await push(clip);
  await seenAndHeard();
  const participant = await studio();
  const { room, sid } = participant;
  const lost = once(room, 'mediaLost');
  process.kill(server.plane.placement(room).hubWorkerPid!, 'SIGKILL');
  await lost;
  // At once, not only when something else is told of it.
  expect(participant.tracks.size).toBe(2);
  await later();
  await seenAndHeard();
  expect(identityOf(await studio()).sid).toBe(sid);
  expect(encoder.statuses.map(({ code }) => code)).toEqual([START]);
});

test.each([
  ['passed through', PLAIN],
  ['re-encoded', LIKE_OBS],
])('what is %s is muted and unmuted, and stays muted while it comes back', async (_, clip) => {
  await open();
  const encoder = await push(clip);
  await seenAndHeard();
  const participant = await studio();
  const before = identityOf(participant);
  const setMuted = (muted: boolean) => {
    for (const track of participant.tracks.values()) participant.setMuted(track, muted);
  };
  setMuted(true);
  await cat.tile('Studio').locator('video').waitFor({ state: 'detached' });
  await Promise.all([cat.hearsNoMore(FIRST_HZ), ann.hearsNoMore(FIRST_HZ)]);
  const { framesReceived } = await cat.pictureCounts();
  expect(await ann.heardDuring([FIRST_HZ], 1)).toEqual([]);
  expect((await cat.pictureCounts()).framesReceived).toBe(framesReceived);
  setMuted(false);
  await seenAndHeard();
  setMuted(true);
  await encoder.destroy();
  await waitedFor(participant);
  await push({ ...clip, audio: { toneHz: NEXT_HZ[0] } });
  await back(participant);
  // It has come here.
  for (const kind of ['audio', 'video'] as const) {
    await expect.poll(async () => (await trackOf(kind))?.received?.source).toBeDefined();
  }
  expect(await ann.heardDuring([NEXT_HZ[0]], 1)).toEqual([]);
  expect((await trackOf('video'))!.received!.packets).toBe(0);
  setMuted(false);
  await seenAndHeard(NEXT_HZ[0]);
  expect(identityOf(participant)).toEqual(before);
});

test('whoever is removed is told so, and does not come back with the same key', async () => {
  await open();
  const encoder = await push(PLAIN);
  await seenAndHeard();
  const participant = await studio();
  participant.leave('removed');
  await encoder.closed;
  expect(encoder.statuses.at(-1)).toMatchObject({
    code: 'NetStream.Publish.Failed',
    description: 'You were removed from the room.',
  });
  await cat.tile('Studio').waitFor({ state: 'detached' });
  const again = await RtmpPublisher.connect({ port: rtmpPort(server) });
  expect(await again.publish(KEY)).toBe(BAD_NAME);
  expect(again.statuses.at(-1)?.description).toMatch(/You were removed from the room/);
});

test('pictures that get B-frames on the way are re-encoded, and passed through again once they have none', async () => {
  await open();
  const encoder = await connect();
  const [plain, reordered] = await Promise.all([makeClip({ ...PLAIN, seconds: 4 }), makeClip(LIKE_OBS)]);
  const play = async () => {
    await encoder.playFlv(plain, { paced: true });
    await encoder.playFlv(reordered, { paced: true, offsetMs: 4000 });
    await encoder.playFlv(loop(plain), { paced: true, offsetMs: 6000 });
  };
  void play();
  await seenAndHeard();
  const participant = await studio();
  const before = identityOf(participant);
  const received = () =>
    cat
      .tile('Studio')
      .locator('video')
      .evaluate((video: HTMLVideoElement) => (video.srcObject as MediaStream).getTracks()[0]!.id);
  const receivedBefore = await received();
  const route = async () => (await trackOf('video'))?.route?.reason;
  expect(await route()).toBeUndefined();
  await expect.poll(route).toMatch(/B-frames/);
  await seenAndHeard();
  await expect.poll(route).toBeUndefined();
  await seenAndHeard();
  expect((await trackOf('video'))!.received!.source!.job).toBeUndefined();
  expect(identityOf(participant)).toEqual(before);
  expect(await received()).toBe(receivedBefore);
});
