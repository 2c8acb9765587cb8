import { CreateRoomRequest, ListRoomsResponse } from '@livekit/protocol';
import {
  AccessToken,
  IngressClient,
  RoomServiceClient,
  SipClient,
  TrackSource,
  TwirpError,
  type VideoGrant,
} from 'livekit-server-sdk';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Room } from '../../src/room/room.ts';
import type { Server } from '../../src/server.ts';
import { API_KEY, API_SECRET, startServer } from '../peers/server.ts';
import { SignallingClient } from '../peers/signalling-client.ts';

/** The unmodified npm package livekit-server-sdk against a running server that is not in demo mode. */

let server: Server;
let rooms: RoomServiceClient;
beforeAll(async () => {
  server = await startServer({ demo: false });
  rooms = new RoomServiceClient(server.url, API_KEY, API_SECRET);
});
afterAll(() => server.stop());
beforeEach(() => {
  for (const room of server.rooms.rooms) room.close('deleted');
});

function token(identity: string, video: VideoGrant, options = {}): Promise<string> {
  const access = new AccessToken(API_KEY, API_SECRET, { identity, ...options });
  access.addGrant(video);
  return access.toJwt();
}

async function join(room: string, identity: string, video: VideoGrant = {}): Promise<SignallingClient> {
  const client = await SignallingClient.open(server);
  await client.ask('join', { room, token: await token(identity, { roomJoin: true, room, ...video }) });
  return client;
}

/** What the SDK throws. */
async function refusal(
  call: Promise<unknown>,
): Promise<{ status: number; code: string | undefined; message: string }> {
  const error = await call.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(TwirpError);
  const { status, code, message } = error as TwirpError;
  return { status, code, message };
}

describe('rooms', () => {
  test('are created with their options, listed and deleted', async () => {
    const created = await rooms.createRoom({
      name: 'a',
      emptyTimeout: 60,
      departureTimeout: 5,
      maxParticipants: 3,
      metadata: 'm',
    });
    expect(created).toMatchObject({
      name: 'a',
      emptyTimeout: 60,
      departureTimeout: 5,
      maxParticipants: 3,
      metadata: 'm',
    });
    expect(created.sid).toMatch(/^RM_/);
    expect(Number(created.creationTime)).toBeGreaterThan(1_700_000_000);
    await rooms.createRoom({ name: 'b' });
    expect((await rooms.listRooms()).map(({ name }) => name).sort()).toEqual(['a', 'b']);
    expect((await rooms.listRooms(['b', 'c'])).map(({ name }) => name)).toEqual(['b']);
    await rooms.deleteRoom('a');
    expect((await rooms.listRooms()).map(({ name }) => name)).toEqual(['b']);
  });

  test('creating one that is open changes its options and nothing else', async () => {
    const first = await rooms.createRoom({ name: 'a', metadata: 'old' });
    const again = await rooms.createRoom({ name: 'a', maxParticipants: 7 });
    expect(again).toMatchObject({ sid: first.sid, maxParticipants: 7, metadata: 'old' });
  });

  test('their metadata is changed, and browsers in them are told', async () => {
    const client = await join('a', 'ann');
    expect(await rooms.updateRoomMetadata('a', 'new')).toMatchObject({ metadata: 'new' });
    expect((await client.notice('room-updated')).body.metadata).toBe('new');
    client.close();
  });

  test('that do not exist are not found', async () => {
    expect(await refusal(rooms.deleteRoom('none'))).toMatchObject({ status: 404, code: 'not_found' });
    // As LiveKit: a room that nobody is in yet has nobody in it.
    expect(await rooms.listParticipants('none')).toEqual([]);
  });

  test('deleting one puts everybody out', async () => {
    const client = await join('a', 'ann');
    const closed = client.closed();
    await rooms.deleteRoom('a');
    expect((await client.notice('removed')).body.reason).toBe('room-deleted');
    await closed;
  });

  test('a full one refuses, and a browser is told', async () => {
    await rooms.createRoom({ name: 'a', maxParticipants: 1 });
    const first = await join('a', 'ann');
    const second = await SignallingClient.open(server);
    const answer = await second.request('join', {
      room: 'a',
      token: await token('bob', { roomJoin: true, room: 'a' }),
    });
    expect(answer).toMatchObject({ ok: false, code: 'room-full' });
    first.close();
    second.close();
  });

  test.each([
    ['room_preset', { roomPreset: 'big' }],
    ['min_playout_delay', { minPlayoutDelay: 100 }],
    ['sync_streams', { syncStreams: true }],
  ])('what we cannot honour is refused rather than ignored: %s', async (field, options) => {
    const call = rooms.createRoom({ name: 'a', ...options } as never);
    expect(await refusal(call)).toMatchObject({
      status: 501,
      code: 'unimplemented',
      message: expect.stringContaining(field),
    });
  });

  test('a body that is too large is refused in words that the SDK understands', async () => {
    const call = rooms.createRoom({ name: 'a', metadata: 'x'.repeat(2_000_000) });
    expect(await refusal(call)).toMatchObject({ status: 413, code: 'invalid_argument' });
  });
});

describe('participants', () => {
  test('are listed and got, with what their token said', async () => {
    const client = await SignallingClient.open(server);
    const jwt = await token(
      'ann',
      { roomJoin: true, room: 'a', canPublishSources: [TrackSource.MICROPHONE], canUpdateOwnMetadata: true },
      { name: 'Ann', metadata: 'm', attributes: { team: 'blue' } },
    );
    await client.ask('join', { room: 'a', token: jwt });
    const [listed] = await rooms.listParticipants('a');
    expect(listed).toMatchObject({
      identity: 'ann',
      name: 'Ann',
      metadata: 'm',
      attributes: { team: 'blue' },
    });
    const got = await rooms.getParticipant('a', 'ann');
    expect(got.sid).toBe(listed!.sid);
    expect(got.permission).toMatchObject({
      canPublish: true,
      canPublishSources: [TrackSource.MICROPHONE],
      canUpdateMetadata: true,
    });
    expect(await refusal(rooms.getParticipant('a', 'bob'))).toMatchObject({ status: 404, code: 'not_found' });
    client.close();
  });

  test('are removed, and told so', async () => {
    const client = await join('a', 'ann');
    const closed = client.closed();
    await rooms.removeParticipant('a', 'ann');
    expect((await client.notice('removed')).body.reason).toBe('removed');
    await closed;
    expect(await rooms.listParticipants('a')).toEqual([]);
  });

  test('are updated: name, metadata, attributes and permissions', async () => {
    const client = await join('a', 'ann');
    const updated = await rooms.updateParticipant('a', 'ann', {
      name: 'Anna',
      metadata: 'new',
      attributes: { team: 'red' },
      permission: { canPublish: false, canSubscribe: true, canPublishData: true } as never,
    });
    expect(updated).toMatchObject({ name: 'Anna', metadata: 'new', attributes: { team: 'red' } });
    expect(updated.permission?.canPublish).toBe(false);
    expect((await client.notice('participant-updated')).body.name).toBe('Anna');
    expect((await client.notice('permissions')).body.publish).toEqual([]);
    client.close();
  });
});

describe('tracks', () => {
  async function withTrack(): Promise<{ client: SignallingClient; room: Room; sid: string }> {
    const client = await join('a', 'ann');
    const room = server.rooms.mustGet('a');
    const track = room.participant('ann')!.publish({
      kind: 'audio',
      purpose: 'voice',
      codec: { name: 'opus', clockRate: 48000, channels: 2 },
      producerId: 'none',
    });
    return { client, room, sid: track.sid };
  }

  test('are shown with their source and format', async () => {
    const { client } = await withTrack();
    const { tracks } = await rooms.getParticipant('a', 'ann');
    expect(tracks).toHaveLength(1);
    expect(tracks[0]).toMatchObject({ source: TrackSource.MICROPHONE, mimeType: 'audio/opus', muted: false });
    client.close();
  });

  test('are muted, and their owner is told', async () => {
    const { client, sid } = await withTrack();
    expect(await rooms.mutePublishedTrack('a', 'ann', sid, true)).toMatchObject({ sid, muted: true });
    expect((await client.notice('track-updated')).body).toMatchObject({ sid, muted: true });
    expect(await refusal(rooms.mutePublishedTrack('a', 'ann', sid, false))).toMatchObject({
      status: 412,
      code: 'failed_precondition',
    });
    expect(await refusal(rooms.mutePublishedTrack('a', 'ann', 'TR_none', true))).toMatchObject({
      code: 'not_found',
    });
    client.close();
  });
});

describe('grants', () => {
  const call = async (method: string, body: object, video: VideoGrant) => {
    const response = await fetch(`${server.url}/twirp/livekit.RoomService/${method}`, {
      method: 'POST',
      headers: { authorization: `Bearer ${await token('x', video)}`, 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
    return response.status;
  };

  test.each([
    ['CreateRoom', { name: 'a' }, { roomList: true }],
    ['ListRooms', {}, { roomCreate: true }],
    ['DeleteRoom', { room: 'a' }, { roomAdmin: true, room: 'a' }],
    ['ListParticipants', { room: 'a' }, { roomJoin: true, room: 'a' }],
    ['ListParticipants', { room: 'a' }, { roomAdmin: true, room: 'b' }],
    ['GetParticipant', { room: 'a', identity: 'x' }, { roomAdmin: true }],
    ['RemoveParticipant', { room: 'a', identity: 'x' }, { roomCreate: true }],
    ['MutePublishedTrack', { room: 'a', identity: 'x' }, { roomAdmin: true, room: 'b' }],
    ['UpdateParticipant', { room: 'a', identity: 'x' }, { roomList: true }],
    ['UpdateRoomMetadata', { room: 'a' }, { roomJoin: true, room: 'a' }],
  ] as const)('%s with %o is forbidden to %o', async (method, body, video) => {
    expect(await call(method, body, video)).toBe(403);
  });

  test('a token of another secret is not authenticated', async () => {
    const other = new RoomServiceClient(server.url, API_KEY, 'another-secret-of-32-characters-or-more');
    expect(await refusal(other.listRooms())).toMatchObject({ status: 401, code: 'unauthenticated' });
  });

  test('a page without a token, or with one for another room, stays outside', async () => {
    const client = await SignallingClient.open(server);
    expect(await client.request('join', { room: 'a' })).toMatchObject({ ok: false, code: 'unauthenticated' });
    const other = await token('ann', { roomJoin: true, room: 'b' });
    expect(await client.request('join', { room: 'a', token: other })).toMatchObject({
      ok: false,
      code: 'forbidden',
    });
    expect(server.rooms.rooms).toEqual([]);
    client.close();
  });
});

test('binary protobuf is understood and answered', async () => {
  const headers = {
    authorization: `Bearer ${await token('x', { roomCreate: true, roomList: true })}`,
    'content-type': 'application/protobuf',
  };
  const post = (method: string, body: Uint8Array<ArrayBuffer>) =>
    fetch(`${server.url}/twirp/livekit.RoomService/${method}`, { method: 'POST', headers, body });
  await post('CreateRoom', new Uint8Array(new CreateRoomRequest({ name: 'binary' }).toBinary()));
  const response = await post('ListRooms', new Uint8Array());
  expect(response.headers.get('content-type')).toBe('application/protobuf');
  const list = ListRoomsResponse.fromBinary(new Uint8Array(await response.arrayBuffer()));
  expect(list.rooms.map(({ name }) => name)).toEqual(['binary']);
});

test('what is not there yet answers unimplemented, with a sentence', async () => {
  const unimplemented = {
    status: 501,
    code: 'unimplemented',
    message: expect.stringContaining('not implemented by this server'),
  };
  expect(await refusal(new IngressClient(server.url, API_KEY, API_SECRET).listIngress())).toMatchObject(
    unimplemented,
  );
  expect(await refusal(new SipClient(server.url, API_KEY, API_SECRET).listSipDispatchRule())).toMatchObject(
    unimplemented,
  );
  expect(await refusal(rooms.updateSubscriptions('a', 'ann', [], true))).toMatchObject(unimplemented);
  expect(await refusal(rooms.sendData('a', new Uint8Array(1), 0, {}))).toMatchObject(unimplemented);
  expect(await refusal(rooms.forwardParticipant('a', 'ann', 'b'))).toMatchObject(unimplemented);
  expect(await refusal(rooms.moveParticipant('a', 'ann', 'b'))).toMatchObject(unimplemented);
});
