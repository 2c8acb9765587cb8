import { describe, expect, test } from 'vitest';
import { type AmfValue, EcmaArray, readAmf0, writeAmf0 } from '../../../../gateways/rtmp/protocol/amf0.ts';
import { RtmpError } from '../../../../gateways/rtmp/protocol/rtmp-error.ts';

const hex = (text: string) => Buffer.from(text.replaceAll(' ', ''), 'hex');
const read = (text: string) => readAmf0(hex(text));

/** Marker and 16 bits of length, or 32. */
const string = (value: string) => writeAmf0(value).toString('hex');
const key = (value: string) => string(value).slice(2);

/** An object of those properties, its bytes given. */
const object = (...properties: [string, string][]) =>
  `03${properties.map(([name, value]) => key(name) + value).join('')}000009`;

describe('values (AMF 0, section 2)', () => {
  test.each<[string, string, AmfValue]>([
    ['number', '00 3ff8000000000000', 1.5],
    ['negative number', '00 c000000000000000', -2],
    ['not a number', '00 7ff8000000000000', Number.NaN],
    ['false', '01 00', false],
    ['true', '01 01', true],
    ['true of another value', '01 07', true],
    ['string', '02 0005 68c3a96c6f', 'hélo'],
    ['empty string', '02 0000', ''],
    ['object', '03 0001 61 0100 0001 62 05 000009', { a: false, b: null }],
    ['empty object', '03 000009', {}],
    ['object with an empty key', '03 0000 05 000009', { '': null }],
    ['null', '05', null],
    ['undefined', '06', undefined],
    ['ECMA array', '08 00000002 0001 61 0100 0001 62 0101 000009', { a: false, b: true }],
    ['ECMA array that counts wrong', '08 00000000 0001 61 0100 000009', { a: false }],
    ['strict array', '0a 00000002 05 0101', [null, true]],
    ['empty strict array', '0a 00000000', []],
    ['date', '0b 4276e36000000000 0000', new Date(1572864000000)],
    ['date with a time zone, which is ignored', '0b 0000000000000000 00ff', new Date(0)],
    ['date that is none', '0b 7ff8000000000000 0000', undefined],
    ['date out of range', '0b 7fe0000000000000 0000', undefined],
    ['long string', '0c 00000002 6869', 'hi'],
    ['unsupported', '0d', undefined],
    ['XML', '0f 00000004 3c612f3e', '<a/>'],
    ['typed object', '10 0003 412e42 0001 61 0101 000009', { a: true }],
    ['reference', '0a 00000002 03 0001 61 0101 000009 07 0001', [{ a: true }, { a: true }]],
    ['nested', '03 0001 61 0a 00000001 03 0001 62 05 000009 000009', { a: [{ b: null }] }],
    ['AMF 3', '11 04 05', 5],
  ])('%s', (_, bytes, expected) => {
    expect(read(bytes)).toEqual([expected]);
  });

  test('follow each other to the end, from where they are asked for', () => {
    expect(read('05 0101 05')).toEqual([null, true, null]);
    expect(readAmf0(hex('ffff 05 0101'), 2)).toEqual([null, true]);
    expect(read('')).toEqual([]);
  });

  test('a reference is the same object, also between values', () => {
    const [first, second] = read('03 0001 61 0101 000009 07 0000');
    expect(second).toBe(first);
  });

  test('AMF 3 values of one message share their tables', () => {
    expect(read('11 06 05 6869 05 11 06 00')).toEqual(['hi', null, 'hi']);
  });
});

describe('what is cut off is refused', () => {
  test.each([
    ['number', '00 3ff80000000000'],
    ['boolean', '01'],
    ['string', '02 0005 68656c6c'],
    ['length of a string', '02 00'],
    ['object', '03 0001 61 0100'],
    ['key', '03 0002 61'],
    ['value', '03 0001 61'],
    ['end of an object', '03 0000'],
    ['ECMA array', '08 0000'],
    ['strict array', '0a 00000002 05'],
    ['strict array that announces much', '0a ffffffff 05'],
    ['date', '0b 0000000000000000 00'],
    ['long string', '0c 0000ffff 00'],
    ['reference', '07 00'],
    ['class', '10 0003 4142'],
    ['AMF 3', '11'],
  ])('%s', (_, bytes) => {
    expect(() => read(bytes)).toThrow(expect.objectContaining({ code: 'amf' }));
  });
});

describe('what has no meaning is refused', () => {
  test.each([
    ['the end of no object', '09', /type 9/],
    ['the end of an object in an array', '0a 00000001 09', /type 9/],
    ['the end of an object behind a key', '03 0001 61 09', /type 9/],
    ['a movie clip', '04', /type 4/],
    ['a record set', '0e', /type 14/],
    ['an unknown type', '12', /type 18/],
    ['a reference to nothing', '07 0000', /reference to value 0 of 0/],
    ['an object in itself', '03 0001 61 07 0000 000009', /contains itself/],
    ['an array in itself', '0a 00000001 07 0000', /contains itself/],
    ['a cycle of two', '0a 00000001 03 0001 61 07 0000 000009', /contains itself/],
  ])('%s', (_, bytes, words) => {
    expect(() => read(bytes)).toThrow(words);
    expect(() => read(bytes)).toThrow(RtmpError);
  });
});

describe('limits', () => {
  const nested = (levels: number) => `${'0a00000001'.repeat(levels)}05`;
  /** Arrays of references to the one before: 10 to the power of their number. */
  const explosion = (arrays: number) =>
    `0a 0000000a ${'05'.repeat(10)} ${Array.from({ length: arrays }, (_, at) => `0a0000000a${`07${at.toString(16).padStart(4, '0')}`.repeat(10)}`).join('')}`;
  const deepFirst = '0a000000020a000000010a0000000105' + '0a0000000105';
  const long = string('x'.repeat(65_536));

  test.each<[string, string, RegExp | undefined]>([
    ['16 levels', nested(16), undefined],
    ['17 levels', nested(17), /16 levels/],
    ['a million levels', nested(1_000_000), /16 levels/],
    ['a million levels of objects', '03000161'.repeat(1_000_000), /16 levels/],
    // An array of one, in an array of one: by references, each time one level more.
    [
      'levels by references',
      Array.from({ length: 17 }, (_, at) =>
        at === 0 ? '0a0000000105' : `0a0000000107${(at - 1).toString(16).padStart(4, '0')}`,
      ).join(''),
      /16 levels/,
    ],
    // Three levels: the first element has two, the second one.
    ['16 levels by a reference', `${deepFirst}${'0a00000001'.repeat(13)}070000`, undefined],
    ['17 levels by a reference', `${deepFirst}${'0a00000001'.repeat(14)}070000`, /16 levels/],
    ['2000 values', '05'.repeat(2000), undefined],
    ['2001 values', '05'.repeat(2001), /2000 values/],
    ['2000 values with the array that they are in', `0a 000007cf ${'05'.repeat(1999)}`, undefined],
    ['2001 values with the array that they are in', `0a 000007d0 ${'05'.repeat(2000)}`, /2000 values/],
    ['1221 values by references', explosion(2), undefined],
    ['12331 values by references', explosion(3), /2000 values/],
    ['10^15 values by references', explosion(14), /2000 values/],
    ['a long string', long, undefined],
    ['a longer string', string('x'.repeat(65_537)), /string of 65537 bytes/],
    ['a string that announces 4 GB', '0c ffffffff', /string of 4294967295/],
    ['1 MiB of text', long.repeat(16), undefined],
    ['more text', long.repeat(16) + string('x'), /1048576 bytes of text/],
    ['more text by references', `0a00000001${long}${'070000'.repeat(16)}`, /1048576 bytes of text/],
    ['a long key', object(['x'.repeat(65_535), '05']), undefined],
    ['many long keys', `0a00000011${object(['x'.repeat(65_535), '05']).repeat(17)}`, /1048576 bytes of text/],
  ])('%s', (_, bytes, words) => {
    if (words) expect(() => read(bytes)).toThrow(words);
    else expect(read(bytes).length).toBeGreaterThan(0);
  });

  test('can be given', () => {
    const bytes = hex('05 05 0a 00000000 02 0003 616263');
    expect(readAmf0(bytes, 0, { values: 4, depth: 1, stringBytes: 3, textBytes: 3 })).toEqual([
      null,
      null,
      [],
      'abc',
    ]);
    for (const limits of [{ values: 3 }, { depth: 0 }, { stringBytes: 2 }, { textBytes: 2 }])
      expect(() => readAmf0(bytes, 0, limits)).toThrow(RtmpError);
  });
});

describe('dangerous keys do no harm', () => {
  test.each(['__proto__', 'constructor', 'prototype', 'toString', 'hasOwnProperty'])('%s', (name) => {
    const bytes = object([name, object(['polluted', '0101'])], ['after', '05']);
    const [value] = read(bytes) as [{ [key: string]: AmfValue }];
    expect(Object.getPrototypeOf(value)).toBeNull();
    expect(({} as { polluted?: unknown }).polluted).toBeUndefined();
    const copy = Object.assign({}, value) as { polluted?: unknown; after?: unknown };
    expect(Object.getPrototypeOf(copy)).toBe(Object.prototype);
    expect(copy.polluted).toBeUndefined();
    expect(copy.after).toBeNull();
  });
});

describe('writing', () => {
  test.each<[string, AmfValue, string]>([
    ['number', 1.5, '003ff8000000000000'],
    ['boolean', true, '0101'],
    ['string', 'hé', '02000368c3a9'],
    ['null', null, '05'],
    ['undefined', undefined, '06'],
    ['date', new Date(1572864000000), '0b4276e360000000000000'],
    ['array', [null, [true]], '0a00000002050a000000010101'],
    ['object', { a: false, b: { c: null } }, '0300016101000001620300016305000009000009'],
    ['string of 65535 bytes', 'x'.repeat(65_535), `02ffff${'78'.repeat(65_535)}`],
    ['string of 65536 bytes', 'x'.repeat(65_536), `0c00010000${'78'.repeat(65_536)}`],
  ])('%s', (_, value, expected) => {
    const bytes = writeAmf0(value);
    expect(bytes.toString('hex')).toBe(expected);
    expect(readAmf0(bytes)).toEqual([value]);
  });

  test.each<[string, { [key: string]: AmfValue }, string]>([
    ['empty', {}, '0800000000000009'],
    ['of two', { a: false, b: true }, '080000000200016101000001620101000009'],
    ['with an object', { a: { b: null } }, '08000000010001610300016205000009000009'],
  ])('ECMA array, %s', (_, values, expected) => {
    const bytes = writeAmf0(new EcmaArray(values));
    expect(bytes.toString('hex')).toBe(expected);
    expect(readAmf0(bytes)).toEqual([values]);
  });

  test('several values', () => {
    const values = ['connect', 1, { app: 'live', nested: [1, 'two', { three: 3 }] }, null];
    expect(readAmf0(writeAmf0(...values))).toEqual(values);
    expect(writeAmf0()).toEqual(Buffer.alloc(0));
  });

  test('what cannot be read is not written', () => {
    const cycle: { [key: string]: AmfValue } = {};
    cycle.self = cycle;
    expect(() => writeAmf0(cycle)).toThrow(RangeError);
    expect(() => writeAmf0(new EcmaArray({ cycle }))).toThrow(RangeError);
    expect(() => writeAmf0({ ['x'.repeat(65_536)]: 1 })).toThrow(RangeError);
    expect(() => writeAmf0(new EcmaArray({ ['x'.repeat(65_536)]: 1 }))).toThrow(RangeError);
  });
});
