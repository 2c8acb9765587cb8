import type { Participant } from './participant.ts';
import type { Room } from './room.ts';
import type { Track } from './track.ts';

/**
 * Whose picture the room's program shows: the pinned participant's; without one of his, what was shown before, or the
 * first that there is. Pure.
 * @param current - what is shown now
 */
export function trackToShow(room: Room, current: Track | undefined): Track | undefined {
  const pinned = room.pinned === undefined ? undefined : room.participant(room.pinned);
  const ofPinned = pinned && pictureOf(pinned);
  if (ofPinned) return ofPinned;
  const stays = current && isVisible(current) && room.track(current.sid) === current;
  if (stays) return current;
  for (const participant of room.participants) {
    const picture = pictureOf(participant);
    if (picture) return picture;
  }
  return undefined;
}

/** What one participant shows: his screen before his camera. */
export function pictureOf(participant: Participant): Track | undefined {
  if (participant.permissions.hidden) return undefined;
  const pictures = [...participant.tracks.values()].filter(isVisible);
  return pictures.find(({ purpose }) => purpose === 'screen') ?? pictures[0];
}

function isVisible({ kind, muted }: Track): boolean {
  return kind === 'video' && !muted;
}
