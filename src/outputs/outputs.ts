import type { Clock } from '../base/clock.ts';
import { PatchroomError } from '../base/errors.ts';
import type { Logger } from '../base/log.ts';
import type { Room } from '../room/room.ts';
import type { Director } from './director.ts';
import type { Output, OutputSource } from './output.ts';
import { type HeldProgram, RunningOutput } from './running-output.ts';
import type { Sink } from './sink.ts';

export interface OutputsOptions {
  /** Begins to make a program. @throws PatchroomError 'unavailable' or 'room-not-found' */
  open(room: Room, of: OutputSource, epochAt: number | undefined): Promise<Director>;
  readonly clock: Clock;
  readonly log: Logger;
  /** Of gateways that have started. */
  readonly sinks: () => Iterable<Sink>;
  /** That run at once. */
  readonly maxOutputs: number;
  /** Of one output. */
  readonly maxDestinations: number;
}

/** That have ended and are still told of. */
const REMEMBERED = 100;

/** A program while outputs want it. */
interface SharedProgram {
  readonly opening: Promise<Director>;
  holds: number;
}

/** Everything that goes out of this server's rooms. */
export class Outputs {
  #options: OutputsOptions;
  #outputs = new Map<string, RunningOutput>();
  /** By the room's sid, and who is shown. */
  #programs = new Map<string, SharedProgram>();
  #stopping = false;

  constructor(options: OutputsOptions) {
    this.#options = options;
  }

  /** Running ones and the last that ended, the newest last. */
  get all(): readonly Output[] {
    return [...this.#outputs.values()];
  }

  get(id: string): Output | undefined {
    return this.#outputs.get(id);
  }

  /** Whose picture goes out of a room now; undefined: nobody's, or nothing goes out. */
  shown(room: Room): { readonly identity: string; readonly track: string } | undefined {
    for (const output of this.#outputs.values()) {
      const { shown } = output;
      if (output.hasEnded || output.roomSid !== room.sid || output.source.type !== 'room' || !shown) continue;
      return { identity: shown.participant.identity, track: shown.sid };
    }
    return undefined;
  }

  /** @throws PatchroomError 'participant-not-found', 'invalid-request', 'limit-reached' or 'unavailable' */
  async start(room: Room, source: OutputSource, addresses: readonly string[]): Promise<Output> {
    const { maxOutputs, clock, log } = this.#options;
    if (this.#stopping) throw new PatchroomError('unavailable', 'The server is stopping.');
    if (room.closed) throw new PatchroomError('room-not-found', 'The room has closed.');
    if (source.type === 'participant' && !room.participant(source.identity)) {
      throw new PatchroomError(
        'participant-not-found',
        `There is no ${source.identity} in the room ${room.name}.`,
      );
    }
    if (addresses.length === 0)
      throw new PatchroomError('invalid-request', 'There is no address to send to.');
    this.#mustFit(addresses.length);
    if (this.#running.length >= maxOutputs) {
      throw new PatchroomError('limit-reached', `There can be ${maxOutputs} outputs at once (outputs.max).`);
    }
    const output = new RunningOutput({
      room,
      source,
      clock,
      log,
      sinkFor: (address) => this.#sinkFor(address),
      program: (epochAt) => this.#hold(room, source, epochAt),
      onChange: () => this.#forgetOld(),
    });
    this.#outputs.set(output.id, output);
    try {
      await output.start(addresses);
    } catch (error) {
      this.#outputs.delete(output.id);
      throw error;
    }
    return output;
  }

  /**
   * @param change - addresses to add, and to remove: these whole or as they are shown
   * @throws PatchroomError 'not-found', 'failed-precondition' (it has ended), 'invalid-request', 'limit-reached'
   */
  async update(
    id: string,
    change: { readonly add: readonly string[]; readonly remove: readonly string[] },
  ): Promise<Output> {
    const output = this.#mustRun(id);
    const present = output.destinations.filter(({ endedAt }) => endedAt === undefined).length;
    this.#mustFit(present + change.add.length - change.remove.length);
    for (const address of change.remove) {
      if (!(await output.remove(address))) {
        throw new PatchroomError('not-found', 'The output does not go to an address that is to be removed.');
      }
    }
    for (const address of change.add) await output.add(address);
    return output;
  }

  /** @throws PatchroomError 'not-found', or 'failed-precondition' when it has ended already */
  async stop(id: string): Promise<Output> {
    const output = this.#mustRun(id);
    await output.stop();
    return output;
  }

  /** The server stops: no more of them, and those that run are ended. */
  async stopAll(): Promise<void> {
    this.#stopping = true;
    await Promise.allSettled(this.#running.map((output) => output.stop()));
  }

  get #running(): RunningOutput[] {
    return [...this.#outputs.values()].filter(({ hasEnded }) => !hasEnded);
  }

  #mustRun(id: string): RunningOutput {
    const output = this.#outputs.get(id);
    if (!output) throw new PatchroomError('not-found', `There is no output ${id}.`);
    if (output.hasEnded) throw new PatchroomError('failed-precondition', `The output ${id} has ended.`);
    return output;
  }

  #mustFit(destinations: number): void {
    const { maxDestinations } = this.#options;
    if (destinations <= maxDestinations) return;
    throw new PatchroomError(
      'limit-reached',
      `An output can go to ${maxDestinations} addresses (outputs.maxDestinations).`,
    );
  }

  #sinkFor(address: string): Sink {
    const scheme = /^([a-z][a-z0-9+.-]*):/i.exec(address)?.[1]?.toLowerCase();
    const sinks = [...this.#options.sinks()];
    const sink = sinks.find(({ schemes }) => scheme && schemes.includes(scheme));
    if (sink) return sink;
    const known = sinks.flatMap(({ schemes }) => schemes.map((one) => `${one}:`)).join(', ');
    throw new PatchroomError('invalid-request', `The address must begin with one of ${known}`);
  }

  /** Encoded once, however many outputs want it. */
  async #hold(room: Room, source: OutputSource, epochAt: number | undefined): Promise<HeldProgram> {
    const key = source.type === 'room' ? room.sid : `${room.sid}/${source.identity}`;
    let shared = this.#programs.get(key);
    if (!shared) {
      shared = { opening: this.#options.open(room, source, epochAt), holds: 0 };
      this.#programs.set(key, shared);
    }
    const mine = shared;
    const forget = () => {
      if (this.#programs.get(key) === mine) this.#programs.delete(key);
    };
    mine.holds++;
    let released = false;
    const release = () => {
      if (released) return;
      released = true;
      if (--mine.holds > 0) return;
      forget();
      mine.opening.then((program) => program.close()).catch(() => {});
    };
    try {
      const program = await mine.opening;
      // Whoever comes after its worker died gets a new one.
      void program.worker.ended.then(forget);
      return { program, release };
    } catch (error) {
      released = true;
      forget();
      throw error;
    }
  }

  #forgetOld(): void {
    const ended = [...this.#outputs.values()].filter(({ hasEnded }) => hasEnded);
    for (const output of ended.slice(0, Math.max(0, ended.length - REMEMBERED)))
      this.#outputs.delete(output.id);
  }
}
