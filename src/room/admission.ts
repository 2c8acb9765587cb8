import { randomBytes } from 'node:crypto';
import { PatchroomError } from '../base/errors.ts';
import { mayJoin, type RoomGrant } from './grants.ts';
import { EVERYDAY_PERMISSIONS, type Permissions } from './permissions.ts';
import type { RoomOptions } from './room.ts';

/** What somebody shows to be let into a room. */
export type Credentials =
  /** A LiveKit-style access token. */
  | { readonly type: 'token'; readonly room: string; readonly token: string; readonly name?: string }
  /**
   * An address, or the key of a stream, that the gateway found on its operator's list (or, in demo mode, this
   * machine's address, or a room's name).
   */
  | {
      readonly type: 'listed-address' | 'stream-key';
      readonly room: string;
      readonly identity: string;
      readonly name: string;
    }
  /** Nothing; let in in demo mode only. */
  | { readonly type: 'guest'; readonly room: string; readonly name?: string };

/** Who somebody turned out to be, and what he may do. */
export interface Admission {
  readonly room: string;
  readonly identity: string;
  readonly name: string;
  readonly permissions: Permissions;
  readonly metadata: string;
  readonly attributes: Readonly<Record<string, string>>;
  /** What the token wants of the room if it opens it. */
  readonly roomOptions: Partial<RoomOptions>;
  readonly roomMetadata: string;
}

/** Checks an access token's signature and form. */
export interface TokenCheck {
  /** @throws PatchroomError 'unauthenticated' */
  verify(token: string): Promise<RoomGrant>;
}

const MAX_NAME = 100;

/** The one place that decides who gets in. */
export class Admissions {
  #tokens: TokenCheck;
  #demo: boolean;

  constructor(tokens: TokenCheck, demo: boolean) {
    this.#tokens = tokens;
    this.#demo = demo;
  }

  /** @throws PatchroomError 'unauthenticated' or 'forbidden' */
  async admit(credentials: Credentials): Promise<Admission> {
    const name = credentials.name?.trim().slice(0, MAX_NAME);
    if (credentials.type === 'token') {
      const grant = await this.#tokens.verify(credentials.token);
      mayJoin(grant, credentials.room);
      return fromGrant(grant, credentials.room, name);
    }
    if (credentials.type === 'listed-address' || credentials.type === 'stream-key') {
      const { room, identity, type } = credentials;
      // Who pushes a stream gets nothing back.
      const permissions = { ...EVERYDAY_PERMISSIONS, subscribe: type !== 'stream-key' };
      return everyday(room, identity, name || identity, permissions);
    }
    if (!this.#demo) {
      throw new PatchroomError(
        'unauthenticated',
        'This room needs a token: open its page with ?token=… at the end.',
      );
    }
    const identity = `guest-${randomBytes(4).toString('hex')}`;
    return everyday(credentials.room, identity, name || identity, {
      ...EVERYDAY_PERMISSIONS,
      updateOwn: true,
    });
  }
}

function everyday(room: string, identity: string, name: string, permissions: Permissions): Admission {
  return {
    room,
    identity,
    name,
    permissions,
    metadata: '',
    attributes: {},
    roomOptions: {},
    roomMetadata: '',
  };
}

function fromGrant(grant: RoomGrant, room: string, chosenName: string | undefined): Admission {
  return {
    room,
    identity: grant.identity,
    name: grant.name || chosenName || grant.identity,
    permissions: grant.permissions,
    metadata: grant.metadata,
    attributes: grant.attributes,
    roomOptions: grant.roomOptions,
    roomMetadata: grant.roomMetadata,
  };
}
