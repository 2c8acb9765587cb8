/** IVF, as FFmpeg reads it: a header, and frames each behind its size and its time. All numbers are little-endian. */

const HEADER_BYTES = 32;
const FRAME_HEADER_BYTES = 12;

/**
 * @param fourcc - four characters of Latin-1: `H264`, `VP80`, `I420`
 * @param width - in samples, 16 bits, as is the height; 0 when it isn't known
 * @param timebase - of the frames' times, in seconds; 32 bits each
 * @throws RangeError when something does not fit
 */
export function ivfHeader(
  fourcc: string,
  width: number,
  height: number,
  timebase: { numerator: number; denominator: number },
): Buffer {
  if (!/^[\x20-\xff]{4}$/.test(fourcc))
    throw new RangeError(`"${fourcc}" is no FourCC: it takes four characters.`);
  const header = Buffer.alloc(HEADER_BYTES);
  header.write('DKIF', 0, 'latin1');
  header.writeUInt16LE(HEADER_BYTES, 6);
  header.write(fourcc, 8, 'latin1');
  header.writeUInt16LE(width, 12);
  header.writeUInt16LE(height, 14);
  // The rate comes first: a time base of 1/90000 is "90000, 1". How many frames follow stays 0, for unknown.
  header.writeUInt32LE(timebase.denominator, 16);
  header.writeUInt32LE(timebase.numerator, 20);
  return header;
}

/**
 * @param bytes - of the frame that follows, 32 bits
 * @param timestamp - in units of the time base, a whole number from 0 to 2^53 - 1
 * @throws RangeError when something does not fit
 */
export function ivfFrameHeader(bytes: number, timestamp: number): Buffer {
  if (!Number.isSafeInteger(timestamp) || timestamp < 0) {
    throw new RangeError(`A frame's time in IVF is a whole number that is not negative, not ${timestamp}.`);
  }
  const header = Buffer.allocUnsafe(FRAME_HEADER_BYTES);
  header.writeUInt32LE(bytes, 0);
  header.writeUInt32LE(timestamp % 2 ** 32, 4);
  header.writeUInt32LE(Math.floor(timestamp / 2 ** 32), 8);
  return header;
}
