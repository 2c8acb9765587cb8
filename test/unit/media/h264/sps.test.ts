import { describe, expect, test } from 'vitest';
import { parseSps, profileName, type Sps } from '../../../../src/media/h264/sps.ts';
import { BitWriter } from '../../support/bit-writer.ts';
import { mutationsOf } from '../../support/mutations.ts';
import { SPS_SAMPLES } from '../../support/sps-samples.ts';

function bytes(hex: string): Buffer {
  return Buffer.from(hex, 'hex');
}

test.each(SPS_SAMPLES)('%s', (_, hex, name, expected) => {
  const sps = parseSps(bytes(hex))!;
  expect(sps).toEqual({ ...expected, profile: bytes(hex)[1], constraints: bytes(hex)[2] });
  expect(profileName(sps)).toBe(name);
});

interface Parts {
  profile?: number;
  constraints?: number;
  /** chroma_format_idc to the scaling lists. */
  high?: (writer: BitWriter) => BitWriter;
  order?: (writer: BitWriter) => BitWriter;
  size?: (writer: BitWriter) => BitWriter;
  vui?: (writer: BitWriter) => BitWriter;
}

/** 320x240, in frames. */
const SIZE = (writer: BitWriter) => writer.ue(19, 14).flags(1, 1, 0);

/** One of our own making (ITU-T H.264, section 7.3.2.1.1), with emulation prevention. */
function spsOf({ profile = 77, constraints = 0, high, order, size = SIZE, vui }: Parts): Buffer {
  const writer = new BitWriter().bits(0x67, 8).bits(profile, 8).bits(constraints, 8).bits(31, 8).ue(0);
  high?.(writer);
  writer.ue(0);
  (order ?? ((unset) => unset.ue(0, 0)))(writer);
  size(writer.ue(1).flags(0)).flags(vui ? 1 : 0);
  vui?.(writer);
  const escaped: number[] = [];
  for (const byte of writer.flags(1).bytes()) {
    if (byte <= 3 && escaped.length > 2 && escaped.at(-1) === 0 && escaped.at(-2) === 0) escaped.push(3);
    escaped.push(byte);
  }
  return Buffer.from(escaped);
}

describe('pictures that may be reordered', () => {
  const restriction = (reorder: number) => (writer: BitWriter) =>
    writer.flags(0, 0, 0, 0, 0, 0, 0, 0, 1, 1).ue(0, 0, 10, 10, reorder, 4);
  test.each<[string, Parts, number | undefined]>([
    ['Main that does not say', {}, undefined],
    ['Baseline that does not say', { profile: 66 }, 0],
    ['Baseline that says otherwise', { profile: 66, vui: restriction(1) }, 1],
    [
      'Main with a VUI that does not say',
      { vui: (writer) => writer.flags(0, 0, 0, 0, 0, 0, 0, 0, 0) },
      undefined,
    ],
    ['Main that says 0', { vui: restriction(0) }, 0],
    ['Main that says 16', { vui: restriction(16) }, 16],
    ['Main that says what cannot be', { vui: restriction(17) }, undefined],
    ['order type 2', { order: (writer) => writer.ue(2) }, 0],
    ['order type 2, whatever it says', { order: (writer) => writer.ue(2), vui: restriction(3) }, 0],
    ['order type 1', { order: (writer) => writer.ue(1).flags(1).se(-5, 3).ue(2).se(-1, 1) }, undefined],
    [
      'key frames alone',
      { profile: 110, constraints: 0x10, high: (writer) => writer.ue(1, 0, 0).flags(0, 0) },
      0,
    ],
    ['the same flag in Main', { constraints: 0x10 }, undefined],
  ])('%s: %o', (_, parts, expected) => {
    const sps = parseSps(spsOf(parts));
    expect(sps).toMatchObject({ width: 320, height: 240, profile: parts.profile ?? 77 });
    expect(sps?.reorderFrames).toBe(expected);
  });
});

describe('frame rate', () => {
  const timing = (tick: number, scale: number) => (writer: BitWriter) =>
    writer.flags(0, 0, 0, 0, 1).bits(tick, 32).bits(scale, 32).flags(1, 0, 0, 0, 0);
  test.each([
    [1, 60, 30],
    [1001, 60_000, 30_000 / 1001],
    [2 ** 32 - 1, 2 ** 32 - 1, 0.5],
    [1, 2_000, 1_000],
    [1, 2_002, undefined],
    [0, 60, undefined],
    [1, 0, undefined],
    [0, 0, undefined],
  ])('%i/%i: %d', (tick, scale, expected) => {
    expect(parseSps(spsOf({ vui: timing(tick, scale) }))?.frameRate).toBe(expected);
  });

  test('stands also when the rest of the VUI is cut off', () => {
    // Behind the timing, limits that take 30 bytes.
    const limits = (writer: BitWriter) =>
      writer
        .flags(0, 0, 0, 0, 1)
        .bits(1, 32)
        .bits(60, 32)
        .flags(1, 0, 0, 0, 1, 1)
        .ue(2 ** 31, 2 ** 31, 2 ** 31, 2 ** 31, 2, 2);
    const whole = spsOf({ vui: limits });
    expect(parseSps(whole)).toMatchObject({ frameRate: 30, reorderFrames: 2 });
    for (let missing = 3; missing < 30; missing++) {
      const cut = parseSps(whole.subarray(0, -missing));
      expect(cut).toMatchObject({ frameRate: 30, width: 320 });
      expect(cut?.reorderFrames).toBeUndefined();
    }
    const within = parseSps(whole.subarray(0, 16));
    expect(within).toMatchObject({ width: 320, height: 240 });
    expect(within?.frameRate).toBeUndefined();
  });
});

describe('what is to be shown', () => {
  const cropped = (left: number, right: number, top: number, bottom: number) => (writer: BitWriter) =>
    writer.ue(19, 14).flags(1, 1, 1).ue(left, right, top, bottom);
  const fields = (writer: BitWriter) => writer.ue(19, 14).flags(0, 1, 1, 1).ue(0, 0, 1, 1);
  const format =
    (chroma: number, ...planes: 0[] | 1[]) =>
    (writer: BitWriter) =>
      writer
        .ue(chroma)
        .flags(...planes)
        .ue(0, 0)
        .flags(0, 0);
  test.each<[string, Parts, number, number]>([
    ['cropping of 4:2:0', { size: cropped(1, 2, 3, 4) }, 314, 226],
    ['cropping of fields', { size: fields }, 320, 472],
    ['cropping of 4:2:2', { profile: 122, high: format(2), size: cropped(1, 2, 3, 4) }, 314, 233],
    ['cropping of fields of 4:2:2', { profile: 122, high: format(2), size: fields }, 320, 476],
    ['cropping of 4:4:4', { profile: 244, high: format(3, 0), size: cropped(1, 2, 3, 4) }, 317, 233],
    ['cropping of planes apart', { profile: 244, high: format(3, 1), size: cropped(1, 2, 3, 4) }, 317, 233],
    ['cropping without colour', { profile: 100, high: format(0), size: cropped(1, 2, 3, 4) }, 317, 233],
    ['the largest', { size: (writer) => writer.ue(1023, 1023).flags(1, 1, 0) }, 16_384, 16_384],
    ['the smallest', { size: (writer) => writer.ue(0, 0).flags(1, 1, 1).ue(7, 0, 0, 7) }, 2, 2],
  ])('%s', (_, parts, width, height) => {
    expect(parseSps(spsOf(parts))).toMatchObject({ width, height });
  });

  test.each<[string, Parts]>([
    ['too wide', { size: (writer) => writer.ue(1024, 14).flags(1, 1, 0) }],
    ['too high', { size: (writer) => writer.ue(19, 1024).flags(1, 1, 0) }],
    ['too high in fields', { size: (writer) => writer.ue(19, 512).flags(0, 1, 1, 0) }],
    ['as wide as numbers go', { size: (writer) => writer.ue(2 ** 32 - 2, 14).flags(1, 1, 0) }],
    ['cropped to nothing', { size: cropped(80, 80, 0, 0) }],
    ['cropped to less than nothing', { size: cropped(0, 0, 2 ** 31, 2 ** 31) }],
  ])('none that is %s', (_, parts) => {
    expect(parseSps(spsOf(parts))).toBeUndefined();
  });
});

describe('format of samples', () => {
  const list = (writer: BitWriter, size: number) => {
    writer.flags(1);
    for (let value = 0; value < size; value++) writer.se(value % 2 === 0 ? 3 : -2);
    return writer;
  };
  test.each<[string, (writer: BitWriter) => BitWriter, Partial<Sps>]>([
    ['depths that differ', (writer) => writer.ue(1, 1, 2).flags(0, 0), { bitDepth: 10, chromaFormat: 1 }],
    ['14 bits', (writer) => writer.ue(2, 6, 6).flags(0, 0), { bitDepth: 14, chromaFormat: 2 }],
    ['no scaling lists but the flag', (writer) => writer.ue(1, 0, 0).flags(0, 1, 0, 0, 0, 0, 0, 0, 0, 0), {}],
    [
      'scaling lists that end early',
      (writer) => {
        writer.ue(1, 0, 0).flags(0, 1, 1).se(-8);
        return list(writer.flags(1).se(2, -10), 16).flags(0, 0, 0, 1).se(-8).flags(0);
      },
      {},
    ],
    [
      'all scaling lists',
      (writer) => {
        writer.ue(1, 0, 0).flags(0, 1);
        for (let index = 0; index < 8; index++) list(writer, index < 6 ? 16 : 64);
        return writer;
      },
      {},
    ],
    [
      'all twelve of 4:4:4',
      (writer) => {
        writer.ue(3).flags(0).ue(0, 0).flags(0, 1);
        for (let index = 0; index < 12; index++) list(writer, index < 6 ? 16 : 64);
        return writer;
      },
      { chromaFormat: 3 },
    ],
  ])('%s', (_, high, expected) => {
    expect(parseSps(spsOf({ profile: 244, high }))).toMatchObject({ ...expected, width: 320, height: 240 });
  });

  test.each<[string, Parts]>([
    ['a chroma format of 4', { profile: 100, high: (writer) => writer.ue(4, 0, 0).flags(0, 0) }],
    ['15 bits', { profile: 100, high: (writer) => writer.ue(1, 7, 0).flags(0, 0) }],
    ['15 bits of chroma', { profile: 100, high: (writer) => writer.ue(1, 0, 7).flags(0, 0) }],
    ['an order type of 3', { order: (writer) => writer.ue(3) }],
    ['an order that counts too far', { order: (writer) => writer.ue(0, 13) }],
    ['an order with too long a cycle', { order: (writer) => writer.ue(1).flags(1).se(0, 0).ue(256) }],
  ])('refuses %s', (_, parts) => {
    expect(parseSps(spsOf(parts))).toBeUndefined();
  });
});

test.each([
  [66, 0xc0, 'Constrained Baseline'],
  [66, 0x80, 'Baseline'],
  [77, 0x40, 'Main'],
  [88, 0, 'Extended'],
  [100, 0, 'High'],
  [100, 0x0c, 'High'],
  [110, 0, 'High 10'],
  [122, 0, 'High 4:2:2'],
  [244, 0, 'High 4:4:4'],
  [123, 0, 'profile 123'],
])('profile %i with constraints %i is %s', (profile, constraints, name) => {
  expect(profileName({ profile, constraints })).toBe(name);
});

describe('refuses', () => {
  const [, sample] = SPS_SAMPLES[3]!;
  test.each([
    ['nothing', ''],
    ['a header', '67'],
    ['a PPS', `68${sample.slice(2)}`],
    ['the forbidden bit', `e7${sample.slice(2)}`],
    ['one that is cut off before its size', sample.slice(0, 12)],
    ['one with 4 KB of zeros behind it', sample + '00'.repeat(4_096)],
  ])('%s', (_, hex) => {
    expect(parseSps(bytes(hex))).toBeUndefined();
  });
});

test('bytes of strangers do no harm, and no value leaves its range', () => {
  let taken = 0;
  for (const nal of mutationsOf(
    SPS_SAMPLES.map(([, hex]) => bytes(hex)),
    30_000,
  )) {
    const sps = parseSps(nal);
    if (!sps) continue;
    taken++;
    const { width, height, bitDepth, reorderFrames = 0, frameRate = 1 } = sps;
    for (const size of [width, height])
      expect(Number.isInteger(size) && size > 0 && size <= 16_384).toBe(true);
    expect(bitDepth >= 8 && bitDepth <= 14).toBe(true);
    expect(reorderFrames >= 0 && reorderFrames <= 16).toBe(true);
    expect(frameRate > 0 && frameRate <= 1_000).toBe(true);
  }
  expect(taken).toBeGreaterThan(1_000);
});
