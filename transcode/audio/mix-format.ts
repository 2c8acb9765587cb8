/** Rates that mixes are made at, Hz. */
export type MixRate = 8000 | 16000 | 48000;

/** What a mix is made in: mono of a rate, which is its name; or stereo of 48 kHz, interleaved, the left channel first. */
export type MixFormat = MixRate | 'stereo';

export function rateOf(format: MixFormat): MixRate {
  return format === 'stereo' ? 48_000 : format;
}

export function channelsOf(format: MixFormat): 1 | 2 {
  return format === 'stereo' ? 2 : 1;
}

/** @returns the format of that rate and number of channels. Throws a RangeError for stereo of another rate than 48 kHz */
export function mixFormat(rate: MixRate, channels: 1 | 2): MixFormat {
  if (channels === 1) return rate;
  if (rate !== 48_000) throw new RangeError(`Stereo mixes are made at 48000 Hz, not at ${rate}.`);
  return 'stereo';
}

/** The mixer's tick: every frame is so long. */
export const FRAME_MS = 20;

/** Samples in 20 ms of that format; here and wherever samples are counted, those of both channels count. */
export function samplesPerFrame(format: MixFormat): number {
  return (rateOf(format) * channelsOf(format) * FRAME_MS) / 1000;
}

/** Largest packet: 120 ms at 48 kHz, of one channel. */
export const MAX_PACKET_SAMPLES = 5760;

/** Turns one contributor's packets into samples; keeps the codec's memory. */
export interface MixDecoder {
  /** Of its output. */
  readonly rate: MixRate;
  /**
   * Decodes one packet's payload into `output` from its start.
   * @param output - room for 120 ms of its format
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
export interface MixEncoder {
  readonly rate: MixRate;
  /** Whether its output depends on what it encoded before (Opus), or on the frame alone (G.711). */
  readonly hasMemory: boolean;
  /** How far the RTP timestamp advances for each frame (160 for G.711; 960 for Opus, whose RTP clock is always 48000: RFC 7587, section 4.1). */
  readonly timestampStep: number;
  /**
   * @param samples - 20 ms of its format
   * @param target - the payload is written at `offset`
   * @returns payload bytes
   */
  encode(samples: Int16Array, target: Uint8Array, offset: number): number;
  /** Forgets what came before: another stream begins. */
  reset(): void;
}

/** What comes in, and what goes out to phones and browsers. */
export type AudioCodecName = 'PCMU' | 'PCMA' | 'opus';

/** What mixes are delivered in. L16 is for whoever encodes them himself. */
export type MixCodecName = AudioCodecName | 'L16';
