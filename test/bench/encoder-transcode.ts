import { setTimeout as delay } from 'node:timers/promises';
import { isRtcp } from '../../src/media/rtp/rtp.ts';
import { loop, makeClip } from '../peers/flv-clip.ts';
import { HubListener } from '../peers/hub-listener.ts';
import { LATE_MS, OBS_CLIP } from './encoder-clips.ts';
import { firstPictures } from './encoder-first-picture.ts';
import { EncoderStage } from './encoder-stage.ts';
import { median } from './median.ts';
import { cpuMs } from './process-cpu.ts';

const RUNS = 3;
/** Until the child has caught up with what it was given at once, and the rate is known. */
const SETTLE_MS = 6_000;
const WINDOW_S = 10;
const LOOKS = 10;

/**
 * Pictures as OBS sends them when nothing is set (720p30, 2.5 Mbit/s, B-frames, 250 pictures from key frame to key
 * frame): what re-encoding them costs and how long it takes, and how long who comes in the middle waits for a picture.
 */
export async function encoderTranscode(): Promise<Record<string, number>> {
  const runs: Record<string, number>[] = [];
  for (let run = 0; run < RUNS; run++) runs.push({ ...(await measure()), ...(await firstPictures()) });
  return Object.fromEntries(
    Object.keys(runs[0]!).map((what) => [what, median(runs.map((run) => run[what]!))]),
  );
}

async function measure(): Promise<Record<string, number>> {
  const stage = await EncoderStage.open(loop(await makeClip(OBS_CLIP)));
  const { server, picture } = stage;
  const room = server.rooms.mustGet(EncoderStage.room);
  const listener = await HubListener.open(server, room, 'video');

  await stage.keyFrame();
  await delay(LATE_MS);
  const wantedAt = performance.now();
  const hold = await picture.hold();
  const shownAt = new Promise<number>((resolve) => {
    // Of pictures the hub forwards nothing before a key frame.
    const onPacket = (packet: Buffer) => !isRtcp(packet) && resolve(performance.now());
    void listener.listen(hold.producerId, onPacket);
  });
  const waitedMs = (await shownAt) - wantedAt;

  await delay(SETTLE_MS);
  const first = await sourceOf(stage);
  const worker = server.plane.mediaWorkers[0]!;
  const pids = [first.job.pid, worker.pid];
  const [before, startedAt] = [pids.map(cpuMs), performance.now()];
  const latencies: number[] = [];
  for (let look = 0; look < LOOKS; look++) {
    await delay((WINDOW_S * 1000) / LOOKS);
    latencies.push((await sourceOf(stage)).job.latencyMs ?? Number.NaN);
  }
  const elapsedMs = performance.now() - startedAt;
  const [childCores, workerCores] = pids.map((pid, index) => (cpuMs(pid) - before[index]!) / elapsedMs);
  const { dropped } = await sourceOf(stage);
  hold.release();
  listener.close();
  await stage.close();
  return {
    're-encoding: ffmpeg, cores': childCores!,
    're-encoding: media worker, % of a core': workerCores! * 100,
    're-encoding: picture in to picture out, ms': median(latencies),
    're-encoding: pictures dropped': dropped - first.dropped,
    'late by 4 s: wanted on the hub to its first packet, ms': waitedMs,
  };
}

async function sourceOf(stage: EncoderStage) {
  const { source } = await stage.picture.statistics!();
  if (!source?.job) throw new Error('It is not re-encoded.');
  return { ...source, job: source.job };
}
