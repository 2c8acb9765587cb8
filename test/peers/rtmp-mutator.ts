import { Mutator } from '../fuzz/mutator.ts';
import type { FlvTag } from './flv-clip.ts';
import { type AmfValue, ChunkWriter, encodeAmf, MessageType, type RtmpMessage, uint32 } from './rtmp-wire.ts';

/** A connection's bytes, message by message. */
export interface MutatedSession {
  /** From the handshake to publish. */
  readonly opening: readonly Buffer[];
  /** For when it was let in, or not. */
  readonly media: readonly Buffer[];
}

const TYPES = { audio: MessageType.audio, video: MessageType.video, script: MessageType.dataAmf0 } as const;
const HANDSHAKE = Buffer.concat([Buffer.of(3), Buffer.alloc(2 * 1536)]);
/** Of the messages up to publish; with more, hardly any session would get further. */
const OPENING_SHARE = 0.1;
const CHUNK_BYTES = 4096;

/** Sessions of an encoder that are nearly right: the same `random` gives the same ones. */
export class RtmpMutator {
  #mutator: Mutator;
  #random: () => number;
  #clip: readonly FlvTag[];

  /** @param random - like Math.random @param clip - what is published */
  constructor(random: () => number, clip: readonly FlvTag[]) {
    this.#random = random;
    this.#mutator = new Mutator(random);
    this.#clip = clip;
  }

  /** @param messages - so many after the handshake; at least 5 */
  session(key: string, messages: number): MutatedSession {
    const writer = new ChunkWriter();
    const opening = [
      this.#message(writer, control(MessageType.setChunkSize, uint32(CHUNK_BYTES)), OPENING_SHARE),
    ];
    writer.chunkBytes = CHUNK_BYTES;
    const commands: AmfValue[][] = [
      [
        'connect',
        1,
        { app: 'live', type: 'nonprivate', flashVer: 'FMLE/3.0', tcUrl: 'rtmp://127.0.0.1/live' },
      ],
      ['createStream', 2, null],
      ['publish', 3, null, key, 'live'],
    ];
    for (const values of commands) {
      const streamId = values[0] === 'publish' ? 1 : 0;
      const payload = encodeAmf(...values);
      const message = { type: MessageType.commandAmf0, payload, chunkStream: 3, streamId, timestampMs: 0 };
      opening.push(this.#message(writer, message, OPENING_SHARE));
    }
    // The headers first, but not always; then it begins anywhere.
    const headers = this.#random() < 0.8 ? this.#clip.slice(0, 3) : [];
    const start = 3 + this.#mutator.below(this.#clip.length - messages);
    const tags = [...headers, ...this.#clip.slice(start)].slice(0, messages - opening.length);
    const media = tags.map((tag) => this.#message(writer, this.#ofTag(tag), 0.6));
    return { opening: [HANDSHAKE, ...opening], media };
  }

  /** @returns the bytes in pieces, as they may come from a connection */
  pieces(bytes: Buffer): Buffer[] {
    return this.#mutator.pieces(bytes);
  }

  #ofTag({ type, body, timestampMs }: FlvTag): RtmpMessage {
    const isOdd = this.#random() < 0.1;
    return {
      type: isOdd ? this.#mutator.below(24) : TYPES[type],
      payload: type === 'script' ? Buffer.concat([encodeAmf('@setDataFrame'), body]) : body,
      chunkStream: this.#mutator.pick([4, 4, 4, 4, 6, 70]),
      streamId: 1,
      timestampMs: isOdd ? this.#mutator.below(2 ** 32) : timestampMs,
    };
  }

  /** What is wrong is within the message, or in how it is cut into chunks. */
  #message(writer: ChunkWriter, message: RtmpMessage, share: number): Buffer {
    if (this.#random() >= share) return writer.encode(message);
    if (this.#random() < 0.2) return this.#mutator.mutate(writer.encode(message));
    return writer.encode({ ...message, payload: this.#mutator.mutate(message.payload) });
  }
}

function control(type: number, payload: Buffer): RtmpMessage {
  return { type, payload, chunkStream: 2, streamId: 0, timestampMs: 0 };
}
