import { onTestFinished } from 'vitest';
import { RelayLeg } from '../../../gateways/rtmp/relay-leg.ts';
import type { Logger } from '../../../src/base/log.ts';
import type { DeliveryRequest, Sink } from '../../../src/gateway.ts';
import type { Director } from '../../../src/outputs/director.ts';
import type { Output, OutputSource } from '../../../src/outputs/output.ts';
import { Outputs } from '../../../src/outputs/outputs.ts';
import type { Room } from '../../../src/room/room.ts';
import type { DeliveryReport } from '../../../transcode/delivery/delivery-report.ts';
import type { FakeClock } from './fake-clock.ts';
import { FakeLog } from './fake-log.ts';
import { LIVE } from './fake-outputs.ts';
import { FakeProcess, turn } from './fake-process.ts';
import { Gate } from './gate.ts';
import { openRoom, person } from './rooms.ts';

/** A program that nobody makes. */
export class FakeProgram {
  readonly id: string;
  readonly room: Room;
  readonly of: OutputSource;
  readonly worker: FakeProcess & { hasEnded?: boolean };
  /** When its time began, by the machine's clock, ms. */
  readonly epochAt: number;
  shown: Director['shown'];
  closed = 0;

  constructor(id: string, room: Room, of: OutputSource, worker: FakeProcess, epochAt: number) {
    this.id = id;
    this.room = room;
    this.of = of;
    this.worker = worker;
    this.epochAt = epochAt;
  }

  close(): void {
    this.closed++;
  }
}

/** A push that goes nowhere. */
export interface FakePush {
  readonly request: DeliveryRequest;
  readonly leg: RelayLeg;
  ended: boolean;
}

/** Outputs of one room, with a plane that makes no programs and a gateway that calls nobody. */
export class OutputBench {
  readonly room: Room;
  readonly clock: FakeClock;
  readonly log = new FakeLog();
  /** In their order, as are the next. */
  readonly programs: FakeProgram[] = [];
  readonly pushes: FakePush[] = [];
  readonly gates = { program: new Gate(), dial: new Gate() };
  /** What programs, and dialling, fail with the next time. */
  readonly failures: { program: Error[]; dial: Error[] } = { program: [], dial: [] };
  readonly outputs: Outputs;
  #worker = new FakeProcess(1);

  constructor({ maxOutputs = 10, maxDestinations = 4 } = {}) {
    const { room, clock } = openRoom({ maxParticipants: 0 });
    this.room = room;
    this.clock = clock;
    this.outputs = new Outputs({
      open: (of, what, epochAt) => this.#program(of, what, epochAt),
      clock,
      log: this.log as unknown as Logger,
      sinks: () => [this.#sink(['rtmp', 'rtmps'])],
      maxOutputs,
      maxDestinations,
    });
    room.join(person('ann'));
    onTestFinished(() => this.outputs.stopAll());
  }

  start(addresses: readonly string[], source: OutputSource = { type: 'room' }): Promise<Output> {
    return this.outputs.start(this.room, source, addresses);
  }

  /** Of those that go on, where they go. */
  get going(): string[] {
    return this.pushes.filter(({ ended }) => !ended).map(({ request }) => request.address);
  }

  get openPrograms(): FakeProgram[] {
    return this.programs.filter(({ closed }) => closed === 0);
  }

  /** The latest push to that address tells how it is. */
  async say(address: string, report: Partial<DeliveryReport> = {}): Promise<void> {
    this.#to(address).leg.update({ ...LIVE, ...report });
    await turn();
  }

  async giveUp(address: string, reason: string): Promise<void> {
    const push = this.#to(address);
    push.ended = true;
    push.leg.fail(reason);
    await turn();
  }

  /** The media worker dies, and with it everything in it; another one is there at once. */
  async die(): Promise<void> {
    const dead = this.#worker;
    this.#worker = new FakeProcess(dead.pid + 1);
    for (const push of this.pushes) {
      if ((push.request.program.worker as unknown) !== dead || push.ended) continue;
      push.ended = true;
      push.leg.lose();
    }
    dead.die('killed by SIGKILL');
    await turn();
  }

  #to(address: string): FakePush {
    const found = this.pushes.findLast(({ request }) => request.address === address);
    if (!found) throw new Error(`Nothing goes to ${address}.`);
    return found;
  }

  async #program(room: Room, of: OutputSource, epochAt: number | undefined): Promise<Director> {
    const failure = this.failures.program.shift();
    if (failure) throw failure;
    const number = this.programs.length + 1;
    const program = new FakeProgram(`PG_${number}`, room, of, this.#worker, epochAt ?? number * 1_000);
    this.programs.push(program);
    await this.gates.program.pass();
    return program as unknown as Director;
  }

  #sink(schemes: string[]): Sink {
    return {
      schemes,
      open: async (request) => {
        const failure = this.failures.dial.shift();
        if (failure) throw failure;
        const shown = request.address.replace(/[^/]*$/, '{***}');
        const push: FakePush = {
          request,
          ended: false,
          leg: new RelayLeg(shown, async () => {
            push.ended = true;
          }),
        };
        this.pushes.push(push);
        await this.gates.dial.pass();
        return push.leg;
      },
    };
  }
}
