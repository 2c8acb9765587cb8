import { CreateRoomRequest, Room as RoomInfo } from '@livekit/protocol';
import { describe, expect, test } from 'vitest';
import { call, rooms, token } from '../support/twirp.ts';

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
