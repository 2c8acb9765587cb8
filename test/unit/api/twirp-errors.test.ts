import type { LightMyRequestResponse } from 'fastify';
import { describe, expect, test } from 'vitest';
import { type Call, call, token } from '../support/twirp.ts';

function expectError(response: LightMyRequestResponse, status: number, code: string, msg: unknown): void {
  expect(response.statusCode).toBe(status);
  // With a charset behind it, LiveKit's SDK does not read the error.
  expect(response.headers['content-type']).toBe('application/json');
  expect(response.json()).toEqual({ code, msg });
}

describe('a call is refused as Twirp wants it', () => {
  const noToken = 'An access token is needed: Authorization: Bearer <token>.';
  const badToken = 'This is no access token.';

  test.each<[string, Call, number, string, unknown]>([
    [
      'no JSON',
      { body: '{"name"' },
      400,
      'invalid_argument',
      expect.stringMatching(/^The body is no livekit/),
    ],
    ['JSON of another form', { body: '{"name": {}}' }, 400, 'invalid_argument', expect.any(String)],
    [
      'no protobuf',
      { type: 'application/protobuf', body: Buffer.from('ff', 'hex') },
      400,
      'invalid_argument',
      expect.any(String),
    ],
    ['a bad name', { body: '{"name": "api"}' }, 400, 'invalid_argument', expect.stringContaining('"api"')],
    ['no bearer', { authorization: undefined }, 401, 'unauthenticated', noToken],
    ['another scheme', { authorization: `Basic ${token}` }, 401, 'unauthenticated', noToken],
    ['an empty bearer', { authorization: 'Bearer ' }, 401, 'unauthenticated', noToken],
    ['a garbage bearer', { authorization: 'Bearer garbage' }, 401, 'unauthenticated', badToken],
    ['no bearer, unknown method', { path: 'X/Y', authorization: undefined }, 401, 'unauthenticated', noToken],
    [
      'no grant',
      { path: 'RoomService/ListParticipants', body: '{"room": "a"}' },
      403,
      'permission_denied',
      expect.any(String),
    ],
    [
      'no such room',
      { path: 'RoomService/DeleteRoom', body: '{"room": "a"}' },
      404,
      'not_found',
      'There is no open room named a.',
    ],
    [
      'unknown method',
      { path: 'RoomService/Nope' },
      501,
      'unimplemented',
      'livekit.RoomService/Nope is not implemented by this server.',
    ],
    [
      'unknown service',
      { path: 'Egress/ListEgress' },
      501,
      'unimplemented',
      'livekit.Egress/ListEgress is not implemented by this server.',
    ],
    [
      'a property of objects as method',
      { path: 'RoomService/constructor' },
      501,
      'unimplemented',
      expect.any(String),
    ],
    [
      'an unknown field that must be heeded',
      { body: '{"name": "e", "room_preset": "x"}' },
      501,
      'unimplemented',
      expect.stringContaining('room_preset'),
    ],
    ['a refusal of ours', { path: 'Broken/Full' }, 429, 'resource_exhausted', 'No more.'],
    [
      'a bug, whose detail stays inside',
      { path: 'Broken/Bug' },
      500,
      'internal',
      'Something went wrong inside Patchroom.',
    ],
    ['GET', { method: 'GET' }, 404, 'bad_route', 'No such route: GET /twirp/livekit.RoomService/CreateRoom'],
    ['PUT', { method: 'PUT', body: '{}' }, 404, 'bad_route', expect.any(String)],
    ['a path that is too short', { path: 'RoomService', body: '{}' }, 404, 'bad_route', expect.any(String)],
    [
      'a path that is too long',
      { path: 'RoomService/CreateRoom/x?token=y', body: '{}' },
      404,
      'bad_route',
      'No such route: POST /twirp/livekit.RoomService/CreateRoom/x',
    ],
  ])('%s', async (_, request, status, code, msg) => {
    expectError(await call(request), status, code, msg);
  });

  test('a call in protobuf gets its error in JSON', async () => {
    const response = await call({ type: 'application/protobuf', path: 'Broken/Full' });
    expectError(response, 429, 'resource_exhausted', 'No more.');
  });
});
