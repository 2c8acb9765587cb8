import { beforeEach, describe, expect, test } from 'vitest';
import rtmpMedia from '../../../gateways/rtmp/media.ts';
import type { Notice, Request } from '../../../gateways/rtmp/messages.ts';
import { rtmpOptions } from '../../../gateways/rtmp/options.ts';
import { RelayLeg } from '../../../gateways/rtmp/relay-leg.ts';
import { Relays } from '../../../gateways/rtmp/relays.ts';
import { type Port, WorkerPorts } from '../../../gateways/rtmp/worker-ports.ts';
import type { GatewayHost, MediaHost, MediaWorker } from '../../../src/gateway.ts';
import { StreamKeys } from '../../../src/ingest/stream-keys.ts';
import type { ProgramFeed } from '../../../src/media/program.ts';
import type { Room } from '../../../src/room/room.ts';
import type { DeliveryReport } from '../../../transcode/delivery/delivery-report.ts';
import { eventually } from '../support/eventually.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { FakeEncoderPlane, gone } from '../support/fake-encoder-plane.ts';
import { FakeLog } from '../support/fake-log.ts';
import { fakeHost } from '../support/fake-media-plane.ts';
import { turn } from '../support/fake-process.ts';
import { Gate } from '../support/gate.ts';
import { refusal } from '../support/refusal.ts';
import { openRoom } from '../support/rooms.ts';

const SECRET = 'hush-7f3a9c-not-for-anybody';
const ADDRESS = `rtmp://cdn.example/app/${SECRET}`;
const MASKED = 'rtmp://cdn.example/app/{hus...ody}';
const OWN_KEY = 'the-key-of-camera-1';
const LIVE: DeliveryReport = {
  state: 'live',
  reason: '',
  bitrateBps: 2_600_000,
  bytesSent: 1_000_000,
  framesDropped: 3,
  retries: 1,
  uptimeMs: 5_000,
};

let room: Room;
let plane: FakeEncoderPlane;
let worker: MediaWorker;

beforeEach(() => {
  ({ room } = openRoom());
  plane = new FakeEncoderPlane();
  worker = plane.mediaWorkers[0] as unknown as MediaWorker;
});

function relays({ demo = false, announce }: { demo?: boolean; announce?: string } = {}) {
  const { host } = fakeHost(room, plane);
  const changed = { ...host, demo, network: { ...host.network, announce } } as GatewayHost;
  const keys = [
    { key: OWN_KEY, room: 'lounge', name: 'Camera' },
    { key: 'the-key-of-the-kitchen', room: 'kitchen', name: 'Oven' },
  ];
  const ports: WorkerPorts = new WorkerPorts(
    changed,
    rtmpOptions.parse({ keys }),
    (notice) => {
      if (notice.type === 'relay' || notice.type === 'relay-failed') made.onNotice(notice);
    },
    (port) => made.onLost(port),
  );
  const made: Relays = new Relays({
    host: changed,
    ports,
    keys: new StreamKeys(keys, demo),
    listeningPorts: () => [1935, 2935],
  });
  const dial = (address = ADDRESS, originUs?: number) =>
    made.open({ room, address, program: { worker, epochAt: 0, id: 'PG_1' }, originUs });
  return { relays: made, ports, dial };
}

/** What the media half says of the relay that was asked for last. */
async function say(
  notice: { type: 'relay'; report: DeliveryReport } | { type: 'relay-failed'; reason: string },
) {
  const { relay } = plane.all('relay').at(-1)!;
  plane.ports.at(-1)!.emit('notice', { ...notice, relay } as Notice);
  await turn();
}

describe('a relay', () => {
  test('is begun in the worker that makes the program, which was told the settings before', async () => {
    const { relays: all, dial } = relays();
    const leg = await dial();
    const [configure, relay] = plane.requests;
    expect(configure).toMatchObject({
      type: 'configure',
      relays: { everywhere: false, allow: [], maxLatenessMs: 4_000 },
    });
    expect(relay).toEqual({ type: 'relay', relay: expect.any(String), program: 'PG_1', address: ADDRESS });
    expect(plane.ports.map((port) => port.worker)).toEqual([worker]);
    expect([leg.shownAddress, leg.report.state, all.count]).toEqual([MASKED, 'connecting', 1]);
  });

  test('that goes on with what another process delivered keeps the origin of its time', async () => {
    const { dial } = relays();
    await dial(ADDRESS, 0);
    await dial(ADDRESS, 5_000_000);
    expect(plane.all('relay').map(({ originUs }) => originUs)).toEqual([0, 5_000_000]);
  });

  test('tells how it goes, to whoever listens last', async () => {
    const { dial } = relays();
    const leg = await dial();
    const heard: string[] = [];
    leg.onChange(() => heard.push(leg.report.state));
    await say({ type: 'relay', report: LIVE });
    expect(leg.report).toEqual(LIVE);
    await say({ type: 'relay', report: { ...LIVE, state: 'waiting', reason: 'lost' } });
    expect(heard).toEqual(['live', 'waiting']);
  });

  test('is ended once, and hears nothing after it', async () => {
    const { relays: all, dial } = relays();
    const leg = await dial();
    const other = await dial();
    await say({ type: 'relay', report: LIVE });
    const heard: string[] = [];
    other.onChange(() => heard.push('change'));
    void other.ended.then((cause) => heard.push(cause));
    await other.end();
    await other.end();
    expect(plane.all('end-relay')).toEqual([{ type: 'end-relay', relay: plane.all('relay')[1]!.relay }]);
    await say({ type: 'relay', report: { ...LIVE, state: 'stalled' } });
    await say({ type: 'relay-failed', reason: 'no' });
    expect([other.report, heard, all.count]).toEqual([LIVE, [], 1]);
    expect(leg.report.state).toBe('connecting');
  });

  test('that was given up says why, and is not asked for anything more', async () => {
    const { relays: all, dial } = relays();
    const leg = await dial();
    await say({ type: 'relay', report: LIVE });
    const heard: string[] = [];
    leg.onChange(() => heard.push(leg.report.state));
    await say({ type: 'relay-failed', reason: 'NetStream.Publish.BadName: no' });
    await expect(leg.ended).resolves.toBe('NetStream.Publish.BadName: no');
    expect(leg.report).toEqual({
      ...LIVE,
      state: 'failed',
      reason: 'NetStream.Publish.BadName: no',
      bitrateBps: 0,
      uptimeMs: 0,
    });
    await leg.end();
    await say({ type: 'relay', report: LIVE });
    expect([heard, all.count, plane.all('end-relay')]).toEqual([['failed'], 0, []]);
  });

  test('that was given up before the answer came', async () => {
    const { relays: all, dial } = relays();
    const beginning = new Gate();
    beginning.open = false;
    plane.gates.relay = beginning;
    const dialled = dial();
    await turn();
    await say({ type: 'relay-failed', reason: 'not permitted' });
    await beginning.letAll();
    const leg = await dialled;
    expect(leg.report).toMatchObject({ state: 'failed', reason: 'not permitted' });
    await expect(leg.ended).resolves.toBe('not permitted');
    expect(all.count).toBe(0);
  });

  test('of which nothing is known here is not news', async () => {
    const { relays: all, dial } = relays();
    await dial();
    plane.ports[0]!.emit('notice', { type: 'relay', relay: 'another', report: LIVE });
    plane.ports[0]!.emit('notice', { type: 'relay-failed', relay: 'another', reason: '' });
    expect(all.count).toBe(1);
  });
});

describe('the worker', () => {
  test('ends: so do its relays, and no others', async () => {
    const { relays: all, dial } = relays();
    const legs = [await dial(), await dial()];
    worker = { pid: 2 } as unknown as MediaWorker;
    const elsewhere = await dial();
    const heard: string[] = [];
    for (const leg of legs) leg.onChange(() => heard.push('change'));
    plane.ports[0]!.lose();
    expect(await Promise.all(legs.map(({ ended }) => ended))).toEqual(
      legs.map(() => 'The media worker ended.'),
    );
    expect([heard.length, all.count]).toEqual([2, 1]);
    expect(legs.map(({ report }) => report.state)).not.toContain('failed');
    await elsewhere.end();
    await Promise.all(legs.map((leg) => leg.end()));
    expect(plane.all('end-relay')).toHaveLength(1);
  });

  test('that comes after it is told the settings anew', async () => {
    const { dial } = relays();
    await dial();
    plane.ports[0]!.lose();
    await dial();
    expect(plane.requests.map(({ type }) => type)).toEqual(['configure', 'relay', 'configure', 'relay']);
  });

  test.each(['configure', 'relay'] as const)('does not take %s: nothing is left', async (type) => {
    const { relays: all, dial } = relays();
    plane.failures[type] = [gone()];
    await expect(dial()).rejects.toThrow(refusal('unavailable'));
    await turn();
    expect(all.count).toBe(0);
    // It may have begun, and answered too late.
    expect(plane.all('end-relay')).toHaveLength(type === 'relay' ? 1 : 0);
    await dial();
    expect(all.count).toBe(1);
  });
});

describe('addresses', () => {
  const elsewhere = `rtmp://cdn.example/live/${OWN_KEY}`;

  test.each<[string, { demo: boolean }, string]>([
    ["the room's own key, wherever it leads", { demo: false }, elsewhere],
    ['the same in demo mode', { demo: true }, elsewhere],
    ['the same over TLS', { demo: false }, `rtmps://10.0.0.1:8443/x/y/${OWN_KEY}`],
    ['its name at this machine', { demo: true }, 'rtmp://localhost/live/lounge'],
    ['the same in capitals', { demo: true }, 'RTMP://LOCALHOST/live/lounge'],
    ['its name with that of an encoder', { demo: true }, 'rtmp://127.0.0.1:2935/live/lounge?name=Loop'],
    ['any loopback address', { demo: true }, 'rtmp://127.8.9.10/live/lounge'],
    ['the same of IPv6', { demo: true }, 'rtmp://[::1]/live/lounge'],
    ['no address in particular', { demo: true }, 'rtmp://0.0.0.0/live/lounge'],
    ['the address that peers are told', { demo: true }, 'rtmp://Room.Example/live/lounge'],
  ])('%s: refused, it leads back', async (_, { demo }, address) => {
    const { relays: all, dial } = relays({ demo, announce: 'room.example' });
    const error = await dial(address).catch((thrown: Error) => thrown);
    expect(error).toEqual(refusal('invalid-request'));
    expect((error as Error).message).toContain('leads back into the room lounge itself');
    expect((error as Error).message).not.toContain(OWN_KEY);
    expect([plane.requests, all.count]).toEqual([[], 0]);
  });

  test.each<[string, { demo: boolean }, string]>([
    ["another room's key", { demo: false }, 'rtmp://cdn.example/live/the-key-of-the-kitchen'],
    ["another room's name", { demo: true }, 'rtmp://localhost/live/kitchen'],
    ["the room's name, which is no key here", { demo: false }, 'rtmp://localhost/live/lounge'],
    ['its name at another port', { demo: true }, 'rtmp://localhost:1936/live/lounge'],
    ['its name at another machine', { demo: true }, 'rtmp://cdn.example/live/lounge'],
    ['its name at another address', { demo: true }, 'rtmp://192.0.2.1/live/lounge'],
    ['its name as the app', { demo: true }, 'rtmp://localhost/lounge/other'],
    ['a key that begins like the own', { demo: false }, `${elsewhere}2`],
  ])('%s: dialled', async (_, { demo }, address) => {
    const { dial } = relays({ demo });
    await dial(address);
    expect(plane.all('relay').map((request) => request.address)).toEqual([address]);
  });

  test.each([
    `http://cdn.example/app/${SECRET}`,
    `rtmp://cdn.example/${SECRET}`,
    `rtmp://user:${SECRET}@cdn.example/app/key`,
    `rtmp://cdn.example:99999/app/${SECRET}`,
    `rtmp://cdn.example/app/ ${SECRET}`,
    SECRET,
    '',
  ])('%s: none, and what is said of it has no key', async (address) => {
    const { dial } = relays();
    const error = await dial(address).catch((thrown: Error) => thrown);
    expect(error).toEqual(refusal('invalid-request'));
    expect((error as Error).message).not.toContain(SECRET);
    expect(plane.requests).toEqual([]);
  });

  test.each<[string, string]>([
    [ADDRESS, MASKED],
    ['rtmps://cdn.example/app/short', 'rtmps://cdn.example/app/{***}'],
    [`rtmp://cdn.example/app/x?token=${SECRET}`, 'rtmp://cdn.example/app/{***}?{***}'],
  ])('%s is shown as %s', async (address, shown) => {
    const { dial } = relays();
    expect((await dial(address)).shownAddress).toBe(shown);
  });
});

test('a leg that was lost is not given up after that, nor the other way round', async () => {
  let ends = 0;
  const make = () => new RelayLeg(MASKED, async () => void ends++);
  const [lost, failed] = [make(), make()];
  lost.update(LIVE);
  lost.lose();
  lost.fail('no');
  failed.fail('no');
  failed.lose();
  expect([lost.report, failed.report.state]).toEqual([LIVE, 'failed']);
  expect(await Promise.all([lost.ended, failed.ended])).toEqual(['The media worker ended.', 'no']);
  await Promise.all([lost.end(), failed.end()]);
  expect(ends).toBe(0);
});

describe('the media half', () => {
  const silent: ProgramFeed = {
    description: { audioBitrateBps: 128_000, audioSampleRate: 48_000, audioChannels: 2 },
    formats: [],
    recent: [],
    subscribe: () => () => {},
  };
  const configure: Request = {
    type: 'configure',
    silenceMs: 10_000,
    maxWaitMs: 500,
    video: { maxKeyFrameGapMs: 3_000, maxHeight: 720, bitrateBps: 2_500_000, preset: 'superfast' },
    audioBitrateBps: 96_000,
    relays: { everywhere: false, allow: ['127.0.0.2'], maxLatenessMs: 4_000 },
  };

  function mediaHalf() {
    const log = new FakeLog();
    const notices: Notice[] = [];
    const host = {
      log,
      clock: new FakeClock(),
      program: (id: string) => {
        if (id !== 'PG_1') throw gone();
        return silent;
      },
      notify: (notice: Notice) => void notices.push(notice),
    };
    return { log, notices, half: rtmpMedia.create(host as unknown as MediaHost<Notice>) };
  }
  const relay = (address: string): Request => ({ type: 'relay', relay: 'a', program: 'PG_1', address });

  test('refuses what is not permitted, in words without the key', async () => {
    const { half, notices, log } = mediaHalf();
    await half.handle(configure);
    await half.handle(relay(`rtmp://127.0.0.1/app/${SECRET}`));
    await eventually(() => notices.at(-1)?.type).toBe('relay-failed');
    const [notice] = notices.slice(-1) as [Extract<Notice, { type: 'relay-failed' }>];
    expect(notice).toEqual({
      type: 'relay-failed',
      relay: 'a',
      reason: expect.stringContaining('127.0.0.1'),
    });
    expect(log.text).toContain('{hus...ody}');
    expect(log.text + JSON.stringify(notices)).not.toContain(SECRET);
    await half.handle({ type: 'end-relay', relay: 'a' });
    await half.close();
  });

  test('goes on in the time that another process began', async () => {
    const { half, notices } = mediaHalf();
    await half.handle(configure);
    // Nothing listens there, which takes a moment to find out.
    await half.handle({ ...relay('rtmp://127.0.0.2:1/app/key'), originUs: 7_000_000 } as Request);
    await eventually(() => notices.at(-1)).toMatchObject({
      type: 'relay',
      relay: 'a',
      report: { state: 'waiting', originUs: 7_000_000 },
    });
    await half.close();
  });

  test.each<[string, boolean, Request]>([
    ['before the settings', false, relay(ADDRESS)],
    ['to what is no address', true, relay(SECRET)],
    ['of a program that is not made there', true, { ...relay(ADDRESS), program: 'PG_2' } as Request],
  ])('does not begin one %s', async (_, isConfigured, request) => {
    const { half, notices } = mediaHalf();
    if (isConfigured) await half.handle(configure);
    const error: Error = await half.handle(request).then(
      () => expect.unreachable(),
      (thrown) => thrown,
    );
    expect(error.message).not.toContain(SECRET);
    await half.close();
    expect(notices).toEqual([]);
  });
});

test('ports that could not be told the settings are closed, and those to one worker are one', async () => {
  const { ports } = relays();
  const [first, second]: Port[] = await Promise.all([ports.to(worker), ports.to(worker)]);
  expect(first).toBe(second);
  ports.close();
  await turn();
  expect(plane.ports.map(({ closed }) => closed)).toEqual([true]);
  plane.failures.configure = [gone()];
  const another = { pid: 2 } as unknown as MediaWorker;
  await expect(ports.to(another)).rejects.toThrow(refusal('unavailable'));
  await turn();
  await ports.to(another);
  expect(plane.ports.map(({ closed }) => closed)).toEqual([true, true, false]);
});
