import { z } from 'zod';
import { DELIVERY_STATES } from '../../transcode/delivery/delivery-report.ts';
import { PatchroomError } from '../base/errors.ts';
import type { Output, OutputDestination } from '../outputs/output.ts';
import type { Room } from '../room/room.ts';

/* A relay is one destination of an output, as our own API tells of it. */

export const relayReport = z
  .strictObject({
    id: z.string(),
    address: z.string().describe('Without its stream key'),
    participant: z
      .string()
      .optional()
      .describe('Identity of who alone goes out there; absent where it is the whole room'),
    state: z
      .enum([...DELIVERY_STATES, 'ended'])
      .describe(
        'behind: video frames are left out since the other side takes too little; stalled: connected, but the other side takes nothing; waiting: for the next attempt; failed: given up',
      ),
    reason: z.string().describe("Why it is not live, in the other side's own words where it said any"),
    bitrateBps: z.number().describe('Over the last seconds'),
    framesDropped: z.int().describe('Pictures left out since the other side took too little'),
    retries: z.int().describe('Attempts after the first'),
    uptimeMs: z.number().describe('How long it has been live without a break'),
    startedAt: z.iso.datetime(),
  })
  .meta({ title: 'Relay' });
export type RelayReport = z.infer<typeof relayReport>;

export interface Relay {
  readonly output: Output;
  /** Its place among the output's destinations, which keep their places when others end. */
  readonly index: number;
  readonly destination: OutputDestination;
}

/** Those that ended are told of for so long. */
const ENDED_SHOWN_MS = 60_000;

/**
 * The relays of that room (not of one of that name before it): those that run, that failed, and that ended lately.
 * @param nowMs - since 1970
 */
export function relaysOf(outputs: readonly Output[], room: Room, nowMs: number): Relay[] {
  return allOf(outputs, room).filter(
    ({ output, destination: { status, endedAt } }) =>
      status !== 'finished' || nowMs - (endedAt ?? output.endedAt ?? nowMs) < ENDED_SHOWN_MS,
  );
}

/** @throws PatchroomError 'not-found' */
export function findRelay(outputs: readonly Output[], room: Room, id: string): Relay {
  const found = allOf(outputs, room).find((relay) => idOf(relay) === id);
  if (!found) throw new PatchroomError('not-found', `There is no relay of that id in the room ${room.name}.`);
  return found;
}

export function reportRelay(relay: Relay): RelayReport {
  const { output, destination } = relay;
  const { status, report, error } = destination;
  const runs = status === 'active';
  return {
    id: idOf(relay),
    address: destination.shownAddress,
    ...(output.source.type === 'participant' ? { participant: output.source.identity } : {}),
    state: runs ? report.state : status === 'failed' ? 'failed' : 'ended',
    reason: error || report.reason,
    bitrateBps: runs ? report.bitrateBps : 0,
    framesDropped: report.framesDropped,
    retries: report.retries,
    uptimeMs: runs ? report.uptimeMs : 0,
    startedAt: new Date(destination.startedAt).toISOString(),
  };
}

function allOf(outputs: readonly Output[], room: Room): Relay[] {
  return outputs
    .filter(({ roomSid }) => roomSid === room.sid)
    .flatMap((output) => output.destinations.map((destination, index) => ({ output, index, destination })));
}

function idOf({ output, index }: Relay): string {
  return `${output.id}-${index}`;
}
