import {
  A_LAW_TO_LINEAR,
  LINEAR_TO_A_LAW,
  LINEAR_TO_MU_LAW,
  MU_LAW_TO_LINEAR,
} from '../../src/media/g711.ts';
import { Concealment } from './concealment.ts';
import type { MixDecoder, MixEncoder } from './mix-format.ts';

/** The two laws of G.711, by their names in RTP (RFC 3551, section 4.5.14). */
export type G711Law = 'PCMU' | 'PCMA';

/** Longest packet: 120 ms. */
const MAX_PAYLOAD_BYTES = 960;

export class G711Decoder implements MixDecoder {
  readonly rate = 8000;
  readonly #table: Int16Array;
  readonly #concealment = new Concealment();

  constructor(law: G711Law) {
    this.#table = law === 'PCMU' ? MU_LAW_TO_LINEAR : A_LAW_TO_LINEAR;
  }

  decode(payload: Uint8Array, output: Int16Array): number {
    const count = payload.length;
    if (count > MAX_PAYLOAD_BYTES || count > output.length) return 0;
    const table = this.#table;
    for (let index = 0; index < count; index++) output[index] = table[payload[index]!]!;
    this.#concealment.received(output, count);
    return count;
  }

  /** G.711 has no FEC: `next` is not used. */
  conceal(samples: number, _next: Uint8Array | undefined, output: Int16Array): number {
    const count = Math.min(samples, output.length);
    this.#concealment.conceal(output, count);
    return count;
  }

  reset(): void {
    this.#concealment.reset();
  }
}

export class G711Encoder implements MixEncoder {
  readonly rate = 8000;
  readonly hasMemory = false;
  readonly timestampStep = 160;
  readonly #table: Uint8Array;

  constructor(law: G711Law) {
    this.#table = law === 'PCMU' ? LINEAR_TO_MU_LAW : LINEAR_TO_A_LAW;
  }

  encode(samples: Int16Array, target: Uint8Array, offset: number): number {
    const table = this.#table;
    for (let index = 0; index < samples.length; index++) {
      target[offset + index] = table[(samples[index]! >> 2) & 0x3fff]!;
    }
    return samples.length;
  }

  /** Nothing to forget. */
  reset(): void {}
}
