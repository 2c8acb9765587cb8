import type { Participant, RoomEvents } from '../../src/room/room.ts';
import type { LeaveReason } from '../../src/room/vocabulary.ts';
import type { ServerNotice } from './messages.ts';
import { viewParticipant, viewPermissions, viewRoom, viewTrack, visibleTo } from './views.ts';

type Listeners = { [E in keyof RoomEvents]?: (...args: RoomEvents[E]) => void };

/**
 * Tells one browser what happens in its room.
 * @param notify - drops what comes while the browser is away: it gets the whole state when it resumes
 * @returns ends it
 */
export function feed(viewer: Participant, notify: (notice: ServerNotice) => void): () => void {
  const { room } = viewer;
  // Whom the browser knows of: somebody can be made hidden, or visible, while he is there.
  const shown = new Set(visibleTo(viewer));
  const sees = (other: Participant) => other === viewer || !other.permissions.hidden;
  const show = (other: Participant) => {
    const known = shown.has(other);
    shown.add(other);
    notify({ type: known ? 'participant-updated' : 'participant-joined', body: viewParticipant(other) });
  };
  const hide = (other: Participant, reason: LeaveReason) => {
    if (shown.delete(other)) notify({ type: 'participant-left', body: { participant: other.sid, reason } });
  };
  const listeners: Listeners = {
    participantJoined: (other) => {
      if (other !== viewer && sees(other)) show(other);
    },
    participantLeft: (other, reason) => hide(other, reason),
    participantUpdated: (other) => {
      if (sees(other)) show(other);
      else hide(other, 'left');
      if (other === viewer) notify({ type: 'permissions', body: viewPermissions(viewer.permissions) });
    },
    qualityChanged: (other) => {
      if (sees(other)) notify({ type: 'quality', body: { participant: other.sid, quality: other.quality } });
    },
    trackPublished: (track) => notify({ type: 'track-published', body: viewTrack(track) }),
    trackUpdated: (track) => notify({ type: 'track-updated', body: viewTrack(track) }),
    trackUnpublished: (track) =>
      notify({ type: 'track-unpublished', body: { track: track.sid, participant: track.participant.sid } }),
    speakers: (speakers) =>
      notify({
        type: 'speakers',
        body: speakers.map(({ participant, level }) => ({ participant: participant.sid, level })),
      }),
    digit: (other, digit) => {
      if (sees(other)) notify({ type: 'digit', body: { participant: other.sid, digit } });
    },
    updated: () => notify({ type: 'room-updated', body: viewRoom(room) }),
    mediaLost: (reason) => notify({ type: 'media-lost', body: { reason } }),
  };
  const entries = Object.entries(listeners) as [keyof RoomEvents, () => void][];
  for (const [event, listener] of entries) room.on(event, listener);
  return () => {
    for (const [event, listener] of entries) room.off(event, listener);
  };
}
