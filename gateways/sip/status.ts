import { asPatchroomError, type ErrorCode } from '../../src/gateway.ts';

/** What a phone is told for each of our errors (RFC 3261, section 21); those that are not here are our fault: 500. */
const STATUS: Partial<Record<ErrorCode, number>> = {
  'invalid-request': 404, // of a room's name: there is no such room to call
  'not-found': 404,
  'room-not-found': 404,
  unauthenticated: 403,
  forbidden: 403,
  'room-full': 486,
  'codec-refused': 488,
  'limit-reached': 503,
  'rate-limited': 503,
  unavailable: 503,
  timeout: 503,
};

/** The SIP status of an error, and its words. */
export function statusOf(error: unknown): { status: number; text: string } {
  const { code, message } = asPatchroomError(error);
  return { status: STATUS[code] ?? 500, text: message };
}
