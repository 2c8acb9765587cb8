import type { Participant, Room } from '../room/room.ts';
import type { Track } from '../room/track.ts';

/**
 * Whose picture the room's program shows: the pinned participant's; without one of his, that of who was shown before, or
 * the first that there is. Pure.
 * @param current - what is shown now
 */
export function trackToShow(room: Room, current: Track | undefined): Track | undefined {
  const pinned = room.pinned === undefined ? undefined : room.participant(room.pinned);
  const before = current && room.participant(current.participant.identity);
  for (const participant of [pinned, before]) {
    const picture = participant && pictureOf(participant, current);
    if (picture) return picture;
  }
  for (const participant of room.participants) {
    const picture = pictureOf(participant);
    if (picture) return picture;
  }
  return undefined;
}

/**
 * What one participant shows: his screen before his camera, and of several the one that is shown already.
 * @param current - what is shown now
 */
export function pictureOf(participant: Participant, current?: Track): Track | undefined {
  if (participant.permissions.hidden) return undefined;
  const pictures = [...participant.tracks.values()].filter(isVisible);
  const screens = pictures.filter(({ purpose }) => purpose === 'screen');
  const candidates = screens.length > 0 ? screens : pictures;
  return candidates.find((track) => track === current) ?? candidates[0];
}

function isVisible({ kind, muted }: Track): boolean {
  return kind === 'video' && !muted;
}
