import { describe, expect, test } from 'vitest';
import { PictureWireReader, writeSourceConfig, writeSourcePicture } from '../../../src/media/frame-wire.ts';
import type { SourceConfig, SourcePicture } from '../../../src/media/picture-source.ts';
import { seededRandom } from '../../signals/random.ts';
import { mutationsOf } from '../support/mutations.ts';

const PUSH: SourceConfig = {
  codec: 'H264',
  record: Buffer.from('0164000a', 'hex'),
  lengthBytes: 4,
  parameterSets: [Buffer.from('6764', 'hex'), Buffer.from('68ef', 'hex')],
  width: 1280,
  height: 720,
};

const PICTURE: SourcePicture = {
  data: Buffer.from('0000000265aa', 'hex'),
  decodeMs: 10_000,
  showMs: 10_066,
  key: true,
  disposable: false,
  dueAt: 123_456.789,
  keyFrameGapMs: 2_000,
  soundLateMs: 21.3,
};

function whole(picture: SourcePicture): Buffer {
  return Buffer.concat(writeSourcePicture(picture));
}

function reader() {
  const got: (SourceConfig | SourcePicture)[] = [];
  const wire = new PictureWireReader({
    config: (config) => got.push(config),
    picture: (picture) => got.push(picture),
  });
  return { wire, got };
}

/** A message of that type, with its true length. */
function message(type: number, body: Buffer): Buffer {
  const header = Buffer.alloc(5);
  header.writeUInt32BE(body.length + 1);
  header[4] = type;
  return Buffer.concat([header, body]);
}

describe('comes out as it went in:', () => {
  test.each<[string, SourceConfig]>([
    ['a push of H.264', PUSH],
    ['without a size', { codec: 'HEVC', lengthBytes: 4, parameterSets: [Buffer.of(1)] }],
    ['VP8', { codec: 'VP8', parameterSets: [] }],
    ['an empty parameter set', { codec: 'H264', lengthBytes: 2, parameterSets: [Buffer.alloc(0)] }],
  ])('%s', (_, config) => {
    const { wire, got } = reader();
    wire.read(writeSourceConfig(config));
    expect(got).toEqual([config]);
  });

  test.each<[string, Partial<SourcePicture>]>([
    ['a key frame', {}],
    ['another one', { key: false }],
    ['a disposable one', { key: false, disposable: true }],
    ['both', { key: true, disposable: true }],
    ['an empty one', { data: Buffer.alloc(0) }],
    ['times below 0 and with fractions', { decodeMs: -0.5, showMs: -20, dueAt: 1e12 + 0.125 }],
    ['a large one', { data: Buffer.alloc(3_000_000, 7) }],
  ])('%s', (_, change) => {
    const { wire, got } = reader();
    wire.read(whole({ ...PICTURE, ...change }));
    expect(got).toHaveLength(1);
    const { data, ...rest } = got[0] as SourcePicture;
    const { data: expected, ...others } = { ...PICTURE, ...change };
    expect(rest).toEqual(others);
    expect(data.equals(expected)).toBe(true);
  });
});

test('a picture is not copied to be written', () => {
  expect(writeSourcePicture(PICTURE)[1]).toBe(PICTURE.data);
});

test('however it is cut, all comes out in its order', () => {
  const random = seededRandom(5);
  const sent = [PUSH, PICTURE, { ...PICTURE, key: false, data: Buffer.alloc(500, 3) }, PUSH, PICTURE];
  const stream = Buffer.concat(sent.map((one) => ('data' in one ? whole(one) : writeSourceConfig(one))));
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
  const bytes = whole(PICTURE);
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
    ['a picture that is shorter than its header', message(2, Buffer.alloc(40))],
    ['a configuration that is no JSON', message(1, Buffer.from('{"codec"'))],
    ['one that is not even an object', message(1, Buffer.from('null'))],
    ['one without parameter sets', message(1, Buffer.from('{"codec":"VP8"}'))],
    ['parameter sets that are no text', message(1, Buffer.from('{"parameterSets":[1]}'))],
    ['a request for a page', Buffer.from('GET / HTTP/1.1\r\n\r\n')],
  ])('%s', (_, bytes) => {
    const { wire, got } = reader();
    expect(() => wire.read(Buffer.concat([whole(PICTURE), bytes]))).toThrow(RangeError);
    expect(got).toEqual([PICTURE]);
  });

  test('but not one of 16 MiB', () => {
    const { wire } = reader();
    expect(() => wire.read(size(16 * 1024 * 1024 - 4))).not.toThrow();
  });
});

test('bytes of any kind do no more harm than that', () => {
  const stream = Buffer.concat([writeSourceConfig(PUSH), whole(PICTURE)]);
  for (const bytes of mutationsOf([stream], 2_000)) {
    const { wire } = reader();
    try {
      wire.read(Buffer.from(bytes));
    } catch (error) {
      expect(error).toBeInstanceOf(RangeError);
    }
  }
});
