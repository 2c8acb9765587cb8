/**
 * Everything that can be refused or can fail in front of a user, in one table. Each gateway and API
 * maps these codes once to its own protocol (HTTP and Twirp: api/problem.ts; WebSocket: as they are).
 */
export const ERRORS = {
  'invalid-request': 'What was asked for is not well formed.',
  'too-large': 'What was sent is too large.',
  'not-found': 'There is nothing here.',
  unauthenticated: 'Who is asking could not be established.',
  forbidden: 'This is not permitted.',
  'room-not-found': 'There is no such room.',
  'room-full': 'The room is full.',
  'participant-not-found': 'There is no such participant in this room.',
  'track-not-found': 'There is no such track in this room.',
  'codec-refused': 'This media format cannot be used here.',
  'limit-reached': 'A limit of this server is reached.',
  'rate-limited': 'Too many requests in a short time.',
  'failed-precondition': 'This is not possible in the present state.',
  unimplemented: 'This is not implemented.',
  unavailable: 'The media plane is not available right now; try again.',
  timeout: 'It took too long.',
  internal: 'Something went wrong inside Patchroom.',
} as const;

export type ErrorCode = keyof typeof ERRORS;

/** A refusal or failure with a code from the table and a sentence for the person who caused or meets it. */
export class PatchroomError extends Error {
  readonly code: ErrorCode;

  constructor(code: ErrorCode, message: string = ERRORS[code], options?: ErrorOptions) {
    super(message, options);
    this.name = 'PatchroomError';
    this.code = code;
  }
}

/** @returns the error as ours; what is not ours becomes 'internal', with the original as its cause. */
export function asPatchroomError(error: unknown): PatchroomError {
  return error instanceof PatchroomError
    ? error
    : new PatchroomError('internal', undefined, { cause: error });
}
