import { createEncoder } from './audio-codec.ts';
import type { Contributor } from './contributor.ts';
import { MAX_L16_BYTES } from './l16-codec.ts';
import { type MixCodecName, type MixEncoder, type MixFormat, type MixRate, mixFormat } from './mix-format.ts';

/** Largest payload of a frame that goes out as one packet (RFC 6716, section 3.2.1: 1275 bytes, and its header). */
export const MAX_PAYLOAD_BYTES = 1500;
/** A codec with memory goes back to the shared encoder after this long without speech: 2 s. */
const OWN_TICKS = 100;

/** Memory for one frame in that codec. */
export function payloadBuffer(codec: MixCodecName): Uint8Array {
  return new Uint8Array(codec === 'L16' ? MAX_L16_BYTES : MAX_PAYLOAD_BYTES);
}

/** Where a listener's sound goes. */
export interface MixSink {
  /** One frame, 20 ms. @param payload - valid during the call; its first `bytes` bytes */
  deliver(payload: Uint8Array, bytes: number): void;
  /** Frames that will never come: time went on without them. */
  skip(frames: number): void;
}

export interface MixListenerOptions {
  readonly codec: MixCodecName;
  /** Of the mix that is made for it; 8000 for G.711. */
  readonly rate: MixRate;
  /** 1 by default. 2: L16 at 48 kHz, interleaved, left first; who is in mono is on both sides. */
  readonly channels?: 1 | 2;
  /** Whom it must not hear: its own voice, which is no other listener's. */
  readonly own?: Contributor;
  /** Only what gateways of this process contribute, not what comes from the hub. */
  readonly gatewaysOnly?: boolean;
}

/** One who hears a mix. While he is silent he shares an encoder with all others who are. */
export class MixListener {
  readonly codec: MixCodecName;
  /** Of the mix that it hears. */
  readonly format: MixFormat;
  readonly own: Contributor | undefined;
  #sink: MixSink;
  #encoder: MixEncoder;
  #payload: Uint8Array;
  /** Ticks for which he keeps his own encoder; 0: he shares. */
  #ownTicks = 0;
  #primed = false;

  /** Throws a RangeError for stereo in anything but L16 at 48 kHz. */
  constructor({ codec, rate, channels = 1, own }: MixListenerOptions, sink: MixSink) {
    this.codec = codec;
    this.format = mixFormat(rate, channels);
    this.own = own;
    this.#sink = sink;
    this.#encoder = createEncoder(codec, this.format);
    this.#payload = payloadBuffer(codec);
  }

  /** @param speaks - whether his own voice is in the mix at this tick. @returns whether he needs a mix of his own */
  takesOwn(speaks: boolean): boolean {
    if (speaks) this.#ownTicks = this.#encoder.hasMemory ? OWN_TICKS : 1;
    else if (this.#ownTicks > 0) this.#ownTicks--;
    if (this.#ownTicks === 0) this.#primed = false;
    return this.#ownTicks > 0;
  }

  /**
   * A frame for him alone.
   * @param before - the shared mix of the tick before: his decoder heard it from another encoder, and this one
   * goes on from there, so that the change is not heard
   */
  encode(samples: Int16Array, before: Int16Array): void {
    if (!this.#primed && this.#encoder.hasMemory) {
      this.#encoder.reset();
      this.#encoder.encode(before, this.#payload, 0);
    }
    this.#primed = true;
    this.#sink.deliver(this.#payload, this.#encoder.encode(samples, this.#payload, 0));
  }

  deliver(payload: Uint8Array, bytes: number): void {
    this.#sink.deliver(payload, bytes);
  }

  skip(frames: number): void {
    this.#sink.skip(frames);
  }
}
