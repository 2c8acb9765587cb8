import fs from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { cpuMs } from './process-cpu.ts';

/** CPU of processes over a while that begins now, % of a core. */
export async function cpuPercents(pids: readonly number[], windowMs: number): Promise<number[]> {
  const [startedAt, before] = [performance.now(), pids.map(cpuMs)];
  await delay(windowMs);
  const elapsedMs = performance.now() - startedAt;
  return pids.map((pid, index) => ((cpuMs(pid) - before[index]!) / elapsedMs) * 100);
}

export function residentBytes(pid: number): number {
  const [, kilobytes] = /^VmRSS:\s*(\d+) kB/m.exec(fs.readFileSync(`/proc/${pid}/status`, 'utf8'))!;
  return Number(kilobytes) * 1024;
}
