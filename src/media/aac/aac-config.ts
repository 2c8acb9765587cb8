import { BitReader } from '../h264/bit-reader.ts';

/** What an AAC stream begins with: AudioSpecificConfig (ISO/IEC 14496-3, section 1.6.2.1). */
export interface AacConfig {
  /** audioObjectType of the core, without what SBR and PS add to it: 2 for AAC-LC and both kinds of HE-AAC. */
  objectType: number;
  name: AacName;
  /** Samples a second of what a decoder gives, so with SBR; 7350 to 192000. */
  rate: number;
  /** Of what a decoder gives, so with PS; 1 to 64. */
  channels: number;
  /** That one packet gives, at `rate`: 1024 or 960, twice as many with SBR; 512 or 480 with AAC-LD. */
  samplesPerFrame: number;
}

export type AacName =
  | 'AAC Main'
  | 'AAC-LC'
  | 'AAC-SSR'
  | 'AAC-LTP'
  | 'ER AAC-LC'
  | 'AAC-LD'
  | 'HE-AAC'
  | 'HE-AACv2';

/** Object types that are understood (table 1.17); what others need to be decoded is laid out differently. */
const NAMES = new Map<number, AacName>([
  [1, 'AAC Main'],
  [2, 'AAC-LC'],
  [3, 'AAC-SSR'],
  [4, 'AAC-LTP'],
  [17, 'ER AAC-LC'],
  [23, 'AAC-LD'],
]);
const ESCAPE = 31;
const SBR = 5;
const PS = 29;
const LOW_DELAY = 23;
/** Those with tools against errors: their configuration goes on a bit. */
const ERROR_RESILIENT = new Set([17, LOW_DELAY]);
/** By samplingFrequencyIndex (table 1.18). */
const RATES = [
  96_000, 88_200, 64_000, 48_000, 44_100, 32_000, 24_000, 22_050, 16_000, 12_000, 11_025, 8_000, 7_350,
] as const;
const EXPLICIT_RATE = 15;
const MIN_RATE = 7_350;
const MAX_RATE = 192_000;
/** By channelConfiguration (table 1.19). 0 says that a program config element follows. */
const CHANNELS = [0, 1, 2, 3, 4, 5, 6, 8, 0, 0, 0, 7, 8, 24, 8] as const;
const SYNC_SBR = 0x2b7;
const SYNC_PS = 0x548;

/**
 * SBR that is not announced (implicit signalling) can't be seen here.
 *
 * @returns undefined when it is cut off, has values that the standard rules out, or is of an object type that is no plain AAC
 */
export function parseAacConfig(config: Buffer): AacConfig | undefined {
  const reader = new BitReader(config);
  let objectType = readObjectType(reader);
  const coreRate = readRate(reader);
  const configuration = reader.bits(4);
  let rate = coreRate;
  let sbr = objectType === SBR || objectType === PS;
  let ps = objectType === PS;
  // Announced in front (hierarchical signalling): the core's own type comes behind.
  const inFront = sbr;
  if (inFront) {
    rate = readRate(reader);
    objectType = readObjectType(reader);
  }
  const name = NAMES.get(objectType);
  let channels: number | undefined = configuration === 0 ? undefined : (CHANNELS[configuration] ?? 0);
  if (!name || channels === 0 || reader.overrun) return undefined;
  const short = reader.bit() === 1; // frameLengthFlag
  if (reader.bit()) reader.skip(14); // coreCoderDelay
  const extended = reader.bit() === 1;
  channels ??= readProgramChannels(reader);
  if (ERROR_RESILIENT.has(objectType)) {
    if (extended) reader.skip(4);
    // With an error protection of its own, its configuration follows, and we don't go there.
    if (reader.bits(2) > 1) return undefined;
  } else if (extended) reader.skip(1);
  if (reader.overrun) return undefined;
  // Announced behind, where decoders without SBR don't look (backward compatible signalling).
  if (!inFront && reader.left >= 16 && reader.bits(11) === SYNC_SBR && readObjectType(reader) === SBR) {
    sbr = reader.bit() === 1;
    if (sbr) rate = readRate(reader);
    ps = sbr && reader.left >= 12 && reader.bits(11) === SYNC_PS && reader.bit() === 1;
  }
  if (reader.overrun || coreRate === undefined || rate === undefined) return undefined;
  // SBR doubles the rate, or leaves it (downsampled SBR).
  if (channels === 0 || (rate !== coreRate && rate !== 2 * coreRate)) return undefined;
  return {
    objectType,
    name: ps ? 'HE-AACv2' : sbr ? 'HE-AAC' : name,
    rate,
    channels: ps && channels === 1 ? 2 : channels,
    samplesPerFrame: (coreSamples(objectType, short) * rate) / coreRate,
  };
}

function coreSamples(objectType: number, short: boolean): number {
  if (objectType === LOW_DELAY) return short ? 480 : 512;
  return short ? 960 : 1024;
}

function readObjectType(reader: BitReader): number {
  const type = reader.bits(5);
  return type === ESCAPE ? 32 + reader.bits(6) : type;
}

function readRate(reader: BitReader): number | undefined {
  const index = reader.bits(4);
  if (index !== EXPLICIT_RATE) return RATES[index];
  const rate = reader.bits(24);
  return rate >= MIN_RATE && rate <= MAX_RATE ? rate : undefined;
}

/** Of a program config element (section 4.4.1.1). @returns 0 when there are none */
function readProgramChannels(reader: BitReader): number {
  reader.skip(10); // element_instance_tag, object_type, sampling_frequency_index
  const audible = reader.bits(4) + reader.bits(4) + reader.bits(4); // in front, at the sides, at the back
  const bass = reader.bits(2);
  const data = reader.bits(3);
  const coupling = reader.bits(4);
  if (reader.bit()) reader.skip(4); // mono_mixdown_element_number
  if (reader.bit()) reader.skip(4); // stereo_mixdown_element_number
  if (reader.bit()) reader.skip(3); // matrix_mixdown_idx, pseudo_surround_enable
  let channels = bass;
  for (let element = 0; element < audible; element++) {
    channels += 1 + reader.bit(); // is it a pair?
    reader.skip(4);
  }
  reader.skip(4 * bass + 4 * data + 5 * coupling);
  reader.skip(-reader.position & 7); // byte_alignment
  reader.skip(8 * reader.bits(8)); // comment
  return channels;
}

/** By the two bits of the version: MPEG-2.5, none, MPEG-2, MPEG-1. */
const MP3_RATES = [[11_025, 12_000, 8_000], [], [22_050, 24_000, 16_000], [44_100, 48_000, 32_000]] as const;
const MPEG_1 = 3;
const LAYER_3 = 1;
const MONO = 3;

/**
 * Reads the header of an MP3 frame (ISO/IEC 11172-3, section 2.4.1.3; 13818-3; MPEG-2.5).
 *
 * @param frame - starts with its sync word
 * @returns undefined when it does not, or is of another layer
 */
export function parseMp3Header(
  frame: Buffer,
): { rate: number; channels: 1 | 2; samplesPerFrame: 576 | 1152 } | undefined {
  if (frame.length < 4 || frame[0] !== 0xff || frame[1]! >> 5 !== 7) return undefined;
  const version = (frame[1]! >> 3) & 3;
  const rate = MP3_RATES[version as 0 | 1 | 2 | 3][(frame[2]! >> 2) & 3];
  if (rate === undefined || ((frame[1]! >> 1) & 3) !== LAYER_3 || frame[2]! >> 4 === 15) return undefined;
  return {
    rate,
    channels: frame[3]! >> 6 === MONO ? 1 : 2,
    samplesPerFrame: version === MPEG_1 ? 1152 : 576,
  };
}
