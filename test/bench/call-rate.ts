import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { descendantsOf } from '../peers/processes.ts';
import { type Product, startMain } from '../peers/product.ts';
import { Sipp, type SippResult } from '../peers/sipp.ts';
import { median } from './median.ts';
import { cpuMs } from './process-cpu.ts';

const RATES = [100, 200, 400];
const SECONDS = 5;
const RUNS = 3;
/** What "many" is: a caller program for each, so that each has a name of its own. */
const ROOMS = 10;
/** For what a call leaves behind: its sockets are closed after the BYE was answered. */
const SETTLE_MS = 1_000;

const CONFIG = `
network: { bind: 127.0.0.1, rtpPorts: { min: 12000, max: 31999 } }
http: { port: 0 }
webrtc: { port: 0 }
sip: { port: 0, allow: [loopback], maxCalls: 10000, callsPerSecond: 100000, messagesPerSecond: 1000000 }
rooms: { maxParticipants: 0, departureSeconds: 1 }
api: { keys: { bench: a-secret-for-benches-that-nobody-else-uses } }
log: { level: error }
`;

/**
 * Calls that are begun, answered and hung up at once by sipp (INVITE, 200, ACK, BYE, 200), at given rates, to
 * one room and spread over many: how many a second came to their end, how many failed, and what each cost
 * the product's processes.
 */
export async function callRate(): Promise<Record<string, number>> {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'patchroom-bench-'));
  const config = path.join(folder, 'patchroom.yaml');
  fs.writeFileSync(config, CONFIG);
  const figures = new Map<string, number[]>();
  const note: Note = (what, figure) => figures.set(what, [...(figures.get(what) ?? []), figure]);
  for (let run = 0; run < RUNS; run++) {
    for (const rooms of [1, ROOMS]) await measureAll(config, rooms, note);
  }
  fs.rmSync(folder, { recursive: true });
  return Object.fromEntries([...figures].map(([what, values]) => [what, median(values)]));
}

type Note = (what: string, figure: number) => void;

/** One product, at all rates. */
async function measureAll(config: string, rooms: number, note: Note): Promise<void> {
  const product = startMain(['--config', config]);
  try {
    const [, port] = await product.says(/sip:<room>@127\.0\.0\.1:(\d+)/);
    await product.says(/health/);
    for (const rate of RATES) {
      const measured = await measure(product, Number(port), rate, rooms);
      for (const [what, figure] of Object.entries(measured)) {
        note(`${rate}/s to ${rooms} room${rooms > 1 ? 's' : ''}: ${what}`, figure);
      }
    }
  } finally {
    product.child.kill('SIGTERM');
    await product.ended();
  }
}

async function measure(
  product: Product,
  port: number,
  rate: number,
  rooms: number,
): Promise<Record<string, number>> {
  const before = cpuByProcess(product);
  const startedAt = performance.now();
  const results = await Promise.all(
    Array.from({ length: rooms }, (_, index) =>
      Sipp.run({
        scenario: 'call',
        port,
        user: `bench-${index}`,
        calls: (rate * SECONDS) / rooms,
        rate: rate / rooms,
        pauseMs: 0,
        patienceMs: 10_000,
      }),
    ),
  );
  const seconds = (performance.now() - startedAt) / 1000;
  await new Promise((resolve) => setTimeout(resolve, SETTLE_MS));
  const after = cpuByProcess(product);
  const sum = (count: (result: SippResult) => number) =>
    results.reduce((total, result) => total + count(result), 0);
  const calls = sum(({ succeeded }) => succeeded);
  const costs = Object.keys(after).map((kind) => [
    `CPU ms a call, ${kind}`,
    (after[kind]! - before[kind]!) / calls,
  ]);
  return {
    'calls/s': calls / seconds,
    failed: sum(({ failed }) => failed),
    'sent again': sum(({ counts }) =>
      Object.entries(counts).reduce(
        (total, [step, count]) => total + (/_Retrans$/.test(step) ? count : 0),
        0,
      ),
    ),
    ...Object.fromEntries(costs),
  };
}

/** CPU time so far, in ms, of each kind of process that calls cost something. */
function cpuByProcess(product: Product): Record<string, number> {
  const pid = product.child.pid!;
  const times: Record<string, number> = { main: cpuMs(pid), engine: 0, 'media workers': 0 };
  for (const child of descendantsOf(pid)) {
    const command = fs.readFileSync(`/proc/${child}/cmdline`, 'utf8');
    if (command.includes('engine/main.ts')) times.engine! += cpuMs(child);
    if (command.includes('worker/main.ts')) times['media workers']! += cpuMs(child);
  }
  return times;
}
