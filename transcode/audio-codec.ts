import { G711Decoder, G711Encoder } from './g711-codec.ts';
import { OpusDecoder, OpusEncoder } from './opus-codec.ts';

/** Rates that mixes are made at, Hz. */
export type MixRate = 8000 | 16000 | 48000;

/** The mixer's tick: every frame is so long. */
export const FRAME_MS = 20;

/** 20 ms of samples at that rate. */
export function samplesPerFrame(rate: number): number {
  return (rate * FRAME_MS) / 1000;
}

/** Largest packet: 120 ms at 48 kHz. */
export const MAX_PACKET_SAMPLES = 5760;

/** Turns one contributor's packets into samples; keeps the codec's memory. */
export interface AudioDecoder {
  /** Of its output. */
  readonly rate: MixRate;
  /**
   * Decodes one packet's payload into `output` from its start.
   * @param output - room for 120 ms at `rate`
   * @returns samples written (any packet length up to 120 ms); 0 for a payload that is none (never throws)
   */
  decode(payload: Uint8Array, output: Int16Array): number;
  /**
   * Makes up for a lost packet.
   * @param samples - how many to make, 120 ms at the most
   * @param next - the payload of the packet after it, when it has come already (in-band FEC)
   * @returns samples written
   */
  conceal(samples: number, next: Uint8Array | undefined, output: Int16Array): number;
  /** Forgets what came before: another stream begins. */
  reset(): void;
}

/** Turns 20 ms of samples into one payload. */
export interface AudioEncoder {
  readonly rate: MixRate;
  /** Whether its output depends on what it encoded before (Opus), or on the frame alone (G.711). */
  readonly hasMemory: boolean;
  /** How far the RTP timestamp advances for each frame (160 for G.711; 960 for Opus, whose RTP clock is always 48000: RFC 7587, section 4.1). */
  readonly timestampStep: number;
  /**
   * @param samples - 20 ms at `rate`
   * @param target - the payload is written at `offset`
   * @returns payload bytes
   */
  encode(samples: Int16Array, target: Uint8Array, offset: number): number;
  /** Forgets what came before: another stream begins. */
  reset(): void;
}

export type AudioCodecName = 'PCMU' | 'PCMA' | 'opus';

/** The rate a codec is best decoded at for a mix of `rate`: G.711 always 8000, Opus the mix's own. */
export function decodingRate(codec: AudioCodecName, rate: MixRate): MixRate {
  return codec === 'opus' ? rate : 8000;
}

/** @param rate - as `decodingRate` says */
export function createDecoder(codec: AudioCodecName, rate: MixRate): AudioDecoder {
  return codec === 'opus' ? new OpusDecoder(rate) : new G711Decoder(codec);
}

/** @param rate - of the samples; 8000 for G.711 */
export function createEncoder(codec: AudioCodecName, rate: MixRate): AudioEncoder {
  return codec === 'opus' ? new OpusEncoder(rate) : new G711Encoder(codec);
}
