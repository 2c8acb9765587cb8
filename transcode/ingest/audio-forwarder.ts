import type { AudioUnit } from '../../src/media/access-unit.ts';
import { A_LAW_TO_LINEAR, MU_LAW_TO_LINEAR } from '../../src/media/g711.ts';
import { opusHasVoice, opusSamples } from '../../src/media/opus-packet.ts';
import { type AudioSender, MAX_PAYLOAD_BYTES } from './audio-sender.ts';
import { levelOf } from './sample-level.ts';

/** 20 ms of G.711. */
const G711_FRAME_BYTES = 160;
const G711_BYTES_PER_MS = 8;
/** Further apart than this, what was kept of a frame does not belong to what comes. */
const GAP_MS = 20;
/** What an Opus packet is taken to be without being decoded. */
const VOICE_DB = -20;
const SILENCE_DB = -127;

/** Sends audio to the hub in the codec that it came in: G.711, cut into packets of 20 ms, and Opus as it is. */
export class AudioForwarder {
  #sender: AudioSender;
  #frame = Buffer.alloc(G711_FRAME_BYTES);
  #samples = new Int16Array(G711_FRAME_BYTES);
  #filled = 0;
  /** Source time of the first byte in it. */
  #frameMs = 0;

  constructor(sender: AudioSender) {
    this.#sender = sender;
  }

  push({ format, data, ptsUs }: AudioUnit): void {
    if (format.codec === 'opus') this.#forwardOpus(data, ptsUs / 1000);
    else this.#cut(data, ptsUs / 1000, format.codec === 'PCMA' ? A_LAW_TO_LINEAR : MU_LAW_TO_LINEAR);
  }

  #forwardOpus(data: Buffer, sourceMs: number): void {
    if (data.length > MAX_PAYLOAD_BYTES) {
      this.#sender.dropped++;
      return;
    }
    const level = opusHasVoice(data) ? VOICE_DB : SILENCE_DB;
    this.#sender.send(sourceMs, opusSamples(data), level, (packet, at) => data.copy(packet, at));
  }

  #cut(data: Buffer, sourceMs: number, law: Int16Array): void {
    for (let at = 0; at < data.length; ) {
      const here = sourceMs + at / G711_BYTES_PER_MS;
      const expected = this.#frameMs + this.#filled / G711_BYTES_PER_MS;
      if (this.#filled > 0 && Math.abs(here - expected) > GAP_MS) this.#filled = 0;
      if (this.#filled === 0) this.#frameMs = here;
      const count = data.copy(this.#frame, this.#filled, at);
      this.#filled += count;
      at += count;
      if (this.#filled < G711_FRAME_BYTES) return;
      this.#filled = 0;
      for (let index = 0; index < G711_FRAME_BYTES; index++) this.#samples[index] = law[this.#frame[index]!]!;
      this.#sender.send(this.#frameMs, G711_FRAME_BYTES, levelOf(this.#samples), this.#write);
    }
  }

  #write = (packet: Buffer, at: number): number => this.#frame.copy(packet, at);
}
