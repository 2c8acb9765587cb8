import fs from 'node:fs';
import type { Server } from '../../src/server.ts';
import { NginxRtmp } from '../peers/nginx-rtmp.ts';
import { descendantsOf } from '../peers/processes.ts';
import { participantNamed, publishing, roomNamed } from '../peers/room-events.ts';
import { rtmpPort } from '../peers/rtmp-port.ts';
import { startServer } from '../peers/server.ts';
import { plainClip } from './encoder-clips.ts';
import { EncoderLoad } from './encoder-load.ts';
import { median } from './median.ts';
import { cpuMs } from './process-cpu.ts';

const SIZES = [10, 30];
/** With how many sound is looked at. */
const [HEARD] = SIZES as [number];
const RUNS = 3;
const SETTLE_MS = 3_000;
const WINDOW_S = 8;
const GOP_S = 2;
const CLIP = plainClip(GOP_S);
const ROOM = 'bench';

/**
 * Encoders whose pictures pass through (720p30, 2.5 Mbit/s) while somebody wants them on the hub, first without
 * their sound, then with it, which is decoded and encoded: what each costs the media worker. In the same run nginx-rtmp,
 * which takes the same streams and gives them to nobody.
 */
export async function encoders(): Promise<Record<string, number>> {
  const figures = new Map<string, number[]>();
  const note: Note = (what, figure) => figures.set(what, [...(figures.get(what) ?? []), figure]);
  for (let run = 0; run < RUNS; run++) {
    const load = await EncoderLoad.start();
    await measureServer(load, note);
    await measureNginx(load, note);
    load.close();
  }
  return Object.fromEntries([...figures].map(([what, values]) => [what, median(values)]));
}

type Note = (what: string, figure: number) => void;

function keysOf(size: number): string[] {
  return Array.from({ length: size }, (_, index) => `${ROOM}?name=encoder-${index}`);
}

async function measureServer(load: EncoderLoad, note: Note): Promise<void> {
  const server = await startServer({ config: { rtmp: { maxConnectionsPerAddress: Math.max(...SIZES) } } });
  const worker = server.plane.mediaWorkers[0]!;
  await sleep(SETTLE_MS);
  const bytesBefore = residentBytes(worker.pid);
  note('media worker alone, % of a core', (await percents([worker.pid]))[0]!);
  for (const size of SIZES) {
    await load.publish({ port: rtmpPort(server), keys: keysOf(size), clip: CLIP, spreadMs: GOP_S * 1000 });
    const stop = await hold(server, size, 'video');
    await sleep(SETTLE_MS);
    const { hubWorkerPid } = server.plane.placement(server.rooms.mustGet(ROOM));
    const [media, hub] = await percents([worker.pid, hubWorkerPid!]);
    note(`${size}: media worker, % of a core an encoder`, media! / size);
    note(`${size}: hub worker, % of a core an encoder`, hub! / size);
    note(`${size}: media worker, MB an encoder`, (residentBytes(worker.pid) - bytesBefore) / size / 1e6);
    if (size === HEARD) await measureSound(server, worker.pid, media!, note);
    note(`${size}: packets/s of an encoder at the hub`, await packetsPerSecond(server, size));
    stop();
    note(`${size}: sent by an encoder, Mbit/s`, (await load.end()) / 1e6);
    for (const one of server.rooms.mustGet(ROOM).participants) one.leave('left');
  }
  await server.stop();
}

/** @param silent - percents of the media worker without it */
async function measureSound(server: Server, worker: number, silent: number, note: Note): Promise<void> {
  const stop = await hold(server, HEARD, 'audio');
  await sleep(SETTLE_MS);
  const [media, ...children] = await percents([worker, ...descendantsOf(worker)]);
  const decoders = children.reduce((sum, percent) => sum + percent, 0);
  note(`${HEARD}: sound, media worker, % of a core an encoder`, (media! - silent) / HEARD);
  note(`${HEARD}: sound, its decoder, % of a core an encoder`, decoders / HEARD);
  stop();
}

async function measureNginx(load: EncoderLoad, note: Note): Promise<void> {
  const nginx = await NginxRtmp.start();
  for (const size of SIZES) {
    const keys = Array.from({ length: size }, (_, index) => `encoder-${index}`);
    await load.publish({ port: nginx.port, keys, clip: CLIP, spreadMs: GOP_S * 1000 });
    await sleep(SETTLE_MS);
    const [percent] = await percents([nginx.child.pid!]);
    note(`${size}: nginx-rtmp, % of a core an encoder`, percent! / size);
    await load.end();
  }
  await nginx.stop();
}

/** Has one of their streams on the hub, until what is returned is called. */
async function hold(server: Server, size: number, kind: 'audio' | 'video'): Promise<() => void> {
  const room = await roomNamed(server, ROOM);
  const releases: (() => void)[] = [];
  for (let index = 0; index < size; index++) {
    const participant = await participantNamed(room, `encoder-${index}`);
    await publishing(participant, 2);
    const track = [...participant.tracks.values()].find((one) => one.kind === kind)!;
    if (kind === 'video' && track.route) throw new Error(`It is re-encoded: ${track.route.reason}`);
    releases.push((await track.hold()).release);
  }
  return () => {
    for (const release of releases) release();
  };
}

/** Of pictures: what a stream really is. */
async function packetsPerSecond(server: Server, size: number): Promise<number> {
  const count = async () => {
    const tracks = server.rooms.mustGet(ROOM).participants.flatMap(({ tracks }) => [...tracks.values()]);
    const pictures = tracks.filter(({ kind }) => kind === 'video');
    const statistics = await Promise.all(pictures.map((track) => track.statistics!()));
    return statistics.reduce((sum, { packets }) => sum + packets, 0);
  };
  const [before, startedAt] = [await count(), performance.now()];
  await sleep(2_000);
  return ((await count()) - before) / size / ((performance.now() - startedAt) / 1000);
}

/** Of processes over a while, % of a core. */
async function percents(pids: readonly number[]): Promise<number[]> {
  const [startedAt, before] = [performance.now(), pids.map(cpuMs)];
  await sleep(WINDOW_S * 1000);
  const elapsedMs = performance.now() - startedAt;
  return pids.map((pid, index) => ((cpuMs(pid) - before[index]!) / elapsedMs) * 100);
}

function residentBytes(pid: number): number {
  const [, kilobytes] = /^VmRSS:\s*(\d+) kB/m.exec(fs.readFileSync(`/proc/${pid}/status`, 'utf8'))!;
  return Number(kilobytes) * 1024;
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
