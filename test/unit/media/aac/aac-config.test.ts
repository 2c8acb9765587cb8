import { describe, expect, test } from 'vitest';
import { type AacConfig, parseAacConfig, parseMp3Header } from '../../../../src/media/aac/aac-config.ts';
import { BitWriter } from '../../support/bit-writer.ts';
import { mutationsOf } from '../../support/mutations.ts';

function bytes(hex: string): Buffer {
  return Buffer.from(hex.replaceAll(/\s/g, ''), 'hex');
}

const config = (
  name: AacConfig['name'],
  rate: number,
  channels: number,
  samplesPerFrame: number,
  objectType = 2,
) => ({
  objectType,
  name,
  rate,
  channels,
  samplesPerFrame,
});

describe('a configuration', () => {
  test.each<[string, string, AacConfig]>([
    ['of OBS: 48 kHz stereo', '1190', config('AAC-LC', 48_000, 2, 1024)],
    ['of FFmpeg, which says that there is no SBR', '119056e500', config('AAC-LC', 48_000, 2, 1024)],
    ['at 44.1 kHz', '1210', config('AAC-LC', 44_100, 2, 1024)],
    ['in mono', '1188', config('AAC-LC', 48_000, 1, 1024)],
    ['in 5.1', '11b0', config('AAC-LC', 48_000, 6, 1024)],
    ['in 7.1', '11b8', config('AAC-LC', 48_000, 8, 1024)],
    ['of frames of 960', '1194', config('AAC-LC', 48_000, 2, 960)],
    ['of Main', '0990', config('AAC Main', 48_000, 2, 1024, 1)],
    ['with zeros behind it', '1190 00000000', config('AAC-LC', 48_000, 2, 1024)],
    ['of HE-AAC, in front', '2b920800', config('HE-AAC', 44_100, 2, 2048)],
    ['of HE-AAC, behind', '139056e5a0', config('HE-AAC', 44_100, 2, 2048)],
    ['of HE-AAC v2, in front', 'eb8a0800', config('HE-AACv2', 44_100, 2, 2048)],
    ['of HE-AAC v2, behind', '138856e5a54880', config('HE-AACv2', 44_100, 2, 2048)],
  ])('%s', (_, hex, expected) => {
    expect(parseAacConfig(bytes(hex))).toEqual(expected);
  });

  const start = (type: number, rate: number, channels: number) =>
    new BitWriter().bits(type, 5).bits(rate, 4).bits(channels, 4);
  /** In front: channels at left, right and behind as pairs and single ones, and one for bass. */
  const program = (writer: BitWriter) =>
    writer
      .bits(0, 10)
      .bits(2, 4)
      .bits(0, 4)
      .bits(1, 4)
      .bits(1, 2)
      .bits(1, 3)
      .bits(2, 4)
      .flags(1)
      .bits(3, 4)
      .flags(0)
      .flags(1)
      .bits(5, 3)
      .flags(0)
      .bits(0, 4)
      .flags(1)
      .bits(0, 4)
      .flags(1)
      .bits(1, 4)
      .bits(0, 4)
      .bits(0, 4)
      .bits(0, 10)
      .align();
  test.each<[string, BitWriter, AacConfig]>([
    [
      'a rate that is written out',
      new BitWriter().bits(2, 5).bits(15, 4).bits(44_056, 24).bits(2, 4).flags(0, 0, 0),
      config('AAC-LC', 44_056, 2, 1024),
    ],
    [
      'a delay for another core',
      start(2, 3, 2).flags(0, 1).bits(500, 14).flags(0),
      config('AAC-LC', 48_000, 2, 1024),
    ],
    ['an extension', start(2, 3, 2).flags(0, 0, 1, 0), config('AAC-LC', 48_000, 2, 1024)],
    [
      'a program config element, with a comment',
      program(start(2, 3, 0).flags(0, 0, 0))
        .bits(2, 8)
        .bits(0x4142, 16),
      config('AAC-LC', 48_000, 6, 1024),
    ],
    [
      'SBR behind a program config element',
      program(start(2, 6, 0).flags(0, 0, 0))
        .bits(0, 8)
        .bits(0x2b7, 11)
        .bits(5, 5)
        .flags(1)
        .bits(3, 4),
      config('HE-AAC', 48_000, 6, 2048),
    ],
    [
      'SBR at the same rate',
      start(5, 3, 2).bits(3, 4).bits(2, 5).flags(0, 0, 0),
      config('HE-AAC', 48_000, 2, 1024),
    ],
    [
      'SBR of frames of 960',
      start(5, 6, 2).bits(3, 4).bits(2, 5).flags(1, 0, 0),
      config('HE-AAC', 48_000, 2, 1920),
    ],
    [
      'SBR at a rate that is written out',
      start(5, 6, 2).bits(15, 4).bits(48_000, 24).bits(2, 5).flags(0, 0, 0),
      config('HE-AAC', 48_000, 2, 2048),
    ],
    ['low delay', start(23, 3, 1).flags(0, 0, 0).bits(0, 2), config('AAC-LD', 48_000, 1, 512, 23)],
    [
      'low delay of frames of 480',
      start(23, 3, 1).flags(1, 0, 1, 1, 1, 1, 0).bits(0, 2),
      config('AAC-LD', 48_000, 1, 480, 23),
    ],
    [
      'tools against errors',
      start(17, 3, 2).flags(0, 0, 0).bits(1, 2),
      config('ER AAC-LC', 48_000, 2, 1024, 17),
    ],
    [
      'what looks like no announcement',
      start(2, 3, 2).flags(0, 0, 0).bits(0x2b6, 11).bits(5, 5).flags(1).bits(3, 4),
      config('AAC-LC', 48_000, 2, 1024),
    ],
    [
      'an announcement of something else',
      start(2, 3, 2).flags(0, 0, 0).bits(0x2b7, 11).bits(22, 5).bits(0, 8),
      config('AAC-LC', 48_000, 2, 1024),
    ],
  ])('with %s', (_, writer, expected) => {
    expect(parseAacConfig(writer.bytes())).toEqual(expected);
  });

  test.each<[string, Buffer]>([
    ['nothing', Buffer.alloc(0)],
    ['one byte', bytes('11')],
    ['a reserved rate', start(2, 13, 2).bits(0, 16).bytes()],
    ['a rate of 1 Hz', new BitWriter().bits(2, 5).bits(15, 4).bits(1, 24).bits(2, 4).bits(0, 16).bytes()],
    [
      'a rate of 16 MHz',
      new BitWriter().bits(2, 5).bits(15, 4).bits(0xffffff, 24).bits(2, 4).bits(0, 16).bytes(),
    ],
    ['a reserved layout of channels', start(2, 3, 8).bits(0, 16).bytes()],
    ['a program config element that is cut off', start(2, 3, 0).flags(0, 0, 0).bits(0, 12).bytes()],
    ['a program without channels', start(2, 3, 0).bits(0, 80).bytes()],
    ['object type 0', bytes('0190')],
    ['CELP', start(8, 3, 2).bits(0, 40).bytes()],
    [
      'an escaped object type: USAC',
      new BitWriter().bits(31, 5).bits(10, 6).bits(3, 4).bits(2, 4).bits(0, 80).bytes(),
    ],
    ['SBR of something else', start(5, 6, 2).bits(3, 4).bits(22, 5).bits(0, 40).bytes()],
    ['SBR on SBR', start(5, 6, 2).bits(3, 4).bits(5, 5).bits(0, 40).bytes()],
    ['SBR at three times the rate', start(5, 8, 2).bits(3, 4).bits(2, 5).flags(0, 0, 0).bytes()],
    ['SBR at half the rate', start(5, 3, 2).bits(6, 4).bits(2, 5).flags(0, 0, 0).bytes()],
    ['an error protection of its own', start(17, 3, 2).flags(0, 0, 0).bits(2, 2).bits(0, 40).bytes()],
  ])('refuses %s', (_, wrong) => {
    expect(parseAacConfig(wrong)).toBeUndefined();
  });
});

describe("the header of MP3's frames", () => {
  test.each([
    // The first is what LAME writes.
    ['MPEG-1 at 44.1 kHz, mono', 'fffb50c4', { rate: 44_100, channels: 1, samplesPerFrame: 1152 }],
    ['MPEG-1 at 48 kHz, stereo, protected', 'fffa9400', { rate: 48_000, channels: 2, samplesPerFrame: 1152 }],
    ['MPEG-1 at 32 kHz, joint stereo', 'fffb9840', { rate: 32_000, channels: 2, samplesPerFrame: 1152 }],
    ['MPEG-2 at 22.05 kHz, two channels', 'fff35080', { rate: 22_050, channels: 2, samplesPerFrame: 576 }],
    ['MPEG-2.5 at 8 kHz', 'ffe358c0', { rate: 8_000, channels: 1, samplesPerFrame: 576 }],
  ])('%s', (_, hex, expected) => {
    expect(parseMp3Header(bytes(hex))).toEqual(expected);
  });

  test.each([
    ['nothing', ''],
    ['three bytes', 'fffb50'],
    ['no sync word', 'fefb50c4'],
    ['half a sync word', 'ff7b50c4'],
    ['a reserved version', 'ffeb50c4'],
    ['a reserved rate', 'fffb5cc4'],
    ['a forbidden bit rate', 'fffbf0c4'],
    ['layer II', 'fffd50c4'],
    ['ADTS of AAC', 'fff150c4'],
  ])('not %s', (_, hex) => {
    expect(parseMp3Header(bytes(hex))).toBeUndefined();
  });
});

test('bytes of strangers do no harm, and no value leaves its range', () => {
  const samples = ['119056e500', 'eb8a0800', '138856e5a54880', '2b920800', 'fffb50c4'].map(bytes);
  let taken = 0;
  for (const input of mutationsOf(samples, 20_000)) {
    const aac = parseAacConfig(input);
    parseMp3Header(input);
    if (!aac) continue;
    taken++;
    expect(aac.rate >= 7_350 && aac.rate <= 192_000).toBe(true);
    expect(aac.channels >= 1 && aac.channels <= 64).toBe(true);
    expect([480, 512, 960, 1024, 1920, 2048]).toContain(aac.samplesPerFrame);
  }
  expect(taken).toBeGreaterThan(1_000);
});
