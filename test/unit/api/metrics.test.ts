import { beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { HttpServer } from '../../../src/api/http.ts';
import { type MetricsOptions, serveMetrics } from '../../../src/api/metrics.ts';
import { TokenVerifier } from '../../../src/api/tokens.ts';
import { createLogger } from '../../../src/base/log.ts';
import { RoomDirectory } from '../../../src/room/directory.ts';
import type { MediaPlane } from '../../../src/workers/media-plane.ts';
import { readExposition } from '../support/exposition.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { person, ROOM_OPTIONS, voice } from '../support/rooms.ts';
import { KEY, SECRET, sign } from '../support/tokens.ts';

const TOKEN = 'a-token-for-prometheus';

/** A media plane with one hub worker; how often it was asked, and whether it answers. */
class FakePlane {
  asked = 0;
  answers = true;
  readonly health = {
    hubWorkers: { running: 1, deaths: 0 },
    mediaWorkers: { running: 0, deaths: 0 },
  };

  statistics(): Promise<object[]> {
    this.asked++;
    const worker = { kind: 'hub', pid: 5, rooms: 0, cpuMs: 1000, memoryBytes: 1 };
    return this.answers ? Promise.resolve([worker]) : new Promise(() => {});
  }

  placeOf(): number {
    return 0;
  }
}

let clock: FakeClock;
let plane: FakePlane;
let rooms: RoomDirectory;
beforeEach(() => {
  clock = new FakeClock();
  plane = new FakePlane();
  rooms = new RoomDirectory({ defaults: ROOM_OPTIONS, maxRooms: 10 }, clock);
});

async function serve(options: Partial<MetricsOptions> = {}) {
  const { app } = await HttpServer.create({
    bind: '127.0.0.1',
    port: 0,
    tls: undefined,
    trustProxy: [],
    allowedOrigins: [],
    demo: false,
    version: '0',
    log: createLogger('silent'),
  });
  onTestFinished(() => app.close());
  serveMetrics(app, {
    demo: true,
    tokens: new TokenVerifier({ [KEY]: SECRET }),
    metricsToken: undefined,
    rooms,
    plane: plane as unknown as MediaPlane,
    clock,
    gateways: async () => ({}),
    ...options,
  });
  return (authorization?: string) =>
    app.inject({ url: '/metrics', headers: authorization === undefined ? {} : { authorization } });
}

describe('who may read', () => {
  const listing = () => sign({ video: { roomList: true } }).then((token) => `Bearer ${token}`);
  const joining = () => sign({ video: { roomJoin: true, room: 'a' } }).then((token) => `Bearer ${token}`);
  const said = (text?: string) => async () => text;

  test.each<[string, Partial<MetricsOptions>, () => Promise<string | undefined>, number]>([
    ['nobody in particular, in demo mode', { demo: true }, said(), 200],
    ['not who shows something wrong even there', { demo: true }, said('Bearer x'), 401],
    ['nobody in particular, else', { demo: false }, said(), 401],
    ['nobody in particular, with a token configured', { demo: false, metricsToken: TOKEN }, said(), 401],
    ['who has that token', { demo: false, metricsToken: TOKEN }, said(`Bearer ${TOKEN}`), 200],
    [
      'not who has its beginning',
      { demo: false, metricsToken: TOKEN },
      said(`Bearer ${TOKEN.slice(1)}`),
      401,
    ],
    ['not who has more', { demo: false, metricsToken: TOKEN }, said(`Bearer ${TOKEN}x`), 401],
    ['not who shows it as a password', { demo: false, metricsToken: TOKEN }, said(`Basic ${TOKEN}`), 401],
    ['not by a token where none is configured', { demo: false }, said('Bearer undefined'), 401],
    ['who may list rooms', { demo: false }, listing, 200],
    ['who may list rooms, with a token configured', { demo: false, metricsToken: TOKEN }, listing, 200],
    ['not who may join one', { demo: false }, joining, 403],
  ])('%s', async (_, options, authorization, status) => {
    const get = await serve(options);
    const { statusCode, body } = await get(await authorization());
    expect(statusCode).toBe(status);
    expect(body.includes('patchroom_rooms')).toBe(status === 200);
    expect(plane.asked).toBe(status === 200 ? 1 : 0);
  });
});

test('the answer is of the format that Prometheus reads, and nobody keeps it', async () => {
  const get = await serve();
  const { headers, body } = await get();
  expect(headers['content-type']).toBe('text/plain; version=0.0.4; charset=utf-8');
  expect(headers['cache-control']).toBe('no-store');
  expect(readExposition(body).types.get('patchroom_rooms')).toBe('gauge');
});

test('however many ask, everything is asked once a second', async () => {
  const get = await serve();
  const first = await Promise.all([get(), get(), get()]);
  rooms.open('a');
  clock.advance(999);
  const again = await get();
  expect(plane.asked).toBe(1);
  expect(new Set([...first, again].map(({ body }) => body)).size).toBe(1);
  clock.advance(1);
  expect(readExposition((await get()).body).values.get('patchroom_rooms')).toBe(1);
  expect(plane.asked).toBe(2);
});

test('what does not answer is left out, and does not hold up the rest', async () => {
  plane.answers = false;
  const ann = rooms.open('a').join(person('ann'));
  const statistics = { packets: 4, packetsLost: 0, bitrateBps: 0, jitterMs: 0 };
  let isAsked: () => void = () => {};
  const asked = new Promise<void>((resolve) => {
    isAsked = resolve;
  });
  ann.publish({ ...voice(), statistics: async () => statistics });
  ann.publish({
    ...voice(),
    statistics: () => {
      isAsked();
      return new Promise(() => {});
    },
  });
  const get = await serve({ gateways: () => Promise.reject(new Error('gone')) });
  const answer = get();
  await asked;
  await new Promise(setImmediate); // the other track's answer
  clock.advance(3000);
  const { values } = readExposition((await answer).body);
  expect(values.get('patchroom_packets_received_total{gateway="webrtc",kind="audio"}')).toBe(4);
  expect(values.get('patchroom_tracks_unmeasured')).toBe(1);
  expect(values.get('patchroom_rooms')).toBe(1);
  expect([...values.keys()].filter((series) => series.includes('worker_cpu'))).toEqual([]);
});

test('a relay shows by its id, and nothing of where it goes', async () => {
  const report = {
    state: 'live',
    reason: 'a reason',
    bitrateBps: 1,
    bytesSent: 2,
    framesDropped: 3,
    retries: 4,
    uptimeMs: 5,
  } as const;
  const get = await serve({ relays: () => [{ id: 'RL_1', state: 'live', report }] });
  const { body } = await get();
  expect(body).toContain('patchroom_relay_retries_total{relay="RL_1"} 4');
  expect(body).not.toContain('a reason');
});
