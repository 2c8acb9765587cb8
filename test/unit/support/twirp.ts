import { CreateRoomRequest, Room as RoomInfo } from '@livekit/protocol';
import fastify, { type LightMyRequestResponse } from 'fastify';
import { roomService } from '../../../src/api/room-service.ts';
import { TokenVerifier } from '../../../src/api/tokens.ts';
import { rpc, serveTwirp } from '../../../src/api/twirp.ts';
import { PatchroomError } from '../../../src/base/errors.ts';
import { createLogger } from '../../../src/base/log.ts';
import { RoomDirectory } from '../../../src/room/directory.ts';
import { FakeClock } from './fake-clock.ts';
import { ROOM_OPTIONS } from './rooms.ts';
import { KEY, SECRET, sign } from './tokens.ts';

/* LiveKit's API on a directory of rooms, without a socket; and a service that is broken. */

export const rooms = new RoomDirectory({ defaults: ROOM_OPTIONS, maxRooms: 100 }, new FakeClock());
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

export const token = await sign({ video: { roomCreate: true, roomList: true } });

export interface Call {
  readonly method?: 'POST' | 'GET' | 'PUT';
  readonly path?: string;
  readonly type?: string | undefined;
  readonly authorization?: string | undefined;
  readonly body?: string | Buffer;
}

/** What the API answers. */
export function call({
  method = 'POST',
  path = 'RoomService/CreateRoom',
  body,
  ...rest
}: Call): Promise<LightMyRequestResponse> {
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
