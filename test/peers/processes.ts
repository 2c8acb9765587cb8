import fs from 'node:fs';

interface ProcessEntry {
  readonly pid: number;
  readonly parent: number;
}

function processes(): ProcessEntry[] {
  return fs.readdirSync('/proc').flatMap((name) => {
    if (!/^\d+$/.test(name)) return [];
    try {
      const stat = fs.readFileSync(`/proc/${name}/stat`, 'utf8');
      const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
      return fields[0] === 'Z' ? [] : [{ pid: Number(name), parent: Number(fields[1]) }];
    } catch {
      return []; // it ended while we looked
    }
  });
}

/** Pids of all processes below that one. */
export function descendantsOf(pid: number): number[] {
  const all = processes();
  const below = (parent: number): number[] =>
    all.filter((one) => one.parent === parent).flatMap((one) => [one.pid, ...below(one.pid)]);
  return below(pid);
}

export function isAlive(pid: number): boolean {
  return processes().some((one) => one.pid === pid);
}
