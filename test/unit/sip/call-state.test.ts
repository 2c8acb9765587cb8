import { describe, expect, test } from 'vitest';
import {
  type CallEffect,
  type CallEvent,
  type CallState,
  type EndCause,
  endReason,
  endText,
  transition,
} from '../../../gateways/sip/call-state.ts';
import { LEAVE_REASONS, type LeaveReason } from '../../../src/room/vocabulary.ts';

const SILENT: EndCause = { type: 'silent' };
const REMOVED: EndCause = { type: 'left', reason: 'removed' };

const STATES = {
  arriving: { at: 'arriving' },
  accepted: { at: 'accepted', offerIsOurs: false },
  'accepted, our offer': { at: 'accepted', offerIsOurs: true },
  up: { at: 'up' },
  ending: { at: 'ending', cause: REMOVED },
  over: { at: 'over' },
} as const satisfies Record<string, CallState>;

const EVENTS = {
  ready: { type: 'ready', offerIsOurs: false },
  'ready, our offer': { type: 'ready', offerIsOurs: true },
  refused: { type: 'refused', status: 486, text: 'Full' },
  cancelled: { type: 'cancelled' },
  'ACK with answer': { type: 'acknowledged', hasAnswer: true },
  'ACK without': { type: 'acknowledged', hasAnswer: false },
  'hung-up': { type: 'hung-up' },
  unacknowledged: { type: 'unacknowledged' },
  'engine-lost': { type: 'engine-lost' },
  silent: { type: 'end', cause: SILENT },
  removed: { type: 'end', cause: REMOVED },
} as const satisfies Record<string, CallEvent>;

type StateName = keyof typeof STATES;
type EventName = keyof typeof EVENTS;

/** An effect in short: what it is, and what with. */
function short(effect: CallEffect): string {
  switch (effect.type) {
    case 'refuse':
      return `refuse ${effect.status} ${effect.text}`;
    case 'bye':
      return `bye ${effect.cause.type}`;
    case 'leave':
      return `leave ${effect.reason}`;
    default:
      return effect.type;
  }
}

const GONE = (reason: LeaveReason) => ['over', `leave ${reason}`, 'close-media'];

/** What happens: the next state, and effects in their order. What is not here changes nothing. */
const HAPPENS: Record<StateName, Partial<Record<EventName, string[]>>> = {
  arriving: {
    ready: ['accepted', 'accept'],
    'ready, our offer': ['accepted, our offer', 'accept'],
    refused: ['over', 'refuse 486 Full', 'leave left', 'close-media'],
    cancelled: GONE('left'),
    'engine-lost': GONE('interrupted'),
    silent: ['over', 'refuse 503 No media was received', 'leave connection-lost', 'close-media'],
    removed: ['over', 'refuse 603 Removed from the room', 'leave removed', 'close-media'],
  },
  accepted: {
    cancelled: GONE('left'),
    'ACK with answer': ['up', 'start-media'],
    'ACK without': ['up', 'start-media'],
    'hung-up': GONE('left'),
    unacknowledged: GONE('connection-lost'),
    'engine-lost': GONE('interrupted'),
    silent: ['ending', 'leave connection-lost', 'close-media'],
    removed: ['ending', 'leave removed', 'close-media'],
  },
  'accepted, our offer': {
    cancelled: GONE('left'),
    'ACK with answer': ['up', 'start-media'],
    'ACK without': ['over', 'bye media-refused', 'leave left', 'close-media'],
    'hung-up': GONE('left'),
    unacknowledged: GONE('connection-lost'),
    'engine-lost': GONE('interrupted'),
    silent: ['ending', 'leave connection-lost', 'close-media'],
    removed: ['ending', 'leave removed', 'close-media'],
  },
  up: {
    'hung-up': GONE('left'),
    unacknowledged: GONE('connection-lost'),
    'engine-lost': GONE('interrupted'),
    silent: ['over', 'bye silent', 'leave connection-lost', 'close-media'],
    removed: ['over', 'bye left', 'leave removed', 'close-media'],
  },
  ending: {
    cancelled: ['over'],
    'ACK with answer': ['over', 'bye left'],
    'ACK without': ['over', 'bye left'],
    'hung-up': ['over'],
    unacknowledged: ['over'],
    'engine-lost': ['over'],
  },
  over: {},
};

const stateNames = Object.keys(STATES) as StateName[];
const eventNames = Object.keys(EVENTS) as EventName[];

test.each(stateNames.flatMap((state) => eventNames.map((event) => [state, event] as const)))(
  '%s: %s',
  (from, happens) => {
    const before = STATES[from];
    const { state, effects } = transition(before, EVENTS[happens]);
    const [expected, ...expectedEffects] = HAPPENS[from][happens] ?? [from];
    const isNewEnd = expected === 'ending' && from !== 'ending';
    const { cause } = EVENTS[happens] as { cause?: EndCause };
    expect(state).toEqual(isNewEnd ? { at: 'ending', cause } : STATES[expected as StateName]);
    expect(effects.map(short)).toEqual(expectedEffects);
  },
);

/** Follows every way that a call can go, up to a number of events. */
function everyWay(length: number, visit: (states: CallState[], effects: CallEffect[]) => void): void {
  const go = (states: CallState[], effects: CallEffect[]) => {
    visit(states, effects);
    if (states.length > length) return;
    for (const event of Object.values(EVENTS)) {
      const next = transition(states.at(-1)!, event);
      go([...states, next.state], [...effects, ...next.effects]);
    }
  };
  go([STATES.arriving], []);
}

test('on no way is anything done twice, or a phone left without an end', () => {
  let ways = 0;
  everyWay(4, (states, effects) => {
    ways++;
    const count = (type: CallEffect['type']) => effects.filter((effect) => effect.type === type).length;
    for (const type of ['accept', 'refuse', 'start-media', 'bye', 'leave', 'close-media'] as const) {
      expect(count(type)).toBeLessThanOrEqual(1);
    }
    // Either it was answered, or refused; what was refused gets no BYE.
    expect(count('accept') + count('refuse')).toBeLessThanOrEqual(1);
    if (count('bye') > 0) expect(count('accept')).toBe(1);
    const isOver = ['over', 'ending'].includes(states.at(-1)!.at);
    expect([count('leave'), count('close-media')]).toEqual(isOver ? [1, 1] : [0, 0]);
  });
  expect(ways).toBeGreaterThan(10_000);
});

describe('why a call ends', () => {
  test.each<[EndCause, LeaveReason, number]>([
    ...LEAVE_REASONS.map((reason): [EndCause, LeaveReason, number] => [
      { type: 'left', reason },
      reason,
      reason === 'removed' || reason === 'replaced' ? 603 : 503,
    ]),
    [{ type: 'silent' }, 'connection-lost', 503],
    [{ type: 'media-refused', text: 'No codec' }, 'left', 503],
    [{ type: 'media-lost' }, 'interrupted', 503],
  ])('%o: the room is told %s; before it was answered, the phone %i', (cause, reason, status) => {
    const { effects } = transition({ at: 'arriving' }, { type: 'end', cause });
    expect(effects).toEqual([
      { type: 'refuse', status, text: endText(cause) },
      { type: 'leave', reason },
      { type: 'close-media' },
    ]);
  });

  test.each<[EndCause, string]>([
    [{ type: 'left', reason: 'left' }, 'Q.850;cause=16;text="The call has ended"'],
    [{ type: 'left', reason: 'removed' }, 'Q.850;cause=16;text="Removed from the room"'],
    [{ type: 'left', reason: 'replaced' }, 'Q.850;cause=16;text="Joined from somewhere else"'],
    [{ type: 'left', reason: 'room-deleted' }, 'Q.850;cause=16;text="The room was closed"'],
    [{ type: 'left', reason: 'connection-lost' }, 'Q.850;cause=16;text="The connection was lost"'],
    [{ type: 'left', reason: 'interrupted' }, 'Q.850;cause=41;text="A part of the server failed"'],
    [{ type: 'left', reason: 'shutdown' }, 'Q.850;cause=16;text="The server is shutting down"'],
    [{ type: 'silent' }, 'Q.850;cause=102;text="No media was received"'],
    [{ type: 'media-refused', text: 'No codec' }, 'Q.850;cause=16;text="No codec"'],
    [{ type: 'media-refused', text: 'a "quoted" \\' }, `Q.850;cause=16;text="a 'quoted' '"`],
    [{ type: 'media-lost' }, 'Q.850;cause=41;text="The media process failed"'],
  ])('%o: %s', (cause, reason) => {
    expect(endReason(cause)).toBe(reason);
  });
});
