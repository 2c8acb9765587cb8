import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Server } from '../../src/server.ts';
import { median } from '../bench/median.ts';
import type { EncodedVideo } from '../peers/ffmpeg-encoding.ts';
import { makeFlashClip } from '../peers/flash-clip.ts';
import type { FlvTag } from '../peers/flv-clip.ts';
import { LipSyncMeter } from '../peers/lip-sync-meter.ts';
import { participantNamed, publishing, roomNamed } from '../peers/room-events.ts';
import { rtmpPort } from '../peers/rtmp-port.ts';
import { RtmpPublisher } from '../peers/rtmp-publisher.ts';
import { startServer } from '../peers/server.ts';

/** Sound and picture that belong together pass the hub together: browsers show them as they pass. */

/** More than this may be noticed (ITU-R BT.1359 has 45 ms for sound that is early, 125 ms for late). */
const LIMIT_MS = 40;
/** So many flashes have to count; more are shown. */
const FLASHES = 8;
const MEASURED_MS = 10_000;
/** Until it is publishing. */
const START_MS = 2_000;
const SETTLE_MS = 2_000;
/** Sound is held back by 50 ms more each second. */
const SETTLE_LATE_MS = 5_000;
/** On a machine that does other things it may take several to see enough flashes without a disturbance before. */
const ATTEMPTS = 8;

let server: Server;
beforeAll(async () => {
  server = await startServer();
});
afterAll(() => server.stop());

/** Plays tags as they would come if pictures came so much later than the sound that they belong to. */
async function play(encoder: RtmpPublisher, clip: readonly FlvTag[], picturesLateMs: number): Promise<void> {
  const sound = clip.filter(({ type }) => type !== 'video');
  const [metadata] = clip;
  const late = clip.flatMap((tag) =>
    tag.type === 'video' ? [{ ...tag, timestampMs: tag.timestampMs + picturesLateMs }] : [],
  );
  const mapTimestamp = (ms: number) => Math.max(0, ms - picturesLateMs);
  await Promise.all([
    encoder.playFlv(sound, { paced: true }),
    // The pace counts from the first tag.
    encoder.playFlv([metadata!, ...late], { paced: true, mapTimestamp }),
  ]);
}

/** @returns how much later than their bursts flashes pass, ms; and why pictures are re-encoded */
async function measure(room: string, video: EncodedVideo, lateMs: number) {
  const settleMs = lateMs > 0 ? SETTLE_LATE_MS : SETTLE_MS;
  const seconds = (START_MS + settleMs + MEASURED_MS) / 1000;
  const clip = await makeFlashClip({ video, audio: { toneHz: 1000 }, seconds });
  const encoder = await RtmpPublisher.connect({ port: rtmpPort(server) });
  await encoder.publish(`${room}?name=Studio`);
  const played = play(encoder, clip, lateMs);
  const participant = await participantNamed(await roomNamed(server, room), 'Studio');
  await publishing(participant, 2);
  const meter = await LipSyncMeter.open(server, participant);
  try {
    await delay(settleMs);
    const since = performance.now();
    await played;
    const picture = [...participant.tracks.values()].find(({ kind }) => kind === 'video')!;
    return { offsets: await meter.offsetsMs(since), reason: picture.route?.reason };
  } finally {
    meter.close();
    await encoder.destroy();
    participant.leave('left');
  }
}

/** Side by side, each in a room of its own: most of the time is waiting. */
test.concurrent.each<[string, EncodedVideo, number, RegExp | undefined]>([
  ['passed through', { gop: 30 }, 0, undefined],
  ['passed through, pictures that come 200 ms late', { gop: 30 }, 200, undefined],
  ['re-encoded without B-frames', { bFrames: 2, gop: 250, profile: 'high' }, 0, /B-frames/],
  [
    're-encoded without B-frames, pictures that come 100 ms late',
    { bFrames: 3, gop: 250, profile: 'high' },
    100,
    /B-frames/,
  ],
])('%s: at the hub they are within 40 ms', { timeout: 300_000 }, async (name, video, lateMs, reason) => {
  const room = name.replace(/\W+/g, '-');
  const all: number[] = [];
  for (let attempt = 0; attempt < ATTEMPTS && all.length < FLASHES; attempt++) {
    const measured = await measure(room, video, lateMs);
    all.push(...measured.offsets);
    if (reason) expect(measured.reason).toMatch(reason);
    else expect(measured.reason).toBeUndefined();
  }
  const figures = all.map((ms) => Math.round(ms)).join(' ');
  expect(all.length, `too few flashes to tell: ${figures}`).toBeGreaterThanOrEqual(FLASHES);
  expect(Math.abs(median(all)), figures).toBeLessThan(LIMIT_MS);
});
