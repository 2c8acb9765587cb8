import type { AccessUnit, MediaFormat } from '../../../../src/media/access-unit.ts';
import type { ProgramDescription } from '../../../../src/media/program.ts';
import type {
  DeliveryConnection,
  DeliveryConnectionEvents,
} from '../../../../transcode/delivery/delivery-connection.ts';

/** A connection of which a test decides how it goes. Takes everything unless it is blocked. */
export class FakeConnection implements DeliveryConnection {
  readonly events: DeliveryConnectionEvents;
  /** In the order it came: `v0`, `a21` (in ms of the destination's own time), `description 1280`, `finish`, `destroy`. */
  readonly sent: string[] = [];
  readonly units: AccessUnit[] = [];
  queuedBytes = 0;
  bytesSent = 0;
  bytesAcknowledged = 0;
  acknowledges = false;
  largestAcknowledgementBytes = 250_000;
  /** That it was told of in front. */
  formats: readonly MediaFormat[] = [];
  /** What is written stays in the socket. */
  isBlocked = false;

  constructor(events: DeliveryConnectionEvents) {
    this.events = events;
  }

  /** Media only. */
  get written(): string {
    return this.sent.filter((one) => /^[va]\d/.test(one)).join(' ');
  }

  describe({ width }: ProgramDescription, formats: readonly MediaFormat[]): void {
    this.formats = formats;
    this.sent.push(`description ${width}`);
  }

  send(unit: AccessUnit, originUs: number): void {
    this.units.push(unit);
    this.sent.push(`${unit.format.kind[0]}${(unit.dtsUs - originUs) / 1000}`);
    this.bytesSent += unit.data.length;
    if (this.isBlocked) this.queuedBytes += unit.data.length;
  }

  finish(): void {
    this.sent.push('finish');
    this.events.closed('The connection was closed.');
  }

  destroy(): void {
    this.sent.push('destroy');
    this.events.closed('The connection was closed.');
  }

  /** The socket takes all that waits in it, and goes on taking. */
  drain(): void {
    this.isBlocked = false;
    this.queuedBytes = 0;
    this.events.drained();
  }
}
