import { A_LAW_TO_LINEAR, encodeALaw, encodeMuLaw, MU_LAW_TO_LINEAR } from '../../../src/media/g711.ts';
import { createEncoder } from '../../../transcode/audio/audio-codec.ts';
import type { Contributor } from '../../../transcode/audio/contributor.ts';
import type { AudioCodecName, MixRate } from '../../../transcode/audio/mix-format.ts';
import type { MixSink } from '../../../transcode/audio/mix-listener.ts';
import { Tone } from '../../signals/tone.ts';

export type Law = 'PCMU' | 'PCMA';

const ENCODE = { PCMU: encodeMuLaw, PCMA: encodeALaw };
const DECODE = { PCMU: MU_LAW_TO_LINEAR, PCMA: A_LAW_TO_LINEAR };

/** A G.711 payload in which all samples are the same; one that is louder than 1036 counts as speech. */
export function flat(value: number, ms = 20, law: Law = 'PCMU'): Buffer {
  return Buffer.alloc(8 * ms, ENCODE[law](value));
}

/** What a sample is after it was written in G.711 and read again. */
export function throughLaw(value: number, law: Law = 'PCMU'): number {
  return DECODE[law][ENCODE[law](value)]!;
}

export function samplesOf(payload: Uint8Array, law: Law = 'PCMU'): number[] {
  return Array.from(payload, (code) => DECODE[law][code]!);
}

/** A tone in frames of 20 ms, encoded. */
export function tonePayloads(
  codec: AudioCodecName,
  rate: MixRate,
  hz: number,
  frames: number,
  levelDb = -12,
): Buffer[] {
  const encoder = createEncoder(codec, rate);
  const tone = new Tone(rate, hz, levelDb);
  const samples = new Int16Array(rate / 50);
  const target = Buffer.alloc(1500);
  return Array.from({ length: frames }, () => {
    tone.fill(samples);
    return Buffer.from(target.subarray(0, encoder.encode(samples, target, 0)));
  });
}

/** Sends one contributor's packets with the numbers that they would have. */
export class Mouth {
  readonly contributor: Contributor;
  sequenceNumber: number;

  constructor(contributor: Contributor, sequenceNumber = 65_530) {
    this.contributor = contributor;
    this.sequenceNumber = sequenceNumber;
  }

  say(payload: Buffer, levelDb?: number): void {
    this.contributor.receive(this.sequenceNumber, payload, levelDb);
    this.lose();
  }

  /** A packet that never arrives. */
  lose(): void {
    this.sequenceNumber = (this.sequenceNumber + 1) & 0xffff;
  }
}

/** Remembers what a mix delivers. */
export class Ear implements MixSink {
  frames: Uint8Array[] = [];
  /** The memory that each frame came in: the same one for all who share an encode. */
  memory: Uint8Array[] = [];
  skipped: number[] = [];

  deliver(payload: Uint8Array, bytes: number): void {
    this.frames.push(payload.slice(0, bytes));
    this.memory.push(payload);
  }

  skip(frames: number): void {
    this.skipped.push(frames);
  }

  /** The last frame. */
  get heard(): Uint8Array {
    return this.frames.at(-1)!;
  }
}
