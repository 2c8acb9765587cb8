import type { LengthBytes } from './nal-units.ts';
import { NAL } from './nal-units.ts';
import { parseSps } from './sps.ts';

/** What an H.264 stream begins with: AVCDecoderConfigurationRecord (ISO/IEC 14496-15, section 5.3.3.1). */
export interface AvcConfig {
  /** profile_idc, the constraint flags and level_idc, as the record says; each 8 bits. */
  profile: number;
  compatibility: number;
  level: number;
  /** Of the length in front of each NAL unit. */
  lengthBytes: LengthBytes;
  /** Whole NAL units with their header bytes: 1 to 31 of them, */
  sps: readonly Buffer[];
  /** and 1 to 255. */
  pps: readonly Buffer[];
}

/** Real ones have 30 to 300 bytes; parameter sets are sent before every key frame. */
const MAX_RECORD_BYTES = 16_384;
const MAX_SPS = 31;
const MAX_PPS = 255;
/** Those whose record also tells the format of samples. */
const HIGH_PROFILES = new Set([100, 110, 122, 144, 244]);

/**
 * @returns copies, so that nothing holds on to `record`; undefined when it is cut off, larger than 16 KiB, or without one
 *   parameter set of each kind. NAL units of other types in it are left out
 */
export function parseAvcConfig(record: Buffer): AvcConfig | undefined {
  if (record.length < 7 || record.length > MAX_RECORD_BYTES || record[0] !== 1) return undefined;
  const sps: Buffer[] = [];
  const pps: Buffer[] = [];
  const behind = readUnits(record, 6, record[5]! & 0x1f, NAL.SPS, sps);
  if (behind === undefined || behind >= record.length) return undefined;
  if (readUnits(record, behind + 1, record[behind]!, NAL.PPS, pps) === undefined) return undefined;
  if (sps.length === 0 || pps.length === 0) return undefined;
  return {
    profile: record[1]!,
    compatibility: record[2]!,
    level: record[3]!,
    lengthBytes: ((record[4]! & 3) + 1) as LengthBytes,
    sps,
    pps,
  };
}

/** @returns where the bytes behind them begin; undefined when they lead past the end */
function readUnits(
  record: Buffer,
  from: number,
  count: number,
  type: number,
  found: Buffer[],
): number | undefined {
  let at = from;
  for (let unit = 0; unit < count; unit++) {
    if (at + 2 > record.length) return undefined;
    const end = at + 2 + record.readUInt16BE(at);
    if (end > record.length) return undefined;
    // The highest bit of a NAL unit's header is to be 0.
    if (end > at + 2 && (record[at + 2]! & 0x9f) === type)
      found.push(Buffer.from(record.subarray(at + 2, end)));
    at = end;
  }
  return at;
}

/** @throws RangeError for what no record can hold: no or too many parameter sets, or one of more than 65535 bytes */
export function serializeAvcConfig(config: AvcConfig): Buffer {
  const { sps, pps } = config;
  if (sps.length < 1 || sps.length > MAX_SPS || pps.length < 1 || pps.length > MAX_PPS) {
    throw new RangeError(
      `An AVC configuration holds 1 to ${MAX_SPS} SPS and 1 to ${MAX_PPS} PPS, not ${sps.length} and ${pps.length}.`,
    );
  }
  return Buffer.concat([
    Buffer.of(1, config.profile, config.compatibility, config.level, 0xfc | (config.lengthBytes - 1)),
    Buffer.of(0xe0 | sps.length),
    ...sps.flatMap(withLength),
    Buffer.of(pps.length),
    ...pps.flatMap(withLength),
    sampleFormat(config),
  ]);
}

function withLength(unit: Buffer): Buffer[] {
  if (unit.length > 0xffff)
    throw new RangeError(`A parameter set of ${unit.length} bytes fits into no AVC configuration.`);
  return [Buffer.of(unit.length >> 8, unit.length & 0xff), unit];
}

/** What the high profiles add: chroma format, bit depths, and that there are no extensions of parameter sets. */
function sampleFormat({ profile, sps }: AvcConfig): Buffer {
  const parsed = HIGH_PROFILES.has(profile) ? parseSps(sps[0]!) : undefined;
  // Many writers leave it out, and readers cope; so it is better left out than guessed.
  if (!parsed) return Buffer.alloc(0);
  const depth = 0xf8 | (parsed.bitDepth - 8);
  return Buffer.of(0xfc | parsed.chromaFormat, depth, depth, 0);
}
