import { fork } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import type { Address } from '../peers/phone-line.ts';
import { descendantsOf } from '../peers/processes.ts';
import { startMain } from '../peers/product.ts';
import { median } from './median.ts';
import { PhoneLoad } from './phone-load.ts';
import type { LoadFigures } from './phone-load-crowd.ts';
import { percentile } from './phone-load-percentile.ts';
import { withPriority } from './phone-load-priority.ts';
import { cpuMs } from './process-cpu.ts';

const SIZES = [3, 10, 50, 100, 200];
/** Two and, in turn, one of the others for a moment. */
const TALKERS = 2;
const RUNS = 3;
const SETTLE_MS = 2_000;
const WINDOW_S = 8;

const YARDSTICK = path.join(import.meta.dirname, 'phone-load-yardstick.ts');

/**
 * Phones in one room, PCMU, three of them heard, no browser: what each costs the product in CPU of all its
 * processes, and how long a voice takes from one to another, counted from the mouth to the ear without the
 * telephone's own jitter buffer: at least 20 ms, the length of a packet. In the same run the same load on the
 * least that could do it (phone-load-yardstick.ts), so that the machine's state can be told from the product.
 */
export async function phones(): Promise<Record<string, number>> {
  const figures = new Map<string, number[]>();
  const note: Note = (what, figure) => figures.set(what, [...(figures.get(what) ?? []), figure]);
  for (let run = 0; run < RUNS; run++) await withPriority(() => measureAll(note));
  return Object.fromEntries([...figures].map(([what, values]) => [what, median(values)]));
}

type Note = (what: string, figure: number) => void;

async function measureAll(note: Note): Promise<void> {
  const product = startMain([], { PATCHROOM_LOG_LEVEL: 'error' });
  try {
    const [, port] = await product.says(/sip:demo@127\.0\.0\.1:(\d+)/);
    await product.says(/health/);
    const pids = [product.child.pid!, ...descendantsOf(product.child.pid!)];
    const load = await PhoneLoad.start();
    for (const size of SIZES) {
      await load.call(`sip:bench@127.0.0.1:${port}`, size, TALKERS);
      const measured = await measure(load, pids);
      noteAll(note, `${size}:`, size, measured);
      note(`${size}: % of a core, processes without sound`, measured.idlePercent);
      await load.end();
      noteAll(note, `${size}, yardstick:`, size, await measureYardstick(load, size));
    }
    load.close();
  } finally {
    product.child.kill('SIGTERM');
    await product.ended();
  }
}

interface Measured extends LoadFigures {
  /** Of all processes together. */
  readonly cpuPercent: number;
  /** Of all but the one that carries the room's sound. */
  readonly idlePercent: number;
}

async function measure(load: PhoneLoad, pids: readonly number[]): Promise<Measured> {
  await sleep(SETTLE_MS);
  const cpu = () => pids.map(cpuMs);
  const [startedAt, before] = [performance.now(), cpu()];
  const figures = load.measure(WINDOW_S);
  await sleep(WINDOW_S * 1000);
  const [after, elapsedMs] = [cpu(), performance.now() - startedAt];
  const percents = after.map((ms, index) => ((ms - before[index]!) / elapsedMs) * 100);
  const cpuPercent = percents.reduce((sum, percent) => sum + percent, 0);
  return { ...(await figures), cpuPercent, idlePercent: cpuPercent - Math.max(...percents) };
}

async function measureYardstick(load: PhoneLoad, size: number): Promise<Measured> {
  const child = fork(YARDSTICK, [String(size)]);
  const [remotes] = (await once(child, 'message')) as [Address[]];
  await load.join(remotes, TALKERS);
  const measured = await measure(load, [child.pid!]);
  await load.end();
  child.disconnect();
  return measured;
}

function noteAll(note: Note, who: string, size: number, { cpuPercent, delaysMs, ...counts }: Measured): void {
  note(`${who} % of a core a call`, cpuPercent / size);
  note(`${who} mouth to ear p50, ms`, percentile(delaysMs, 50));
  note(`${who} mouth to ear p95, ms`, percentile(delaysMs, 95));
  note(`${who} marks not heard`, counts.missed);
  note(`${who} packets lost or not sent`, counts.lost + counts.skipped);
  note(`${who} load late p99, ms`, counts.lateMs);
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
