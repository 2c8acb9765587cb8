import { OpusStereoEncoder } from '../audio/opus-codec.ts';
import type { AudioSender } from './audio-sender.ts';
import { levelOf } from './sample-level.ts';

const FRAME_MS = 20;
const CHANNELS = 2;
export const OPUS_TICKS_PER_MS = 48;
const FRAME_TICKS = FRAME_MS * OPUS_TICKS_PER_MS;

/** Cuts decoded audio into frames of 20 ms, encodes them as Opus, and sends them on. */
export class OpusFramer {
  #sender: AudioSender;
  #encoder: OpusStereoEncoder;
  #samples = new Int16Array(FRAME_TICKS * CHANNELS);
  #filled = 0;
  /** Source time of the first sample in it. */
  #frameMs = 0;
  #write = (packet: Buffer, at: number): number => this.#encoder.encode(this.#samples, packet, at);

  constructor(sender: AudioSender, bitrateBps: number) {
    this.#sender = sender;
    this.#encoder = new OpusStereoEncoder(bitrateBps);
  }

  /** @param samples - left and right in turn, 48 kHz @param sourceMs - of the first one */
  push(samples: Int16Array, sourceMs: number): void {
    let at = 0;
    while (at < samples.length) {
      const here = sourceMs + at / CHANNELS / OPUS_TICKS_PER_MS;
      const expected = this.#frameMs + this.#filled / CHANNELS / OPUS_TICKS_PER_MS;
      if (this.#filled > 0 && Math.abs(here - expected) > FRAME_MS) this.#filled = 0; // what belonged to it did not come
      if (this.#filled === 0) this.#frameMs = here;
      const count = Math.min(samples.length - at, this.#samples.length - this.#filled);
      this.#samples.set(samples.subarray(at, at + count), this.#filled);
      this.#filled += count;
      at += count;
      if (this.#filled < this.#samples.length) return;
      this.#filled = 0;
      this.#sender.send(this.#frameMs, FRAME_TICKS, levelOf(this.#samples), this.#write);
    }
  }
}
