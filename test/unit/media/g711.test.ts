import { describe, expect, test } from 'vitest';
import { A_LAW_TO_LINEAR, encodeALaw, encodeMuLaw, MU_LAW_TO_LINEAR } from '../../../src/media/g711.ts';

const CODES = Array.from({ length: 256 }, (_, code) => code);
const SAMPLES = Array.from({ length: 65536 }, (_, index) => index - 32768);

/** From the tables of ITU-T Rec. G.711, scaled from 14 and 13 bits to 16. */
const LAWS = [
  {
    law: 'mu-law',
    table: MU_LAW_TO_LINEAR,
    encode: encodeMuLaw,
    known: [
      [0x80, 32124],
      [0x8f, 16764],
      [0x90, 15996],
      [0xa0, 7932],
      [0xb0, 3900],
      [0xc0, 1884],
      [0xd0, 876],
      [0xe0, 372],
      [0xf0, 120],
      [0xfe, 8],
      [0xff, 0],
      [0x7f, 0],
      [0x7e, -8],
      [0x70, -120],
      [0x01, -31100],
      [0x00, -32124],
    ],
    /** Louder samples are clipped. */
    loudest: 32635,
    /** The segment of a sample, and the largest error that quantising it may cause: half of the segment's step. */
    segment: (sample: number) => Math.floor(Math.log2(Math.abs(sample) + 132)) - 7,
    largestErrors: [4, 8, 16, 32, 64, 128, 256, 512],
  },
  {
    law: 'A-law',
    table: A_LAW_TO_LINEAR,
    encode: encodeALaw,
    known: [
      [0xaa, 32256],
      [0xa5, 16896],
      [0x80, 5504],
      [0x81, 5248],
      [0xd4, 24],
      [0xd5, 8],
      [0x55, -8],
      [0x54, -24],
      [0x00, -5504],
      [0x01, -5248],
      [0x2a, -32256],
    ],
    loudest: 32768,
    segment: (sample: number) => {
      const magnitude = sample < 0 ? -sample - 1 : sample;
      return magnitude < 256 ? 0 : Math.floor(Math.log2(magnitude)) - 7;
    },
    largestErrors: [8, 8, 16, 32, 64, 128, 256, 512],
  },
];

describe.each(LAWS)('$law', ({ table, encode, known, loudest, segment, largestErrors }) => {
  test('decodes the values of the standard', () => {
    expect(known.map(([code]) => [code, table[code!]])).toEqual(known);
  });

  test('gives every code back that it decoded', () => {
    const back = CODES.map((code) => encode(table[code]!));
    // Both of mu-law's zeros decode to 0, which encodes to the positive one.
    expect(back).toEqual(CODES.map((code) => (table[code] === 0 ? 0xff : code)));
  });

  test('gives equal magnitudes to the two signs', () => {
    expect(CODES.map((code) => table[code]! + table[code ^ 0x80]!)).toEqual(CODES.map(() => 0));
  });

  test('never falls where the samples rise', () => {
    const decoded = SAMPLES.map((sample) => table[encode(sample)]!);
    const falls = SAMPLES.filter((_, index) => index > 0 && decoded[index]! < decoded[index - 1]!);
    expect(falls).toEqual([]);
  });

  test("errs in each segment by exactly half of the segment's step at most", () => {
    const errors = new Array<number>(8).fill(0);
    for (const sample of SAMPLES) {
      if (Math.abs(sample) > loudest) continue;
      const error = Math.abs(table[encode(sample)]! - sample);
      errors[segment(sample)] = Math.max(errors[segment(sample)]!, error);
    }
    expect(errors).toEqual(largestErrors);
  });

  test('clips what is too loud to the loudest code', () => {
    expect(table[encode(32767)]).toBe(Math.max(...table));
    expect(table[encode(-32768)]).toBe(Math.min(...table));
  });
});
