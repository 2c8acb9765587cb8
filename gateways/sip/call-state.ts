import type { LeaveReason } from '../../src/room/vocabulary.ts';

/*
 * What happens in a call, and what has to be done about it. Pure: the state and an event go in, the next
 * state and effects come out (call.ts carries them out).
 */

export type CallState =
  /** The INVITE is there; the room, the ports and the answer are being looked for. */
  | { readonly at: 'arriving' }
  /** 200 is on its way; the ACK has not come. */
  | { readonly at: 'accepted'; readonly offerIsOurs: boolean }
  /** @see CallEvent 'silent': the phone was asked whether it is there, and has not answered yet */
  | { readonly at: 'up'; readonly isAsked?: boolean }
  /** It is to end, but BYE has to wait for the ACK of our 200 (RFC 3261, section 15). */
  | { readonly at: 'ending'; readonly cause: EndCause }
  | { readonly at: 'over' };

/** Why we end a call. */
export type EndCause =
  | { readonly type: 'left'; readonly reason: LeaveReason }
  /** The phone neither sent sound nor reports. */
  | { readonly type: 'silent' }
  /** Offer and answer have nothing in common. */
  | { readonly type: 'media-refused'; readonly text: string }
  /** The process that carried its sound died. */
  | { readonly type: 'media-lost' };

export type CallEvent =
  /** The room, the ports and the answer are there. */
  | { readonly type: 'ready'; readonly offerIsOurs: boolean }
  | { readonly type: 'refused'; readonly status: number; readonly text: string }
  | { readonly type: 'cancelled' }
  | { readonly type: 'acknowledged'; readonly hasAnswer: boolean }
  /** BYE from the phone. */
  | { readonly type: 'hung-up' }
  /** The engine gave up waiting for the ACK and sent BYE. */
  | { readonly type: 'unacknowledged' }
  /** The engine that knew the call is gone; another ends it. */
  | { readonly type: 'engine-lost' }
  /** Neither sound nor reports came for as long as a phone may be silent. */
  | { readonly type: 'silent' }
  /** The phone answered whether it knows the call. */
  | { readonly type: 'answered'; readonly isThere: boolean }
  | { readonly type: 'end'; readonly cause: EndCause };

export type CallEffect =
  | { readonly type: 'accept' }
  | { readonly type: 'refuse'; readonly status: number; readonly text: string }
  /**
   * Let sound flow, as agreed. Not before the ACK: it shows that the caller really is where he says, and that nobody else
   * is sent a stream that he did not ask for.
   */
  | { readonly type: 'start-media' }
  /** Ask the phone, in its dialog, whether it is still there. */
  | { readonly type: 'ask' }
  /** It may go on being silent. */
  | { readonly type: 'keep' }
  | { readonly type: 'bye'; readonly cause: EndCause }
  /** Out of the room, if still in. */
  | { readonly type: 'leave'; readonly reason: LeaveReason }
  | { readonly type: 'close-media' };

export interface Transition {
  readonly state: CallState;
  readonly effects: readonly CallEffect[];
}

const OVER: CallState = { at: 'over' };

export function transition(state: CallState, event: CallEvent): Transition {
  switch (state.at) {
    case 'arriving':
      return arriving(state, event);
    case 'accepted':
      return accepted(state, event);
    case 'up':
      return up(state, event);
    case 'ending':
      return ending(state, event);
    case 'over':
      return { state, effects: [] };
  }
}

function arriving(state: CallState, event: CallEvent): Transition {
  switch (event.type) {
    case 'ready':
      return { state: { at: 'accepted', offerIsOurs: event.offerIsOurs }, effects: [{ type: 'accept' }] };
    case 'refused':
      return over('left', { type: 'refuse', status: event.status, text: event.text });
    case 'cancelled':
      return over('left'); // the engine has answered 487
    case 'engine-lost':
      return over('interrupted');
    case 'end':
      return over(reasonOf(event.cause), refusalOf(event.cause));
    default:
      return { state, effects: [] };
  }
}

function accepted(state: CallState & { at: 'accepted' }, event: CallEvent): Transition {
  switch (event.type) {
    case 'acknowledged':
      if (!state.offerIsOurs || event.hasAnswer)
        return { state: { at: 'up' }, effects: [{ type: 'start-media' }] };
      return end({ type: 'media-refused', text: 'The ACK has no answer to our offer' });
    case 'cancelled': // it crossed our 200, which the engine could not send any more
    case 'hung-up':
      return over('left');
    case 'unacknowledged':
      return over('connection-lost');
    case 'engine-lost':
      return over('interrupted');
    case 'end':
      return {
        state: { at: 'ending', cause: event.cause },
        effects: [{ type: 'leave', reason: reasonOf(event.cause) }, { type: 'close-media' }],
      };
    default:
      return { state, effects: [] };
  }
}

function up(state: CallState & { at: 'up' }, event: CallEvent): Transition {
  switch (event.type) {
    case 'silent':
      // One that suppresses silence sends nothing while its person listens.
      return { state: { at: 'up', isAsked: true }, effects: state.isAsked ? [] : [{ type: 'ask' }] };
    case 'answered':
      return event.isThere ? { state: { at: 'up' }, effects: [{ type: 'keep' }] } : end({ type: 'silent' });
    case 'hung-up':
      return over('left');
    case 'unacknowledged': // of a re-INVITE
      return over('connection-lost');
    case 'engine-lost':
      return over('interrupted');
    case 'end':
      return end(event.cause);
    default:
      return { state, effects: [] };
  }
}

function ending(state: CallState & { at: 'ending' }, event: CallEvent): Transition {
  switch (event.type) {
    case 'acknowledged':
      return { state: OVER, effects: [{ type: 'bye', cause: state.cause }] };
    case 'cancelled':
    case 'hung-up':
    case 'unacknowledged':
    case 'engine-lost':
      return { state: OVER, effects: [] };
    default:
      return { state, effects: [] };
  }
}

function end(cause: EndCause): Transition {
  return over(reasonOf(cause), { type: 'bye', cause });
}

function over(reason: LeaveReason, ...first: CallEffect[]): Transition {
  return { state: OVER, effects: [...first, { type: 'leave', reason }, { type: 'close-media' }] };
}

function reasonOf(cause: EndCause): LeaveReason {
  switch (cause.type) {
    case 'left':
      return cause.reason;
    case 'silent':
      return 'connection-lost';
    case 'media-refused':
      return 'left';
    case 'media-lost':
      return 'interrupted';
  }
}

/** A call that ends before it was answered is refused. */
function refusalOf(cause: EndCause): CallEffect {
  const busy = cause.type === 'left' && (cause.reason === 'removed' || cause.reason === 'replaced');
  return { type: 'refuse', status: busy ? 603 : 503, text: endText(cause) };
}

/** Why a call ends, in words for its phone. */
export function endText(cause: EndCause): string {
  switch (cause.type) {
    case 'left':
      return LEFT[cause.reason];
    case 'silent':
      return 'No media was received';
    case 'media-refused':
      return cause.text;
    case 'media-lost':
      return 'The media process failed';
  }
}

const LEFT: Readonly<Record<LeaveReason, string>> = {
  left: 'The call has ended',
  removed: 'Removed from the room',
  replaced: 'Joined from somewhere else',
  'room-deleted': 'The room was closed',
  'connection-lost': 'The connection was lost',
  interrupted: 'A part of the server failed',
  shutdown: 'The server is shutting down',
};

/**
 * Why a call ends, as a Reason header (RFC 3326): a Q.850 cause, which gateways to the phone network pass
 * on, and the words.
 */
export function endReason(cause: EndCause): string {
  const failed = cause.type === 'media-lost' || (cause.type === 'left' && cause.reason === 'interrupted');
  // 41 temporary failure, 102 recovery on timer expiry, 16 normal clearing
  const q850 = failed ? 41 : cause.type === 'silent' ? 102 : 16;
  // Words that came from a description must not end the quotation.
  return `Q.850;cause=${q850};text="${endText(cause).replace(/["\\]/g, "'")}"`;
}
