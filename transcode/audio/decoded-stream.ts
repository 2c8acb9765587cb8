import { createDecoder } from './audio-codec.ts';
import {
  type AudioCodecName,
  MAX_PACKET_SAMPLES,
  type MixDecoder,
  type MixFormat,
  samplesPerFrame,
} from './mix-format.ts';

/** Of the longest packet. */
const MAX_PACKET_FRAMES = MAX_PACKET_SAMPLES / samplesPerFrame(48_000);

/**
 * A decoder and what it decoded: packets of any length go in, a frame of 20 ms comes out at each tick.
 * With packets of 20 ms nothing is ever moved.
 */
export class DecodedStream {
  readonly format: MixFormat;
  /** This tick's frame: a view that stays the same. */
  readonly frame: Int16Array;
  #decoder: MixDecoder;
  /** What was decoded, from this tick's frame on. */
  #samples: Int16Array;
  #end = 0;
  /** Samples of 8 kHz to ours, those of both channels. */
  #scale: number;

  /** @param format - that the codec is decoded to */
  constructor(codec: AudioCodecName, format: MixFormat) {
    const samples = samplesPerFrame(format);
    this.format = format;
    this.#decoder = createDecoder(codec, format);
    this.#scale = samples / samplesPerFrame(8000);
    // What is left of one packet, and a whole one.
    this.#samples = new Int16Array(samples * (1 + MAX_PACKET_FRAMES));
    this.frame = this.#samples.subarray(0, samples);
  }

  /** The frame of the last tick is used up. */
  advance(): void {
    const used = Math.min(this.frame.length, this.#end);
    this.#samples.copyWithin(0, used, this.#end);
    this.#end -= used;
  }

  /** @returns how much it was, in samples of 8 kHz; 0 when it cannot be decoded */
  decode(payload: Uint8Array): number {
    const samples = this.#decoder.decode(payload, this.#tail);
    this.#end += samples;
    return samples / this.#scale;
  }

  /** @param units - how much to make, in samples of 8 kHz */
  conceal(units: number, next: Uint8Array | undefined): void {
    const samples = units * this.#scale;
    this.#decoder.conceal(samples, next, this.#tail);
    this.#end += samples;
  }

  /** Lets a decoder with memory hear what came just before, and forgets the sound. */
  prime(payload: Uint8Array): void {
    this.#decoder.reset();
    this.#decoder.decode(payload, this.#samples);
  }

  /** Begins with silence. @param units - how much, in samples of 8 kHz */
  pad(units: number): void {
    this.#end = units * this.#scale;
    this.#samples.fill(0, 0, this.#end);
  }

  clear(): void {
    this.#end = 0;
  }

  get #tail(): Int16Array {
    return this.#end === 0 ? this.#samples : this.#samples.subarray(this.#end);
  }
}
