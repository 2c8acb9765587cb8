import { createEncoder } from './audio-codec.ts';
import { MAX_L16_BYTES } from './l16-codec.ts';
import { FRAME_MS, type MixCodecName, type MixEncoder, type MixFormat } from './mix-format.ts';

/** Largest payload of a frame that goes out as one packet (RFC 6716, section 3.2.1: 1275 bytes, and its header). */
export const MAX_PAYLOAD_BYTES = 1500;
/** How a mix is encoded for a listener. */
export interface Encoding {
  readonly codec: MixCodecName;
  /** At the most; undefined: what the codec usually has. */
  readonly maxBitrateBps: number | undefined;
  readonly packetMs: 10 | 20;
}

export function isSameEncoding(one: Encoding, other: Encoding): boolean {
  return (
    one.codec === other.codec && one.maxBitrateBps === other.maxBitrateBps && one.packetMs === other.packetMs
  );
}

/** Encodes a tick of a mix, into one packet's payload or two. */
export class EncodedFrames {
  readonly encoding: Encoding;
  /** How many there are of a tick. */
  readonly count: number;
  /** Valid until the next tick is encoded, with so many bytes each. */
  readonly payloads: readonly Uint8Array[];
  readonly bytes: number[];
  #encoder: MixEncoder;

  /** Throws a RangeError for stereo in anything but L16. */
  constructor(encoding: Encoding, format: MixFormat) {
    const { codec, maxBitrateBps, packetMs } = encoding;
    this.encoding = encoding;
    this.count = FRAME_MS / packetMs;
    this.payloads = Array.from(
      { length: this.count },
      () => new Uint8Array(codec === 'L16' ? MAX_L16_BYTES : MAX_PAYLOAD_BYTES),
    );
    this.bytes = new Array(this.count).fill(0);
    this.#encoder = createEncoder(codec, format, maxBitrateBps);
  }

  /** Whether what comes out depends on what was encoded before. */
  get hasMemory(): boolean {
    return this.#encoder.hasMemory;
  }

  /** @param samples - of one tick */
  encode(samples: Int16Array): void {
    const length = samples.length / this.count;
    for (let index = 0; index < this.count; index++) {
      const part = this.count === 1 ? samples : samples.subarray(index * length, (index + 1) * length);
      this.bytes[index] = this.#encoder.encode(part, this.payloads[index]!, 0);
    }
  }

  /** Goes on from what its listener heard of another encoder at the tick before, so that the change is not heard. */
  startAfter(before: Int16Array): void {
    if (!this.#encoder.hasMemory) return;
    this.#encoder.reset();
    this.encode(before);
  }
}
