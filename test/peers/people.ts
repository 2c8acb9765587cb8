import type { Browser } from 'playwright-core';
import type { Server } from '../../src/server.ts';
import { Person, type PersonOptions } from './browser.ts';

export interface PeopleOptions {
  readonly browser: Browser;
  readonly server: Server;
  readonly room: string;
}

/** The people whom a test lets into a room of its own. */
export class People {
  readonly room: string;
  #browser: Browser;
  #server: Server;
  #people: Person[] = [];

  constructor({ browser, server, room }: PeopleOptions) {
    this.room = room;
    this.#browser = browser;
    this.#server = server;
  }

  /** Up to the lobby. @param at - where the page comes from, if not from the server itself */
  async open(options: PersonOptions, at: Pick<Server, 'url'> = this.#server): Promise<Person> {
    return this.#keep(await Person.open(this.#browser, at, { room: this.room, ...options }));
  }

  async join(options: PersonOptions, at: Pick<Server, 'url'> = this.#server): Promise<Person> {
    return this.#keep(await Person.join(this.#browser, at, { room: this.room, ...options }));
  }

  /** Errors that their pages logged or threw so far. */
  get problems(): string[] {
    return this.#people.flatMap(({ problems }) => problems);
  }

  #keep(person: Person): Person {
    this.#people.push(person);
    return person;
  }

  /** Their pages, and the room with all that goes out of it. */
  async close(): Promise<void> {
    this.#server.rooms.get(this.room)?.close('deleted');
    await Promise.all(this.#people.map((person) => person.close()));
  }
}
