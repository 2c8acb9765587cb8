import { describe, expect, test } from 'vitest';
import { type AvcConfig, parseAvcConfig, serializeAvcConfig } from '../../../../src/media/h264/avc-config.ts';
import { mutationsOf } from '../../support/mutations.ts';
import { X264_CONFIG } from '../../support/x264-frames.ts';

function bytes(hex: string): Buffer {
  return Buffer.from(hex.replaceAll(/\s/g, ''), 'hex');
}

const BASELINE = '01 42c01e ff e1 0004 6742c01e 01 0003 68ce3c';

describe('reading', () => {
  test('takes the fields of a record', () => {
    expect(parseAvcConfig(bytes(BASELINE))).toEqual({
      profile: 0x42,
      compatibility: 0xc0,
      level: 30,
      lengthBytes: 4,
      sps: [bytes('6742c01e')],
      pps: [bytes('68ce3c')],
    });
  });

  test('takes what x264 and FFmpeg write, with the part for high profiles', () => {
    expect(parseAvcConfig(X264_CONFIG)).toEqual({
      profile: 100,
      compatibility: 0,
      level: 10,
      lengthBytes: 4,
      sps: [bytes('6764000aacd9420db011000003000100000300140f122596')],
      pps: [bytes('68ef8472c0')],
    });
  });

  test.each<[string, string, Partial<AvcConfig>]>([
    ['lengths of one byte', '01 42c01e fc e1 0001 67 01 0001 68', { lengthBytes: 1 }],
    ['reserved bits that are 0', '01 42c01e 01 01 0001 67 01 0001 68', { lengthBytes: 2 }],
    [
      'several sets',
      '01 42c01e ff e2 0001 67 0002 6701 02 0001 68 0001 28',
      {
        sps: [bytes('67'), bytes('6701')],
        pps: [bytes('68'), bytes('28')],
      },
    ],
    [
      'empty units, and ones of other types',
      '01 42c01e ff e3 0000 0001 67 0001 06 02 0001 67 0001 68',
      {
        sps: [bytes('67')],
        pps: [bytes('68')],
      },
    ],
    ['an empty unit at the very end', '01 42c01e ff e1 0001 67 02 0001 68 0000', { pps: [bytes('68')] }],
  ])('copes with %s', (_, record, expected) => {
    expect(parseAvcConfig(bytes(record))).toMatchObject(expected);
  });

  test.each([
    ['nothing', ''],
    ['another version', BASELINE.replace('01', '00')],
    ['no SPS', '01 42c01e ff e0 01 0003 68ce3c'],
    ['no PPS', '01 42c01e ff e1 0004 6742c01e 00'],
    ['an SPS that is none', '01 42c01e ff e1 0004 6842c01e 01 0003 68ce3c'],
    ['a unit with the forbidden bit', '01 42c01e ff e1 0004 e742c01e 01 0003 68ce3c'],
    ['an SPS longer than the record', '01 42c01e ff e1 ffff 6742c01e 01 0003 68ce3c'],
    ['a count of PPS that is cut off', '01 42c01e ff e1 0004 6742c01e'],
    ['a PPS that is cut off', BASELINE.slice(0, -2)],
    ['fewer sets than it says', '01 42c01e ff e1 0004 6742c01e 02 0003 68ce3c'],
    ['too much', `${BASELINE}${'00'.repeat(16_384)}`],
  ])('refuses %s', (_, record) => {
    expect(parseAvcConfig(bytes(record))).toBeUndefined();
  });

  test('copies, so that the record can go', () => {
    const record = bytes(BASELINE);
    const config = parseAvcConfig(record)!;
    record.fill(0);
    expect(config.sps[0]?.toString('hex')).toBe('6742c01e');
  });
});

describe('writing', () => {
  test.each([
    ['Baseline', bytes(BASELINE)],
    ['High, with the format of samples', X264_CONFIG],
  ])('gives the record back: %s', (_, record) => {
    expect(serializeAvcConfig(parseAvcConfig(record)!).toString('hex')).toBe(record.toString('hex'));
  });

  test('says 4:2:2 and 10 bits', () => {
    const sps = bytes(
      '677a1029b6d420223319c6632321011198ce331918210256b93d7d7e4fe33f11f19e08b88c5443c0780227e270110000030001000003003284',
    );
    const config = {
      profile: 122,
      compatibility: 0x10,
      level: 41,
      lengthBytes: 4 as const,
      sps: [sps],
      pps: [bytes('68')],
    };
    expect(serializeAvcConfig(config).subarray(-4).toString('hex')).toBe('fefafa00');
  });

  test('leaves the format out when the SPS does not tell it', () => {
    const config = {
      profile: 100,
      compatibility: 0,
      level: 41,
      lengthBytes: 4 as const,
      sps: [bytes('67')],
      pps: [bytes('68')],
    };
    expect(serializeAvcConfig(config).subarray(-4).toString('hex')).toBe('01000168');
  });

  const unit = bytes('68');
  const config = {
    profile: 66,
    compatibility: 0,
    level: 30,
    lengthBytes: 4 as const,
    sps: [unit],
    pps: [unit],
  };
  test.each<[string, AvcConfig]>([
    ['no SPS', { ...config, sps: [] }],
    ['32 SPS', { ...config, sps: new Array(32).fill(unit) }],
    ['no PPS', { ...config, pps: [] }],
    ['256 PPS', { ...config, pps: new Array(256).fill(unit) }],
    ['a PPS of 65536 bytes', { ...config, pps: [Buffer.alloc(65_536)] }],
  ])('refuses %s', (_, wrong) => {
    expect(() => serializeAvcConfig(wrong)).toThrow(RangeError);
  });
});

test('bytes of strangers do no harm, and what is taken can be written', () => {
  let taken = 0;
  for (const record of mutationsOf([bytes(BASELINE), X264_CONFIG], 20_000)) {
    const config = parseAvcConfig(record);
    if (!config) continue;
    taken++;
    expect(parseAvcConfig(serializeAvcConfig(config))).toEqual(config);
  }
  expect(taken).toBeGreaterThan(1_000);
});
