import { once } from 'node:events';
import fs from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Browser } from 'playwright-core';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { type RoomReport, roomReport, serverReport } from '../../src/api/room-report.ts';
import { createToken } from '../../src/api/tokens.ts';
import { launchBrowser, Person } from '../peers/browser.ts';
import { EncoderProcess } from '../peers/encoder-process.ts';
import { FfmpegPush } from '../peers/ffmpeg-push.ts';
import { type FlvTag, loop, makeClip } from '../peers/flv-clip.ts';
import { Phone } from '../peers/phone.ts';
import { descendantsOf } from '../peers/processes.ts';
import { Product } from '../peers/product.ts';
import { RtmpMutator } from '../peers/rtmp-mutator.ts';
import { announced, ENDINGS, formats, message, ODDITIES } from '../peers/rtmp-nonsense.ts';
import { RtmpPublisher } from '../peers/rtmp-publisher.ts';
import { encodeAmf, MessageType, uint32 } from '../peers/rtmp-wire.ts';
import { seededRandom } from '../signals/random.ts';

/**
 * What strangers and broken encoders send to the RTMP port of a product that runs as a user starts it: it ends their
 * own connection at the most, and costs nobody else anything.
 */

/** Limits hold by address: what these use up of theirs must not be the others'. */
const STRANGER = '127.0.0.2';
const DRIBBLER = '127.0.0.3';
const ROOM = 'stage';
const TONES = { Studio: 1400, Wild: 2000, Thief: 2600, Frozen: 620 } as const;
const KEY = {
  studio: 'stream-key-of-the-studio',
  wild: 'stream-key-that-is-misused',
  frozen: 'stream-key-of-one-that-hangs',
};
/** Of rooms that nobody listens in. */
const QUIET_KEYS = Array.from({ length: 6 }, (_, index) => `stream-key-of-nobody-${index}`);
const SILENCE_S = 2;
const MAX_CONNECTIONS = 20;
const MUTATED_SESSIONS = 150;
const MUTATED_MESSAGES = 20;
/** What is wrong with a session may be that nobody answers. */
const NO_ANSWER_MS = 200;
/** With what the garbage collection leaves for later. */
const MAX_GROWTH_BYTES = 200e6;
/** Ours, and the children for what is seen and heard, old ones that end included. */
const MAX_PROCESSES = 20;
/** Of the honest encoder's tone at a listener's ear. */
const MAX_GAP_MS = 3_000;
const SECRET = 'a-secret-for-tests-of-32-characters-and-more';

const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'patchroom-hostile-'));
const config = path.join(folder, 'config.json'); // JSON is YAML
fs.writeFileSync(
  config,
  JSON.stringify({
    network: { bind: '127.0.0.1' },
    api: { keys: { test: SECRET } },
    sip: { allow: ['loopback'] },
    rtmp: {
      silenceSeconds: SILENCE_S,
      reconnectSeconds: 1,
      maxConnectionsPerAddress: MAX_CONNECTIONS,
      keys: [
        { key: KEY.studio, room: ROOM, name: 'Studio' },
        { key: KEY.wild, room: ROOM, name: 'Wild' },
        { key: KEY.frozen, room: ROOM, name: 'Frozen' },
        ...QUIET_KEYS.map((key, index) => ({ key, room: `quiet-${index}`, name: 'Nobody' })),
      ],
    },
    // One for all: who is disturbed by others is disturbed here.
    workers: { hubs: 1, media: 1 },
  }),
);
const product = new Product(process.execPath, ['src/main.ts', '--config', config]);
const [, sip] = await product.says(/phone +sip:\S+:(\d+)/);
const [, rtmp] = await product.says(/OBS +rtmp:\S+:(\d+)\/live/);
const [, url = ''] = await product.says(/health +(http:\S+)\/healthz/);
const port = Number(rtmp);

let browser: Browser;
let studio: RtmpPublisher;
let ann: Phone;
let cat: Person;
let sid: string | undefined;
let memoryBefore = 0;
/** The longest that she did not hear the studio. */
let longestGapMs = 0;
let watching: NodeJS.Timeout;
let clip: FlvTag[];
beforeAll(async () => {
  browser = await launchBrowser();
  clip = await makeClip({ video: { size: '320x180', gop: 30 }, audio: { toneHz: TONES.Wild }, seconds: 2 });
  const own = await makeClip({ video: { gop: 30 }, audio: { toneHz: TONES.Studio }, seconds: 2 });
  studio = await RtmpPublisher.connect({ port });
  expect(await studio.publish(KEY.studio)).toBe('NetStream.Publish.Start');
  void studio.playFlv(loop(own), { paced: true });
  ann = await Phone.call(Number(sip), { room: ROOM, name: 'Ann' });
  const video = { roomJoin: true, room: ROOM, canPublish: false };
  const token = await createToken('test', SECRET, { identity: 'cat', video }, 600);
  cat = await Person.join(browser, { url }, { name: 'Cat', room: ROOM, query: `token=${token}` });
  await undisturbed();
  sid = (await participant('Studio'))?.sid;
  memoryBefore = await memoryBytes();
  let heardAt = performance.now();
  watching = setInterval(() => {
    const now = performance.now();
    if (ann.meter.hears(TONES.Studio)) heardAt = now;
    longestGapMs = Math.max(longestGapMs, now - heardAt);
  }, 100);
});
afterAll(async () => {
  clearInterval(watching);
  await EncoderProcess.killAll();
  await browser.close();
  Phone.closeAll();
  product.child.kill('SIGINT');
  await product.ended();
  fs.rmSync(folder, { recursive: true });
});
afterEach(async () => {
  await undisturbed();
  expect((await participant('Studio'))?.sid).toBe(sid);
  expect(longestGapMs).toBeLessThan(MAX_GAP_MS);
  expect(studio.statuses.map(({ code }) => code)).toEqual(['NetStream.Publish.Start']);
  expect(await memoryBytes()).toBeLessThan(memoryBefore + MAX_GROWTH_BYTES);
  expect(product.output.split('\n').filter(isBug)).toEqual([]);
});

/** Whether a line of the log tells of a mistake of ours; that something went away in this moment is none. */
function isBug(line: string): boolean {
  return / {4}at |a bug in Patchroom/.test(line) && !line.includes('"code":"failed-precondition"');
}

async function undisturbed(): Promise<void> {
  await Promise.all([ann.hears(TONES.Studio), cat.sees('Studio', 5)]);
}

async function get(place: string): Promise<unknown> {
  const video = { roomList: true, roomAdmin: true, room: ROOM };
  const token = await createToken('test', SECRET, { identity: 'x', video }, 60);
  return (await fetch(`${url}${place}`, { headers: { authorization: `Bearer ${token}` } })).json();
}

async function report() {
  return serverReport.parse(await get('/api/server'));
}

async function counter(name: string): Promise<number> {
  return (await report()).gateways.rtmp![name] ?? 0;
}

async function memoryBytes(): Promise<number> {
  const { workers } = await report();
  return workers.filter(({ kind }) => kind === 'media').reduce((sum, one) => sum + one.memoryBytes, 0);
}

async function participant(name: string): Promise<RoomReport['participants'][number] | undefined> {
  const room = roomReport.parse(await get(`/api/rooms/${ROOM}`));
  return room.participants.find((one) => one.name === name);
}

/** Resolves once that was counted so often more. */
async function counts(name: string, times: number, action: () => Promise<unknown>): Promise<void> {
  const before = await counter(name);
  await action();
  await expect.poll(() => counter(name)).toBe(before + times);
}

/** A connection without any of our wire code. */
async function open(localAddress = STRANGER): Promise<net.Socket> {
  const socket = net.connect({ port, host: '127.0.0.1', localAddress });
  socket.on('error', () => {}).resume();
  await once(socket, 'connect');
  return socket;
}

async function closed(socket: net.Socket): Promise<void> {
  if (!socket.closed) await once(socket, 'close');
}

/** Connected, not publishing yet. */
function connect(connectValues = {}): Promise<RtmpPublisher> {
  return RtmpPublisher.connect({ port, localAddress: STRANGER, connectValues });
}

async function publish(key: string): Promise<RtmpPublisher> {
  const encoder = await connect();
  // The one before is seen to be gone a moment later.
  await expect.poll(async () => (await report()).gateways.rtmp!.live).toBe(1);
  expect(await encoder.publish(key)).toBe('NetStream.Publish.Start');
  return encoder;
}

/** Resolves once the server has read all that was sent before. */
async function hasRead(encoder: RtmpPublisher): Promise<void> {
  const time = Math.floor(performance.now());
  const answer = () =>
    encoder.received.some(
      ({ type, payload }) =>
        type === MessageType.userControl && payload.readUInt16BE(0) === 7 && payload.readUInt32BE(2) === time,
    );
  encoder.sendMessage(2, MessageType.userControl, Buffer.concat([Buffer.of(0, 6), uint32(time)]), 0, 0);
  await expect.poll(answer).toBe(true);
}

test.each(ENDINGS)('%s is the end of its own connection', async (_, error, sent) => {
  await counts(error, 1, async () => {
    const socket = await open();
    socket.write(sent);
    await closed(socket);
  });
});

test.each([[''], [null], [5]])('publish with %j for a name is refused, and says so', async (name) => {
  await counts('command', 1, async () => {
    const encoder = await connect();
    encoder.sendCommand('publish', 5, null, name);
    await encoder.closed;
    expect(encoder.statuses).toMatchObject([{ code: 'NetStream.Publish.BadName' }]);
  });
});

test('a tcUrl that is no URL, and whatever else connect may say, changes nothing', async () => {
  const odd = {
    tcUrl: '::not a url::',
    swfUrl: null,
    app: 'x'.repeat(5000),
    flashVer: [1, 2],
    objectEncoding: 9,
  };
  const encoder = await connect(odd);
  expect(await encoder.publish('stream-key-of-no-one')).toBe('NetStream.Publish.BadName');
  await encoder.closed;
});

test('whoever was refused and goes on sending is not heard', async () => {
  const stolen = await makeClip({ video: { gop: 30 }, audio: { toneHz: TONES.Thief }, seconds: 2 });
  const people = (await report()).rooms;
  for (const [key, name] of [
    ['stream-key-of-no-one', 'badKey'],
    [KEY.studio, 'keyInUse'],
  ] as const) {
    await counts(name, 2, async () => {
      const polite = await connect();
      // Does not take the end of what it is told for its own.
      polite.socket.allowHalfOpen = true;
      expect(await polite.publish(key)).toBe('NetStream.Publish.BadName');
      const hasty = await connect();
      hasty.socket.allowHalfOpen = true;
      await hasty.createStream();
      hasty.sendMessage(3, MessageType.commandAmf0, encodeAmf('publish', 9, null, key, 'live'));
      const sent = [polite, hasty].map((encoder) => encoder.playFlv(loop(stolen), { paced: false }));
      const heard = await ann.heardDuring([TONES.Thief, TONES.Studio], 1);
      expect(heard).toEqual([TONES.Studio]);
      await Promise.all([...sent, polite.closed, hasty.closed]);
    });
  }
  expect((await report()).rooms).toEqual(people);
});

test('hundreds of connections that say one byte, and some that say little, are gone after five seconds', async () => {
  const before = await counter('overLimit');
  await counts('handshake', MAX_CONNECTIONS + 1, async () => {
    const sockets = await Promise.all(Array.from({ length: 300 }, () => open()));
    for (const socket of sockets) socket.write(Buffer.of(3));
    const dribbler = await open(DRIBBLER);
    const dribble = setInterval(() => dribbler.write(Buffer.of(3)), 50);
    await expect.poll(() => counter('overLimit')).toBe(before + 300 - MAX_CONNECTIONS);
    // From elsewhere one still gets in.
    const honest = await RtmpPublisher.connect({ port });
    expect(await honest.publish(QUIET_KEYS[0]!)).toBe('NetStream.Publish.Start');
    await honest.close();
    await Promise.all([...sockets, dribbler].map(closed));
    clearInterval(dribble);
  });
  expect((await report()).gateways.rtmp).toMatchObject({ sessions: 1, live: 1 });
});

test('connections that are gone before they are looked at', async () => {
  const before = await counter('sessionsTotal');
  for (let round = 0; round < 20; round++) {
    const sockets = await Promise.all(Array.from({ length: 10 }, () => open()));
    for (const socket of sockets) socket.resetAndDestroy();
    await Promise.all(sockets.map(closed));
  }
  await expect.poll(() => counter('sessions')).toBe(1);
  expect(await counter('sessionsTotal')).toBeGreaterThan(before);
});

test.each(ODDITIES)('%s do not end a stream', async (_, send) => {
  const encoder = await publish(KEY.wild);
  await send(encoder, clip);
  await hasRead(encoder);
  void encoder.playFlv(loop(clip), { paced: true, offsetMs: 1000 });
  await Promise.all([ann.hears(TONES.Wild), cat.sees('Wild', 5)]);
  expect(encoder.socket.closed).toBe(false);
  encoder.unpublish();
  await encoder.close();
});

test(`${MUTATED_SESSIONS * MUTATED_MESSAGES} messages in which something is wrong`, async () => {
  const mutator = new RtmpMutator(seededRandom(20_261_122), clip);
  let left = MUTATED_SESSIONS;
  let live = 0;
  const before = (await report()).gateways.rtmp!;
  const run = async (key: string) => {
    while (left-- > 0) {
      const { opening, media } = mutator.session(key, MUTATED_MESSAGES);
      const socket = await open();
      const decided = new Promise<boolean>((resolve) => {
        let heard = '';
        socket.on('data', (some: Buffer) => {
          heard += some.toString('latin1');
          if (heard.includes('onStatus')) resolve(heard.includes('Publish.Start'));
        });
        for (const event of ['close', 'timeout']) socket.once(event, () => resolve(false));
        socket.setTimeout(NO_ANSWER_MS);
      });
      socket.write(Buffer.concat(opening));
      if (await decided) live++;
      for (const piece of mutator.pieces(Buffer.concat(media))) socket.write(piece);
      socket.end();
      await closed(socket);
    }
  };
  await Promise.all([...QUIET_KEYS, KEY.wild].map(run));
  expect(live).toBeGreaterThan(MUTATED_SESSIONS / 3);
  const { gateways, workerDeaths } = await report();
  expect(workerDeaths).toEqual({ hub: 0, media: 0 });
  for (const name of ['chunk', 'message-too-long', 'amf', 'messagesDropped']) {
    expect(gateways.rtmp![name], name).toBeGreaterThan(before[name] ?? 0);
  }
});

test('an encoder that changes what it sends all the time is not followed', async () => {
  await counts('format', 1, async () => {
    const encoder = await publish(KEY.wild);
    let time = 0;
    let processes = 0;
    for (const [type, body] of formats(clip)) {
      if (type === 'audio') encoder.sendAudio(body, time++);
      else encoder.sendVideo(body, time++);
      if (time % 20 > 0) continue;
      await delay(10);
      processes = Math.max(processes, descendantsOf(product.child.pid!).length);
    }
    await encoder.closed;
    expect(processes).toBeLessThan(MAX_PROCESSES);
  });
});

test('an encoder that asks and does not read is cut off', async () => {
  const encoder = await publish(KEY.wild);
  encoder.socket.pause();
  const ping = message(MessageType.userControl, Buffer.concat([Buffer.of(0, 6), uint32(1)]), 2);
  const pings = Buffer.concat(Array.from({ length: 3000 }, () => ping));
  while (encoder.socket.writable) {
    const goesOn = encoder.sendRaw(pings);
    if (!goesOn) await Promise.race([once(encoder.socket, 'drain').catch(() => {}), encoder.closed]);
  }
  await encoder.closed;
});

test('who says a little now and then holds a key no longer than who says nothing', async () => {
  await counts('silent', 1, async () => {
    const encoder = await publish(KEY.wild);
    encoder.sendRaw(announced(4, 4000));
    const dribble = setInterval(() => encoder.sendRaw(Buffer.of(0)), 50);
    await encoder.closed;
    clearInterval(dribble);
  });
});

test('an encoder that hangs is noticed, and another one has its key', async () => {
  const frozen = FfmpegPush.start(`rtmp://127.0.0.1:${port}/live/${KEY.frozen}`, {
    video: { size: '320x180', gop: 30 },
    audio: { toneHz: TONES.Frozen },
  });
  await Promise.all([ann.hears(TONES.Frozen), cat.sees('Frozen', 5)]);
  await counts('silent', 1, async () => frozen.freeze());
  await ann.hearsNoMore(TONES.Frozen);
  const other = await publish(KEY.frozen);
  void other.playFlv(loop(clip), { paced: true });
  await Promise.all([ann.hears(TONES.Wild), cat.sees('Frozen', 5)]);
  frozen.thaw();
  expect(await frozen.ended).not.toBe(0);
  expect(other.socket.closed).toBe(false);
  await other.close();
});
