import {
  CreateRoomRequest,
  DeleteRoomRequest,
  DeleteRoomResponse,
  ListParticipantsRequest,
  ListParticipantsResponse,
  ListRoomsRequest,
  ListRoomsResponse,
  MuteRoomTrackRequest,
  MuteRoomTrackResponse,
  ParticipantInfo,
  RemoveParticipantResponse,
  Room as RoomInfo,
  RoomParticipantIdentity,
  UpdateParticipantRequest,
  UpdateRoomMetadataRequest,
} from '@livekit/protocol';
import { PatchroomError } from '../base/errors.ts';
import type { RoomDirectory } from '../room/directory.ts';
import { mustAdminister, mustHaveGrant } from '../room/grants.ts';
import type { Participant, Room, RoomOptions } from '../room/room.ts';
import { participantInfo, roomInfo, toPermissions, trackInfo } from './livekit-views.ts';
import { rpc, type Service } from './twirp.ts';

const MAX_METADATA = 65_536;

/** LiveKit's RoomService on our rooms. What is not here answers `unimplemented`. */
export function roomService(rooms: RoomDirectory, options: { readonly remoteUnmute: boolean }): Service {
  return {
    CreateRoom: rpc(CreateRoomRequest, RoomInfo, (request, grant) => {
      mustHaveGrant(grant, 'roomCreate');
      mustNotWant({
        egress: request.egress,
        agents: request.agents.length,
        room_preset: request.roomPreset,
        node_id: request.nodeId,
        min_playout_delay: request.minPlayoutDelay,
        max_playout_delay: request.maxPlayoutDelay,
        sync_streams: request.syncStreams,
        replay_enabled: request.replayEnabled,
      });
      mustBeShort('metadata', request.metadata);
      const wanted = wantedOptions(request);
      const present = rooms.get(request.name);
      const room = present ?? rooms.open(request.name, wanted, request.metadata);
      if (present) {
        present.options = { ...present.options, ...wanted };
        if (request.metadata) present.setMetadata(request.metadata);
      }
      return roomInfo(room);
    }),

    ListRooms: rpc(ListRoomsRequest, ListRoomsResponse, ({ names }, grant) => {
      mustHaveGrant(grant, 'roomList');
      const wanted = rooms.rooms.filter(({ name }) => names.length === 0 || names.includes(name));
      return new ListRoomsResponse({ rooms: wanted.map(roomInfo) });
    }),

    DeleteRoom: rpc(DeleteRoomRequest, DeleteRoomResponse, ({ room }, grant) => {
      mustHaveGrant(grant, 'roomCreate');
      rooms.mustGet(room).close('deleted');
      return new DeleteRoomResponse();
    }),

    ListParticipants: rpc(ListParticipantsRequest, ListParticipantsResponse, ({ room }, grant) => {
      mustAdminister(grant, room);
      return new ListParticipantsResponse({
        // A room that is not open has nobody in it, as LiveKit answers.
        participants: (rooms.get(room)?.participants ?? []).map(participantInfo),
      });
    }),

    GetParticipant: rpc(RoomParticipantIdentity, ParticipantInfo, ({ room, identity }, grant) => {
      mustAdminister(grant, room);
      return participantInfo(mustFind(rooms.mustGet(room), identity));
    }),

    RemoveParticipant: rpc(RoomParticipantIdentity, RemoveParticipantResponse, (request, grant) => {
      mustAdminister(grant, request.room);
      mustNotWant({ revoke_token_ts: request.revokeTokenTs });
      mustFind(rooms.mustGet(request.room), request.identity).leave('removed');
      return new RemoveParticipantResponse();
    }),

    MutePublishedTrack: rpc(
      MuteRoomTrackRequest,
      MuteRoomTrackResponse,
      ({ room, identity, trackSid, muted }, grant) => {
        mustAdminister(grant, room);
        const participant = mustFind(rooms.mustGet(room), identity);
        const track = participant.tracks.get(trackSid);
        if (!track) throw new PatchroomError('track-not-found', `${identity} has no track ${trackSid}.`);
        if (!muted && track.muted && !options.remoteUnmute) {
          throw new PatchroomError(
            'failed-precondition',
            'Unmuting others is off on this server (rooms.remoteUnmute).',
          );
        }
        participant.setMuted(track, muted);
        return new MuteRoomTrackResponse({ track: trackInfo(track) });
      },
    ),

    UpdateParticipant: rpc(UpdateParticipantRequest, ParticipantInfo, (request, grant) => {
      mustAdminister(grant, request.room);
      mustBeShort('metadata', request.metadata);
      mustBeShort('attributes', JSON.stringify(request.attributes));
      const participant = mustFind(rooms.mustGet(request.room), request.identity);
      participant.update({
        // Protobuf cannot tell an empty text from none: LiveKit leaves it as it is then, and so do we.
        ...(request.name ? { name: request.name } : {}),
        ...(request.metadata ? { metadata: request.metadata } : {}),
        attributes: request.attributes,
        ...(request.permission
          ? { permissions: toPermissions(request.permission, participant.permissions) }
          : {}),
      });
      return participantInfo(participant);
    }),

    UpdateRoomMetadata: rpc(UpdateRoomMetadataRequest, RoomInfo, ({ room, metadata }, grant) => {
      mustAdminister(grant, room);
      mustBeShort('metadata', metadata);
      const found = rooms.mustGet(room);
      found.setMetadata(metadata);
      return roomInfo(found);
    }),
  };
}

function wantedOptions(request: CreateRoomRequest): Partial<RoomOptions> {
  return {
    ...(request.emptyTimeout ? { emptyTimeoutMs: request.emptyTimeout * 1000 } : {}),
    ...(request.departureTimeout ? { departureTimeoutMs: request.departureTimeout * 1000 } : {}),
    ...(request.maxParticipants ? { maxParticipants: request.maxParticipants } : {}),
  };
}

/** @throws PatchroomError 'unimplemented' for fields that we cannot honour: ignoring them would mislead. */
function mustNotWant(fields: Record<string, unknown>): void {
  for (const [name, value] of Object.entries(fields)) {
    if (value)
      throw new PatchroomError('unimplemented', `The field ${name} is not implemented by this server.`);
  }
}

function mustBeShort(name: string, text: string): void {
  if (text.length > MAX_METADATA) {
    throw new PatchroomError('invalid-request', `${name} is longer than ${MAX_METADATA} characters.`);
  }
}

function mustFind(room: Room, identity: string): Participant {
  const participant = room.participant(identity);
  if (!participant)
    throw new PatchroomError('participant-not-found', `${identity} is not in the room ${room.name}.`);
  return participant;
}
