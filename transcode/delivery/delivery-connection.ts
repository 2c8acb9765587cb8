import type { AccessUnit, MediaFormat } from '../../src/media/access-unit.ts';
import type { ProgramDescription } from '../../src/media/program.ts';
import type { Transfer } from './stall-watch.ts';

export interface DeliveryConnectionEvents {
  /** The other side lets us publish. */
  live(): void;
  /** The other side said no, or ended what was published, in its own words; it is closed after that. */
  refused(code: string, description: string): void;
  /** Instead of anything else: it can never succeed, so that there is no use in trying again. */
  hopeless(reason: string): void;
  /** The other side sent us elsewhere, as people may see it. */
  redirected(shownAddress: string): void;
  /** Once, whatever the cause: a sentence for people. Nothing comes after it. */
  closed(cause: string): void;
  /** What waited in this process was taken, or the other side acknowledged something. */
  drained(): void;
}

/** A connection to where a program is delivered, in whatever protocol. */
export interface DeliveryConnection extends Transfer {
  /** Of what was sent, those bytes that the system has not taken yet. */
  readonly queuedBytes: number;
  /** What is to come, before the first unit. @param formats - as far as they are known */
  describe(description: ProgramDescription, formats: readonly MediaFormat[]): void;
  /** @param originUs - of the program's time, at which the destination's own begins */
  send(unit: AccessUnit, originUs: number): void;
  /** Says that it is done, and closes within a second. */
  finish(): void;
  /** Closes at once and without a word. */
  destroy(): void;
}
