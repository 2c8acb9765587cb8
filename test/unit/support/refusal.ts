import { expect } from 'vitest';
import type { ErrorCode } from '../../../src/base/errors.ts';

/** Matches a PatchroomError with that code, for `toThrow`. */
export function refusal(code: ErrorCode): Error {
  return expect.objectContaining({ name: 'PatchroomError', code }) as Error;
}
