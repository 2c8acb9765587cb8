import { describe, expect, test } from 'vitest';
import { parseHevcConfig } from '../../../../src/media/h264/hevc-config.ts';
import { mutationsOf } from '../../support/mutations.ts';

function bytes(hex: string): Buffer {
  return Buffer.from(hex.replaceAll(/\s/g, ''), 'hex');
}

const VPS = '40010c01ffff02200000030090000003000003003c9594 09';
const SPS = '42010102200000030090000003000003003ca00a080c1f3b6595952930bc05a020000003002000000301 41';
const PPS = '4401c073c18927';
const SEI = '4e0105ff';
const unit = (hex: string) => bytes(hex).length.toString(16).padStart(4, '0') + hex;
/** Main 10 at 10 bits, as FFmpeg writes it for x265. */
const HEADER = '01 02 20000000 900000000000 3c f000 fc fd fa fa 0000 0f';
const RECORD = `${HEADER} 04 20 0001 ${unit(VPS)} 21 0001 ${unit(SPS)} 22 0001 ${unit(PPS)} 27 0001 ${unit(SEI)}`;

test('takes the fields of a record, and its parameter sets in their order', () => {
  expect(parseHevcConfig(bytes(RECORD))).toEqual({
    lengthBytes: 4,
    parameterSets: [bytes(VPS), bytes(SPS), bytes(PPS)],
    profile: 2,
    bitDepth: 10,
  });
});

test.each([
  ['8 bits', RECORD.replace('fa fa', 'f8 f8'), { bitDepth: 8 }],
  ['more bits of chroma than of luma', RECORD.replace('fa fa', 'f8 fc'), { bitDepth: 12 }],
  ['a higher tier', RECORD.replace('01 02', '01 21'), { profile: 1 }],
  ['lengths of two bytes', RECORD.replace('0000 0f', '0000 0d'), { lengthBytes: 2 }],
  [
    'several sets of one kind',
    RECORD.replace(`22 0001 ${unit(PPS)}`, `22 0002 ${unit(PPS)} ${unit(PPS)}`),
    { parameterSets: [VPS, SPS, PPS, PPS].map(bytes) },
  ],
  [
    'empty units',
    RECORD.replace(`22 0001 ${unit(PPS)}`, `22 0002 0000 ${unit(PPS)}`),
    { parameterSets: [VPS, SPS, PPS].map(bytes) },
  ],
])('copes with %s', (_, record, expected) => {
  expect(parseHevcConfig(bytes(record))).toMatchObject(expected);
});

describe('refuses', () => {
  test.each([
    ['nothing', ''],
    ['another version', RECORD.replace('01', '00')],
    ['no sets', `${HEADER} 00`],
    ['no VPS', RECORD.replace(unit(VPS), unit(SEI))],
    ['no SPS', RECORD.replace(unit(SPS), unit(SEI))],
    ['no PPS', RECORD.replace(unit(PPS), unit(SEI))],
    ['a set that is cut off', RECORD.slice(0, -2)],
    ['a count of units that is cut off', `${HEADER} 01 20 00`],
    ['more units than there are', RECORD.replace('27 0001', '27 ffff')],
    ['more arrays than there are', RECORD.replace(`${HEADER} 04`, `${HEADER} ff`)],
    ['too much', `${RECORD}${'00'.repeat(16_384)}`],
  ])('%s', (_, record) => {
    expect(parseHevcConfig(bytes(record))).toBeUndefined();
  });
});

test('copies, so that the record can go', () => {
  const record = bytes(RECORD);
  const config = parseHevcConfig(record)!;
  record.fill(0);
  expect(config.parameterSets[2]).toEqual(bytes(PPS));
});

test('bytes of strangers do no harm', () => {
  let taken = 0;
  for (const record of mutationsOf([bytes(RECORD)], 20_000)) {
    const config = parseHevcConfig(record);
    if (!config) continue;
    taken++;
    const size = config.parameterSets.reduce((sum, { length }) => sum + length, 0);
    expect(size).toBeLessThan(record.length);
    expect(config.bitDepth >= 8 && config.bitDepth <= 15).toBe(true);
  }
  expect(taken).toBeGreaterThan(1_000);
});
