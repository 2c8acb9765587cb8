import { expect } from 'vitest';
import type { ErrorCode } from '../../../src/errors.ts';

/** Matches a PatchroomError with that code, for `toThrow`. */
export function refusal(code: ErrorCode): Error {
  return expect.objectContaining({ name: 'PatchroomError', code }) as Error;
}
