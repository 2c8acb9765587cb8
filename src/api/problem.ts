import { asPatchroomError, type ErrorCode, PatchroomError } from '../base/errors.ts';

/** How each of our errors looks in HTTP and in Twirp (https://twitchtv.github.io/twirp/docs/spec_v7.html). */
const PROBLEMS: Record<ErrorCode, { status: number; twirp: string }> = {
  'invalid-request': { status: 400, twirp: 'invalid_argument' },
  'too-large': { status: 413, twirp: 'invalid_argument' },
  'not-found': { status: 404, twirp: 'not_found' },
  unauthenticated: { status: 401, twirp: 'unauthenticated' },
  forbidden: { status: 403, twirp: 'permission_denied' },
  'room-not-found': { status: 404, twirp: 'not_found' },
  'participant-not-found': { status: 404, twirp: 'not_found' },
  'track-not-found': { status: 404, twirp: 'not_found' },
  'room-full': { status: 429, twirp: 'resource_exhausted' },
  'limit-reached': { status: 429, twirp: 'resource_exhausted' },
  'rate-limited': { status: 429, twirp: 'resource_exhausted' },
  'codec-refused': { status: 400, twirp: 'invalid_argument' },
  'failed-precondition': { status: 412, twirp: 'failed_precondition' },
  unimplemented: { status: 501, twirp: 'unimplemented' },
  unavailable: { status: 503, twirp: 'unavailable' },
  timeout: { status: 408, twirp: 'deadline_exceeded' },
  internal: { status: 500, twirp: 'internal' },
};

/** An error that fastify hands over: ours, or a refusal of its own (a body too large, say), which is the client's fault. */
export function fromFastify(error: unknown): PatchroomError {
  const { statusCode, message } = error as { statusCode?: number; message: string };
  if (error instanceof PatchroomError || !statusCode || statusCode >= 500) return asPatchroomError(error);
  return new PatchroomError(statusCode === 413 ? 'too-large' : 'invalid-request', message);
}

export function httpStatus({ code }: PatchroomError): number {
  return PROBLEMS[code].status;
}

/** The body of a Twirp error. */
export function twirpError({ code, message }: PatchroomError): { code: string; msg: string } {
  return { code: PROBLEMS[code].twirp, msg: message };
}

/** The body of an error of our own API: problem details (RFC 9457). */
export function problemDetails(error: PatchroomError): {
  type: string;
  title: string;
  status: number;
  code: string;
} {
  return { type: 'about:blank', title: error.message, status: httpStatus(error), code: error.code };
}
