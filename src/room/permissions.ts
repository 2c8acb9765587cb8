import { PatchroomError } from '../base/errors.ts';
import type { TrackPurpose } from './vocabulary.ts';

/** What one participant may do in one room. */
export interface Permissions {
  readonly publish: boolean;
  /** When given, only these purposes may be published. */
  readonly publishPurposes?: readonly TrackPurpose[];
  readonly subscribe: boolean;
  /** May change its own name, metadata and attributes. */
  readonly updateOwn: boolean;
  /** Others do not see it (and it may publish nothing). */
  readonly hidden: boolean;
  /** May remove and mute others. */
  readonly admin: boolean;
}

export const EVERYDAY_PERMISSIONS: Permissions = {
  publish: true,
  subscribe: true,
  updateOwn: false,
  hidden: false,
  admin: false,
};

export function canPublish(permissions: Permissions, purpose: TrackPurpose): boolean {
  if (!permissions.publish || permissions.hidden) return false;
  return permissions.publishPurposes === undefined || permissions.publishPurposes.includes(purpose);
}

/** @throws PatchroomError 'forbidden' */
export function mustBeAbleToPublish(permissions: Permissions, purpose: TrackPurpose): void {
  if (!canPublish(permissions, purpose)) {
    throw new PatchroomError('forbidden', `You are not permitted to publish ${purpose} in this room.`);
  }
}
