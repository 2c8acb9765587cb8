import { annexBUnitsOf, type LengthBytes, NAL, nalUnitsOf } from './nal-units.ts';

/** What stands in one access unit's bytes. */
export interface FramedUnit {
  /** Slices and SEI, each behind a length of `lengthBytes` bytes. */
  readonly data: Buffer;
  /** Parameter sets that came in band, whole NAL units, copied. */
  readonly sps: readonly Buffer[];
  readonly pps: readonly Buffer[];
  /** Whether there is a slice, the first of its picture (first_mb_in_slice is 0), and an IDR's. */
  readonly hasSlice: boolean;
  readonly beginsPicture: boolean;
  readonly isIdr: boolean;
  /** A decoder can begin here although it is no IDR: recovery point SEI (ITU-T H.264, section D.1.8). */
  readonly isRecoveryPoint: boolean;
  /** Every slice has nal_ref_idc 0: no other picture refers to it (ITU-T H.264, section 7.4.1). */
  readonly isDisposable: boolean;
}

/** They say nothing to a decoder that gets whole access units; parameter sets are told apart from them. */
const LEFT_OUT: ReadonlySet<number> = new Set([
  NAL.AUD,
  NAL.FILLER,
  NAL.SPS,
  NAL.PPS,
  NAL.END_OF_SEQUENCE,
  NAL.END_OF_STREAM,
]);
/** payloadType of a recovery point (table D.1); encoders send it in a NAL unit of its own, or first. */
const RECOVERY_POINT = 6;
const SLICES: ReadonlySet<number> = new Set([NAL.SLICE, NAL.PARTITION_A, NAL.IDR]);

/**
 * Reads H.264 as encoders put it into containers: behind lengths, or behind start codes where the container's header says
 * lengths all the same. Delimiters, filler, empty units and parameter sets do not stay in the data.
 *
 * @returns undefined when it is neither
 */
export function frameH264(bytes: Buffer, lengthBytes: LengthBytes): FramedUnit | undefined {
  const bounds: number[] = [];
  const note = (start: number, end: number) => void bounds.push(start, end);
  const isFramed = nalUnitsOf(bytes, lengthBytes, note) && isPlausible(bytes, bounds);
  if (!isFramed) {
    bounds.length = 0;
    if (!beginsWithStartCode(bytes)) return undefined;
    annexBUnitsOf(bytes, note);
    if (!isPlausible(bytes, bounds)) return undefined;
  }
  return read(bytes, bounds, isFramed ? lengthBytes : undefined, lengthBytes);
}

function read(
  bytes: Buffer,
  bounds: readonly number[],
  framing: LengthBytes | undefined,
  lengthBytes: LengthBytes,
): FramedUnit {
  const sps: Buffer[] = [];
  const pps: Buffer[] = [];
  const kept: number[] = [];
  let size = 0;
  let beginsPicture = false;
  let hasSlice = false;
  let isIdr = false;
  let isDisposable = true;
  let isRecoveryPoint = false;
  for (let at = 0; at < bounds.length; at += 2) {
    const start = bounds[at]!;
    const end = bounds[at + 1]!;
    const type = bytes[start]! & 0x1f;
    if (type === NAL.SPS) sps.push(Buffer.from(bytes.subarray(start, end)));
    else if (type === NAL.PPS) pps.push(Buffer.from(bytes.subarray(start, end)));
    if (LEFT_OUT.has(type)) continue;
    kept.push(start, end);
    size += lengthBytes + end - start;
    isRecoveryPoint ||= type === NAL.SEI && bytes[start + 1] === RECOVERY_POINT;
    if (!SLICES.has(type)) continue;
    // first_mb_in_slice is the first ue(v) of a slice's header: a leading 1 bit is the value 0.
    if (!hasSlice && end > start + 1) beginsPicture = (bytes[start + 1]! & 0x80) !== 0;
    hasSlice = true;
    isIdr ||= type === NAL.IDR;
    isDisposable &&= (bytes[start]! & 0x60) === 0;
  }
  const facts = {
    sps,
    pps,
    hasSlice,
    beginsPicture,
    isIdr,
    isRecoveryPoint,
    isDisposable: hasSlice && isDisposable,
  };
  // Nothing was taken out: the bytes are as they should be.
  if (framing !== undefined && size === bytes.length) return { data: bytes, ...facts };
  const data = Buffer.allocUnsafe(size);
  let at = 0;
  for (let index = 0; index < kept.length; index += 2) {
    const start = kept[index]!;
    const end = kept[index + 1]!;
    at = data.writeUIntBE(end - start, at, lengthBytes);
    at += bytes.copy(data, at, start, end);
  }
  return { data, ...facts };
}

/** Start codes read as lengths of 1 lead to units that are none: the highest bit of a NAL unit's header is 0, and its type is not. */
function isPlausible(bytes: Buffer, bounds: readonly number[]): boolean {
  for (let at = 0; at < bounds.length; at += 2) {
    const header = bytes[bounds[at]!]!;
    if ((header & 0x80) !== 0 || (header & 0x1f) === 0) return false;
  }
  return true;
}

function beginsWithStartCode(bytes: Buffer): boolean {
  return bytes[0] === 0 && bytes[1] === 0 && (bytes[2] === 1 || (bytes[2] === 0 && bytes[3] === 1));
}
