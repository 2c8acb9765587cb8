import type { MixEncoder, MixRate } from './mix-format.ts';

/** Of 20 ms of stereo at 48 kHz, the largest mix. */
export const MAX_L16_BYTES = 3840;

/** Uncompressed samples (RFC 3551, section 4.5.11): 16 bits, big-endian, those of both channels in turn, left first. */
export class L16Encoder implements MixEncoder {
  readonly rate: MixRate;
  readonly hasMemory = false;
  readonly timestampStep: number;

  constructor(rate: MixRate) {
    this.rate = rate;
    this.timestampStep = rate / 50; // 20 ms; both channels of a sample have the same time
  }

  encode(samples: Int16Array, target: Uint8Array, offset: number): number {
    let at = offset;
    for (let index = 0; index < samples.length; index++) {
      const sample = samples[index]!;
      target[at++] = sample >> 8;
      target[at++] = sample;
    }
    return at - offset;
  }

  /** Nothing to forget. */
  reset(): void {}
}
