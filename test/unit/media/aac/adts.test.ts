import { describe, expect, test } from 'vitest';
import { parseAacConfig } from '../../../../src/media/aac/aac-config.ts';
import { parseAdts } from '../../../../src/media/aac/adts.ts';
import { mutationsOf } from '../../support/mutations.ts';

function bytes(hex: string): Buffer {
  return Buffer.from(hex.replaceAll(/\s/g, ''), 'hex');
}

/** AAC-LC at 48 kHz of two channels, three bytes, as FFmpeg writes its header. */
const FRAME = 'fff14c80015ffc 211004';

test('a frame is taken apart into its data and a configuration that says the same as its header', () => {
  expect(parseAdts(bytes(FRAME))).toEqual([{ config: bytes('1190'), data: bytes('211004') }]);
});

test('a checksum is passed over', () => {
  expect(parseAdts(bytes('fff04c80019ffc beef 211004'))).toEqual([
    { config: bytes('1190'), data: bytes('211004') },
  ]);
});

test.each<[string, string, object]>([
  ['AAC Main at 44.1 kHz, mono', 'fff11040015ffc 211004', { name: 'AAC Main', rate: 44_100, channels: 1 }],
  ['AAC-LC at 44.1 kHz, stereo', 'fff15080015ffc 211004', { name: 'AAC-LC', rate: 44_100, channels: 2 }],
  ['AAC-LC at 8 kHz, mono', 'fff16c40015ffc 211004', { name: 'AAC-LC', rate: 8_000, channels: 1 }],
  ['AAC-LTP at 48 kHz, stereo', 'fff1cc80015ffc 211004', { name: 'AAC-LTP', rate: 48_000, channels: 2 }],
  ['AAC-LC of six channels', 'fff14d80015ffc 211004', { name: 'AAC-LC', rate: 48_000, channels: 6 }],
  ['MPEG-2 instead of MPEG-4', 'fff94c80015ffc 211004', { name: 'AAC-LC', rate: 48_000, channels: 2 }],
])('the header is read: %s', (_, frame, expected) => {
  expect(parseAacConfig(parseAdts(bytes(frame))![0]!.config)).toMatchObject(expected);
});

test('several frames are taken in their order, each with its own configuration', () => {
  const frames = parseAdts(bytes(`${FRAME} fff15040013ffc aabb ${FRAME}`))!;
  expect(frames.map(({ config, data }) => [config.toString('hex'), data.toString('hex')])).toEqual([
    ['1190', '211004'],
    ['1208', 'aabb'],
    ['1190', '211004'],
  ]);
});

test('a length of 13 bits is read whole', () => {
  const header = bytes('fff14c80000ffc');
  const length = 0x1fff;
  header[3] = 0x80 | (length >> 11);
  header[4] = (length >> 3) & 0xff;
  header[5] = ((length & 7) << 5) | 0x1f;
  const [frame] = parseAdts(Buffer.concat([header, Buffer.alloc(length - 7, 0x21)]))!;
  expect(frame!.data).toHaveLength(length - 7);
});

describe('it is no ADTS', () => {
  test.each([
    ['nothing', ''],
    ['a raw frame', '211004'],
    ['a raw frame that is long enough', '2110046b7f80aabbccdd'],
    ['MP3', 'fffb9064000000000000'],
    ['a header without data', 'fff14c8000fffc'],
    ['a header that is cut off', 'fff14c80015f'],
    ['a frame that is cut off', 'fff14c80015ffc 2110'],
    ['a length that ends within the header', 'fff14c80007ffc 211004'],
    ['a length that ends within the checksum', 'fff04c80011ffc be'],
    ['a frame with something else behind it', `${FRAME} 00`],
    ['a frame with half a frame behind it', `${FRAME} fff14c80015ffc 21`],
  ])('%s', (_, hex) => {
    expect(parseAdts(bytes(hex))).toBeUndefined();
  });
});

test('bytes of strangers do no harm', () => {
  const samples = [FRAME, 'fff04c80019ffc beef 211004', `${FRAME}${FRAME}`].map(bytes);
  let read = 0;
  for (const some of mutationsOf(samples, 20_000)) {
    const frames = parseAdts(some);
    if (!frames) continue;
    read++;
    expect(frames.length).toBeGreaterThan(0);
    const size = frames.reduce((sum, { data }) => sum + data.length, 0);
    expect(size + 7 * frames.length).toBeLessThanOrEqual(some.length);
    expect(frames.every(({ data }) => data.length > 0)).toBe(true);
  }
  expect(read).toBeGreaterThan(100);
});
