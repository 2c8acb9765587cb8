import type { Permissions } from './permissions.ts';
import type { ParticipantKind } from './vocabulary.ts';

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
