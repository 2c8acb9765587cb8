import fs from 'node:fs';
import { descendantsOf } from '../peers/processes.ts';

/** The product's processes, told by their command lines. */
const WORKERS = {
  media: /plane\/worker\/main\.ts/,
  hub: /mediasoup-worker/,
  engine: /sip\/engine\/main\.ts/,
} as const;

/** Children of the media workers. */
export const JOBS = {
  'sound encoder': /ffmpeg.* -c:a aac /,
  'picture encoder': /ffmpeg.* -c:v libx264 .*-profile:v main /,
  "push's decoder": /ffmpeg.* -f flv -i pipe:0 .*pcm_s16le/,
} as const;

/** How many processes there are, and what they hold: MB resident, of all of a kind together. */
export interface Census {
  readonly main: number;
  readonly media: number;
  readonly hub: number;
  readonly engine: number;
  /** Below main, of any kind. */
  readonly children: number;
}

/** @param pid - of the main process */
export function takeCensus(pid: number): Census {
  const below = descendantsOf(pid).map((one) => ({
    command: commandOf(one),
    megabytes: residentMegabytes(one),
  }));
  const of = (pattern: RegExp) =>
    below.filter(({ command }) => pattern.test(command)).reduce((sum, { megabytes }) => sum + megabytes, 0);
  return {
    main: residentMegabytes(pid),
    media: of(WORKERS.media),
    hub: of(WORKERS.hub),
    engine: of(WORKERS.engine),
    children: below.length,
  };
}

/** Kills (SIGKILL) one child of that kind, below that process. @returns whether there was one */
export function killJob(pid: number, job: keyof typeof JOBS): boolean {
  const victim = descendantsOf(pid).find((one) => JOBS[job].test(commandOf(one)));
  if (victim === undefined) return false;
  process.kill(victim, 'SIGKILL');
  return true;
}

/** Empty when it has ended meanwhile. */
function commandOf(pid: number): string {
  return `${read(pid, 'cmdline').replaceAll('\0', ' ')}`;
}

/** 0 when it has ended meanwhile. */
function residentMegabytes(pid: number): number {
  const [, kilobytes = '0'] = /^VmRSS:\s*(\d+) kB/m.exec(read(pid, 'status')) ?? [];
  return (Number(kilobytes) * 1024) / 1e6;
}

function read(pid: number, what: string): string {
  try {
    return fs.readFileSync(`/proc/${pid}/${what}`, 'utf8');
  } catch {
    return '';
  }
}
