import os from 'node:os';

/** Who measures time should not wait for others. */
const PRIORITY = -5;

/** Does something, and lets it and what it starts go before other work of the machine, where that is permitted (to root). */
export async function withPriority<T>(action: () => Promise<T>): Promise<T> {
  const before = os.getPriority();
  raise(PRIORITY);
  try {
    return await action();
  } finally {
    raise(before);
  }
}

function raise(priority: number): void {
  try {
    os.setPriority(priority);
  } catch {
    // Then the figures of time are worse if others work on the machine.
  }
}
