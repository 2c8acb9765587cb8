import { ByteQueue } from './byte-queue.ts';
import { LIMITS } from './parser.ts';

/** What was cut out of a stream. */
export type StreamPart =
  | { readonly type: 'message'; readonly bytes: Buffer }
  /** A keep-alive to answer with CR LF (RFC 5626, section 4.4.1). */
  | { readonly type: 'ping' }
  /** Nothing can be told apart any more; the bytes are what it broke at, so that it can be answered. Always the last. */
  | { readonly type: 'broken'; readonly bytes: Buffer };

const CONTENT_LENGTH = /\r\n(?:content-length|l)[ \t]*:[ \t]*(?:\r\n[ \t]+)?(\d{1,7})[ \t]*(?=\r\n)/i;
const CR = 0x0d;
const LF = 0x0a;

/** Cuts a TCP stream into messages by their Content-Length (RFC 3261, section 18.3). */
export class StreamFramer {
  #queue = new ByteQueue();
  /** How far the end of the headers was looked for. */
  #searched = 0;
  /** Where the message at the front ends, once its headers are there. */
  #total: number | undefined;
  #broken = false;

  /** Never throws. After a `broken` part nothing more comes. */
  read(bytes: Buffer): StreamPart[] {
    if (this.#broken) return [];
    this.#queue.append(bytes);
    const parts: StreamPart[] = [];
    for (let part = this.#next(); part; part = this.#next()) {
      parts.push(part);
      if (part.type === 'broken') {
        this.#broken = true;
        this.#queue.drop(this.#queue.length);
        break;
      }
    }
    return parts;
  }

  #next(): StreamPart | undefined {
    if (this.#total === undefined) {
      if (this.#searched === 0) {
        const start = this.#readStart();
        if (start !== 'message') return start;
      }
      const broken = this.#readHeaders();
      if (broken) return broken;
    }
    if (this.#total === undefined || this.#queue.length < this.#total) return undefined;
    const bytes = Buffer.from(this.#queue.peek().subarray(0, this.#total));
    this.#queue.drop(this.#total);
    this.#total = undefined;
    this.#searched = 0;
    return { type: 'message', bytes };
  }

  /** A lone CR LF before a message is passed over (section 7.5), two are a ping. */
  #readStart(): StreamPart | 'message' | undefined {
    for (;;) {
      const [first, second, third, fourth] = this.#queue.peek();
      if (first === undefined) return undefined;
      if (first !== CR || (second !== undefined && second !== LF)) return 'message';
      if (third === undefined || (third === CR && fourth === undefined)) return undefined;
      const isPing = third === CR && fourth === LF;
      this.#queue.drop(isPing ? 4 : 2);
      if (isPing) return { type: 'ping' };
    }
  }

  #readHeaders(): StreamPart | undefined {
    const view = this.#queue.peek();
    const end = view.indexOf('\r\n\r\n', Math.max(0, this.#searched - 3));
    if (end < 0) {
      this.#searched = view.length;
      return view.length > LIMITS.messageBytes ? broken(view) : undefined;
    }
    const length = CONTENT_LENGTH.exec(view.toString('latin1', 0, end + 2))?.[1];
    const total = end + 4 + Number(length);
    // Also for no length at all: the sum is then not a number.
    if (!(total <= LIMITS.messageBytes)) return broken(view.subarray(0, end + 4));
    this.#total = total;
    return undefined;
  }
}

function broken(bytes: Buffer): StreamPart {
  return { type: 'broken', bytes: Buffer.from(bytes.subarray(0, LIMITS.messageBytes)) };
}
