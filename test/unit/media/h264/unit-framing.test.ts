import { describe, expect, test } from 'vitest';
import { type LengthBytes, NAL } from '../../../../src/media/h264/nal-units.ts';
import { frameH264 } from '../../../../src/media/h264/unit-framing.ts';
import {
  annexB,
  DELIMITER,
  END_OF_SEQUENCE,
  FILLER,
  interSlice,
  keySlice,
  laterInterSlice,
  laterKeySlice,
  PLAIN,
  PPS,
  RECOVERY_POINT,
  SEI,
} from '../../support/flv-bodies.ts';
import { mutationsOf } from '../../support/mutations.ts';
import { unitsOf, withLengths } from '../../support/nal-units.ts';
import { X264_FRAMES } from '../../support/x264-frames.ts';

const END_OF_STREAM = Buffer.of(0x0b);
const NOTHING = Buffer.alloc(0);

describe('behind lengths', () => {
  test('what holds slices and SEI alone is given back as it is', () => {
    const bytes = withLengths([SEI, keySlice()]);
    expect(frameH264(bytes, 4)!.data).toBe(bytes);
  });

  test.each<[string, Buffer[]]>([
    ['delimiters', [DELIMITER, SEI, keySlice()]],
    ['filler', [SEI, keySlice(), FILLER]],
    ['the ends of a sequence and a stream', [SEI, keySlice(), END_OF_SEQUENCE, END_OF_STREAM]],
    ['empty units', [NOTHING, SEI, NOTHING, keySlice(), NOTHING]],
    ['parameter sets', [PLAIN, PPS, SEI, keySlice()]],
    ['all of that', [DELIMITER, PLAIN, PPS, NOTHING, SEI, FILLER, keySlice(), FILLER, END_OF_SEQUENCE]],
  ])('%s are taken out', (_, units) => {
    expect(frameH264(withLengths(units), 4)!.data).toEqual(withLengths([SEI, keySlice()]));
  });

  test.each([1, 2, 3, 4] as const)('lengths have %d bytes before and after', (lengthBytes) => {
    const units = [DELIMITER, SEI, keySlice()];
    const framed = frameH264(withLengths(units, lengthBytes), lengthBytes);
    expect(framed!.data).toEqual(withLengths([SEI, keySlice()], lengthBytes));
  });

  test('a real frame keeps all but its delimiter', () => {
    for (const { data, key } of X264_FRAMES) {
      const framed = frameH264(data, 4)!;
      const kept = unitsOf(data).filter((unit) => (unit[0]! & 0x1f) !== NAL.AUD);
      expect(unitsOf(framed.data)).toEqual(kept);
      expect(framed).toMatchObject({ isIdr: key, hasSlice: true, beginsPicture: true, sps: [], pps: [] });
    }
  });

  // Lengths from 256 to 511 look like a start code of three bytes.
  test.each([0x141, 0x165, 0x167, 0x1ff])('a unit of %i bytes is not taken for a start code', (bytes) => {
    const whole = withLengths([keySlice(1, bytes)]);
    expect(frameH264(whole, 4)!.data).toBe(whole);
  });
});

describe('behind start codes, where there should be lengths', () => {
  test.each([3, 4, 'mixed'] as const)('of %s bytes they become lengths', (startCodes) => {
    const framed = frameH264(
      annexB([DELIMITER, PLAIN, PPS, SEI, keySlice(), laterKeySlice()], startCodes),
      4,
    )!;
    expect(framed.data).toEqual(withLengths([SEI, keySlice(), laterKeySlice()]));
    expect([framed.sps, framed.pps]).toEqual([[PLAIN], [PPS]]);
  });

  test('lengths are of as many bytes as the header says', () => {
    for (const lengthBytes of [1, 2, 3, 4] satisfies LengthBytes[]) {
      const framed = frameH264(annexB([keySlice()]), lengthBytes)!;
      expect(framed.data).toEqual(withLengths([keySlice()], lengthBytes));
    }
  });

  test('a unit that begins with zeros behind its start code is read, and zeros behind it are not of it', () => {
    const bytes = Buffer.concat([annexB([keySlice()]), Buffer.alloc(5)]);
    expect(frameH264(bytes, 4)!.data).toEqual(withLengths([keySlice()]));
  });
});

describe('neither', () => {
  test.each([
    ['a length that leads past the end', Buffer.from('00000010658884aa', 'hex')],
    ['a length that is cut off', Buffer.from('0000', 'hex')],
    ['noise', Buffer.from('deadbeefdeadbeef', 'hex')],
    ['units that are none', withLengths([Buffer.from('e5aabbcc', 'hex')])],
    ['units of no type', withLengths([Buffer.from('60aabbcc', 'hex')])],
  ])('is not read: %s', (_, bytes) => {
    expect(frameH264(bytes, 4)).toBeUndefined();
  });

  test('nothing is a unit without anything in it', () => {
    expect(frameH264(NOTHING, 4)).toMatchObject({ data: NOTHING, hasSlice: false, sps: [], pps: [] });
  });
});

describe('what it tells of a unit', () => {
  test.each<[string, Buffer[], object]>([
    ['an IDR picture', [keySlice()], { hasSlice: true, beginsPicture: true, isIdr: true }],
    ['another picture', [interSlice()], { hasSlice: true, beginsPicture: true, isIdr: false }],
    ['a later slice', [laterInterSlice()], { hasSlice: true, beginsPicture: false, isIdr: false }],
    ['a later slice of an IDR picture', [laterKeySlice()], { beginsPicture: false, isIdr: true }],
    ['a whole picture of two slices', [interSlice(), laterInterSlice()], { beginsPicture: true }],
    ['SEI alone', [SEI], { hasSlice: false, beginsPicture: false, isIdr: false, isDisposable: false }],
    ['parameter sets alone', [PLAIN, PPS], { hasSlice: false, sps: [PLAIN], pps: [PPS] }],
    ['a recovery point', [RECOVERY_POINT, interSlice()], { isRecoveryPoint: true, isIdr: false }],
    ['other SEI', [SEI, interSlice()], { isRecoveryPoint: false }],
  ])('%s', (_, units, expected) => {
    expect(frameH264(withLengths(units), 4)).toMatchObject(expected);
    expect(frameH264(annexB(units), 4)).toMatchObject(expected);
  });

  /** nal_ref_idc is in the bits 0x60 of the first byte. */
  test.each<[string, string[], boolean]>([
    ['a slice that nothing refers to', ['019a23aa'], true],
    ['slices that nothing refers to', ['019a23aa', '010c9aaa'], true],
    ['a slice that is referred to', ['419a23aa'], false],
    ['one of each', ['019a23aa', '410c9aaa'], false],
    ['a slice that nothing refers to, behind SEI', ['0605aa80', '019a23aa'], true],
  ])('is disposable or not: %s', (_, units, expected) => {
    const bytes = withLengths(units.map((unit) => Buffer.from(unit, 'hex')));
    expect(frameH264(bytes, 4)!.isDisposable).toBe(expected);
  });

  test('parameter sets are copies', () => {
    const bytes = withLengths([PLAIN, PPS, keySlice()]);
    const { sps, pps } = frameH264(bytes, 4)!;
    bytes.fill(0);
    expect([sps, pps]).toEqual([[PLAIN], [PPS]]);
  });
});

test('whatever strangers send is read into units that are well-formed, or not at all', () => {
  const samples = [
    withLengths([DELIMITER, PLAIN, PPS, SEI, keySlice(), laterKeySlice()]),
    annexB([DELIMITER, PLAIN, PPS, SEI, keySlice()], 'mixed'),
    withLengths([interSlice(), FILLER], 2),
  ];
  const lengths: LengthBytes[] = [1, 2, 3, 4];
  let read = 0;
  let round = 0;
  for (const bytes of mutationsOf(samples, 20_000)) {
    const lengthBytes = lengths[round++ % 4]!;
    const framed = frameH264(bytes, lengthBytes);
    if (!framed) continue;
    read++;
    const units = unitsOf(framed.data, lengthBytes);
    expect(units.every((unit) => unit.length > 0 && (unit[0]! & 0x80) === 0)).toBe(true);
    const types = new Set(units.map((unit) => unit[0]! & 0x1f));
    expect([NAL.SPS, NAL.PPS, NAL.AUD, NAL.FILLER].some((type) => types.has(type))).toBe(false);
  }
  expect(read).toBeGreaterThan(1_000);
});
