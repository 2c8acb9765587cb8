import type { Clock, Timer } from '../base/clock.ts';
import { asPatchroomError, PatchroomError } from '../base/errors.ts';
import type { Logger } from '../base/log.ts';
import type { Participant, Room } from '../room/room.ts';
import { newSid } from '../room/sid.ts';
import { DestinationLeg } from './destination-leg.ts';
import type { Director } from './director.ts';
import type { Output, OutputSource, OutputStatus } from './output.ts';
import type { Sink } from './sink.ts';

export interface RunningOutputParts {
  readonly room: Room;
  readonly source: OutputSource;
  readonly clock: Clock;
  readonly log: Logger;
  /** @throws PatchroomError 'invalid-request' where nobody dials such addresses */
  readonly sinkFor: (address: string) => Sink;
  /** The program that is made of the source, shared by all outputs of it. @throws PatchroomError 'unavailable' */
  readonly program: (epochAt: number | undefined) => Promise<HeldProgram>;
  readonly onChange: () => void;
}

export interface HeldProgram {
  readonly program: Director;
  release(): void;
}

const RETRY_MS = 1_000;

/** An output from its start on; after its end it only tells how it went. */
export class RunningOutput implements Output {
  readonly id = newSid('EG');
  readonly roomName: string;
  readonly roomSid: string;
  readonly source: OutputSource;
  readonly startedAt: number;
  updatedAt: number;
  endedAt: number | undefined;
  status: OutputStatus = 'starting';
  error = '';
  #parts: RunningOutputParts;
  #log: Logger;
  #legs: DestinationLeg[] = [];
  /** How many wait to be joined by destinations that are dialled for the first time. */
  #dialling = 0;
  #held: HeldProgram | undefined;
  /** The epoch of its first program: those that follow go on in its time. */
  #epochAt: number | undefined;
  #retry: Timer | undefined;
  /** Of setting everything up anew: what began later counts. */
  #round = 0;

  constructor(parts: RunningOutputParts) {
    this.#parts = parts;
    const { room, source, clock, log } = parts;
    this.roomName = room.name;
    this.roomSid = room.sid;
    this.source = source;
    this.startedAt = clock.wallClock();
    this.updatedAt = this.startedAt;
    this.#log = log.child({ room: room.name, output: this.id });
  }

  get destinations(): readonly DestinationLeg[] {
    return this.#legs;
  }

  get hasEnded(): boolean {
    return this.endedAt !== undefined;
  }

  /** Whose picture it shows at the moment. */
  get shown(): Director['shown'] {
    return this.#held?.program.shown;
  }

  /** @throws PatchroomError, with nothing left of it */
  async start(addresses: readonly string[]): Promise<void> {
    const { room } = this.#parts;
    // First of all: that may happen while it starts.
    room.once('closed', this.#onOver);
    room.on('participantLeft', this.#onLeft);
    try {
      await this.#dialFirst(addresses, await this.#hold());
    } catch (error) {
      await this.#end('failed');
      throw error;
    }
    this.#log.info({ source: this.source, to: this.#shownAddresses }, 'output started');
    this.#onLegChange();
  }

  /** @throws PatchroomError for an address that is not permitted; those before it were added */
  async add(address: string): Promise<void> {
    if (this.hasEnded) throw new PatchroomError('failed-precondition', 'The output has ended.');
    if (!this.#held)
      throw new PatchroomError('unavailable', 'The output is being set up anew. Try again in a moment.');
    try {
      await this.#dialFirst([address], this.#held.program);
      this.#log.info({ to: this.#shownAddresses }, 'destination added');
    } finally {
      this.#onLegChange(); // the others may have failed meanwhile
    }
  }

  /** @param address - whole, or as it is shown. @returns whether it went there */
  async remove(address: string): Promise<boolean> {
    const leg = this.#legs.find(
      (one) => one.endedAt === undefined && (one.address === address || one.shownAddress === address),
    );
    await leg?.end();
    this.#onChange();
    return leg !== undefined;
  }

  /** Ends it politely. */
  async stop(): Promise<void> {
    if (this.hasEnded || this.status === 'ending') return;
    const wasActive = this.status === 'active';
    this.status = 'ending';
    await this.#end(wasActive ? 'complete' : 'aborted');
  }

  get #shownAddresses(): string[] {
    return this.#legs.filter(({ endedAt }) => endedAt === undefined).map(({ shownAddress }) => shownAddress);
  }

  #onOver = (): void => void this.stop();

  #onLeft = (participant: Participant): void => {
    if (this.source.type === 'participant' && this.source.identity === participant.identity) void this.stop();
  };

  async #hold(): Promise<Director> {
    const held = await this.#parts.program(this.#epochAt);
    if (this.hasEnded) {
      held.release();
      throw new PatchroomError('failed-precondition', 'The output has ended.');
    }
    this.#held = held;
    this.#epochAt ??= held.program.epochAt;
    void held.program.worker.ended.then((cause) => this.#onLost(held, cause));
    return held.program;
  }

  /** @throws PatchroomError for the first address that is not permitted; those before it were added */
  async #dialFirst(addresses: readonly string[], program: Director): Promise<void> {
    const { room, clock, sinkFor } = this.#parts;
    this.#dialling++;
    try {
      for (const address of addresses) {
        if (this.#live.some((leg) => leg.address === address)) {
          throw new PatchroomError('invalid-request', 'The output goes to one of these addresses already.');
        }
        const sink = sinkFor(address);
        const leg = new DestinationLeg({ room, address, sink, clock, onChange: this.#onLegChange });
        await leg.dial(program);
        if (this.hasEnded) {
          await leg.end();
          throw new PatchroomError('failed-precondition', 'The output has ended.');
        }
        this.#legs.push(leg);
      }
    } finally {
      this.#dialling--;
    }
  }

  /** The media worker died: everything is set up anew in another. */
  #onLost(held: HeldProgram, cause: string): void {
    if (this.#held !== held || this.hasEnded) return;
    this.#held = undefined;
    held.release();
    for (const leg of this.#live) leg.lose(`The process that made the program ended: ${cause}`);
    this.#onChange();
    void this.#resume();
  }

  async #resume(): Promise<void> {
    const round = ++this.#round;
    this.#retry?.cancel();
    try {
      const program = this.#held?.program ?? (await this.#hold());
      const lost = this.#live.filter(({ isLost }) => isLost);
      const dialled = await Promise.allSettled(lost.map((leg) => this.#dialAgain(leg, program)));
      for (const result of dialled) if (result.status === 'rejected') throw result.reason;
    } catch (error) {
      if (this.hasEnded || round !== this.#round) return; // that worker died as well: the next round has begun
      this.#log.warn({ err: error }, 'an output could not be set up anew; trying again');
      this.#retry = this.#parts.clock.after(RETRY_MS, () => void this.#resume());
    }
  }

  /** @throws PatchroomError for what may go well the next time */
  async #dialAgain(leg: DestinationLeg, program: Director): Promise<void> {
    try {
      await leg.dial(program);
    } catch (error) {
      if (asPatchroomError(error).code !== 'invalid-request') throw error;
      leg.fail(error);
    }
  }

  get #live(): DestinationLeg[] {
    return this.#legs.filter(({ endedAt }) => endedAt === undefined);
  }

  #onChange(): void {
    this.updatedAt = this.#parts.clock.wallClock();
    this.#parts.onChange();
  }

  #onLegChange = (): void => {
    if (this.hasEnded) return;
    if (this.status === 'starting' && this.#legs.some(({ report }) => report.state === 'live')) {
      this.status = 'active';
      this.#log.info('output is live');
    }
    const failed = this.#legs.filter(({ status }) => status === 'failed');
    // Others may have been taken away; those that are being dialled may go well.
    if (failed.length > 0 && this.#live.length === 0 && this.#dialling === 0) {
      this.error = failed.map(({ shownAddress, error }) => `${shownAddress}: ${error}`).join('; ');
      void this.#end('failed');
    }
    this.#onChange();
  };

  async #end(status: OutputStatus): Promise<void> {
    if (this.hasEnded) return;
    const { room, clock } = this.#parts;
    this.endedAt = clock.wallClock();
    this.updatedAt = this.endedAt;
    this.#retry?.cancel();
    room.off('closed', this.#onOver);
    room.off('participantLeft', this.#onLeft);
    await Promise.allSettled(this.#legs.map((leg) => leg.end()));
    this.#held?.release();
    this.#held = undefined;
    this.status = status;
    this.#log.info({ status, ...(this.error ? { error: this.error } : {}) }, 'output ended');
    this.#parts.onChange();
  }
}
