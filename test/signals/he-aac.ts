import { runFfmpeg } from '../peers/flv-clip.ts';

/*
 * No encoder in Debian makes HE-AAC. But AAC-LC at half of the rate with a configuration that says HE-AAC is a valid
 * stream of it (ISO/IEC 14496-3, section 4.6.18): one whose upper band is empty, and whose second channel is like the first.
 */

/** Object types of ISO/IEC 14496-3, table 1.17. */
const OBJECT_TYPES = { 'HE-AAC': 5, 'HE-AACv2': 29 } as const;
const AAC_LC = 2;
const FREQUENCY_INDEX = { 48000: 3, 44100: 4, 24000: 6, 22050: 7 } as const;
const ADTS_HEADER_BYTES = 7;
/** AAC, and the frame or its configuration (FLV, section E.4.2). */
const FRAME = Buffer.of(0xaf, 1);

export interface HeAac {
  /** AudioSpecificConfig */
  readonly config: Buffer;
  /** Bodies of audio messages, 2048 samples each. */
  readonly bodies: readonly Buffer[];
}

/** @param rate - samples a second of what comes out. @returns a sine at half of full scale, in both channels */
export async function makeHeAac(
  name: keyof typeof OBJECT_TYPES,
  rate: 44100 | 48000,
  toneHz: number,
  seconds: number,
): Promise<HeAac> {
  const core = (rate / 2) as 22050 | 24000;
  const channels = name === 'HE-AAC' ? 2 : 1;
  const spread = channels === 1 ? 'mono|c0=c0' : 'stereo|c0=c0|c1=c0';
  const sine = `sine=frequency=${toneHz}:sample_rate=${core},volume=4,pan=${spread}`;
  const input = ['-v', 'error', '-f', 'lavfi', '-i', sine, '-t', String(seconds)];
  const adts = await runFfmpeg([...input, '-c:a', 'aac', '-b:a', '48k', '-f', 'adts', '-']);
  const bodies: Buffer[] = [];
  for (let at = 0; at < adts.length; ) {
    const bytes = (adts.readUIntBE(at + 3, 3) >> 5) & 0x1fff;
    bodies.push(Buffer.concat([FRAME, adts.subarray(at + ADTS_HEADER_BYTES, at + bytes)]));
    at += bytes;
  }
  const fields = [
    [OBJECT_TYPES[name], 5],
    [FREQUENCY_INDEX[core], 4],
    [channels, 4],
    [FREQUENCY_INDEX[rate], 4],
    [AAC_LC, 5],
    [0, 10], // no extras, and up to the next byte
  ] as const;
  const bits = fields.map(([value, length]) => value.toString(2).padStart(length, '0')).join('');
  return { config: Buffer.from(bits.match(/.{8}/g)!.map((byte) => Number.parseInt(byte, 2))), bodies };
}
