import { type LengthBytes, nalUnitsOf } from '../../../src/media/h264/nal-units.ts';

/** @returns them strung together, each behind its length */
export function withLengths(units: readonly Buffer[], lengthBytes: LengthBytes = 4): Buffer {
  return Buffer.concat(
    units.flatMap((unit) => {
      const length = Buffer.alloc(lengthBytes);
      length.writeUIntBE(unit.length, 0, lengthBytes);
      return [length, unit];
    }),
  );
}

/** @returns copies of the NAL units of a well-formed access unit */
export function unitsOf(accessUnit: Buffer, lengthBytes: LengthBytes = 4): Buffer[] {
  const units: Buffer[] = [];
  const wellFormed = nalUnitsOf(accessUnit, lengthBytes, (start, end) =>
    units.push(Buffer.from(accessUnit.subarray(start, end))),
  );
  if (!wellFormed) throw new Error('The access unit is malformed.');
  return units;
}
