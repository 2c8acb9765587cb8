import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { freePort } from './ports.ts';

const SCENARIOS = path.join(import.meta.dirname, 'sipp');

/** The files in test/peers/sipp; each says in its first lines what it is. */
export type SippScenario =
  | 'bye-before-ack'
  | 'call'
  | 'cancel'
  | 'hold'
  | 'late-offer'
  | 'lost-200'
  | 'lost-ack'
  | 'options'
  | 'repeated-invite'
  | 'unknown-codec'
  | 'video'
  | 'wait-for-bye';

export interface SippOptions {
  readonly scenario: SippScenario;
  /** Whom it calls, on 127.0.0.1. */
  readonly port: number;
  /** User part of the address that is called. */
  readonly user?: string;
  /** How many calls in all. */
  readonly calls?: number;
  /** Calls begun a second. */
  readonly rate?: number;
  /** Calls at the same time, at the most. */
  readonly limit?: number;
  readonly transport?: 'udp' | 'tcp';
  /** Percent of the packets that it throws away, of those sent and those received. */
  readonly lostPercent?: number;
  /** How long the pauses of the scenario are. */
  readonly pauseMs?: number;
  /** How long it waits for each message that must come, unless the scenario says. */
  readonly patienceMs?: number;
  /** It gives up all calls after so long. */
  readonly timeoutSeconds?: number;
  /** Any other arguments. */
  readonly args?: readonly string[];
}

export interface SippResult {
  /** 0: every call went as the scenario says. 1: at least one did not. Anything else: it did not get that far. */
  readonly exitCode: number | null;
  readonly succeeded: number;
  readonly failed: number;
  /** What happened how often, by step of the scenario: `4_200_Recv`, `4_200_Retrans`; what never did is left out. */
  readonly counts: Readonly<Record<string, number>>;
  /** What it noted: unexpected messages with their text, but also each wait that ran out as a scenario foresees. */
  readonly errors: string;
}

/** Debian's sipp as a caller that runs one scenario, in a process of its own. */
export class Sipp {
  static #running = new Set<Sipp>();

  readonly result: Promise<SippResult>;
  #child: ChildProcess;

  private constructor(child: ChildProcess, folder: string) {
    this.#child = child;
    Sipp.#running.add(this);
    this.result = this.#finish(folder);
    this.result.catch(() => {}); // whoever waits for it gets it; nobody has to
  }

  static async start(options: SippOptions): Promise<Sipp> {
    const folder = await fs.mkdtemp(path.join(os.tmpdir(), 'patchroom-sipp-'));
    const child = spawn('sipp', argumentsOf(options, await freePort(), await freePort()), {
      cwd: folder, // where it leaves what has no option for its place
      stdio: 'ignore',
    });
    return new Sipp(child, folder);
  }

  /** Starts it and waits for its end. */
  static async run(options: SippOptions): Promise<SippResult> {
    return (await Sipp.start(options)).result;
  }

  /** Ends what still runs, for the end of a test. */
  static async killAll(): Promise<void> {
    await Promise.all([...Sipp.#running].map((sipp) => sipp.kill()));
  }

  async kill(): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.result.catch(() => {});
  }

  async #finish(folder: string): Promise<SippResult> {
    try {
      const [exitCode] = (await once(this.#child, 'close')) as [number | null];
      const statistics = lastRow(await readIfThere(path.join(folder, 'statistics')));
      const countsFile = (await fs.readdir(folder)).find((name) => name.endsWith('_counts.csv'));
      const counts = lastRow(countsFile ? await readIfThere(path.join(folder, countsFile)) : '');
      return {
        exitCode,
        succeeded: statistics['SuccessfulCall(C)'] ?? 0,
        failed: statistics['FailedCall(C)'] ?? 0,
        counts: Object.fromEntries(Object.entries(counts).filter(([, count]) => count > 0)),
        errors: await readIfThere(path.join(folder, 'errors')),
      };
    } finally {
      Sipp.#running.delete(this);
      await fs.rm(folder, { recursive: true, force: true });
    }
  }
}

function argumentsOf(options: SippOptions, sipPort: number, mediaPort: number): string[] {
  const { calls = 1, rate = 10, timeoutSeconds = 60 } = options;
  const numbers: [string, number | undefined][] = [
    ['-p', sipPort],
    ['-mp', mediaPort],
    ['-m', calls],
    ['-r', rate],
    ['-l', options.limit ?? calls],
    ['-d', options.pauseMs ?? 500],
    ['-recv_timeout', options.patienceMs ?? 40_000],
    ['-timeout', timeoutSeconds],
    ['-lost', options.lostPercent],
  ];
  return [
    `127.0.0.1:${options.port}`,
    ...['-sf', path.join(SCENARIOS, `${options.scenario}.xml`)],
    ...['-i', '127.0.0.1', '-mi', '127.0.0.1'],
    ...['-t', options.transport === 'tcp' ? 't1' : 'u1'],
    ...['-s', options.user ?? 'demo'],
    ...numbers.flatMap(([name, value]) => (value === undefined ? [] : [name, String(value)])),
    ...['-nostdin', '-timeout_error'],
    ...['-trace_err', '-error_file', 'errors'],
    ...['-trace_stat', '-stf', 'statistics', '-trace_counts'],
    ...(options.args ?? []),
  ];
}

/** The numbers of the last row of such a table, by the names in its first. */
function lastRow(table: string): Record<string, number> {
  const rows = table.trim().split('\n');
  const names = rows[0]!.split(';');
  const values = rows.at(-1)!.split(';');
  return Object.fromEntries(names.map((name, index) => [name, Number(values[index])]));
}

async function readIfThere(file: string): Promise<string> {
  return fs.readFile(file, 'utf8').catch(() => '');
}
