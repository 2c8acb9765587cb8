/** At its end an access unit is told by so many bytes. */
const TAIL_BYTES = 16;

/** One frame on its way through an RTMP connection, as either end saw it. */
export interface RelayFrame {
  /** The stream key that it goes by. */
  readonly key: string;
  readonly kind: 'audio' | 'video';
  /** A decoder can begin here. Always true for sound. */
  readonly isKey: boolean;
  /** When it is decoded, in the stream's own time. */
  readonly timestampMs: number;
  /** When it is shown. */
  readonly shownMs: number;
  /** How it ends: the same frame has the same ending wherever it is. */
  readonly tail: string;
  /** When it was written or read, as all processes of the machine count it (src/base/machine-time.ts). */
  readonly atMs: number;
  /** The message's body, where it is kept. */
  readonly body?: Buffer;
}

export function tailOf(body: Buffer): string {
  return body.toString('latin1', Math.max(0, body.length - TAIL_BYTES));
}
