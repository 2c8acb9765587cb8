import { asPatchroomError } from '../errors.ts';
import type { Gateway, Leg, LegReport, ProgramSource } from '../gateway.ts';
import type { Clock } from '../media/clock.ts';
import type { Room } from '../room/room.ts';
import type { OutputDestination } from './output.ts';

export interface DestinationLegOptions {
  readonly room: Room;
  readonly address: string;
  readonly gateway: Gateway;
  readonly clock: Clock;
  readonly onChange: () => void;
}

const NOTHING_YET: LegReport = {
  state: 'connecting',
  reason: '',
  bitrateBps: 0,
  bytesSent: 0,
  framesDropped: 0,
  retries: 0,
  uptimeMs: 0,
};

/** What goes on from one leg to the next. */
type Totals = Pick<LegReport, 'retries' | 'bytesSent' | 'framesDropped' | 'lastRetryAt'>;

const NO_TOTALS: Totals = { retries: 0, bytesSent: 0, framesDropped: 0 };

/** One address of an output: the leg of a gateway that brings the program there, and what is known of it. */
export class DestinationLeg implements OutputDestination {
  readonly address: string;
  readonly startedAt: number;
  endedAt: number | undefined;
  status: OutputDestination['status'] = 'active';
  error = '';
  #options: DestinationLegOptions;
  #leg: Leg | undefined;
  #shownAddress = '';
  #last: LegReport = NOTHING_YET;
  /** Of legs before this one: the process that carried them died. */
  #before: Totals = NO_TOTALS;
  #abort = new AbortController();

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

  get report(): LegReport {
    const report = this.#leg?.report ?? this.#last;
    const { retries, bytesSent, framesDropped, lastRetryAt } = this.#before;
    return {
      ...report,
      retries: report.retries + retries,
      bytesSent: report.bytesSent + bytesSent,
      framesDropped: report.framesDropped + framesDropped,
      lastRetryAt: report.lastRetryAt ?? lastRetryAt,
    };
  }

  /**
   * Brings that program there; another one when the first is lost.
   * @throws PatchroomError 'invalid-request' for an address that is not permitted
   */
  async dial(program: ProgramSource): Promise<void> {
    const { room, address, gateway, onChange } = this.#options;
    const leg = await gateway.dial!({ room, address, program }, this.#abort.signal);
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
    const { retries, bytesSent, framesDropped } = this.report;
    const lastRetryAt = this.#options.clock.wallClock();
    this.#before = { retries: retries + 1, bytesSent, framesDropped, lastRetryAt };
    this.#leg = undefined;
    this.#last = { ...NOTHING_YET, state: 'waiting', reason };
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
    this.#abort.abort();
  }
}
