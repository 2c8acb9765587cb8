import { canPublish, type Permissions } from '../../src/room/permissions.ts';
import type { Participant, Room } from '../../src/room/room.ts';
import type { Track } from '../../src/room/track.ts';
import { TRACK_PURPOSES } from '../../src/room/vocabulary.ts';
import type { ParticipantView, Reply, TrackView } from './messages.ts';

/** The room's state as browsers see it. */

export function viewTrack(track: Track): TrackView {
  return {
    sid: track.sid,
    participant: track.participant.sid,
    kind: track.kind,
    purpose: track.purpose,
    codec: track.codec.name,
    muted: track.muted,
    layers: track.layers,
  };
}

export function viewParticipant(participant: Participant): ParticipantView {
  return {
    sid: participant.sid,
    identity: participant.identity,
    name: participant.name,
    kind: participant.kind,
    quality: participant.quality,
    metadata: participant.metadata,
    attributes: participant.attributes,
    tracks: [...participant.tracks.values()].map(viewTrack),
  };
}

export function viewPermissions(permissions: Permissions): Reply<'join'>['permissions'] {
  return {
    publish: TRACK_PURPOSES.filter((purpose) => canPublish(permissions, purpose)),
    subscribe: permissions.subscribe,
    updateOwn: permissions.updateOwn,
    admin: permissions.admin,
  };
}

export function viewRoom(room: Room): Reply<'join'>['room'] {
  return { sid: room.sid, name: room.name, metadata: room.metadata };
}

/** Those that `viewer` may see: everybody who is not hidden, and itself. */
export function visibleTo(viewer: Participant): Participant[] {
  return viewer.room.participants.filter((other) => other === viewer || !other.permissions.hidden);
}
