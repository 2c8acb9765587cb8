import type {
  ClientConnectionEvents,
  ClientConnectionLike,
} from '../../../../gateways/rtmp/client/client-connection.ts';
import type { ProgramDescription, ProgramPacket } from '../../../../src/media/program.ts';

/** A connection of which a test decides how it goes. Takes everything unless it is blocked. */
export class FakeConnection implements ClientConnectionLike {
  readonly events: ClientConnectionEvents;
  /** In the order it came: `v0`, `a21`, `metadata`, `finish`, `destroy`. */
  readonly sent: string[] = [];
  queuedBytes = 0;
  bytesSent = 0;
  bytesAcknowledged = 0;
  acknowledges = false;
  largestAcknowledgementBytes = 250_000;
  /** What is written stays in the socket. */
  isBlocked = false;

  constructor(events: ClientConnectionEvents) {
    this.events = events;
  }

  /** Media only. */
  get written(): string {
    return this.sent.filter((one) => /^[va]\d/.test(one)).join(' ');
  }

  media(kind: ProgramPacket['kind'], timestampMs: number, body: Buffer): void {
    this.sent.push(`${kind[0]}${timestampMs}`);
    this.bytesSent += body.length;
    if (this.isBlocked) this.queuedBytes += body.length;
  }

  metadata({ width }: ProgramDescription): void {
    this.sent.push(`metadata ${width}`);
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
