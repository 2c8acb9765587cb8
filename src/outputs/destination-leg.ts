import { type DeliveryReport, NOTHING_DELIVERED } from '../../transcode/delivery/delivery-report.ts';
import type { Clock } from '../base/clock.ts';
import { asPatchroomError } from '../base/errors.ts';
import type { Room } from '../room/room.ts';
import type { OutputDestination } from './output.ts';
import type { Delivery, ProgramSource, Sink } from './sink.ts';

export interface DestinationLegOptions {
  readonly room: Room;
  readonly address: string;
  readonly sink: Sink;
  readonly clock: Clock;
  readonly onChange: () => void;
}

/** What goes on from one leg to the next. */
type Totals = Pick<DeliveryReport, 'retries' | 'bytesSent' | 'framesDropped' | 'lastRetryAt' | 'originUs'>;

const NO_TOTALS: Totals = { retries: 0, bytesSent: 0, framesDropped: 0 };

/** One address of an output: the leg of a gateway that brings the program there, and what is known of it. */
export class DestinationLeg implements OutputDestination {
  readonly address: string;
  readonly startedAt: number;
  endedAt: number | undefined;
  status: OutputDestination['status'] = 'active';
  error = '';
  #options: DestinationLegOptions;
  #leg: Delivery | undefined;
  #shownAddress = '';
  #last: DeliveryReport = NOTHING_DELIVERED;
  /** Of legs before this one: the process that carried them died. */
  #before: Totals = NO_TOTALS;
  /** The epoch of the program that it was dialled with. */
  #epochAt: number | undefined;

  constructor(options: DestinationLegOptions) {
    this.#options = options;
    this.address = options.address;
    this.startedAt = options.clock.wallClock();
  }

  get shownAddress(): string {
    return this.#shownAddress;
  }

  /** It waits to be dialled again. */
  get isLost(): boolean {
    return this.#leg === undefined && this.endedAt === undefined;
  }

  get report(): DeliveryReport {
    const report = this.#leg?.report ?? this.#last;
    const { retries, bytesSent, framesDropped, lastRetryAt, originUs } = this.#before;
    return {
      ...report,
      retries: report.retries + retries,
      bytesSent: report.bytesSent + bytesSent,
      framesDropped: report.framesDropped + framesDropped,
      lastRetryAt: report.lastRetryAt ?? lastRetryAt,
      originUs: report.originUs ?? originUs,
    };
  }

  /**
   * Brings that program there; another one when the first is lost.
   * @throws PatchroomError 'invalid-request' for an address that is not permitted
   */
  async dial(program: ProgramSource): Promise<void> {
    const { room, address, sink, onChange } = this.#options;
    const { epochAt } = program;
    const { originUs } = this.#before;
    // Another program may count from another moment.
    if (originUs !== undefined && this.#epochAt !== undefined)
      this.#before = { ...this.#before, originUs: originUs + Math.round((this.#epochAt - epochAt) * 1000) };
    this.#epochAt = epochAt;
    const leg = await sink.open({ room, address, program, originUs: this.#before.originUs });
    if (this.endedAt !== undefined) {
      await leg.end();
      return;
    }
    this.#leg = leg;
    this.#shownAddress = leg.shownAddress;
    leg.onChange(onChange);
    void leg.ended.then((reason) => {
      if (this.#leg === leg && leg.report.state === 'failed') this.fail(reason);
    });
  }

  /** The process that carried it is gone: to be dialled again. */
  lose(reason: string): void {
    const { retries, bytesSent, framesDropped, originUs } = this.report;
    const lastRetryAt = this.#options.clock.wallClock();
    this.#before = { retries: retries + 1, bytesSent, framesDropped, lastRetryAt, originUs };
    this.#leg = undefined;
    this.#last = { ...NOTHING_DELIVERED, state: 'waiting', reason };
  }

  fail(error: unknown): void {
    if (this.endedAt !== undefined) return;
    this.error = typeof error === 'string' ? error : asPatchroomError(error).message;
    this.#close('failed');
    this.#options.onChange();
  }

  async end(): Promise<void> {
    if (this.endedAt !== undefined) return;
    const leg = this.#leg;
    this.#close('finished');
    await leg?.end();
  }

  #close(status: 'finished' | 'failed'): void {
    const { report } = this;
    this.#before = NO_TOTALS;
    this.#last = {
      ...report,
      uptimeMs: 0,
      bitrateBps: 0,
      ...(status === 'failed' ? { state: 'failed' } : {}),
    };
    this.status = status;
    this.endedAt = this.#options.clock.wallClock();
    this.#leg = undefined;
  }
}
