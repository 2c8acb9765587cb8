import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, type TestContext, test } from 'vitest';
import type { Room } from '../../src/room/room.ts';
import type { Server } from '../../src/server.ts';
import { BadCdn, beginsWhole, type Misbehaviour } from '../peers/bad-cdn.ts';
import { EncoderProcess } from '../peers/encoder-process.ts';
import type { Encoding } from '../peers/ffmpeg-encoding.ts';
import { isKeyFrame } from '../peers/flv-clip.ts';
import { allowanceOf, expectUndisturbed, goOut, pushToDemo } from '../peers/going-out.ts';
import { KeptStream } from '../peers/kept-stream.ts';
import { NginxRtmp } from '../peers/nginx-rtmp.ts';
import { startMain } from '../peers/product.ts';
import { RestartedNginx } from '../peers/restarted-nginx.ts';
import { rtmpPort } from '../peers/rtmp-port.ts';
import { RtmpPublisher } from '../peers/rtmp-publisher.ts';
import { startServer } from '../peers/server.ts';

/** CDNs that fail while a room goes out: whoever else it goes out to notices nothing. And who may be called at all. */

const RATE = 30;
/** Copied as it is; enough bits for acknowledgements to come about each second. */
const COPIED: Encoding = { video: { gop: RATE, bitrateKbps: 2500 }, audio: { toneHz: 1000 } };
/** The least that each wait before an attempt is, ms. */
const LEAST_PAUSES = [250, 250, 250];

let server: Server;
let room: Room;

describe('while one destination fails, the other gets all', () => {
  let cdn: NginxRtmp;
  /** What a destination gets beside which nothing fails. */
  let alone: KeptStream;
  beforeAll(async () => {
    server = await startServer({ config: { workers: { hubs: 1, media: 2 } } });
    cdn = await NginxRtmp.start({ record: true });
    room = await pushToDemo(server, COPIED);
    alone = new KeptStream(cdn, 'alone', RATE);
    await server.outputs.start(room, { type: 'room' }, [alone.address]);
  });
  afterAll(async () => {
    await EncoderProcess.killAll();
    await server.stop();
    await cdn.stop();
  });

  const goOutWith = (expect: TestContext['expect'], key: string, others: readonly string[]) =>
    goOut(expect, { server, room, cdn, key, others, frameRate: RATE });

  test.concurrent('it is stopped and started again', async ({ expect, onTestFinished }) => {
    const other = await RestartedNginx.start();
    onTestFinished(() => other.stop());
    const stream = new KeptStream(other.nginx, 'restarted-key', RATE);
    const { kept, output, reports } = await goOutWith(expect, 'restart', [stream.address]);
    await expect.poll(() => stream.lastMs).toBeGreaterThan(500);
    const before = stream.lastMs;
    await other.kill();
    await expect.poll(() => reports()[1]).toMatchObject({ state: 'waiting', reason: /\w/ });
    await expect.poll(() => reports()[1]!.retries).toBeGreaterThanOrEqual(2);
    expect(reports()[1]!.reason).toMatch(/Nothing listens on 127\.0\.0\.1/);
    await other.revive();
    await expect.poll(() => reports()[1]!.state).toBe('live');
    await expect.poll(() => stream.files.length).toBe(2);
    await expect.poll(() => stream.tags.length).toBeGreaterThan(100);
    expect(beginsWhole(stream.tags, isKeyFrame)).toBe(true);
    const { retries, lastRetryAt } = reports()[1]!;
    expect(retries).toBeGreaterThanOrEqual(3);
    expect(Math.abs(lastRetryAt! - Date.now())).toBeLessThan(60_000);
    // Figures come each second.
    await expect.poll(() => reports()[1]!.uptimeMs).toBeGreaterThan(0);
    // Its time went on.
    expect(stream.lastMs).toBeGreaterThan(before);
    await expectUndisturbed(expect, kept, allowanceOf(alone));
    expect(reports()[0]).toMatchObject({ state: 'live', retries: 0, framesDropped: 0 });
    await server.outputs.stop(output.id);
  });

  test.concurrent('it stands still, and goes on', async ({ expect, onTestFinished }) => {
    const other = await NginxRtmp.start({ record: true });
    onTestFinished(() => other.stop());
    const stream = new KeptStream(other, 'frozen-key', RATE);
    const { kept, output, reports } = await goOutWith(expect, 'freeze', [stream.address]);
    // So much is acknowledged some times.
    await expect.poll(() => reports()[1]!.bytesSent).toBeGreaterThan(1_500_000);
    const states = new Set<string>();
    const watch = setInterval(() => states.add(reports()[1]!.state), 20);
    onTestFinished(() => clearInterval(watch));
    other.freeze();
    const frozenAt = performance.now();
    await expect.poll(() => reports()[1]!.state).toBe('stalled');
    expect(reports()[1]!.reason).toMatch(/no longer acknowledges|takes nothing/);
    await expect.poll(() => reports()[1]!.retries).toBeGreaterThan(0);
    await delay(Math.max(0, 15_000 - (performance.now() - frozenAt)));
    other.thaw();
    await expect.poll(() => reports()[1]!.state).toBe('live');
    expect([...states]).toEqual(expect.arrayContaining(['stalled', 'waiting', 'connecting']));
    await expect.poll(() => stream.files.length).toBeGreaterThan(1);
    await expect.poll(() => stream.tags.length).toBeGreaterThan(100);
    expect(beginsWhole(stream.tags, isKeyFrame)).toBe(true);
    await expectUndisturbed(expect, kept, allowanceOf(alone));
    expect(reports()[0]).toMatchObject({ state: 'live', retries: 0, framesDropped: 0 });
    await server.outputs.stop(output.id);
  });

  const SECRET = 'hush-0123456789-hush';
  test.concurrent.for<[string, Misbehaviour, RegExp]>([
    ['it sends garbage', { kind: 'garbage' }, /\w/],
    ['it sends garbage once it lets us publish', { kind: 'garbage-when-live' }, /\w/],
    ['it never answers', { kind: 'silent' }, /^The server did not let us publish within 10 s\.$/],
    [
      'it refuses the key',
      {
        kind: 'refuses',
        code: 'NetStream.Publish.BadName',
        description: `Nobody knows ${SECRET}.`,
      },
      /^NetStream\.Publish\.BadName: Nobody knows \*\*\*\.$/,
    ],
    [
      'it rejects us',
      { kind: 'refuses', code: 'NetStream.Publish.Rejected', description: 'Your account has ended.' },
      /^NetStream\.Publish\.Rejected: Your account has ended\.$/,
    ],
  ])('%s', async ([name, behaviour, reason], { expect, onTestFinished }) => {
    const other = await BadCdn.start(behaviour);
    onTestFinished(() => other.stop());
    const key = name.replaceAll(' ', '-');
    const { kept, output, reports } = await goOutWith(expect, key, [`${other.url}/${SECRET}`]);
    await expect
      .poll(() => reports()[1], { interval: 20 })
      .toMatchObject({ state: 'waiting', reason: expect.stringMatching(reason) });
    // In words for people, whatever came.
    expect(reports()[1]!.reason).toMatch(/^[ -~]{10,300}$/);
    // It is tried again.
    await expect.poll(() => other.visits.length).toBeGreaterThanOrEqual(3);
    await expect.poll(() => reports()[1]!.retries).toBeGreaterThanOrEqual(2);
    expect(JSON.stringify([reports(), output.destinations.map((one) => one.shownAddress)])).not.toContain(
      SECRET,
    );
    await expectUndisturbed(expect, kept, allowanceOf(alone));
    expect(reports()[0]).toMatchObject({ state: 'live', retries: 0, framesDropped: 0 });
    await server.outputs.stop(output.id);
  });

  test.concurrent('it closes a second after each beginning, and is tried again after a pause each time', async ({
    expect,
    onTestFinished,
  }) => {
    const other = await BadCdn.start({ kind: 'closes', afterMs: 1000 });
    onTestFinished(() => other.stop());
    const { kept, output, reports } = await goOutWith(expect, 'closes', [`${other.url}/closing`]);
    await expect.poll(() => other.visits.length).toBe(LEAST_PAUSES.length + 1);
    for (const [index, pause] of other.pausesMs.entries()) {
      // Timers keep whole milliseconds.
      expect(pause).toBeGreaterThanOrEqual(LEAST_PAUSES[index]! - 2);
    }
    for (const { tags } of other.visits.slice(0, -1)) expect(beginsWhole(tags, isKeyFrame)).toBe(true);
    await expect.poll(() => reports()[1]!.retries).toBeGreaterThanOrEqual(LEAST_PAUSES.length);
    await expectUndisturbed(expect, kept, allowanceOf(alone));
    await server.outputs.stop(output.id);
  });

  test.concurrent('it is added and taken away, and all is stopped', async ({ expect, onTestFinished }) => {
    const other = await BadCdn.start({ kind: 'none' });
    onTestFinished(() => other.stop());
    const address = `${other.url}/added`;
    const { kept, output, reports } = await goOutWith(expect, 'kept', []);
    for (let round = 0; round < 2; round++) {
      await server.outputs.update(output.id, { add: [address], remove: [] });
      await expect.poll(() => reports().at(-1)!.state).toBe('live');
      await expect.poll(() => other.visits[round]?.tags.length).toBeGreaterThan(50);
      expect(beginsWhole(other.visits[round]!.tags, isKeyFrame)).toBe(true);
      if (round > 0) break;
      await server.outputs.update(output.id, { add: [], remove: [address] });
      await expect.poll(() => other.visits[0]).toMatchObject({ unpublished: true, over: true });
      expect(output.destinations[1]!.status).toBe('finished');
    }
    await expectUndisturbed(expect, kept, allowanceOf(alone));
    expect(output.status).toBe('active');
    await server.outputs.stop(output.id);
    expect(output.status).toBe('complete');
    await expect.poll(() => other.visits[1]).toMatchObject({ unpublished: true, over: true });
    expect(output.destinations.map(({ status }) => status)).toEqual(['finished', 'finished', 'finished']);
    // The nginx has let go of the key.
    const next = await server.outputs.start(room, { type: 'room' }, [kept.address, `${other.url}/next`]);
    await expect.poll(() => next.destinations[0]!.report).toMatchObject({ state: 'live', retries: 0 });
    await server.outputs.stop(next.id);
  });

  test.concurrent('a room does not go out to its own way in', async ({ expect }) => {
    const own = `rtmp://127.0.0.1:${rtmpPort(server)}/live/demo?name=Loop`;
    const call = server.outputs.start(room, { type: 'room' }, [`${cdn.url}/loop`, own]);
    await expect(call).rejects.toMatchObject({
      code: 'invalid-request',
      message: expect.stringMatching(/room demo itself: this would create a loop/),
    });
  });
});

describe('who may be called', () => {
  const OWN_KEY = 'own-0123456789-own';
  let allowed: BadCdn;
  beforeAll(async () => {
    allowed = await BadCdn.start({ kind: 'none' }, '127.0.0.2');
    server = await startServer({
      demo: false,
      config: {
        outputs: { allow: ['127.0.0.2'] },
        rtmp: { keys: [{ key: OWN_KEY, room: 'stage', name: 'Studio' }] },
      },
    });
    room = server.rooms.open('stage');
  });
  afterAll(async () => {
    await server.stop();
    await allowed.stop();
  });

  test('what is private is called only where it is allowed', async () => {
    const other = await BadCdn.start({ kind: 'none' });
    const output = await server.outputs.start(room, { type: 'room' }, [
      `${other.url}/not-allowed`,
      `${allowed.url}/allowed`,
    ]);
    await expect.poll(() => output.destinations[1]!.report.state).toBe('live');
    await expect.poll(() => output.destinations[0]!.status).toBe('failed');
    expect(output.destinations[0]).toMatchObject({
      error: 'The address 127.0.0.1 is private: allow it with outputs.allow.',
      report: { state: 'failed', retries: 0 },
    });
    expect(other.visits).toEqual([]);
    expect(output.status).toBe('active');
    await server.outputs.stop(output.id);
    await other.stop();
  });

  test('a room does not go out to its own way in', async () => {
    const own = `rtmp://127.0.0.1:${rtmpPort(server)}/live/${OWN_KEY}`;
    const error = await server.outputs
      .start(room, { type: 'room' }, [`${allowed.url}/allowed`, own])
      .catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({
      code: 'invalid-request',
      message: expect.stringMatching(/room stage itself: this would create a loop/),
    });
    expect(String(error)).not.toContain(OWN_KEY);
  });
});

test('keys are in no line of the log and in no report', async () => {
  const KEYS = ['hush-taken-0123456789', 'hush-refused-0123456789', 'hush-nobody-0123456789'] as const;
  const description = `Nobody knows ${KEYS[1]}.`;
  const [takes, refuses] = await Promise.all([
    BadCdn.start({ kind: 'none' }),
    BadCdn.start({ kind: 'refuses', code: 'NetStream.Publish.BadName', description }),
  ]);
  const product = startMain([], { PATCHROOM_LOG_LEVEL: 'debug' });
  try {
    const [, port] = await product.says(/rtmp:\/\/127\.0\.0\.1:(\d+)\/live/);
    const [, url] = await product.says(/health +(http:\/\/[^/\s]+)/);
    const encoder = await RtmpPublisher.connect({ port: Number(port) });
    await encoder.publish('demo');
    const relays = async (address?: string) => {
      const headers = { 'content-type': 'application/json' };
      const request = address ? { method: 'POST', headers, body: JSON.stringify({ address }) } : {};
      return await (await fetch(`${url}/api/rooms/demo/relays`, request)).text();
    };
    const seen = [];
    const addresses = [takes.url, refuses.url, 'rtmp://127.0.0.1:1/live'];
    for (const [index, address] of addresses.entries()) seen.push(await relays(`${address}/${KEYS[index]}`));
    await expect.poll(() => takes.visits[0]?.tags.length).toBeGreaterThan(10);
    await expect.poll(() => refuses.visits.length).toBeGreaterThan(1);
    seen.push(await relays());
    expect(seen.at(-1)).toMatch(/Nobody knows \*\*\*/);
    await encoder.close();
    product.child.kill('SIGTERM');
    expect(await product.ended()).toBe(0);
    expect(product.output).toMatch(/delivery live/);
    expect(product.output).toMatch(/delivery interrupted/);
    for (const key of KEYS) expect(seen.join('\n') + product.output).not.toContain(key);
  } finally {
    product.child.kill('SIGKILL');
    await product.ended();
    await Promise.all([takes.stop(), refuses.stop()]);
  }
});
