import { describe, expect, test } from 'vitest';
import {
  A_LAW_TO_LINEAR,
  encodeALaw,
  encodeMuLaw,
  LINEAR_TO_A_LAW,
  LINEAR_TO_MU_LAW,
  MU_LAW_TO_LINEAR,
} from '../../../src/media/g711.ts';

const CODES = Array.from({ length: 256 }, (_, code) => code);
const SAMPLES = Array.from({ length: 65536 }, (_, index) => index - 32768);

/** From the tables of ITU-T Rec. G.711, scaled from 14 and 13 bits to 16. */
const LAWS = [
  {
    law: 'mu-law',
    table: MU_LAW_TO_LINEAR,
    encodingTable: LINEAR_TO_MU_LAW,
    encode: encodeMuLaw,
    /**
     * Table 2a: where each segment of the positive half ends, in 14 bits. The first interval reaches
     * from -1 to 1, so the lower half of it belongs to the other sign. The codes fall from 0xff on.
     */
    scale: 4,
    ends: [31, 95, 223, 479, 991, 2015, 4063, 8159],
    firstInterval: 1,
    codeOf: (interval: number) => 0xff - interval,
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
    encodingTable: LINEAR_TO_A_LAW,
    encode: encodeALaw,
    /** Table 1a, in 13 bits; the first two segments have the same step. Even bits are inverted on the line. */
    scale: 8,
    ends: [32, 64, 128, 256, 512, 1024, 2048, 4096],
    firstInterval: 2,
    codeOf: (interval: number) => (0x80 + interval) ^ 0x55,
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

interface Intervals {
  readonly scale: number;
  readonly ends: readonly number[];
  readonly firstInterval: number;
}

/** The 128 intervals of the positive half, 16 a segment, scaled to 16 bits: the value in the middle, and both ends. */
function intervals({ scale, ends, firstInterval }: Intervals): { value: number; from: number; to: number }[] {
  return ends.flatMap((end, segment) => {
    const begin = segment === 0 ? 0 : ends[segment - 1]!;
    // Only the first interval of all may have a width of its own.
    const step = segment === 0 ? (end - firstInterval) / 15 : (end - begin) / 16;
    return Array.from({ length: 16 }, (_, index) => {
      const isFirst = segment === 0 && index === 0;
      const from = segment === 0 ? firstInterval + (index - 1) * step : begin + index * step;
      const middle = from + step / 2;
      return { value: middle * scale, from: (isFirst ? 0 : from) * scale, to: (from + step) * scale };
    });
  });
}

describe.each(LAWS)('$law', (one) => {
  const { table, encodingTable, encode, known, loudest, segment, largestErrors, codeOf } = one;

  test("decodes all 256 codes as the standard's table says", () => {
    const positive = intervals(one);
    expect(positive.map((_, index) => table[codeOf(index)])).toEqual(positive.map(({ value }) => value));
    const negative = positive.map((_, index) => -table[codeOf(index) ^ 0x80]!);
    expect(negative.map((value) => value + 0)).toEqual(positive.map(({ value }) => value));
  });

  test("encodes all samples as the standard's table says", () => {
    const wrong = intervals(one).flatMap(({ from, to }, index) => {
      const code = codeOf(index);
      const samples = SAMPLES.filter((sample) => sample >= from && sample < to);
      // Both signs' samples at a boundary belong to the interval beyond it, counted from the lowest sample of each.
      return samples.filter((sample) => encode(sample) !== code || encode(-1 - sample) !== (code ^ 0x80));
    });
    expect(wrong).toEqual([]);
  });

  test('has a table that encodes the same', () => {
    const wrong = SAMPLES.filter((sample) => encodingTable[(sample >> 2) & 0x3fff] !== encode(sample));
    expect(wrong).toEqual([]);
  });

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
