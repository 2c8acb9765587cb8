import { describe, expect, test } from 'vitest';
import { type AmfValue, readAmf0 } from '../../../../gateways/rtmp/protocol/amf0.ts';
import { RtmpError } from '../../../../gateways/rtmp/protocol/rtmp-error.ts';

/** Reads one value of AMF 3, within AMF 0 as they come. */
const read = (text: string) => readAmf0(Buffer.from(`11${text.replaceAll(' ', '')}`, 'hex'));

describe('values (AMF 3, section 3)', () => {
  test.each<[string, string, AmfValue]>([
    ['undefined', '00', undefined],
    ['null', '01', null],
    ['false', '02', false],
    ['true', '03', true],
    ['0', '04 00', 0],
    ['127', '04 7f', 127],
    ['128', '04 8100', 128],
    ['16383', '04 ff7f', 16_383],
    ['16384', '04 818000', 16_384],
    ['2097151', '04 ffff7f', 2_097_151],
    ['2097152', '04 80c08000', 2_097_152],
    ['the largest integer', '04 bfffffff', 2 ** 28 - 1],
    ['the smallest integer', '04 c0808000', -(2 ** 28)],
    ['-1', '04 ffffffff', -1],
    ['double', '05 3ff8000000000000', 1.5],
    ['string', '06 07 68c3a9', 'hé'],
    ['empty string', '06 01', ''],
    ['XML document', '07 09 3c612f3e', '<a/>'],
    ['date', '08 01 4276e36000000000', new Date(1572864000000)],
    ['date that is none', '08 01 7ff8000000000000', undefined],
    ['dense array', '09 05 01 04 01 03', [1, true]],
    ['empty array', '09 01 01', []],
    ['associative array', '09 01 03 61 04 01 03 62 02 01', { a: 1, b: false }],
    ['both in one', '09 03 03 61 04 01 01 04 02', { a: 1, 0: 2 }],
    ['object with a class and two keys', '0a 23 07 412e42 03 61 03 62 03 02', { a: true, b: false }],
    ['object that is dynamic', '0a 0b 01 03 61 04 01 01', { a: 1 }],
    ['object with both', '0a 1b 01 03 61 03 03 62 02 01', { a: true, b: false }],
    ['object with nothing', '0a 03 01', {}],
    ['XML', '0b 09 3c612f3e', '<a/>'],
    ['byte array', '0c 07 00ff41', '\0ÿA'],
  ])('%s', (_, bytes, expected) => {
    expect(read(bytes)).toEqual([expected]);
  });
});

describe('references', () => {
  test.each<[string, string, AmfValue]>([
    ['to a string', '09 05 01 06 05 6869 06 00', ['hi', 'hi']],
    ['to a key', '09 05 01 0a 0b 01 05 6869 02 01 06 00', [{ hi: false }, 'hi']],
    ['to a string, the empty one not counted', '09 07 01 06 01 06 05 6869 06 00', ['', 'hi', 'hi']],
    ['to an object', '09 05 01 0a 0b 01 03 61 03 01 0a 02', [{ a: true }, { a: true }]],
    ['to an array', '09 05 01 09 03 01 02 09 02', [[false], [false]]],
    ['to a date', '09 05 01 08 01 0000000000000000 08 02', [new Date(0), new Date(0)]],
    ['to XML', '09 05 01 0b 09 3c612f3e 0b 02', ['<a/>', '<a/>']],
    ['to a byte array', '09 05 01 0c 03 41 0c 02', ['A', 'A']],
    ['to a class', '09 05 01 0a 13 01 03 61 03 0a 01 02', [{ a: true }, { a: false }]],
    ['to the second class', '09 07 01 0a 03 01 0a 13 01 03 61 03 0a 05 02', [{}, { a: true }, { a: false }]],
    ['to a dynamic class', '09 05 01 0a 0b 01 01 0a 01 03 61 02 01', [{}, { a: false }]],
  ])('%s', (_, bytes, expected) => {
    expect(read(bytes)).toEqual([expected]);
  });
});

describe('refused are', () => {
  test.each<[string, string, RegExp]>([
    ['a vector', '0d 03 00 00000001', /type 13/],
    ['a vector of objects', '10 01', /type 16/],
    ['a dictionary', '11 01', /type 17/],
    ['what only its program can read', '0a 07 03 41', /externalizable/],
    ['a reference to no string', '06 00', /string 0 of 0/],
    ['a reference to no object', '0a 02', /value 1 of 0|value 0 of 0/],
    ['a reference to no class', '0a 01', /class 0 of 0/],
    ['an array in itself', '09 03 01 09 00', /contains itself/],
    ['an array with keys in itself', '09 01 03 61 09 00 01', /contains itself/],
    ['an object in itself', '0a 0b 01 03 61 0a 00 01', /contains itself/],
    ['17 levels', `${'090301'.repeat(17)}01`, /16 levels/],
    ['a million levels', '090301'.repeat(1_000_000), /16 levels/],
    ['2001 values', `09 9f 51 01 ${'01'.repeat(2000)}`, /2000 values/],
    ['as many values as announced', '09 ffffffff 01 01', /cut off/],
    ['as many keys as announced', '0a ffffffc3 01', /33554428 properties/],
    ['a string of 64 KiB and one', '06 888003', /string of 65537/],
    ['a byte array of 128 MB', '0c bfffffff', /string of 134217727/],
    ['an integer that is cut off', '04 ffff', /cut off/],
    ['an object that is cut off', '0a 13 01 03 61', /cut off/],
    ['an array that is cut off', '09 03', /cut off/],
  ])('%s', (_, bytes, words) => {
    expect(() => read(bytes)).toThrow(words);
    expect(() => read(bytes)).toThrow(RtmpError);
  });

  const text = '78'.repeat(65_535);
  test.each([
    ['of a string', `09 25 01 06 87ff7f ${text} ${'0600'.repeat(17)}`],
    ['of XML', `09 25 01 0b 87ff7f ${text} ${'0b02'.repeat(17)}`],
    ['of an object with a long key', `09 25 01 0a 13 01 87ff7f ${text} 01 ${'0a02'.repeat(17)}`],
    ['of a class with a long key', `09 25 01 0a 13 01 87ff7f ${text} 01 ${'0a0101'.repeat(17)}`],
  ])('much text by references: %s', (_, bytes) => {
    expect(() => read(bytes)).toThrow(/1048576 bytes of text/);
  });
});

test('dangerous keys do no harm', () => {
  const proto = Buffer.from('__proto__').toString('hex');
  // As a key of a class, and as one of its own.
  for (const bytes of [
    `0a 13 01 13 ${proto} 0a 0b 01 03 62 03 01`,
    `0a 0b 01 13 ${proto} 0a 01 03 62 03 01 01`,
  ]) {
    const [value] = read(bytes);
    expect(Object.keys(value as object)).toEqual([]);
    expect(Object.getPrototypeOf(value)).toBeNull();
  }
});
