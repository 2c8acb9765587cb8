import { expect } from 'vitest';

/** Waits for what has to come about, however long that takes on a busy machine. */
export function eventually<T>(read: () => T) {
  return expect.poll(read, { timeout: 9_000, interval: 2 });
}
