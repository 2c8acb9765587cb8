import { EventEmitter } from 'node:events';
import type { Clock } from '../base/clock.ts';
import { PatchroomError } from '../base/errors.ts';
import { Room, type RoomCloseReason, type RoomOptions } from './room.ts';

export interface DirectoryOptions {
  /** What a room gets that is opened without options of its own. */
  readonly defaults: RoomOptions;
  readonly maxRooms: number;
}

export type DirectoryEvents = {
  roomOpened: [room: Room];
  roomClosed: [room: Room, reason: RoomCloseReason];
};

/** A telephone number's plus may come first. */
const NAME = /^(?=.{1,128}$)(?:[\p{L}\p{N}]|\+\p{N})[\p{L}\p{N}._@+-]*$/u;

/** Paths of the HTTP server that a room's page would hide. */
const RESERVED = new Set([
  'api',
  'twirp',
  'rtc',
  'assets',
  'healthz',
  'metrics',
  'favicon.ico',
  'robots.txt',
]);

/** @throws PatchroomError 'invalid-request' with what a room's name may be */
export function mustBeRoomName(name: string): void {
  if (NAME.test(name) && !RESERVED.has(name)) return;
  throw new PatchroomError(
    'invalid-request',
    `"${name.slice(0, 140)}" cannot be a room's name: 1 to 128 letters, digits and . _ @ + -, starting with a letter or digit, and none of ${[...RESERVED].join(', ')}.`,
  );
}

/** All open rooms of this server, by name. */
export class RoomDirectory extends EventEmitter<DirectoryEvents> {
  #rooms = new Map<string, Room>();
  #options: DirectoryOptions;
  #clock: Clock;

  constructor(options: DirectoryOptions, clock: Clock) {
    super();
    this.#options = options;
    this.#clock = clock;
  }

  get rooms(): readonly Room[] {
    return [...this.#rooms.values()];
  }

  get(name: string): Room | undefined {
    return this.#rooms.get(name);
  }

  /** @throws PatchroomError 'room-not-found' */
  mustGet(name: string): Room {
    const room = this.#rooms.get(name);
    if (!room) throw new PatchroomError('room-not-found', `There is no open room named ${name}.`);
    return room;
  }

  /**
   * The room of that name, opened with these options if it isn't open.
   * @throws PatchroomError 'invalid-request' for a bad name, 'limit-reached' for one room too many
   */
  open(name: string, options: Partial<RoomOptions> = {}, metadata = ''): Room {
    const present = this.#rooms.get(name);
    if (present) return present;
    mustBeRoomName(name);
    if (this.#rooms.size >= this.#options.maxRooms) {
      throw new PatchroomError(
        'limit-reached',
        `This server has ${this.#options.maxRooms} rooms open, its limit.`,
      );
    }
    const room = new Room(name, { ...this.#options.defaults, ...options }, this.#clock, metadata);
    this.#rooms.set(name, room);
    room.once('closed', (reason) => {
      this.#rooms.delete(name);
      this.emit('roomClosed', room, reason);
    });
    this.emit('roomOpened', room);
    return room;
  }

  closeAll(): void {
    for (const room of this.rooms) room.close('shutdown');
  }
}
