import { setTimeout as delay } from 'node:timers/promises';
import { NginxRtmp } from '../peers/nginx-rtmp.ts';
import { participantNamed, publishing, roomNamed } from '../peers/room-events.ts';
import { rtmpPort } from '../peers/rtmp-port.ts';
import { startServer } from '../peers/server.ts';
import { plainClip } from './encoder-clips.ts';
import { EncoderLoad } from './encoder-load.ts';
import { median } from './median.ts';
import { cpuPercents, residentBytes } from './process-load.ts';
import { FfmpegRelay } from './relay-ffmpeg.ts';
import { programOf } from './relay-stage.ts';
import { slope } from './slope.ts';

const SIZES = [1, 5, 10, 20];
/** Children of ffmpeg. */
const COPIERS = 10;
const RUNS = 3;
const SETTLE_MS = 4_000;
/** Until what sends is compiled: the first figure would be too high, and with it the cost of the others too low. */
const WARM_UP_MS = 20_000;
const WINDOW_MS = 8_000;
const CLIP = plainClip(2);
const ROOM = 'bench';

type Note = (what: string, figure: number) => void;

/**
 * One push (720p30, 2.5 Mbit/s) that goes out as it is, to more and more destinations: what each costs the media
 * worker. In the same run ffmpeg, a child for each destination, which copies the same stream from an RTMP server.
 */
export async function relays(): Promise<Record<string, number>> {
  const figures = new Map<string, number[]>();
  const note: Note = (what, figure) => figures.set(what, [...(figures.get(what) ?? []), figure]);
  for (let run = 0; run < RUNS; run++) {
    const load = await EncoderLoad.start();
    const cdn = await NginxRtmp.start();
    try {
      await measureServer(load, cdn, note);
      await measureFfmpeg(load, cdn, note);
    } finally {
      await cdn.stop();
      load.close();
    }
  }
  return Object.fromEntries([...figures].map(([what, values]) => [what, median(values)]));
}

async function measureServer(load: EncoderLoad, cdn: NginxRtmp, note: Note): Promise<void> {
  const most = Math.max(...SIZES);
  const server = await startServer({ config: { outputs: { maxDestinations: most } } });
  const worker = server.plane.mediaWorkers[0]!;
  await load.publish({ port: rtmpPort(server), keys: [`${ROOM}?name=encoder`], clip: CLIP, spreadMs: 0 });
  const room = await roomNamed(server, ROOM);
  await publishing(await participantNamed(room, 'encoder'), 2);
  await delay(SETTLE_MS);
  const [alone] = await cpuPercents([worker.pid], WINDOW_MS);
  note('media worker with the push alone, % of a core', alone!);
  const addresses = Array.from({ length: most }, (_, index) => `${cdn.url}/relay-${index}`);
  const output = await server.outputs.start(room, { type: 'room' }, [addresses[0]!]);
  await delay(WARM_UP_MS);
  const cpu: [number, number][] = [];
  const memory: [number, number][] = [];
  for (const size of SIZES) {
    const add = addresses.slice(output.destinations.length, size);
    if (add.length > 0) await server.outputs.update(output.id, { add, remove: [] });
    while (output.destinations.some(({ report }) => report.state !== 'live')) await delay(20);
    await delay(SETTLE_MS);
    const [percent] = await cpuPercents([worker.pid], WINDOW_MS);
    const megabytes = residentBytes(worker.pid) / 1e6;
    note(`${size}: media worker, % of a core`, percent!);
    note(`${size}: media worker, MB`, megabytes);
    cpu.push([size, percent!]);
    memory.push([size, megabytes]);
  }
  // Otherwise the figures would be of something else.
  await programOf(server, 'copied');
  note('each further destination, % of a core', slope(cpu));
  note('each further destination, MB', slope(memory));
  const lost = output.destinations.reduce((sum, { report }) => sum + report.framesDropped, 0);
  note('pictures left out, all destinations', lost);
  note('sent to a destination, Mbit/s', output.destinations[0]!.report.bitrateBps / 1e6);
  note('sent by the encoder, Mbit/s', (await load.end()) / 1e6);
  await server.stop();
}

async function measureFfmpeg(load: EncoderLoad, cdn: NginxRtmp, note: Note): Promise<void> {
  const origin = await NginxRtmp.start();
  await load.publish({ port: origin.port, keys: ['encoder'], clip: CLIP, spreadMs: 0 });
  const copiers = Array.from(
    { length: COPIERS },
    (_, index) => new FfmpegRelay(`${origin.url}/encoder`, `${cdn.url}/copy-${index}`),
  );
  await Promise.all(copiers.map((copier) => copier.live()));
  await delay(SETTLE_MS);
  const pids = copiers.map(({ pid }) => pid);
  const before = copiers.map(({ bytesSent }) => bytesSent);
  const cpu = await cpuPercents(pids, WINDOW_MS);
  const sent = copiers.map(({ bytesSent }, index) => bytesSent - before[index]!);
  note('ffmpeg -c copy, % of a core a destination', cpu.reduce((sum, one) => sum + one, 0) / COPIERS);
  note('ffmpeg -c copy, MB a destination', median(pids.map(residentBytes)) / 1e6);
  note('ffmpeg -c copy, sent to a destination, Mbit/s', (median(sent) * 8) / WINDOW_MS / 1e3);
  await Promise.all(copiers.map((copier) => copier.stop()));
  await load.end();
  await origin.stop();
}
