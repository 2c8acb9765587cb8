import type { DeliveryReport } from '../../transcode/delivery/delivery-report.ts';

/** What goes out: the room's program, or one participant's own tracks. */
export type OutputSource =
  | { readonly type: 'room' }
  | { readonly type: 'participant'; readonly identity: string };

/**
 * Starting: nothing is live yet. Active: something was. Ending: it is being stopped. Complete: stopped after it was
 * active; aborted: before. Failed: nothing of it could be kept up.
 */
export type OutputStatus = 'starting' | 'active' | 'ending' | 'complete' | 'failed' | 'aborted';

/** One address that an output goes to. */
export interface OutputDestination {
  /** With its key: for comparing only, never shown. */
  readonly address: string;
  readonly shownAddress: string;
  readonly report: DeliveryReport;
  /** Since 1970, ms, as all times here. */
  readonly startedAt: number;
  readonly endedAt: number | undefined;
  readonly status: 'active' | 'finished' | 'failed';
  /** Why it failed; empty while it has not. */
  readonly error: string;
}

/** One request to send a room, or a participant, out. */
export interface Output {
  readonly id: string;
  readonly roomName: string;
  readonly roomSid: string;
  readonly source: OutputSource;
  readonly status: OutputStatus;
  /** Why it failed; empty while it has not. */
  readonly error: string;
  readonly startedAt: number;
  readonly updatedAt: number;
  readonly endedAt: number | undefined;
  readonly destinations: readonly OutputDestination[];
}
