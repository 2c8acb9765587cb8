// npm run soak [-- --minutes N]: a room with people of every kind goes out for an hour while one of its two CDNs, its
// children and its pins have trouble in turn. A line each 10 s; ends with a verdict, a JSON summary, and code 0 or 1.
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { toMachineTime } from '../../src/base/machine-time.ts';
import { type Census, takeCensus } from './census.ts';
import { Continuity } from './continuity.ts';
import { SoakStage } from './soak-stage.ts';
import { TROUBLES } from './troubles.ts';
import { type Check, judge } from './verdict.ts';

/** From the beginning of one trouble to that of the next. */
const TURN_MS = 18_000;
const LINE_MS = 10_000;
/** Longer than between two attempts to connect. */
const RECOVERY_MS = 45_000;

const { values } = parseArgs({ options: { minutes: { type: 'string', default: '60' } } });
const minutes = Number(values.minutes);
if (!(minutes > 0)) {
  console.error('--minutes takes a number above 0.');
  process.exit(1);
}

/** Ctrl-C ends it as if its time were over. */
const stop = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stop.abort());

const stage = await SoakStage.open();
const startedAt = performance.now();
const minutesNow = () => (performance.now() - startedAt) / 60_000;
const continuity = new Continuity();
const memory: [minutes: number, megabytes: number][] = [];
const pictureEndsMs: number[] = [];
let connections = 0;
let now = '';
let children: [least: number, most: number] = [Number.POSITIVE_INFINITY, 0];

/** Looks, and prints a line. */
async function look(): Promise<void> {
  const { frames, connections: more, dropped } = await stage.steady.take();
  if (dropped > 0) stage.problems.push(`${dropped} frames at the steady CDN were not looked at.`);
  connections += more;
  const { largestMs, lagMs } = continuity.look(frames);
  const census = takeCensus(stage.pid);
  memory.push([minutesNow(), megabytesOf(census)]);
  children = [Math.min(children[0], census.children), Math.max(children[1], census.children)];
  const { steady, unsteady } = await stage.states();
  const of = (kind: 'main' | 'media' | 'hub' | 'engine') => `${kind} ${census[kind].toFixed(0)}`;
  console.log(
    [
      `${minutesNow().toFixed(1).padStart(5)} min  ${now.padEnd(23)}`,
      `MB: ${of('main')} ${of('media')} ${of('hub')} ${of('engine')}`,
      `${census.children} children`,
      `A ${steady}: gaps ${largestMs.video} ms of picture, ${largestMs.audio} of sound, lag ${lagMs.toFixed(0)}`,
      `B ${unsteady}`,
    ].join(' | '),
  );
}

async function watch(over: AbortSignal): Promise<void> {
  while (!over.aborted) {
    await delay(LINE_MS, undefined, { signal: over }).catch(() => {}); // the last look comes early
    try {
      await look();
    } catch (error) {
      stage.problems.push(`It could not be looked at: ${(error as Error).message}`);
      stop.abort();
      return;
    }
  }
}

async function trouble(): Promise<void> {
  const until = startedAt + minutes * 60_000;
  for (let turn = 0; performance.now() < until && !stop.signal.aborted; turn++) {
    const { name, endsPicture, run } = TROUBLES[turn % TROUBLES.length]!;
    const turnEndsAt = Math.min(until, performance.now() + TURN_MS);
    now = name;
    if (endsPicture) pictureEndsMs.push(toMachineTime(performance.now()));
    try {
      await run(stage);
      await stage.renew();
    } catch (error) {
      stage.problems.push(`${name}: ${(error as Error).message}`);
    }
    const restMs = Math.max(0, turnEndsAt - performance.now());
    await delay(restMs, undefined, { signal: stop.signal }).catch(() => {}); // it is over
  }
}

function megabytesOf({ main, media, hub, engine }: Census): number {
  return main + media + hub + engine;
}

let checks: Check[] = [];
try {
  await stage.steady.take(); // what came while relays were set up is not of the time that is looked at
  const over = new AbortController();
  const watching = watch(over.signal);
  let live = false;
  try {
    await trouble();
    now = 'at the end';
    live = await stage.live(RECOVERY_MS);
  } finally {
    over.abort();
    await watching;
  }
  const { gaps, largestMs, backward } = continuity;
  // The connection was there before it was looked at.
  const findings = { memory, gaps, largestMs, pictureEndsMs, backward, connections: 1 + connections };
  checks = judge({ ...findings, live, problems: stage.problems });
} finally {
  await stage.close();
}

console.log();
for (const { what, found, limit, ok } of checks) {
  console.log(`${ok ? 'ok  ' : 'FAIL'} ${what}: ${found} (limit ${limit})`);
}
for (const problem of stage.problems) console.log(`     ${problem}`);
const ok = checks.length > 0 && checks.every((check) => check.ok);
console.log(
  JSON.stringify({
    ok,
    minutes: Math.round(minutesNow() * 10) / 10,
    checks,
    megabytes: { first: memory[0]?.[1], last: memory.at(-1)?.[1] },
    children: { least: children[0], most: children[1] },
    renewals: stage.renewals,
    gaps: continuity.gaps,
    problems: stage.problems,
    logged: stage.complaints,
  }),
);
process.exit(ok ? 0 : 1);
