import { readFile } from 'node:fs/promises';

/** Of the kernel's accounting, as Linux has it on every machine that we run on (sysconf(_SC_CLK_TCK)). */
const TICKS_PER_SECOND = 100;
/** Fields of /proc/<pid>/stat behind the name: user and system time (proc(5)). */
const USER_TIME = 11;
const SYSTEM_TIME = 12;

/** How much of a core a child process takes, from one look to the next. */
export class ProcessCost {
  #pid = 0;
  #ticks = 0;
  #at = 0;

  /** @param now - ms. @returns cores since the last look; undefined at the first one of each process */
  async look(pid: number, now: number): Promise<number | undefined> {
    const stat = await readFile(`/proc/${pid}/stat`, 'latin1').catch(() => undefined);
    // The name may have spaces and parentheses of its own.
    const fields = stat?.slice(stat.lastIndexOf(')') + 2).split(' ');
    if (!fields) return undefined;
    const ticks = Number(fields[USER_TIME]) + Number(fields[SYSTEM_TIME]);
    const isKnown = pid === this.#pid && now > this.#at;
    const cores = isKnown ? ((ticks - this.#ticks) / TICKS_PER_SECOND / (now - this.#at)) * 1000 : undefined;
    this.#pid = pid;
    this.#ticks = ticks;
    this.#at = now;
    return cores;
  }
}
