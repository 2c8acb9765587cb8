import { slope } from '../bench/slope.ts';
import type { Gap } from './continuity.ts';

/** What was seen in all. */
export interface Findings {
  /** Main and workers together: minutes since it began, MB. */
  readonly memory: readonly (readonly [minutes: number, megabytes: number])[];
  /** At the steady CDN. */
  readonly gaps: readonly Gap[];
  /** Of it, the largest. */
  readonly largestMs: Readonly<Record<Gap['kind'], number>>;
  /** When the picture's encoder was killed, machine time. */
  readonly pictureEndsMs: readonly number[];
  /** Frames whose times went back. */
  readonly backward: number;
  /** How often the steady CDN was connected to. */
  readonly connections: number;
  readonly live: boolean;
  readonly problems: readonly string[];
}

export interface Check {
  readonly what: string;
  readonly found: number | string;
  readonly limit: number | string;
  readonly ok: boolean;
}

/** Until then caches fill, and code is compiled. */
const WARM_UP_MINUTES = 2;
const LIMIT_MB_A_MINUTE = 1;
const LIMIT_MS = 500;
/** Of pictures, when their encoder was killed: it takes a new one, and a key frame. */
const ENDED_LIMIT_MS = 1_500;
/** A gap belongs to an end so short before it was over. */
const SINCE_END_MS = 5_000;

/** Pure. */
export function judge(findings: Findings): Check[] {
  const { memory, gaps, pictureEndsMs, largestMs, live, backward, connections, problems } = findings;
  const grown = slope(memory.filter(([minutes]) => minutes >= warmUp(memory)));
  const isEnd = ({ kind, atMs }: Gap) =>
    kind === 'video' && pictureEndsMs.some((end) => atMs >= end && atMs - end <= SINCE_END_MS);
  const largest = (some: readonly Gap[]) => Math.max(0, ...some.map(({ ms }) => ms));
  const killed = largest(gaps.filter(isEnd));
  const picture = largest(gaps.filter((gap) => gap.kind === 'video' && !isEnd(gap)));
  return [
    atMost('memory of main and workers, MB a minute', round(grown), LIMIT_MB_A_MINUTE),
    atMost('largest gap of the picture after its encoder was killed, ms', killed, ENDED_LIMIT_MS),
    atMost('largest gap of the picture otherwise, ms', picture, LIMIT_MS),
    atMost('largest gap of the sound, ms', largestMs.audio, LIMIT_MS),
    atMost('frames whose times went back', backward, 0),
    atMost('connections to the steady CDN', connections, 1),
    { what: 'relays live at the end', found: live ? 'both' : 'not both', limit: 'both', ok: live },
    atMost('problems', problems.length, 0),
  ];
}

/** Of a short run the second half. */
function warmUp(memory: Findings['memory']): number {
  return Math.min(WARM_UP_MINUTES, (memory.at(-1)?.[0] ?? 0) / 2);
}

function atMost(what: string, found: number, limit: number): Check {
  return { what, found, limit, ok: found <= limit };
}

function round(value: number): number {
  return Math.round(value * 100) / 100;
}
