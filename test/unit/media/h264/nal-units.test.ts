import { describe, expect, test } from 'vitest';
import {
  annexBUnitsOf,
  type LengthBytes,
  nalUnitsOf,
  toAnnexB,
  withoutEmulationPrevention,
} from '../../../../src/media/h264/nal-units.ts';
import { seededRandom } from '../../../signals/random.ts';
import { mutationsOf } from '../../support/mutations.ts';
import { unitsOf, withLengths } from '../../support/nal-units.ts';
import { X264_FRAMES } from '../../support/x264-frames.ts';

function bytes(hex: string): Buffer {
  return Buffer.from(hex.replaceAll(/\s/g, ''), 'hex');
}

function lengthsOf(hex: string, lengthBytes: LengthBytes): [boolean, string[]] {
  const accessUnit = bytes(hex);
  const found: string[] = [];
  const wellFormed = nalUnitsOf(accessUnit, lengthBytes, (start, end) =>
    found.push(accessUnit.toString('hex', start, end)),
  );
  return [wellFormed, found];
}

function startCodesOf(stream: Uint8Array): string[] {
  const found: string[] = [];
  annexBUnitsOf(stream, (start, end) => found.push(Buffer.from(stream.subarray(start, end)).toString('hex')));
  return found;
}

describe('units behind lengths', () => {
  test.each<[LengthBytes, string, boolean, string[]]>([
    [4, '', true, []],
    [4, '00000002 6588 00000001 09', true, ['6588', '09']],
    [3, '000002 6588 000001 09', true, ['6588', '09']],
    [2, '0002 6588 0001 09', true, ['6588', '09']],
    [1, '02 6588 01 09', true, ['6588', '09']],
    [4, '00000000 00000001 09 00000000', true, ['09']],
    [4, '00000001 09 00000003 6588', false, ['09']],
    [4, '00000001 09 000000', false, ['09']],
    [4, 'ffffffff 09', false, []],
    [1, '00', true, []],
  ])('of %i bytes: %s', (lengthBytes, hex, wellFormed, units) => {
    expect(lengthsOf(hex, lengthBytes)).toEqual([wellFormed, units]);
  });
});

describe('units between start codes', () => {
  test.each([
    ['', []],
    ['6588', []],
    ['000001 6588', ['6588']],
    ['00000001 6588', ['6588']],
    ['00000001 67 00000001 68 000001 6588', ['67', '68', '6588']],
    ['abcd 000001 67', ['67']],
    ['000001 67 0000000000 000001 68 0000', ['67', '68']],
    ['000001 000001 000001 67', ['67']],
    ['000001 67 000001', ['67']],
    ['000001 67 00000001', ['67']],
    ['000001', []],
    ['000001 0100000301', ['0100000301']],
    ['000001 65 0000', ['65']],
    ['00000001 65010001 0001 02 000001 41', ['650100010001' + '02', '41']],
  ])('%s', (hex, units) => {
    expect(startCodesOf(bytes(hex))).toEqual(units);
  });
});

describe('start codes in place of lengths', () => {
  test.each<[LengthBytes, string, string]>([
    [4, '00000002 6588 00000001 41', '00000001 6588 00000001 41'],
    [3, '000002 6588', '00000001 6588'],
    [2, '0002 6588', '00000001 6588'],
    [1, '02 6588 00', '00000001 6588'],
  ])('of %i bytes: %s', (lengthBytes, from, to) => {
    expect(toAnnexB(bytes(from), lengthBytes, [])?.toString('hex')).toBe(bytes(to).toString('hex'));
  });

  test('parameter sets go in front', () => {
    const stream = toAnnexB(bytes('00000002 6588'), 4, [bytes('6742'), bytes('68ce')]);
    expect(stream?.toString('hex')).toBe(bytes('00000001 6742 00000001 68ce 00000001 6588').toString('hex'));
  });

  test('a malformed access unit gives none', () => {
    expect(toAnnexB(bytes('00000003 6588'), 4, [bytes('6742')])).toBeUndefined();
  });

  test("x264's frames have the same units before and after", () => {
    for (const { data } of X264_FRAMES) {
      const units = unitsOf(data).map((unit) => unit.toString('hex'));
      expect(units.length).toBe(3);
      expect(startCodesOf(toAnnexB(data, 4, [])!)).toEqual(units);
    }
  });
});

describe('emulation prevention', () => {
  test.each([
    ['', ''],
    ['6742', '6742'],
    ['67 000003 00', '67 0000 00'],
    ['67 000003 01', '67 0000 01'],
    ['67 000003 02', '67 0000 02'],
    ['67 000003 03', '67 0000 03'],
    ['67 000003', '67 0000'],
    ['67 000003 000003 01', '67 0000 0000 01'],
    ['67 000003 0003', '67 0000 0003'],
    ['67 00000003 01', '67 000000 01'],
    ['67 0003 01', '67 0003 01'],
    ['67 000103', '67 000103'],
  ])('%s', (from, to) => {
    expect(Buffer.from(withoutEmulationPrevention(bytes(from))).toString('hex')).toBe(
      bytes(to).toString('hex'),
    );
  });

  test('copies nothing when there is nothing to take out', () => {
    const nal = bytes('67420003');
    expect(withoutEmulationPrevention(nal)).toBe(nal);
  });

  test('gives back whatever it was put into', () => {
    const random = seededRandom(2);
    for (let round = 0; round < 3_000; round++) {
      const plain = Array.from({ length: Math.floor(random() * 40) }, () => Math.floor(random() * 5));
      const escaped: number[] = [];
      for (const byte of plain) {
        if (byte <= 3 && escaped.at(-1) === 0 && escaped.at(-2) === 0) escaped.push(3);
        escaped.push(byte);
      }
      expect([...withoutEmulationPrevention(Uint8Array.from(escaped))]).toEqual(plain);
    }
  });
});

describe('bytes of strangers', () => {
  const samples = [
    withLengths([bytes('6588840021'), bytes('41'), bytes('000001000003')]),
    bytes('000001 67 00000001 68'),
  ];

  test('do no harm, and units lie within them in order', () => {
    for (const input of mutationsOf(samples, 20_000)) {
      for (const lengthBytes of [1, 2, 3, 4] as const) {
        let behind = 0;
        const wellFormed = nalUnitsOf(input, lengthBytes, (start, end) => {
          expect(start >= behind + lengthBytes && end > start && end <= input.length).toBe(true);
          behind = end;
        });
        const stream = toAnnexB(input, lengthBytes, []);
        expect(stream !== undefined).toBe(wellFormed);
        expect(stream?.length ?? 0).toBeLessThanOrEqual(input.length * 2.5);
      }
      let behind = 0;
      annexBUnitsOf(input, (start, end) => {
        expect(start >= behind + 3 && end > start && end <= input.length).toBe(true);
        behind = end;
      });
      expect(withoutEmulationPrevention(input).length).toBeLessThanOrEqual(input.length);
    }
  });

  test('start codes are found where a plain search finds them', () => {
    const random = seededRandom(3);
    for (let round = 0; round < 5_000; round++) {
      const input = Uint8Array.from({ length: Math.floor(random() * 30) }, () => Math.floor(random() * 3));
      const text = Buffer.from(input).toString('hex').replaceAll(/../g, '$& ');
      const expected = text
        .split(/00 00 01 /)
        .slice(1)
        .map((unit) => unit.replace(/(00 )+$/, '').replaceAll(' ', ''))
        .filter((unit) => unit !== '');
      expect(startCodesOf(input)).toEqual(expected);
    }
  });
});
