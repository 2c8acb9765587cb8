import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import type { Browser } from 'playwright-core';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import type { RtmpGateway } from '../../gateways/rtmp/gateway.ts';
import { type RoomReport, roomReport } from '../../src/api/room-report.ts';
import type { Server } from '../../src/server.ts';
import { launchBrowser, Person } from '../peers/browser.ts';
import { selfSignedCertificate } from '../peers/certificate.ts';
import { EncoderProcess } from '../peers/encoder-process.ts';
import type { Encoding } from '../peers/ffmpeg-encoding.ts';
import { FfmpegPush } from '../peers/ffmpeg-push.ts';
import { loop, makeClip } from '../peers/flv-clip.ts';
import { GstreamerPush } from '../peers/gstreamer-push.ts';
import { makeHevcClip } from '../peers/hevc-clip.ts';
import { NodeMediaServerRelay } from '../peers/node-media-server-relay.ts';
import { Phone } from '../peers/phone.ts';
import { participantNamed, publishing, roomNamed } from '../peers/room-events.ts';
import { rtmpPort } from '../peers/rtmp-port.ts';
import { RtmpPublisher } from '../peers/rtmp-publisher.ts';
import { startServer } from '../peers/server.ts';
import { sipPort } from '../peers/sip-port.ts';

/** Encoders push into a room with two phones and a browser: all hear and see them, and each other. */

const TONES = { Ann: 440, Bob: 620, Cat: 1000, Studio: 1400 } as const;
const ALL = Object.values(TONES);

let browser: Browser;
let server: Server;
let ann: Phone;
let bob: Phone;
let cat: Person;
/** One room for all: a phone with PCMU, one with Opus, a browser; each test has its encoder come and go. */
beforeAll(async () => {
  browser = await launchBrowser();
  server = await startServer();
  ann = await Phone.call(sipPort(server), { name: 'Ann', toneHz: TONES.Ann });
  bob = await Phone.call(sipPort(server), { name: 'Bob', codec: 'opus', toneHz: TONES.Bob });
  cat = await Person.join(browser, server, { name: 'Cat', toneHz: TONES.Cat });
});
afterAll(async () => {
  expect(cat.problems).toEqual([]);
  await cat.close();
  Phone.closeAll();
  await server.stop();
  await browser.close();
});
afterEach(async () => {
  await EncoderProcess.killAll();
  const room = server.rooms.get('demo');
  for (const one of room?.participants ?? []) if (one.kind === 'encoder') one.leave('left');
});

function address(name = 'Studio'): string {
  return `rtmp://127.0.0.1:${rtmpPort(server)}/live/demo?name=${name}`;
}

async function studio(): Promise<RoomReport['participants'][number] | undefined> {
  const room = roomReport.parse(await (await fetch(`${server.url}/api/rooms/demo`)).json());
  return room.participants.find(({ name }) => name === 'Studio');
}

/** Its picture's way to browsers, once that is decided and somebody watches. */
async function picture() {
  await expect
    .poll(
      async () => (await studio())?.tracks.find(({ kind }) => kind === 'video')?.received?.source?.frameRate,
    )
    .toBeGreaterThan(0);
  return (await studio())!.tracks.find(({ kind }) => kind === 'video')!;
}

/** The encoder is seen, and everybody hears everybody else but not himself. */
async function allSeeAndHear(): Promise<void> {
  await cat.sees('Studio', 30);
  const { framesReceived, framesDecoded } = await cat.pictureCounts();
  // Of pictures in an order that browsers cannot show, Chromium decodes one in twenty.
  expect(framesDecoded / framesReceived).toBeGreaterThan(0.8);
  await Promise.all([
    ann.hears(TONES.Bob, TONES.Cat, TONES.Studio),
    bob.hears(TONES.Ann, TONES.Cat, TONES.Studio),
    cat.hears(TONES.Ann, TONES.Bob, TONES.Studio),
  ]);
  const others = (own: number) => ALL.filter((tone) => tone !== own);
  const heard = async () => {
    const tones = await Promise.all([ann, bob, cat].map((one) => one.heardDuring([...ALL], 2)));
    return tones.map((all) => all.sort((one, other) => one - other));
  };
  // Sound that a busy machine tears apart is heard at other frequencies as well: an own tone would be there each time.
  await expect.poll(heard).toEqual([others(TONES.Ann), others(TONES.Bob), others(TONES.Cat)]);
}

const tone = { toneHz: TONES.Studio };

test.each<[string, Encoding, 'as it is' | RegExp]>([
  ['Baseline, a key frame each second', { video: { gop: 30 }, audio: tone }, 'as it is'],
  [
    'High at 1080p',
    { video: { size: '1920x1080', rate: 15, gop: 15, profile: 'high' }, audio: tone },
    'as it is',
  ],
  [
    'Main, with mono at 44.1 kHz',
    { video: { profile: 'main' }, audio: { ...tone, rate: 44100, channels: 1 } },
    'as it is',
  ],
  ['like OBS at its defaults', { video: { bFrames: 2, gop: 250, profile: 'high' }, audio: tone }, /B-frames/],
  ['key frames each 8 s', { video: { gop: 240 }, audio: tone }, /key frames more than 3 s apart/],
  [
    'High 4:2:2, with MP3',
    { video: { profile: 'high422' }, audio: { ...tone, codec: 'libmp3lame' } },
    /4:2:0/,
  ],
])('%s: seen and heard by all', async (_, encoding, way) => {
  const encoder = FfmpegPush.start(address(), encoding);
  await allSeeAndHear();
  if (way === 'as it is') expect((await picture()).route).toBeUndefined();
  else await expect.poll(async () => (await picture()).route?.reason).toMatch(way);
  await encoder.stop();
  expect(encoder.complaints).toBe('');
  await expect.poll(studio).toBeUndefined();
});

test("GStreamer's rtmp2sink", async () => {
  const encoder = GstreamerPush.start(address(), { audio: tone });
  await allSeeAndHear();
  await encoder.stop();
  await expect.poll(studio).toBeUndefined();
});

test('node-media-server that passes a stream on', async () => {
  // It takes the query off the key, so the participant has the name of what was sent.
  const relay = await NodeMediaServerRelay.start(`rtmp://127.0.0.1:${rtmpPort(server)}/live/demo`);
  FfmpegPush.start(`${relay.url}/stream`, { video: { gop: 30 }, audio: tone });
  await cat.hears(TONES.Studio);
  await ann.hears(TONES.Studio);
  await cat.sees('FFmpeg', 30);
  await relay.stop();
});

test('a picture whose size changes on the way goes on being seen', async () => {
  const encoder = await RtmpPublisher.connect({ port: rtmpPort(server) });
  await encoder.publish('demo?name=Studio');
  const small = await makeClip({ video: { size: '320x180', gop: 30 }, audio: tone, seconds: 4 });
  const large = await makeClip({ video: { size: '640x360', gop: 30 }, audio: tone, seconds: 4 });
  await encoder.playFlv(small, { paced: true });
  void encoder.playFlv(loop(large), { paced: true, offsetMs: 4000 });
  await cat.sees('Studio', 60);
  await expect
    .poll(() =>
      cat
        .tile('Studio')
        .locator('video')
        .evaluate((video: HTMLVideoElement) => video.videoWidth),
    )
    .toBe(640);
  await expect.poll(async () => (await picture()).received?.source?.width).toBe(640);
  await encoder.destroy();
});

test('HEVC by Enhanced RTMP is re-encoded', async () => {
  const encoder = await RtmpPublisher.connect({ port: rtmpPort(server) });
  await encoder.publish('demo?name=Studio');
  const clip = await makeHevcClip({ video: { gop: 30 }, audio: tone, seconds: 2 });
  void encoder.playFlv(loop(clip), { paced: true });
  await allSeeAndHear();
  expect(await picture()).toMatchObject({ codec: { name: 'H265' }, route: { codec: { name: 'H264' } } });
  await encoder.destroy();
});

test('a format that nobody can show is refused by its name, and the sound goes on', async () => {
  FfmpegPush.start(address(), { video: { codec: 'flv1' }, audio: tone });
  await ann.hears(TONES.Studio);
  await expect.poll(async () => (await studio())?.tracks.map(({ kind }) => kind)).toEqual(['audio']);
  const room = server.rooms.mustGet('demo');
  await expect
    .poll(() => room.participants.find(({ name }) => name === 'Studio')?.attributes['ingest.video'])
    .toMatch(/Sorenson H\.263 video, which is not taken: set the video encoder to H\.264/);
});

test('who joins late in 250 frames without a key frame has a picture soon', async () => {
  const encoder = await RtmpPublisher.connect({ port: rtmpPort(server) });
  await encoder.publish('late?name=Studio');
  const clip = await makeClip({ video: { bFrames: 2, gop: 250 }, audio: tone, seconds: 10 });
  const isLate = new Promise<void>((resolve) => {
    const onTag = ({ timestampMs }: { timestampMs: number }) => timestampMs > 4000 && resolve();
    void encoder.playFlv(loop(clip), { paced: true, onTag });
  });
  await isLate;
  const dan = await Person.join(browser, server, { name: 'Dan', room: 'late' });
  // Long before the next key frame of the source, which comes at 8.3 s.
  await dan.sees('Studio', 5);
  await encoder.destroy();
  expect(dan.problems).toEqual([]);
  await dan.close();
});

test('by RTMPS, with the certificate of the server and a key from the config file', async () => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'patchroom-rtmps-'));
  const key = 'a-stream-key-for-tests';
  const own = await startServer({
    demo: false,
    config: {
      http: { tls: selfSignedCertificate(folder) },
      rtmp: { tlsPort: 0, keys: [{ key, room: 'demo', name: 'Studio' }] },
    },
  });
  const [, port] = (own.gateway('rtmp') as RtmpGateway).listeningPorts;
  const encoder = FfmpegPush.start(`rtmps://127.0.0.1:${port}/live/${key}`, { audio: tone });
  const participant = await participantNamed(await roomNamed(own, 'demo'), 'Studio');
  await publishing(participant, 2);
  const refused = await RtmpPublisher.connect({ port: port!, tls: true });
  expect(await refused.publish('another-stream-key-1')).toBe('NetStream.Publish.BadName');
  await encoder.stop();
  await own.stop();
  fs.rmSync(folder, { recursive: true });
});
