import { PatchroomError } from '../base/errors.ts';
import type { Permissions } from './permissions.ts';
import type { RoomOptions } from './room.ts';

/* What an access token permits, once its signature has been checked; named as in LiveKit's tokens. */

/** The part of a token that says what its bearer may do. */
export interface VideoGrant {
  readonly roomCreate?: boolean | undefined;
  readonly roomList?: boolean | undefined;
  readonly roomAdmin?: boolean | undefined;
  readonly roomJoin?: boolean | undefined;
  readonly roomRecord?: boolean | undefined;
  readonly room?: string | undefined;
  readonly canPublish?: boolean | undefined;
  readonly canSubscribe?: boolean | undefined;
  readonly canPublishSources?: readonly string[] | undefined;
  readonly canUpdateOwnMetadata?: boolean | undefined;
  readonly hidden?: boolean | undefined;
  readonly recorder?: boolean | undefined;
}

/** What a verified token says, in our words. */
export interface RoomGrant {
  readonly video: VideoGrant;
  readonly identity: string;
  readonly name: string;
  readonly metadata: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly permissions: Permissions;
  readonly roomOptions: Partial<RoomOptions>;
  readonly roomMetadata: string;
}

/** @throws PatchroomError 'forbidden' unless the token lets its bearer join that room */
export function mayJoin({ video, identity }: RoomGrant, room: string): void {
  if (!video.roomJoin)
    throw new PatchroomError('forbidden', 'The token does not permit joining a room (roomJoin).');
  if (video.room !== room) throw new PatchroomError('forbidden', 'The token is for another room.');
  if (!identity) throw new PatchroomError('forbidden', 'The token names no identity (sub).');
}

/** @throws PatchroomError 'forbidden' unless the token has the permission */
export function mustHaveGrant({ video }: RoomGrant, grant: 'roomCreate' | 'roomList' | 'roomRecord'): void {
  if (!video[grant]) throw new PatchroomError('forbidden', `The token does not have the grant ${grant}.`);
}

/** @throws PatchroomError 'forbidden' unless the token is for administrating that room */
export function mustAdminister({ video }: RoomGrant, room: string): void {
  if (!video.roomAdmin) throw new PatchroomError('forbidden', 'The token does not have the grant roomAdmin.');
  if (video.room !== room) throw new PatchroomError('forbidden', 'The token is for another room.');
}

/** LiveKit's roomRecord is for every room; a token that names one is kept to it here. */
export function mayRecord({ video }: RoomGrant, room: string): boolean {
  return video.roomRecord === true && (!video.room || video.room === room);
}

/** @throws PatchroomError 'forbidden' unless the token is for sending that room out */
export function mustRecord(grant: RoomGrant, room: string): void {
  mustHaveGrant(grant, 'roomRecord');
  if (!mayRecord(grant, room)) throw new PatchroomError('forbidden', 'The token is for another room.');
}

/** @throws PatchroomError 'forbidden' unless the token is for sending that room out, or for administrating it */
export function mustDirect(grant: RoomGrant, room: string): void {
  if (grant.video.roomAdmin && grant.video.room === room) return;
  mustRecord(grant, room);
}
