import { describe, expect, test } from 'vitest';
import type { SourceUnit, VideoFormat } from '../../../src/media/access-unit.ts';
import { FrameWireReader, writeFormat, writeUnit } from '../../../src/media/frame-wire.ts';
import { seededRandom } from '../../signals/random.ts';
import { mutationsOf } from '../support/mutations.ts';

const PUSH: VideoFormat = {
  kind: 'video',
  codec: 'H264',
  record: Buffer.from('0164000a', 'hex'),
  lengthBytes: 4,
  parameterSets: [Buffer.from('6764', 'hex'), Buffer.from('68ef', 'hex')],
  width: 1280,
  height: 720,
};
const HUB: VideoFormat = { kind: 'video', codec: 'VP8', parameterSets: [] };

const UNIT: SourceUnit = {
  format: PUSH,
  data: Buffer.from('0000000265aa', 'hex'),
  dtsUs: 10_000_000,
  ptsUs: 10_066_667,
  key: true,
  disposable: false,
  discontinuity: false,
  dueAt: 123_456.789,
  keyFrameGapMs: 2_000,
  audioLateMs: 21.3,
};

function whole(unit: SourceUnit): Buffer {
  return Buffer.concat(writeUnit(unit));
}

/** With its format in front of it. */
function begun(unit: SourceUnit): Buffer {
  return Buffer.concat([writeFormat(unit.format), whole(unit)]);
}

function reader() {
  const got: SourceUnit[] = [];
  const wire = new FrameWireReader((unit) => got.push(unit));
  return { wire, got };
}

/** A message of that type, with its true length. */
function message(type: number, body: Buffer): Buffer {
  const header = Buffer.alloc(5);
  header.writeUInt32BE(body.length + 1);
  header[4] = type;
  return Buffer.concat([header, body]);
}

describe('a format comes out as it went in, with the units behind it:', () => {
  test.each<[string, VideoFormat]>([
    ['a push of H.264', PUSH],
    ['without a size', { kind: 'video', codec: 'H265', lengthBytes: 4, parameterSets: [Buffer.of(1)] }],
    ['VP8', HUB],
    ['an empty parameter set', { ...HUB, codec: 'H264', lengthBytes: 2, parameterSets: [Buffer.alloc(0)] }],
  ])('%s', (_, format) => {
    const { wire, got } = reader();
    wire.read(begun({ ...UNIT, format }));
    expect(got).toEqual([{ ...UNIT, format }]);
  });

  test('one object for all units up to the next format', () => {
    const { wire, got } = reader();
    for (const bytes of [begun(UNIT), whole({ ...UNIT, key: false }), begun({ ...UNIT, format: HUB })]) {
      wire.read(bytes);
    }
    const [first, second, third] = got.map(({ format }) => format);
    expect(second).toBe(first);
    expect([first, third]).toEqual([PUSH, HUB]);
  });

  test('another object when it is said again, even if it says the same', () => {
    const { wire, got } = reader();
    for (let index = 0; index < 2; index++) wire.read(begun(UNIT));
    expect(got[1]!.format).not.toBe(got[0]!.format);
  });
});

describe('a unit comes out as it went in:', () => {
  test.each<[string, Partial<SourceUnit>]>([
    ['a key frame', {}],
    ['another one', { key: false }],
    ['a disposable one', { key: false, disposable: true }],
    ['one behind a gap', { discontinuity: true }],
    ['with all its flags', { key: true, disposable: true, discontinuity: true }],
    ['with none', { key: false }],
    ['an empty one', { data: Buffer.alloc(0) }],
    ['times below 0 and with fractions', { dtsUs: -500, ptsUs: -20_000, dueAt: 1e12 + 0.125 }],
    ['times of 49 days', { dtsUs: 2 ** 32 * 1000, ptsUs: 2 ** 32 * 1000 + 1 }],
    ['a large one', { data: Buffer.alloc(3_000_000, 7) }],
  ])('%s', (_, change) => {
    const { wire, got } = reader();
    wire.read(begun({ ...UNIT, ...change }));
    expect(got).toHaveLength(1);
    const { data, ...rest } = got[0]!;
    const { data: expected, ...others } = { ...UNIT, ...change };
    expect(rest).toEqual(others);
    expect(data.equals(expected)).toBe(true);
  });
});

test('a unit is not copied to be written', () => {
  expect(writeUnit(UNIT)[1]).toBe(UNIT.data);
});

test('however it is cut, all comes out in its order', () => {
  const random = seededRandom(5);
  const sent = [
    UNIT,
    { ...UNIT, key: false, data: Buffer.alloc(500, 3) },
    { ...UNIT, format: HUB },
    { ...UNIT, format: HUB, key: false },
    UNIT,
  ];
  const stream = Buffer.concat(
    sent.map((unit, index) => (unit.format === sent[index - 1]?.format ? whole(unit) : begun(unit))),
  );
  for (const largest of [1, 3, 7, 50, 400, 5_000]) {
    const { wire, got } = reader();
    for (let at = 0; at < stream.length; ) {
      const end = Math.min(stream.length, at + 1 + Math.floor(random() * largest));
      wire.read(Buffer.from(stream.subarray(at, end)));
      at = end;
    }
    expect(got).toEqual(sent);
  }
});

test('half a message is none yet', () => {
  const { wire, got } = reader();
  const bytes = begun(UNIT);
  wire.read(bytes.subarray(0, bytes.length - 1));
  expect(got).toEqual([]);
  wire.read(bytes.subarray(bytes.length - 1));
  expect(got).toHaveLength(1);
});

describe('is refused, with what came before it dealt with:', () => {
  const size = (bytes: number) => {
    const header = Buffer.alloc(5, 2);
    header.writeUInt32BE(bytes);
    return header;
  };
  test.each<[string, Buffer]>([
    ['a message without a type', Buffer.alloc(5)],
    ['one of more than 16 MiB', size(16 * 1024 * 1024)],
    ['one of 4 GiB', size(0xffff_ffff)],
    ['a type of no meaning', message(3, Buffer.alloc(50))],
    ['a unit that is shorter than its header', message(2, Buffer.alloc(40))],
    ['a format that is no JSON', message(1, Buffer.from('{"codec"'))],
    ['one that is not even an object', message(1, Buffer.from('null'))],
    ['one without parameter sets', message(1, Buffer.from('{"codec":"VP8"}'))],
    ['parameter sets that are no text', message(1, Buffer.from('{"parameterSets":[1]}'))],
    ['a record that is no text', message(1, Buffer.from('{"record":1,"parameterSets":[]}'))],
    ['a request for a page', Buffer.from('GET / HTTP/1.1\r\n\r\n')],
  ])('%s', (_, bytes) => {
    const { wire, got } = reader();
    expect(() => wire.read(Buffer.concat([begun(UNIT), bytes]))).toThrow(RangeError);
    expect(got).toEqual([UNIT]);
  });

  test('a unit before any format', () => {
    const { wire, got } = reader();
    expect(() => wire.read(whole(UNIT))).toThrow(RangeError);
    expect(got).toEqual([]);
  });

  test('but not one of 16 MiB', () => {
    const { wire } = reader();
    expect(() => wire.read(size(16 * 1024 * 1024 - 4))).not.toThrow();
  });
});

test('bytes of any kind do no more harm than that', () => {
  const stream = Buffer.concat([begun(UNIT), whole(UNIT)]);
  for (const bytes of mutationsOf([stream], 2_000)) {
    const { wire } = reader();
    try {
      wire.read(Buffer.from(bytes));
    } catch (error) {
      expect(error).toBeInstanceOf(RangeError);
    }
  }
});
