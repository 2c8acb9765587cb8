import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { Encoder } from '@evan/opus';
import type { MixDecoder, MixEncoder, MixRate } from './mix-format.ts';

/*
 * Opus (RFC 6716) by libopus, in two builds that come in one package. Frames are encoded by the native
 * one, which is faster. Packets, which come from outside, are decoded by the WebAssembly one: it is as
 * fast there, a packet that breaks it cannot end the process, and it alone lets a decoder use the
 * in-band FEC of the following packet (the native binding always passes decode_fec = 0).
 */

/** What is used of the WebAssembly build; pointers are addresses in its memory. */
interface Libopus {
  readonly memory: { readonly buffer: ArrayBuffer };
  malloc(bytes: number): number;
  free(pointer: number): void;
  stackSave(): number;
  stackRestore(pointer: number): void;
  opus_decoder_get_size(channels: number): number;
  /** @returns 0 or a negative error code */
  opus_decoder_init(decoder: number, rate: number, channels: number): number;
  /** @returns samples written or a negative error code */
  opus_decode(
    decoder: number,
    payload: number,
    bytes: number,
    output: number,
    maxSamples: number,
    decodeFec: number,
  ): number;
}

/** As much of the global as is used: Node's own types leave it to those of browsers. */
declare const WebAssembly: {
  instantiate(bytes: Uint8Array, imports: object): Promise<{ instance: { exports: unknown } }>;
};

/** Longer payloads are refused: 120 ms in six of the largest frames (RFC 6716, section 3.4) need 7662. */
const MAX_PAYLOAD_BYTES = 8192;
/** The longest packet (RFC 6716, section 3.4). */
const MAX_PACKET_MS = 120;
/** Of one channel. */
const MAX_PACKET_SAMPLES = 48 * MAX_PACKET_MS;
/** No pointer: tells opus_decode that the packet is lost. */
const LOST = 0;

const library = await load();
const payloadAt = library.malloc(MAX_PAYLOAD_BYTES);
const samplesAt = library.malloc(2 * MAX_PACKET_SAMPLES * Int16Array.BYTES_PER_ELEMENT);
/** Views of the library's memory; a memory that grows gets a new buffer. */
let payloadBytes = new Uint8Array(0);
let decodedSamples = new Int16Array(0);

async function load(): Promise<Libopus> {
  const file = createRequire(import.meta.url).resolve('@evan/opus/wasm/simd.wasm');
  const nothing = () => 0;
  const { instance } = await WebAssembly.instantiate(await readFile(file), {
    // Only its failed assertions would write or exit; they end in a trap.
    wasi_snapshot_preview1: { fd_seek: nothing, fd_write: nothing, fd_close: nothing, proc_exit: nothing },
    env: { emscripten_notify_memory_growth: nothing },
  });
  return instance.exports as Libopus;
}

/** Frees the memory of decoders that nobody holds any more. */
const abandoned = new FinalizationRegistry<number>((pointer) => library.free(pointer));

/** Decodes to mono, or to stereo, at the mix's rate, whatever the packets' bandwidth, channels and duration. */
export class OpusDecoder implements MixDecoder {
  readonly rate: MixRate;
  readonly #channels: 1 | 2;
  readonly #pointer: number;
  /** Samples of the longest packet, in one channel. */
  readonly #longest: number;

  /** @param channels - of the output; 2: interleaved, left first, and mono packets are on both sides */
  constructor(rate: MixRate, channels: 1 | 2 = 1) {
    this.rate = rate;
    this.#channels = channels;
    this.#longest = (rate * MAX_PACKET_MS) / 1000;
    this.#pointer = library.malloc(library.opus_decoder_get_size(channels));
    abandoned.register(this, this.#pointer);
    this.reset();
  }

  decode(payload: Uint8Array, output: Int16Array): number {
    if (payload.length === 0) return 0;
    const room = Math.floor(output.length / this.#channels);
    return this.#decode(payload, Math.min(room, this.#longest), 0, output);
  }

  /** Uses the copy that `next` has of the lost frame if it has one (in-band FEC, RFC 6716, section 2.1.7), else libopus's own concealment. */
  conceal(samples: number, next: Uint8Array | undefined, output: Int16Array): number {
    // libopus makes up for multiples of 2.5 ms only.
    const unit = this.rate / 400;
    const wanted = Math.min(samples, output.length);
    const made = Math.min(Math.ceil(wanted / this.#channels / unit) * unit, this.#longest);
    if (next && next.length > 0) {
      const written = this.#decode(next, made, 1, output);
      if (written > 0) return Math.min(wanted, written);
    }
    return Math.min(wanted, this.#decode(undefined, made, 0, output));
  }

  reset(): void {
    library.opus_decoder_init(this.#pointer, this.rate, this.#channels);
  }

  /** @param maxSamples - of one channel. @returns samples written, of all channels */
  #decode(payload: Uint8Array | undefined, maxSamples: number, fec: 0 | 1, output: Int16Array): number {
    const bytes = payload?.length ?? 0;
    if (bytes > MAX_PAYLOAD_BYTES) return 0;
    if (payloadBytes.buffer !== library.memory.buffer) viewMemory();
    if (payload) payloadBytes.set(payload);
    const stack = library.stackSave();
    let written: number;
    try {
      written = library.opus_decode(
        this.#pointer,
        payload ? payloadAt : LOST,
        bytes,
        samplesAt,
        maxSamples,
        fec,
      );
    } catch {
      library.stackRestore(stack);
      this.reset();
      return 0;
    }
    const count = Math.min(written * this.#channels, output.length);
    for (let index = 0; index < count; index++) output[index] = decodedSamples[index]!;
    return Math.max(0, count);
  }
}

function viewMemory(): void {
  payloadBytes = new Uint8Array(library.memory.buffer, payloadAt, MAX_PAYLOAD_BYTES);
  decodedSamples = new Int16Array(library.memory.buffer, samplesAt, 2 * MAX_PACKET_SAMPLES);
}

const LEAST_BPS = 6_000;
/** Enough for clear mono speech of the rate's bandwidth. */
const BITRATES_BPS: Record<MixRate, number> = { 8000: 24_000, 16000: 32_000, 48000: 48_000 };

/** Encodes mono speech, with in-band FEC. Takes 10 or 20 ms at a time. */
export class OpusEncoder implements MixEncoder {
  readonly rate: MixRate;
  readonly hasMemory = true;
  readonly timestampStep = 960;
  readonly #encoder: Encoder;

  /** @param maxBitrateBps - that its listener takes; below 6000 there is no Opus (RFC 7587, section 6.1) */
  constructor(rate: MixRate, maxBitrateBps = Number.POSITIVE_INFINITY) {
    this.rate = rate;
    this.#encoder = new Encoder({ channels: 1, sample_rate: rate, application: 'voip' });
    this.#encoder.bitrate = Math.max(LEAST_BPS, Math.min(BITRATES_BPS[rate], maxBitrateBps));
    // libopus's default of 9 takes a quarter to three quarters more time for little that is heard in speech.
    this.#encoder.complexity = 5;
    // FEC is only sent when loss is expected.
    this.#encoder.inband_fec = true;
    this.#encoder.packet_loss = 10;
  }

  encode(samples: Int16Array, target: Uint8Array, offset: number): number {
    const payload = this.#encoder.encode(samples);
    target.set(payload, offset);
    return payload.length;
  }

  reset(): void {
    this.#encoder.reset();
  }
}

/** Samples of one channel in a packet of OpusStereoEncoder: 20 ms. */
export const OPUS_STEREO_SAMPLES = 960;

/** Encodes stereo sound of any kind at 48 kHz: music, games, voices. Throws when it is given anything but 20 ms. */
export class OpusStereoEncoder {
  readonly #encoder: Encoder;

  constructor(bitrateBps = 96_000) {
    this.#encoder = new Encoder({ channels: 2, sample_rate: 48_000, application: 'audio' });
    this.#encoder.bitrate = bitrateBps;
    // 0.39 ms a packet; 5 takes 0.30 and lacks the analysis that tells music from speech.
    this.#encoder.complexity = 9;
    // Only SILK has FEC. With 10 % loss expected, as for voices, libopus would use it for music too;
    // with 5 it does for speech and noise.
    this.#encoder.inband_fec = true;
    this.#encoder.packet_loss = 5;
  }

  /**
   * @param samples - interleaved, 2 * OPUS_STEREO_SAMPLES
   * @returns bytes written to `target` from `offset` on
   */
  encode(samples: Int16Array, target: Uint8Array, offset: number): number {
    // libopus would take 10 ms or 40 as well.
    if (samples.length !== 2 * OPUS_STEREO_SAMPLES) {
      throw new RangeError(
        `A packet holds ${OPUS_STEREO_SAMPLES} stereo samples, not ${samples.length / 2}.`,
      );
    }
    const payload = this.#encoder.encode(samples);
    target.set(payload, offset);
    return payload.length;
  }

  reset(): void {
    this.#encoder.reset();
  }
}
