import fs from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ivfFrameHeader, ivfHeader } from '../../src/media/containers/ivf.ts';
import { pictureLossIndication } from '../../src/media/rtp/rtcp-feedback.ts';
import { isRtcp } from '../../src/media/rtp/rtp.ts';
import { type ReceivedPicture, VideoReceiver } from '../../src/media/rtp/video-receiver.ts';
import type { Room } from '../../src/room/room.ts';
import type { Server } from '../../src/server.ts';
import type { MediaWorker } from '../../src/workers/media-worker.ts';
import { Link } from '../../src/workers/worker/link.ts';
import { launchBrowser, Person } from '../peers/browser.ts';
import { runFfmpeg } from '../peers/flv-clip.ts';
import { participantNamed, publishing, roomNamed } from '../peers/room-events.ts';
import { startServer } from '../peers/server.ts';

/** A browser's camera comes out of the hub as pictures that a decoder takes, and goes on after a loss. */

const PICTURES = 30;
/** Of who asks for key frames. */
const OWN_SSRC = 0x0a0b0c0d;
/** What ffmpeg makes of each picture. */
const SIDE = 16;

let browser: Browser;
let server: Server;
beforeAll(async () => {
  [browser, server] = await Promise.all([launchBrowser(), startServer()]);
});
afterAll(async () => {
  await browser.close();
  await server.stop();
});

/** The hub's link to this process, as if that were a media worker. */
async function linkOf(room: Room) {
  let link: Link | undefined;
  const worker = {
    pid: process.pid,
    openLink: async (id: string, hubPort: number) => {
      link = await Link.open(id, hubPort);
      return link.port;
    },
    once: () => {},
    off: () => {},
    request: async () => link?.close(),
  } as unknown as MediaWorker;
  const hubLink = await (await server.plane.hub(room)).link(worker, 'video');
  return { hubLink, link: link! };
}

/** @returns how many pictures ffmpeg decodes. @throws with what it complains of, for it is told not to conceal anything */
async function decoded(pictures: readonly ReceivedPicture[]): Promise<number> {
  const folder = await fs.mkdtemp(path.join(os.tmpdir(), 'patchroom-hub-pictures-'));
  try {
    const file = path.join(folder, 'pictures.ivf');
    const header = ivfHeader('VP80', 0, 0, { numerator: 1, denominator: 1000 });
    const frames = pictures.flatMap(({ data, timestampMs }) => [
      ivfFrameHeader(data.length, timestampMs),
      data,
    ]);
    await fs.writeFile(file, Buffer.concat([header, ...frames]));
    const input = ['-v', 'error', '-xerror', '-err_detect', 'explode', '-i', file];
    const output = ['-vf', `scale=${SIDE}:${SIDE}`, '-pix_fmt', 'gray', '-fps_mode', 'passthrough'];
    return (await runFfmpeg([...input, ...output, '-f', 'rawvideo', '-'])).length / SIDE ** 2;
  } finally {
    await fs.rm(folder, { recursive: true });
  }
}

test("a browser's VP8", async () => {
  const person = await Person.join(browser, server, { name: 'Ann' });
  const room = await roomNamed(server, 'demo');
  const participant = await participantNamed(room, 'Ann');
  await publishing(participant, 2);
  const track = [...participant.tracks.values()].find(({ kind }) => kind === 'video')!;
  const hold = await track.hold();
  const { hubLink, link } = await linkOf(room);

  const pictures: ReceivedPicture[] = [];
  let lose = 0;
  let asked = 0;
  const linked = await hubLink.consume(hold.producerId);
  expect(linked.codec.name).toBe('VP8');
  const video = new VideoReceiver('VP8', {
    picture: (picture) => pictures.push(picture),
    needsKeyFrame: () => {
      asked++;
      link.send(pictureLossIndication(OWN_SSRC, linked.ssrc));
    },
  });
  link.receive(linked.ssrc, (packet) => {
    if (isRtcp(packet)) return;
    if (lose > 0) lose--;
    else video.receive(packet, performance.now());
  });

  await expect.poll(() => pictures.length).toBeGreaterThanOrEqual(PICTURES);
  expect(pictures[0]!.key).toBe(true);
  expect(video.counters).toMatchObject({ lost: 0, malformed: 0 });

  const before = pictures.length;
  const askedBefore = asked;
  lose = 2;
  await expect.poll(() => asked).toBeGreaterThan(askedBefore);
  await expect.poll(() => pictures.slice(before).filter(({ key }) => key).length).toBeGreaterThan(0);
  const again = pictures.findLastIndex(({ key }) => key);
  await expect.poll(() => pictures.length).toBeGreaterThanOrEqual(again + PICTURES);
  expect(video.counters).toMatchObject({ lost: 2, malformed: 0 });

  const all = [...pictures];
  expect(await decoded(all)).toBe(all.length);
  const spanMs = all.at(-1)!.timestampMs - all[0]!.timestampMs;
  expect(spanMs / all.length).toBeGreaterThan(10);
  expect(person.problems).toEqual([]);
  linked.close();
  hold.release();
  link.close();
  await person.close();
});
