import { expect, test } from 'vitest';
import { statusOf } from '../../../gateways/sip/status.ts';
import { ERRORS, type ErrorCode, PatchroomError } from '../../../src/base/errors.ts';

/** What a phone is told for each error; 500 for what it has no part in. */
const EXPECTED: Record<ErrorCode, number> = {
  'invalid-request': 404,
  'too-large': 500,
  'not-found': 404,
  unauthenticated: 403,
  forbidden: 403,
  'room-not-found': 404,
  'room-full': 486,
  'participant-not-found': 500,
  'track-not-found': 500,
  'codec-refused': 488,
  'limit-reached': 503,
  'rate-limited': 503,
  'failed-precondition': 500,
  unimplemented: 500,
  unavailable: 503,
  timeout: 503,
  internal: 500,
};

test.each(Object.keys(ERRORS) as ErrorCode[])('%s', (code) => {
  const error = new PatchroomError(code, 'In words.');
  expect(statusOf(error)).toEqual({ status: EXPECTED[code], text: 'In words.' });
});

test.each([new TypeError('private detail'), 'text', undefined])(
  'what is no error of ours says nothing of itself: %s',
  (error) => {
    expect(statusOf(error)).toEqual({ status: 500, text: ERRORS.internal });
  },
);
