import { once } from 'node:events';
import type { Participant, Room } from '../../src/room/room.ts';
import type { Server } from '../../src/server.ts';

/** Waiting for what happens in a server's rooms, past or to come. */

export async function roomNamed(server: Server, name: string): Promise<Room> {
  for (;;) {
    const room = server.rooms.get(name);
    if (room) return room;
    await once(server.rooms, 'roomOpened');
  }
}

export async function participantNamed(room: Room, name: string): Promise<Participant> {
  for (;;) {
    const participant = room.participants.find((one) => one.name === name);
    if (participant) return participant;
    await once(room, 'participantJoined');
  }
}

/** Until that many tracks are published by that participant. */
export async function publishing(participant: Participant, tracks: number): Promise<void> {
  while (participant.tracks.size < tracks) await once(participant.room, 'trackPublished');
}
