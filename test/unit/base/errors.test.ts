import { describe, expect, test } from 'vitest';
import { httpStatus, problemDetails, twirpError } from '../../../src/api/problem.ts';
import { asPatchroomError, ERRORS, type ErrorCode, PatchroomError } from '../../../src/base/errors.ts';

/** Every code's HTTP status, and its Twirp code, whose own status must be the same (Twirp v7, "Error Codes"). */
const MAPPED: [ErrorCode, number, string][] = [
  ['invalid-request', 400, 'invalid_argument'],
  ['unauthenticated', 401, 'unauthenticated'],
  ['forbidden', 403, 'permission_denied'],
  ['room-not-found', 404, 'not_found'],
  ['room-full', 429, 'resource_exhausted'],
  ['participant-not-found', 404, 'not_found'],
  ['track-not-found', 404, 'not_found'],
  ['codec-refused', 400, 'invalid_argument'],
  ['limit-reached', 429, 'resource_exhausted'],
  ['rate-limited', 429, 'resource_exhausted'],
  ['failed-precondition', 412, 'failed_precondition'],
  ['unimplemented', 501, 'unimplemented'],
  ['too-large', 413, 'invalid_argument'],
  ['not-found', 404, 'not_found'],
  ['unavailable', 503, 'unavailable'],
  ['timeout', 408, 'deadline_exceeded'],
  ['internal', 500, 'internal'],
];

test('every error code is mapped', () => {
  expect(MAPPED.map(([code]) => code).sort()).toEqual(Object.keys(ERRORS).sort());
});

test.each(MAPPED)('%s is HTTP %i and Twirp %s', (code, status, twirp) => {
  const error = new PatchroomError(code, 'Why it is so.');
  expect(httpStatus(error)).toBe(status);
  expect(twirpError(error)).toEqual({ code: twirp, msg: 'Why it is so.' });
  expect(problemDetails(error)).toEqual({ type: 'about:blank', title: 'Why it is so.', status, code });
});

test.each(Object.entries(ERRORS))('%s has a sentence of its own', (code, sentence) => {
  expect(sentence).toMatch(/^[A-Z].*\.$/);
  expect(new PatchroomError(code as ErrorCode).message).toBe(sentence);
});

describe('what is thrown', () => {
  test('is kept when it is ours', () => {
    const error = new PatchroomError('room-full');
    expect(asPatchroomError(error)).toBe(error);
  });

  test.each([[new TypeError('secret detail')], ['secret detail'], [undefined], [{ code: 'forbidden' }]])(
    'becomes internal without its text when it is not: %s',
    (thrown) => {
      const error = asPatchroomError(thrown);
      expect(error).toMatchObject({ code: 'internal', message: ERRORS.internal });
      expect(error.cause).toBe(thrown);
    },
  );
});
