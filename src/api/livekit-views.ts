import {
  ParticipantInfo,
  ParticipantInfo_Kind,
  ParticipantInfo_State,
  ParticipantPermission,
  Room as RoomInfo,
  TrackInfo,
  TrackSource,
  TrackType,
} from '@livekit/protocol';
import { mimeType } from '../media/codec.ts';
import { EVERYDAY_PERMISSIONS, type Permissions } from '../room/permissions.ts';
import type { Participant, Room } from '../room/room.ts';
import type { Track } from '../room/track.ts';
import type { ParticipantKind, TrackPurpose } from '../room/vocabulary.ts';

/** The room's state in LiveKit's protobuf messages, and its permissions back. */

const KINDS: Record<ParticipantKind, ParticipantInfo_Kind> = {
  browser: ParticipantInfo_Kind.STANDARD,
  phone: ParticipantInfo_Kind.SIP,
  encoder: ParticipantInfo_Kind.INGRESS,
  service: ParticipantInfo_Kind.AGENT,
};

const SOURCES: Record<TrackPurpose, TrackSource> = {
  voice: TrackSource.MICROPHONE,
  camera: TrackSource.CAMERA,
  screen: TrackSource.SCREEN_SHARE,
  'screen-audio': TrackSource.SCREEN_SHARE_AUDIO,
};

export function roomInfo(room: Room): RoomInfo {
  const visible = room.participants.filter(({ permissions }) => !permissions.hidden);
  return new RoomInfo({
    sid: room.sid,
    name: room.name,
    emptyTimeout: Math.round(room.options.emptyTimeoutMs / 1000),
    departureTimeout: Math.round(room.options.departureTimeoutMs / 1000),
    maxParticipants: room.options.maxParticipants,
    creationTime: BigInt(Math.floor(room.createdAt / 1000)),
    creationTimeMs: BigInt(room.createdAt),
    metadata: room.metadata,
    numParticipants: visible.length,
    numPublishers: visible.filter(({ tracks }) => tracks.size > 0).length,
  });
}

export function participantInfo(participant: Participant): ParticipantInfo {
  return new ParticipantInfo({
    sid: participant.sid,
    identity: participant.identity,
    name: participant.name,
    state: ParticipantInfo_State.ACTIVE,
    metadata: participant.metadata,
    attributes: participant.attributes,
    joinedAt: BigInt(Math.floor(participant.joinedAt / 1000)),
    joinedAtMs: BigInt(participant.joinedAt),
    kind: KINDS[participant.kind],
    isPublisher: participant.tracks.size > 0,
    permission: permissionInfo(participant.permissions),
    tracks: [...participant.tracks.values()].map(trackInfo),
  });
}

export function trackInfo(track: Track): TrackInfo {
  return new TrackInfo({
    sid: track.sid,
    type: track.kind === 'audio' ? TrackType.AUDIO : TrackType.VIDEO,
    source: SOURCES[track.purpose],
    name: track.purpose,
    muted: track.muted,
    simulcast: track.layers > 1,
    mimeType: mimeType(track.kind, track.codec),
    width: track.width ?? 0,
    height: track.height ?? 0,
  });
}

function permissionInfo(permissions: Permissions): ParticipantPermission {
  return new ParticipantPermission({
    canPublish: permissions.publish,
    canSubscribe: permissions.subscribe,
    canPublishSources: (permissions.publishPurposes ?? []).map((purpose) => SOURCES[purpose]),
    canUpdateMetadata: permissions.updateOwn,
    hidden: permissions.hidden,
  });
}

/** What an API call sets; what LiveKit's message cannot say stays as it was. */
export function toPermissions(info: ParticipantPermission, before: Permissions): Permissions {
  const purposes = info.canPublishSources.flatMap((source) => purposeOf(source) ?? []);
  return {
    ...EVERYDAY_PERMISSIONS,
    admin: before.admin,
    publish: info.canPublish,
    // Sources that we do not know permit nothing.
    ...(info.canPublishSources.length > 0 ? { publishPurposes: purposes } : {}),
    subscribe: info.canSubscribe,
    updateOwn: info.canUpdateMetadata,
    hidden: info.hidden,
  };
}

function purposeOf(source: TrackSource): TrackPurpose | undefined {
  return (Object.keys(SOURCES) as TrackPurpose[]).find((purpose) => SOURCES[purpose] === source);
}
