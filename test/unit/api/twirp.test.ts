import { CreateRoomRequest, Room as RoomInfo } from '@livekit/protocol';
import fastify, { type LightMyRequestResponse } from 'fastify';
import { describe, expect, test } from 'vitest';
import { roomService } from '../../../src/api/room-service.ts';
import { TokenVerifier } from '../../../src/api/tokens.ts';
import { rpc, serveTwirp } from '../../../src/api/twirp.ts';
import { PatchroomError } from '../../../src/errors.ts';
import { createLogger } from '../../../src/log.ts';
import { RoomDirectory } from '../../../src/room/directory.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { ROOM_OPTIONS } from '../support/rooms.ts';
import { KEY, SECRET, sign } from '../support/tokens.ts';

const rooms = new RoomDirectory({ defaults: ROOM_OPTIONS, maxRooms: 100 }, new FakeClock());
const app = fastify();
serveTwirp(app, {
  tokens: new TokenVerifier({ [KEY]: SECRET }),
  log: createLogger('silent'),
  services: {
    RoomService: roomService(rooms, { remoteUnmute: false }),
    Broken: {
      Bug: rpc(CreateRoomRequest, RoomInfo, () => {
        throw new TypeError('private detail');
      }),
      Full: rpc(CreateRoomRequest, RoomInfo, () => {
        throw new PatchroomError('limit-reached', 'No more.');
      }),
    },
  },
});

const token = await sign({ video: { roomCreate: true, roomList: true } });

interface Call {
  readonly method?: 'POST' | 'GET' | 'PUT';
  readonly path?: string;
  readonly type?: string | undefined;
  readonly authorization?: string | undefined;
  readonly body?: string | Buffer;
}

function call({ method = 'POST', path = 'RoomService/CreateRoom', body, ...rest }: Call) {
  const { type = 'application/json', authorization = `Bearer ${token}` } = rest;
  const headers: Record<string, string> = { authorization, 'content-type': type };
  if ('type' in rest && !rest.type) delete headers['content-type'];
  if ('authorization' in rest && !rest.authorization) delete headers.authorization;
  return app.inject({
    method,
    url: `/twirp/livekit.${path}`,
    headers,
    ...(body === undefined ? {} : { body }),
  });
}

function expectError(response: LightMyRequestResponse, status: number, code: string, msg: unknown): void {
  expect(response.statusCode).toBe(status);
  // With a charset behind it, LiveKit's SDK does not read the error.
  expect(response.headers['content-type']).toBe('application/json');
  expect(response.json()).toEqual({ code, msg });
}

describe('a call', () => {
  test('in JSON is answered in JSON, with the names of the .proto files and with defaults', async () => {
    const response = await call({ body: '{"name": "json", "max_participants": 5, "future_field": 1}' });
    expect(response.statusCode).toBe(200);
    expect(response.headers['content-type']).toBe('application/json');
    expect(response.json()).toMatchObject({ name: 'json', max_participants: 5, num_participants: 0 });
    expect(rooms.get('json')?.options.maxParticipants).toBe(5);
  });

  test('in JSON may use the names of JavaScript', async () => {
    const response = await call({ body: '{"name": "camel", "maxParticipants": 6}' });
    expect(response.json()).toMatchObject({ name: 'camel', max_participants: 6 });
  });

  test('in protobuf is answered in protobuf', async () => {
    const request = new CreateRoomRequest({ name: 'binary', maxParticipants: 7 });
    const response = await call({ type: 'application/protobuf', body: Buffer.from(request.toBinary()) });
    expect(response.statusCode).toBe(200);
    expect(response.headers['content-type']).toBe('application/protobuf');
    expect(RoomInfo.fromBinary(response.rawPayload)).toMatchObject({ name: 'binary', maxParticipants: 7 });
  });

  test.each([
    ['without a body', { path: 'RoomService/ListRooms' }],
    ['without a content type', { path: 'RoomService/ListRooms', type: undefined, body: '{}' }],
    [
      'with a charset',
      { path: 'RoomService/ListRooms', type: 'application/json; charset=utf-8', body: '{}' },
    ],
    ['with a lower-case bearer', { path: 'RoomService/ListRooms', authorization: `bearer ${token}` }],
  ])('%s is taken as JSON', async (_, request) => {
    const response = await call(request);
    expect(response.statusCode).toBe(200);
    expect(response.json()).toHaveProperty('rooms');
  });
});

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
