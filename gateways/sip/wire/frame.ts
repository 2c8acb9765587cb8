import { ByteQueue } from '../engine/byte-queue.ts';

/**
 * Frames of drachtio's wire protocol, as drachtio-srf 5 speaks it: `<bytes>#<id>|<verb>|…`, and where a
 * SIP message follows, CR LF and the message. Pure.
 */
export interface Frame {
  readonly id: string;
  readonly verb: string;
  /** What stands between the bars after the verb. */
  readonly fields: readonly string[];
  /** The SIP message, as received. */
  readonly message: Buffer | undefined;
}

/** A SIP message of 64 kB and some fields. */
export const MAX_FRAME_BYTES = 128 * 1024;
const MAX_LENGTH_DIGITS = 7;
const HASH = 0x23;

/** @param fields - without bars and line ends: they are not escaped */
export function encodeFrame(id: string, verb: string, fields: readonly string[], message?: Buffer): Buffer {
  const head = Buffer.from(`${[id, verb, ...fields].join('|')}${message ? '\r\n' : ''}`);
  const length = head.length + (message?.length ?? 0);
  return Buffer.concat([Buffer.from(`${length}#`), head, message ?? Buffer.alloc(0)]);
}

/** Cuts a stream of bytes into frames, wherever it was split. */
export class FrameReader {
  #queue = new ByteQueue();
  #maxBytes: number;

  /** @param maxBytes - of one frame, without its length */
  constructor(maxBytes = MAX_FRAME_BYTES) {
    this.#maxBytes = maxBytes;
  }

  /** Yields frame by frame. @throws Error when the stream is not of this protocol: it cannot be read any further */
  *read(bytes: Buffer): Generator<Frame, void> {
    this.#queue.append(bytes);
    for (let frame = this.#next(); frame; frame = this.#next()) yield frame;
  }

  /** What comes from now on may be that large. */
  permit(maxBytes: number): void {
    this.#maxBytes = maxBytes;
  }

  #next(): Frame | undefined {
    const view = this.#queue.peek();
    const hash = view.subarray(0, MAX_LENGTH_DIGITS + 1).indexOf(HASH);
    if (hash < 0) {
      if (view.length > MAX_LENGTH_DIGITS) throw new Error('A frame without a length.');
      return undefined;
    }
    const digits = view.toString('latin1', 0, hash);
    const length = /^\d+$/.test(digits) ? Number(digits) : 0;
    if (length === 0 || length > this.#maxBytes) throw new Error('A frame with a malformed length.');
    const end = hash + 1 + length;
    if (view.length < end) return undefined;
    const frame = parseFrame(view.subarray(hash + 1, end));
    this.#queue.drop(end);
    return frame;
  }
}

function parseFrame(bytes: Buffer): Frame {
  const end = bytes.indexOf('\r\n');
  const head = end < 0 ? bytes : bytes.subarray(0, end);
  const [id = '', verb = '', ...fields] = head.toString('utf8').split('|');
  return { id, verb, fields, message: end < 0 ? undefined : Buffer.from(bytes.subarray(end + 2)) };
}
