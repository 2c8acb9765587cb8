import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import net from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { ClientSession } from '../../gateways/rtmp/client/client-session.ts';
import { parseRtmpAddress } from '../../gateways/rtmp/client/rtmp-address.ts';
import type { ProgramDescription } from '../../src/media/program.ts';
import { type FlvTag, makeClip } from '../peers/flv-clip.ts';
import { NginxRtmp } from '../peers/nginx-rtmp.ts';
import { NodeMediaServerRelay } from '../peers/node-media-server-relay.ts';

/** The RTMP client's session with servers that others wrote: they take what it publishes, and it can be read again. */

const SECONDS = 4;
const FRAME_RATE = 30;
const DESCRIPTION: ProgramDescription = {
  width: 640,
  height: 360,
  frameRate: FRAME_RATE,
  videoBitrateBps: 2_500_000,
  audioBitrateBps: 128_000,
  audioSampleRate: 48_000,
  audioChannels: 2,
};

let clip: FlvTag[];
let nginx: NginxRtmp;
let relay: NodeMediaServerRelay | undefined;
const pushes: Push[] = [];

beforeAll(async () => {
  const tags = await makeClip({ seconds: SECONDS, video: { bitrateKbps: 2500 } });
  clip = tags.filter(({ type }) => type !== 'script');
});
beforeEach(async () => {
  nginx = await NginxRtmp.start({ record: true });
});
afterEach(async () => {
  for (const push of pushes.splice(0)) push.socket.destroy();
  await relay?.stop();
  relay = undefined;
  await nginx.stop();
});

/** A session on a socket, and what it says. */
class Push {
  readonly socket: net.Socket;
  readonly session: ClientSession;
  readonly acknowledged: number[] = [];
  /** '' once it is live, or why it is not. */
  readonly answer: Promise<string>;

  constructor(text: string) {
    const address = parseRtmpAddress(text);
    if ('reason' in address) throw new Error(address.reason);
    const { promise, resolve } = Promise.withResolvers<string>();
    this.answer = promise;
    this.socket = net.connect(address.port, address.host);
    this.session = new ClientSession(
      address,
      {
        send: (buffers) => {
          for (const buffer of buffers) this.socket.write(buffer);
        },
        published: () => resolve(''),
        refused: (code, description) => resolve(`${code}: ${description}`),
        acknowledged: (bytes) => this.acknowledged.push(bytes),
      },
      { random: randomBytes, now: Date.now },
    );
    this.socket.on('connect', () => this.session.start());
    this.socket.on('data', (bytes: Buffer) => this.session.receive(bytes));
    this.socket.on('error', () => {}); // 'close' follows
    this.socket.on('close', () => resolve('closed'));
    pushes.push(this);
  }

  /** @param paced - on real time, instead of as fast as it goes */
  async send(tags: readonly FlvTag[], paced: boolean): Promise<void> {
    const begin = performance.now();
    this.session.metadata(DESCRIPTION);
    for (const { type, timestampMs, body } of tags) {
      const waitMs = begin + timestampMs - performance.now();
      if (paced && waitMs > 0) await delay(waitMs);
      if (type !== 'script') this.session.media(type, timestampMs, body);
      if (this.socket.writableNeedDrain) await once(this.socket, 'drain');
    }
  }

  async finish(): Promise<void> {
    this.session.finish();
    if (!this.socket.closed) {
      this.socket.end();
      await once(this.socket, 'close');
    }
  }
}

/** Of the last recording, as ffprobe reads it: how many packets of which codec. */
async function recorded(): Promise<{ [codec: string]: number }> {
  const file = nginx.recordings().at(-1);
  if (!file) return {};
  const show = ['-show_entries', 'stream=codec_name,nb_read_packets', '-of', 'json'];
  const { stdout } = await promisify(execFile)('ffprobe', ['-v', 'error', '-count_packets', ...show, file]);
  const { streams } = JSON.parse(stdout) as { streams: { codec_name: string; nb_read_packets: string }[] };
  return Object.fromEntries(
    streams.map(({ codec_name, nb_read_packets }) => [codec_name, Number(nb_read_packets)]),
  );
}

test('nginx-rtmp records all that it is sent, and acknowledges it', async () => {
  const push = new Push(`${nginx.url}/key?token=1`);
  expect(await push.answer).toBe('');
  await push.send(clip, false);
  // All but what is less than a window.
  await expect.poll(() => push.session.bytesSent - push.acknowledged.at(-1)!).toBeLessThan(260_000);
  expect(push.acknowledged.length).toBeGreaterThan(2);
  expect(push.session.acknowledges).toBe(true);
  await push.finish();
  const frames = clip.filter(({ type, body }) => type === 'video' && body[1] === 1).length;
  const sounds = clip.filter(({ type, body }) => type === 'audio' && body[1] === 1).length;
  expect(frames).toBe(SECONDS * FRAME_RATE);
  await expect.poll(recorded).toEqual({ h264: frames, aac: sounds });
});

test('nginx-rtmp refuses a key that is in use', async () => {
  expect(await new Push(`${nginx.url}/key`).answer).toBe('');
  expect(await new Push(`${nginx.url}/key`).answer).toMatch(/^NetStream\.Publish\.BadName: /);
});

test('node-media-server passes it on', async () => {
  relay = await NodeMediaServerRelay.start(`${nginx.url}/relayed`);
  const push = new Push(`${relay.url}/key`);
  expect(await push.answer).toBe('');
  await push.send(clip, true);
  // It connects to the next server meanwhile, and keeps what came since the last key frame.
  await expect.poll(async () => (await recorded()).h264 ?? 0).toBeGreaterThan(FRAME_RATE);
  expect((await recorded()).aac).toBeGreaterThan(0);
  expect(push.session.state).toBe('live');
  await push.finish();
});
