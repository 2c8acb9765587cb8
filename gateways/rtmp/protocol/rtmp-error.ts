/** What a peer did wrong, in a word; also the names of counters. */
export type RtmpErrorCode =
  | 'handshake'
  /** The chunk stream cannot be followed, or a protocol control message makes no sense. */
  | 'chunk'
  | 'message-too-long'
  | 'too-many-streams'
  /** Too many bytes of messages that are not whole yet. */
  | 'too-much-unfinished'
  | 'aggregate'
  | 'amf'
  | 'command'
  /** It changes what it sends all the time. */
  | 'format';

/** All that is thrown because of what a peer sends: the connection that it came from can't be followed any further and has to end. */
export class RtmpError extends Error {
  readonly code: RtmpErrorCode;

  constructor(code: RtmpErrorCode, message: string) {
    super(message);
    this.name = 'RtmpError';
    this.code = code;
  }
}
