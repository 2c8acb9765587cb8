/** What performance.now() counts from differs from process to process; this, the kernel's monotonic clock, does not. */
const OFFSET_MS = Number(process.hrtime.bigint()) / 1e6 - performance.now();

/** @param localMs - of the system clock's now(). @returns the same moment as all processes of this machine count it */
export function toMachineTime(localMs: number): number {
  return localMs + OFFSET_MS;
}

/** The other way round, for a moment that another process told. */
export function fromMachineTime(machineMs: number): number {
  return machineMs - OFFSET_MS;
}
