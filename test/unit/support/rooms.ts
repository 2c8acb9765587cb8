import type { NewParticipant } from '../../../src/room/new-participant.ts';
import { EVERYDAY_PERMISSIONS, type Permissions } from '../../../src/room/permissions.ts';
import { Room, type RoomOptions } from '../../../src/room/room.ts';
import type { NewTrack } from '../../../src/room/track.ts';
import { FakeClock } from './fake-clock.ts';

export const ROOM_OPTIONS: RoomOptions = {
  maxParticipants: 3,
  maxTracksPerParticipant: 2,
  emptyTimeoutMs: 300_000,
  departureTimeoutMs: 20_000,
};

export function openRoom(options: Partial<RoomOptions> = {}): { room: Room; clock: FakeClock } {
  const clock = new FakeClock();
  return { room: new Room('lounge', { ...ROOM_OPTIONS, ...options }, clock), clock };
}

/** Somebody at a browser. */
export function person(identity: string, permissions: Partial<Permissions> = {}): NewParticipant {
  return {
    identity,
    name: identity,
    kind: 'browser',
    gateway: 'webrtc',
    permissions: { ...EVERYDAY_PERMISSIONS, ...permissions },
  };
}

export function voice(producerId = 'producer-1'): NewTrack {
  const codec = { name: 'opus', clockRate: 48000, channels: 2 };
  return { kind: 'audio', purpose: 'voice', codec, producerId };
}

export function camera(producerId = 'producer-2'): NewTrack {
  return { kind: 'video', purpose: 'camera', codec: { name: 'VP8', clockRate: 90000 }, producerId };
}

/** Writes down what a room says, in its order. */
export function listenTo(room: Room): string[] {
  const heard: string[] = [];
  room.on('participantJoined', ({ identity }) => heard.push(`${identity} joined`));
  room.on('participantLeft', ({ identity }, reason) => heard.push(`${identity} left: ${reason}`));
  room.on('participantUpdated', ({ identity }) => heard.push(`${identity} updated`));
  room.on('qualityChanged', ({ identity, quality }) => heard.push(`${identity} quality: ${quality}`));
  room.on('trackPublished', ({ participant, purpose }) =>
    heard.push(`${participant.identity} published ${purpose}`),
  );
  room.on('trackUnpublished', ({ participant, purpose }) =>
    heard.push(`${participant.identity} unpublished ${purpose}`),
  );
  room.on('trackUpdated', ({ participant, purpose, muted }) =>
    heard.push(`${participant.identity} ${muted ? 'muted' : 'unmuted'} ${purpose}`),
  );
  room.on('speakers', (speakers) =>
    heard.push(`speakers: ${speakers.map(({ participant }) => participant.identity).join(', ')}`),
  );
  room.on('updated', () => heard.push('updated'));
  room.on('mediaLost', (reason) => heard.push(`media lost: ${reason}`));
  room.on('closed', (reason) => heard.push(`closed: ${reason}`));
  return heard;
}
