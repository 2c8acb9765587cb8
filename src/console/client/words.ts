import { RequestError } from './signalling.ts';

/** What went wrong, in words that say what to do. */

export function explainDeviceError(error: unknown, device: 'microphone' | 'camera'): string {
  const name = error instanceof DOMException ? error.name : '';
  switch (name) {
    case 'NotAllowedError':
      return `Your browser does not let this page use the ${device}. Allow it (the sign beside the address), then press “Try again”. You can also join without it.`;
    case 'NotFoundError':
      return `No ${device} was found. Plug one in and press “Try again”, or join without it.`;
    case 'NotReadableError':
      return `The ${device} is in use by another program. Close that program and press “Try again”.`;
    case 'OverconstrainedError':
      return `The chosen ${device} is not there any more. Choose another.`;
    default:
      return `The ${device} could not be started${error instanceof Error ? `: ${error.message}` : ''}.`;
  }
}

export const INSECURE_PAGE =
  'Browsers give the microphone and camera to HTTPS pages only (or to localhost). Ask for an https:// address; you can join to listen.';

/** Why joining failed. */
export function explainJoinError(error: unknown): string {
  if (!(error instanceof RequestError)) return 'Joining failed. Reload the page and try again.';
  switch (error.code) {
    case 'disconnected':
      return 'The server cannot be reached. Check your network connection, then try again.';
    case 'room-full':
      return 'This room is full. Try again when somebody has left.';
    default:
      return error.message;
  }
}

/** Why you are out of the room. */
export function explainRemoval(reason: string): string {
  switch (reason) {
    case 'removed':
      return 'You were removed from the room.';
    case 'replaced':
      return 'You joined from somewhere else; this page has left the room.';
    case 'room-deleted':
      return 'The room was closed.';
    case 'shutdown':
      return 'The server was shut down.';
    case 'connection-lost':
      return 'The connection was lost for too long.';
    case 'interrupted':
      return 'A part of the server failed; join again.';
    default:
      return 'You have left the room.';
  }
}

/** What is done with an encoder's picture or sound. */
export type EncoderWay = 'passed-on' | 're-encoded' | 'refused' | 'none';

/** @param reason - why it is not passed on as it is, as the encoder's attributes say it */
export function explainWay(isPublished: boolean, reason: string | undefined): EncoderWay {
  if (isPublished) return reason ? 're-encoded' : 'passed-on';
  return reason ? 'refused' : 'none';
}

/** While an encoder's place is kept for it. */
export function explainWaiting(name: string): string {
  return `${name} lost its connection; waiting for it to come back`;
}

/** With a capital and a full stop. */
export function asSentence(text: string): string {
  const [first = '', ...rest] = text;
  return `${first.toUpperCase()}${rest.join('')}${/[.!?]$/.test(text) ? '' : '.'}`;
}
