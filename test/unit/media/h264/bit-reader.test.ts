import { describe, expect, test } from 'vitest';
import { BitReader } from '../../../../src/media/h264/bit-reader.ts';
import { seededRandom } from '../../../signals/random.ts';
import { BitWriter } from '../../support/bit-writer.ts';

const reader = (...bytes: number[]) => new BitReader(Uint8Array.from(bytes));

describe('bits', () => {
  test('come from the most significant one on, across bytes', () => {
    const bits = reader(0b1010_0101, 0b1100_0011);
    expect([bits.bit(), bits.bit(), bits.bits(4), bits.bits(6), bits.bits(4)]).toEqual([
      1, 0, 9, 0b011100, 3,
    ]);
    expect(bits.left).toBe(0);
    expect(bits.overrun).toBe(false);
  });

  test.each([
    [0, 0],
    [1, 1],
    [8, 0xff],
    [31, 0x7fffffff],
    [32, 0xffffffff],
  ])('%i of ones are %i', (count, value) => {
    const bits = reader(0xff, 0xff, 0xff, 0xff, 0xff);
    bits.bit();
    expect(bits.bits(count)).toBe(value);
    expect(bits.position).toBe(count + 1);
  });

  test('are skipped', () => {
    const bits = reader(0, 0b0001_0000);
    bits.skip(11);
    expect(bits.bit()).toBe(1);
  });
});

describe('past the end there are zeros', () => {
  test.each<[string, (bits: BitReader) => number]>([
    ['a bit', (bits) => bits.bits(8) * 0 + bits.bit()],
    ['bits', (bits) => bits.bits(8) * 0 + bits.bits(32)],
    ['a code', (bits) => bits.bits(8) * 0 + bits.ue()],
    ['a code with a sign', (bits) => bits.bits(8) * 0 + bits.se()],
  ])('for %s', (_, read) => {
    const bits = reader(0xff);
    expect(read(bits)).toBe(0);
    expect(bits.overrun).toBe(true);
    expect(bits.left).toBe(0);
  });

  test('and what there was of a value counts', () => {
    const bits = reader(0b1100_0000);
    expect(bits.bits(12)).toBe(0b1100_0000_0000);
    expect(bits.overrun).toBe(true);
  });

  test('also when it was skipped to', () => {
    const bits = reader(1);
    bits.skip(8);
    expect(bits.overrun).toBe(false);
    bits.skip(1);
    expect(bits.overrun).toBe(true);
  });
});

describe('Exp-Golomb codes', () => {
  // ITU-T H.264, tables 9-2 and 9-3.
  test.each([
    ['1', 0, 0],
    ['010', 1, 1],
    ['011', 2, -1],
    ['00100', 3, 2],
    ['00101', 4, -2],
    ['00110', 5, 3],
    ['00111', 6, -3],
    ['0001000', 7, 4],
    ['0001010', 9, 5],
  ])('%s is %i and %i', (code, unsigned, signed) => {
    const byte = Number.parseInt(code.padEnd(8, '0'), 2);
    expect(reader(byte).ue()).toBe(unsigned);
    expect(reader(byte).se()).toBe(signed);
  });

  test('go up to 2^32 - 2', () => {
    expect(reader(0, 0, 0, 1, 0xff, 0xff, 0xff, 0xfe).ue()).toBe(2 ** 32 - 2);
  });

  test('with more than 31 zeros are none', () => {
    const bits = reader(0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff);
    expect(bits.ue()).toBe(0);
    expect(bits.overrun).toBe(true);
    expect(bits.bits(8)).toBe(0);
  });
});

test('reads what was written', () => {
  const random = seededRandom(1);
  const writer = new BitWriter();
  const values = Array.from({ length: 2_000 }, (_, index) => {
    const count = 1 + Math.floor(random() * 32);
    const value = Math.floor(random() * 2 ** count);
    if (index % 3 === 0) writer.bits(value, count);
    else if (index % 3 === 1) writer.ue(Math.min(value, 2 ** 31));
    else writer.se(index % 2 === 0 ? -Math.min(value, 2 ** 30) : Math.min(value, 2 ** 30));
    return { count, value };
  });
  const bits = new BitReader(writer.bytes());
  for (const [index, { count, value }] of values.entries()) {
    if (index % 3 === 0) expect(bits.bits(count)).toBe(value);
    else if (index % 3 === 1) expect(bits.ue()).toBe(Math.min(value, 2 ** 31));
    else expect(bits.se() + 0).toBe((index % 2 === 0 ? -1 : 1) * Math.min(value, 2 ** 30) + 0);
  }
  expect(bits.overrun).toBe(false);
});
