/** NAL units in the two ways they are strung together: by lengths (ISO/IEC 14496-15) and by start codes (ITU-T H.264, annex B). */

/** Types of H.264's NAL units (ITU-T H.264, table 7-1), the low five bits of their first byte. */
export const NAL = {
  SLICE: 1,
  PARTITION_A: 2,
  PARTITION_B: 3,
  PARTITION_C: 4,
  IDR: 5,
  SEI: 6,
  SPS: 7,
  PPS: 8,
  /** Access unit delimiter. */
  AUD: 9,
  END_OF_SEQUENCE: 10,
  END_OF_STREAM: 11,
  FILLER: 12,
} as const;

/** Of the length in front of each NAL unit. */
export type LengthBytes = 1 | 2 | 3 | 4;

const START_CODE_BYTES = 4;

/**
 * Tells where the NAL units of an access unit lie. Nothing is copied or allocated; empty ones are passed over.
 *
 * @param accessUnit - NAL units, each behind its length
 * @param onNal - is called with where it starts (its header byte) and where it ends (behind its last byte)
 * @returns false when a length leads past the end, or is cut off; the units before that have been told
 */
export function nalUnitsOf(
  accessUnit: Buffer,
  lengthBytes: LengthBytes,
  onNal: (start: number, end: number) => void,
): boolean {
  let at = 0;
  while (at < accessUnit.length) {
    const start = at + lengthBytes;
    if (start > accessUnit.length) return false;
    const end = start + accessUnit.readUIntBE(at, lengthBytes);
    if (end > accessUnit.length) return false;
    if (end > start) onNal(start, end);
    at = end;
  }
  return true;
}

/**
 * Tells where the NAL units of a byte stream lie (annex B): between start codes of three or four bytes, without the
 * zeros that may follow them. What comes before the first start code is passed over, as are empty units.
 *
 * @param onNal - is called with where it starts (its header byte) and where it ends (behind its last byte)
 */
export function annexBUnitsOf(bytes: Uint8Array, onNal: (start: number, end: number) => void): void {
  let start = behindStartCode(bytes, 0);
  while (start >= 0) {
    const next = behindStartCode(bytes, start);
    let end = next < 0 ? bytes.length : next - 3;
    while (end > start && bytes[end - 1] === 0) end--;
    if (end > start) onNal(start, end);
    start = next;
  }
}

/** @returns where the bytes behind the next start code begin, -1 when there is none */
function behindStartCode(bytes: Uint8Array, from: number): number {
  for (let at = from + 2; at < bytes.length; ) {
    const byte = bytes[at]!;
    // A byte above 1 is in no start code: neither of the next two can be the last of one.
    if (byte > 1) at += 3;
    else if (byte === 1 && bytes[at - 1] === 0 && bytes[at - 2] === 0) return at + 1;
    else at++;
  }
  return -1;
}

/**
 * Turns lengths into start codes, as decoders want it. For H.265 as well, whose NAL units are strung together in the same way.
 *
 * @param accessUnit - NAL units, each behind its length
 * @param prefix - whole NAL units to put in front: parameter sets, or none
 * @returns a new buffer, at most two and a half times as long (for units of one byte); undefined when `accessUnit` is malformed
 */
export function toAnnexB(
  accessUnit: Buffer,
  lengthBytes: LengthBytes,
  prefix: readonly Buffer[],
): Buffer | undefined {
  let size = 0;
  for (const unit of prefix) size += START_CODE_BYTES + unit.length;
  const wellFormed = nalUnitsOf(accessUnit, lengthBytes, (start, end) => {
    size += START_CODE_BYTES + end - start;
  });
  if (!wellFormed) return undefined;
  const stream = Buffer.allocUnsafe(size);
  let at = 0;
  const append = (source: Buffer, start: number, end: number) => {
    at = stream.writeUInt32BE(1, at);
    at += source.copy(stream, at, start, end);
  };
  for (const unit of prefix) append(unit, 0, unit.length);
  nalUnitsOf(accessUnit, lengthBytes, (start, end) => append(accessUnit, start, end));
  return stream;
}

/**
 * Takes out the bytes that keep start codes from appearing within a NAL unit (ITU-T H.264, section 7.3.1).
 *
 * @returns `nal` itself when there are none, else a shorter copy
 */
export function withoutEmulationPrevention(nal: Uint8Array): Uint8Array {
  let zeros = 0;
  let found = -1;
  for (let at = 0; at < nal.length && found < 0; at++) {
    if (zeros >= 2 && nal[at] === 3) found = at;
    zeros = nal[at] === 0 ? zeros + 1 : 0;
  }
  if (found < 0) return nal;
  const plain = new Uint8Array(nal.length - 1);
  plain.set(nal.subarray(0, found));
  let length = found;
  zeros = 0;
  for (let at = found + 1; at < nal.length; at++) {
    const byte = nal[at]!;
    if (zeros >= 2 && byte === 3) {
      zeros = 0;
      continue;
    }
    plain[length++] = byte;
    zeros = byte === 0 ? zeros + 1 : 0;
  }
  return plain.subarray(0, length);
}
