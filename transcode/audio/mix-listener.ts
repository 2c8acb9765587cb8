import type { Contributor } from './contributor.ts';
import { EncodedFrames, type Encoding } from './encoded-frames.ts';
import { type MixCodecName, type MixFormat, type MixRate, mixFormat } from './mix-format.ts';

/** A codec with memory goes back to the shared encoder after this long without speech: 2 s. */
const OWN_TICKS = 100;

/** Where a listener's sound goes. */
export interface MixSink {
  /** One packet's audio, 20 ms or what was asked for. @param payload - valid during the call; its first `bytes` bytes */
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
  /** Of what it gets, at the most: for codecs whose rate can be chosen. */
  readonly maxBitrateBps?: number | undefined;
  /** How much audio goes out in one piece: half a tick's where its sink takes no more. 20 by default. */
  readonly packetMs?: 10 | 20 | undefined;
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
  /** Listeners who agree in this get the same bytes. */
  readonly encoding: Encoding;
  #frames: EncodedFrames;
  /** Ticks for which he keeps his own encoder; 0: he shares. */
  #ownTicks = 0;
  #primed = false;

  /** Throws a RangeError for stereo in anything but L16 at 48 kHz. */
  constructor(options: MixListenerOptions, sink: MixSink) {
    const { codec, rate, channels = 1, own, maxBitrateBps, packetMs = 20 } = options;
    this.codec = codec;
    this.format = mixFormat(rate, channels);
    this.own = own;
    this.#sink = sink;
    this.encoding = { codec, maxBitrateBps: codec === 'opus' ? maxBitrateBps : undefined, packetMs };
    this.#frames = new EncodedFrames(this.encoding, this.format);
  }

  /** @param speaks - whether his own voice is in the mix at this tick. @returns whether he needs a mix of his own */
  takesOwn(speaks: boolean): boolean {
    if (speaks) this.#ownTicks = this.#frames.hasMemory ? OWN_TICKS : 1;
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
    if (!this.#primed) this.#frames.startAfter(before);
    this.#primed = true;
    this.#frames.encode(samples);
    this.deliver(this.#frames);
  }

  deliver(frames: EncodedFrames): void {
    for (let index = 0; index < frames.count; index++)
      this.#sink.deliver(frames.payloads[index]!, frames.bytes[index]!);
  }

  skip(frames: number): void {
    this.#sink.skip(frames);
  }
}
