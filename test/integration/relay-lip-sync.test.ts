import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Server } from '../../src/server.ts';
import { median } from '../bench/median.ts';
import type { EncodedVideo } from '../peers/ffmpeg-encoding.ts';
import { makeFlashClip } from '../peers/flash-clip.ts';
import { NginxRtmp } from '../peers/nginx-rtmp.ts';
import { recordedOffsetsMs } from '../peers/recorded-lip-sync.ts';
import { participantNamed, publishing, roomNamed } from '../peers/room-events.ts';
import { rtmpPort } from '../peers/rtmp-port.ts';
import { RtmpPublisher } from '../peers/rtmp-publisher.ts';
import { startServer } from '../peers/server.ts';

/** Sound and picture that belong together have the same time where a CDN records them. */

const LIMIT_MS = 60;
const SECONDS = 20;
/** The first ones: the mix's delay settles, and pictures follow it little by little. */
const SETTLING = 7;
const FLASHES = 6;
/** Between bursts the tone goes on quietly, as sound does: after silence, delays begin anew. */
const QUIET = 0.1;
/** A machine that does other things holds sound up by more, and for longer than pictures follow at once. */
const ATTEMPTS = 4;

let server: Server;
let cdn: NginxRtmp;
beforeAll(async () => {
  [server, cdn] = await Promise.all([startServer(), NginxRtmp.start({ record: true })]);
});
afterAll(() => Promise.all([server.stop(), cdn.stop()]));

/** @returns how much later than its burst each flash is, ms; and how the pictures of all rooms were made */
async function measure(room: string, video: EncodedVideo) {
  const clip = await makeFlashClip({ video, audio: { toneHz: 1000 }, seconds: SECONDS }, QUIET);
  const encoder = await RtmpPublisher.connect({ port: rtmpPort(server) });
  await encoder.publish(`${room}?name=Studio`);
  const played = encoder.playFlv(clip, { paced: true });
  const participant = await participantNamed(await roomNamed(server, room), 'Studio');
  await publishing(participant, 2);
  const output = await server.outputs.start(participant.room, { type: 'room' }, [`${cdn.url}/${room}`]);
  await played;
  const made = (await server.plane.statistics()).flatMap((worker) =>
    'programs' in worker ? worker.programs.map(({ picture }) => picture) : [],
  );
  // Each room has its own key, and so its own file.
  const file = () => cdn.recordings().findLast((one) => one.includes(`/${room}-`))!;
  await server.outputs.stop(output.id);
  const offsets = (await recordedOffsetsMs(file())).slice(SETTLING);
  await encoder.destroy();
  participant.leave('left');
  return { offsets, made };
}

/** Side by side, each in a room of its own: most of the time is waiting. */
test.concurrent.each<[string, EncodedVideo, string]>([
  ['copied, with B-frames', { bFrames: 2, gop: 60, profile: 'main' }, 'copied'],
  ['encoded', { bFrames: 2, gop: 250, profile: 'high' }, 'encoded'],
])('%s: within 60 ms', { timeout: 200_000 }, async (_, video, made) => {
  const seen: number[][] = [];
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const measured = await measure(`lip-${made}-${attempt}`, video);
    expect(measured.made).toContain(made);
    expect(measured.offsets.length).toBeGreaterThanOrEqual(FLASHES);
    seen.push(measured.offsets.map(Math.round));
    if (Math.abs(median(measured.offsets)) < LIMIT_MS) return;
  }
  expect.fail(`flashes later than bursts by, ms: ${seen.map((one) => one.join(' ')).join('; ')}`);
});
