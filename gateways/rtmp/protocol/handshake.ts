import { RtmpError } from './rtmp-error.ts';

/* The plain handshake (RTMP 1.0, section 5.2). No sockets, no timers: who reads from a peer ends it after some seconds. */

/** Plain RTMP; 6 is RTMPE, and 32 and above are text protocols that came to the wrong port (section 5.2.2). */
const VERSION = 3;
/** C1, S1, C2 and S2. */
const BLOCK_BYTES = 1536;
/** Of a block: the sender's time, and zeroes in the first one or the time of reading in the second. */
const TIMES_BYTES = 8;

export interface HandshakeStep {
  /** To be sent now. */
  readonly send?: Buffer;
  /** It is over; `rest` are the bytes that follow it (a view of what was read). */
  readonly done?: { readonly rest: Buffer };
}

/**
 * What both sides do alike: version and first block, kept to be echoed, then the second block. That
 * one is counted and not compared with what we sent: encoders that know the variant with digests, and
 * some that don't, send other bytes, and no server that they are tested with minds.
 */
class Handshake {
  #answer: (first: Buffer) => Buffer;
  #first = Buffer.alloc(0);
  #secondLeft = BLOCK_BYTES;
  #over = false;

  constructor(answer: (first: Buffer) => Buffer) {
    this.#answer = answer;
  }

  read(chunk: Buffer): HandshakeStep {
    if (this.#over) throw new Error('The handshake is over: these bytes are for the chunk reader.');
    const before = this.#first.length;
    let at = 0;
    let send: Buffer | undefined;
    if (before < 1 + BLOCK_BYTES) {
      at = Math.min(chunk.length, 1 + BLOCK_BYTES - before);
      this.#first = Buffer.concat([this.#first, chunk.subarray(0, at)]);
      if (this.#first.length > 0) requireVersion(this.#first[0]!);
      if (this.#first.length < 1 + BLOCK_BYTES) return {};
      send = this.#answer(this.#first.subarray(1));
    }
    const second = Math.min(chunk.length - at, this.#secondLeft);
    this.#secondLeft -= second;
    if (this.#secondLeft > 0) return send ? { send } : {};
    this.#over = true;
    const done = { rest: chunk.subarray(at + second) };
    return send ? { send, done } : { done };
  }
}

/** Of the side that was called. Keeps 1537 bytes at the most. */
export class ServerHandshake {
  #handshake: Handshake;

  /**
   * @param random - so many random bytes
   * @param now - milliseconds since any moment
   */
  constructor(random: (bytes: number) => Buffer, now: () => number) {
    this.#handshake = new Handshake((first) => {
      const time = now();
      return Buffer.concat([Buffer.of(VERSION), firstBlock(random, time), echo(first, time)]);
    });
  }

  /**
   * Takes bytes; returns what to send and, once it is over, the bytes that follow it.
   * @throws RtmpError for another version than 3
   */
  read(chunk: Buffer): HandshakeStep {
    return this.#handshake.read(chunk);
  }
}

/** Of the side that calls. Keeps 1537 bytes at the most. */
export class ClientHandshake {
  #handshake: Handshake;
  #random: (bytes: number) => Buffer;
  #now: () => number;

  /** See ServerHandshake. */
  constructor(random: (bytes: number) => Buffer, now: () => number) {
    this.#random = random;
    this.#now = now;
    this.#handshake = new Handshake((first) => echo(first, now()));
  }

  /** @returns what to send first */
  start(): Buffer {
    return Buffer.concat([Buffer.of(VERSION), firstBlock(this.#random, this.#now())]);
  }

  /** Like the server's; nothing but `send` may be sent before it is over (section 5.2.1). */
  read(chunk: Buffer): HandshakeStep {
    return this.#handshake.read(chunk);
  }
}

function requireVersion(version: number): void {
  if (version === VERSION) return;
  if (version === 6)
    throw new RtmpError(
      'handshake',
      'The peer speaks RTMPE (version 6), which protects nothing. Use rtmp:// or rtmps://.',
    );
  throw new RtmpError(
    'handshake',
    `The first byte is ${version}, not the 3 of RTMP: this is something else.`,
  );
}

/** C1 or S1 (section 5.2.3). The zeroes also say that this is not the variant with digests. */
function firstBlock(random: (bytes: number) => Buffer, timeMs: number): Buffer {
  const times = Buffer.alloc(TIMES_BYTES);
  times.writeUInt32BE(Math.floor(timeMs) >>> 0, 0);
  return Buffer.concat([times, random(BLOCK_BYTES - TIMES_BYTES)]);
}

/** C2 or S2 (section 5.2.4): the peer's block with the time of reading it in the second field. */
function echo(first: Buffer, timeMs: number): Buffer {
  const block = Buffer.from(first);
  block.writeUInt32BE(Math.floor(timeMs) >>> 0, 4);
  return block;
}
