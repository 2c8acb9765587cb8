import { once } from 'node:events';
import { expect } from 'vitest';
import { type RoomReport, roomReport } from '../../src/api/room-report.ts';
import type { Participant } from '../../src/room/room.ts';
import type { Server } from '../../src/server.ts';
import { Phone } from './phone.ts';
import { type CallOptions, CallRefused } from './phone-call.ts';
import { participantNamed, publishing, roomNamed } from './room-events.ts';
import { sipPort } from './sip-port.ts';

/** Each caller says a tone of its own. */
export const TONES = { Ann: 440, Bob: 1000, Cat: 1400 } as const;
export type Name = keyof typeof TONES;
export const ALL_TONES: readonly number[] = Object.values(TONES);

/** A phone and who it is in its room. */
export interface Caller {
  readonly phone: Phone;
  readonly participant: Participant;
  readonly toneHz: number;
}

/** What vitest hands to a test. */
interface Test {
  onTestFinished(action: () => Promise<void>): void;
}

/** The phones that a test calls a server with. At its end they are sent home. */
export class Callers {
  #server: Server;
  #callers: Caller[] = [];

  constructor(server: Server, test: Test) {
    this.#server = server;
    test.onTestFinished(() => this.#sendHome());
  }

  async call(room: string, name: Name, options: CallOptions = {}): Promise<Caller> {
    const toneHz = TONES[name];
    const phone = await Phone.call(sipPort(this.#server), { room, name, toneHz, ...options });
    const participant = await participantNamed(await roomNamed(this.#server, room), name);
    await publishing(participant, 1); // as soon as the server has its ACK
    const caller = { phone, participant, toneHz };
    this.#callers.push(caller);
    return caller;
  }

  /** Two callers who hear each other. */
  async pair(room: string, options: CallOptions = {}): Promise<[ann: Caller, bob: Caller]> {
    const ann = await this.call(room, 'Ann', options);
    const bob = await this.call(room, 'Bob');
    await hearEachOther(ann, bob);
    return [ann, bob];
  }

  /** Closes their rooms, and them when each knows that its call is over. */
  async #sendHome(): Promise<void> {
    for (const { participant } of this.#callers) participant.room.close('deleted');
    await Promise.all(this.#callers.map(({ phone }) => phone.ended));
    for (const { phone } of this.#callers) phone.vanish();
  }
}

export async function hearEachOther(one: Caller, other: Caller): Promise<void> {
  await Promise.all([one.phone.hears(other.toneHz), other.phone.hears(one.toneHz)]);
}

/** Resolves when so many packets have come to one phone and none to the other. */
export async function expectPacketsOnlyTo(hearing: Caller, deaf: Caller, packets = 50): Promise<void> {
  await hearing.phone.receives(2); // what was on its way to the other has come by then
  const before = deaf.phone.received.packets;
  await hearing.phone.receives(packets);
  expect(deaf.phone.received.packets).toBe(before);
}

/** Resolves when its attribute has that value. */
export async function attribute(participant: Participant, name: string, value: string): Promise<void> {
  while (participant.attributes[name] !== value) await once(participant, 'updated');
}

/** Resolves with why it left. */
export async function leaving(participant: Participant): Promise<string> {
  if (!participant.leftBecause) await once(participant, 'left');
  return participant.leftBecause!;
}

/** What a call is refused with. */
export async function refusal(call: Promise<unknown>): Promise<CallRefused> {
  const error = await call.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(CallRefused);
  return error as CallRefused;
}

/** What the server's own API says of a room. */
export async function reportOf(server: Server, room: string): Promise<RoomReport> {
  return roomReport.parse(await (await fetch(`${server.url}/api/rooms/${room}`)).json());
}
