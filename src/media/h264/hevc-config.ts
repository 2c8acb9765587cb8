import { annexBUnitsOf, type LengthBytes, nalUnitsOf } from './nal-units.ts';

/** What an H.265 stream begins with: HEVCDecoderConfigurationRecord (ISO/IEC 14496-15, section 8.3.3.1). */
export interface HevcConfig {
  /** Of the length in front of each NAL unit. */
  lengthBytes: LengthBytes;
  /** Whole NAL units (VPS, SPS, PPS) in the order of the record, with their header bytes. */
  parameterSets: readonly Buffer[];
  /** general_profile_idc: 1 Main, 2 Main 10, 4 with extensions; 5 bits. */
  profile: number;
  /** Bits of a sample, 8 to 15; the larger one where luma and chroma differ. */
  bitDepth: number;
}

const HEADER_BYTES = 23;
/** x265 adds a message of 2 KB with its settings. */
const MAX_RECORD_BYTES = 16_384;
/** Types of NAL units (ITU-T H.265, table 7-1). */
const VPS = 32;
const SPS = 33;
const PPS = 34;

/**
 * @returns copies, so that nothing holds on to `record`; undefined when it is cut off, larger than 16 KiB, or without one
 *   parameter set of each of the three kinds. Other NAL units in it are left out
 */
export function parseHevcConfig(record: Buffer): HevcConfig | undefined {
  if (record.length < HEADER_BYTES || record.length > MAX_RECORD_BYTES || record[0] !== 1) return undefined;
  const parameterSets: Buffer[] = [];
  const kinds = new Set<number>();
  let at = HEADER_BYTES;
  for (let array = record[22]!; array > 0; array--) {
    if (at + 3 > record.length) return undefined;
    let units = record.readUInt16BE(at + 1);
    at += 3;
    for (; units > 0; units--) {
      if (at + 2 > record.length) return undefined;
      const start = at + 2;
      at = start + record.readUInt16BE(at);
      if (at > record.length) return undefined;
      // The unit's own header counts, two bytes of which the first has its type.
      const type = at - start > 2 ? (record[start]! >> 1) & 0x3f : -1;
      if (type !== VPS && type !== SPS && type !== PPS) continue;
      kinds.add(type);
      parameterSets.push(Buffer.from(record.subarray(start, at)));
    }
  }
  if (kinds.size < 3) return undefined;
  return {
    lengthBytes: ((record[21]! & 3) + 1) as LengthBytes,
    parameterSets,
    profile: record[1]! & 0x1f,
    bitDepth: 8 + Math.max(record[17]! & 7, record[18]! & 7),
  };
}

/** Whether a unit has a VPS, with which H.265 begins and which is nothing in H.264: behind lengths of four bytes, or start codes. */
export function hasVps(unit: Buffer): boolean {
  let found = false;
  const look = (start: number, end: number) => {
    // Type 32, layer 0, temporal id 1 (ITU-T H.265, section 7.3.1.2).
    found ||= end > start + 2 && unit[start] === VPS << 1 && unit[start + 1] === 1;
  };
  if (!nalUnitsOf(unit, 4, look)) annexBUnitsOf(unit, look);
  return found;
}
