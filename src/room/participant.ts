import { EventEmitter } from 'node:events';
import type { Permissions } from './permissions.ts';
import type { Room } from './room.ts';
import type { Subscription } from './subscription.ts';
import type { NewTrack, Track } from './track.ts';
import type { ConnectionQuality, LeaveReason, ParticipantKind } from './vocabulary.ts';

/** What a gateway says of somebody who comes in. */
export interface NewParticipant {
  /** Unique in the room; a second one with the same identity replaces the first. */
  readonly identity: string;
  readonly name: string;
  readonly kind: ParticipantKind;
  /** Name of the gateway it comes through. */
  readonly gateway: string;
  readonly permissions: Permissions;
  readonly metadata?: string;
  readonly attributes?: Readonly<Record<string, string>>;
}

/** Changes that an API or the participant itself makes; absent means "as it is". */
export interface ParticipantChange {
  readonly name?: string;
  readonly metadata?: string;
  /** Merged into the present ones; an empty value deletes. */
  readonly attributes?: Readonly<Record<string, string>>;
  readonly permissions?: Permissions;
}

export type ParticipantEvents = {
  /** It is out of the room (its own doing or not): the gateway ends the leg. */
  left: [reason: LeaveReason];
  /** Name, metadata, attributes or permissions changed. */
  updated: [];
};

/**
 * One person or device in one room, through one gateway. All state is its Room's; what a gateway may
 * do is here as methods, and what it must react to comes as events.
 */
export class Participant extends EventEmitter<ParticipantEvents> {
  readonly sid: string;
  readonly room: Room;
  readonly identity: string;
  readonly kind: ParticipantKind;
  readonly gateway: string;
  /** Milliseconds since 1970. */
  readonly joinedAt: number;
  readonly tracks = new Map<string, Track>();
  readonly subscriptions = new Map<string, Subscription>();
  name: string;
  metadata: string;
  attributes: Record<string, string>;
  permissions: Permissions;
  quality: ConnectionQuality = 'excellent';
  /** Why it is out of the room; undefined while it is in. */
  leftBecause: LeaveReason | undefined;

  constructor(sid: string, room: Room, joinedAt: number, from: NewParticipant) {
    super();
    this.sid = sid;
    this.room = room;
    this.joinedAt = joinedAt;
    this.identity = from.identity;
    this.kind = from.kind;
    this.gateway = from.gateway;
    this.name = from.name;
    this.metadata = from.metadata ?? '';
    this.attributes = { ...from.attributes };
    this.permissions = from.permissions;
  }

  /** @throws PatchroomError 'forbidden', 'limit-reached' or 'failed-precondition' (it left) */
  publish(track: NewTrack): Track {
    return this.room.publish(this, track);
  }

  unpublish(track: Track): void {
    this.room.unpublish(track);
  }

  setMuted(track: Track, muted: boolean): void {
    this.room.setMuted(track, muted);
  }

  setQuality(quality: ConnectionQuality): void {
    this.room.setQuality(this, quality);
  }

  /** @param digit - 0-9, *, #, A-D */
  press(digit: string): void {
    this.room.press(this, digit);
  }

  update(change: ParticipantChange): void {
    this.room.updateParticipant(this, change);
  }

  leave(reason: LeaveReason): void {
    this.room.removeParticipant(this, reason);
  }
}
