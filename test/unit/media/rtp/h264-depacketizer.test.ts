import { describe, expect, test } from 'vitest';
import { parseAvcConfig } from '../../../../src/media/h264/avc-config.ts';
import { H264Depacketizer, type H264Frame } from '../../../../src/media/rtp/h264-depacketizer.ts';
import { H264Packetizer } from '../../../../src/media/rtp/h264-packetizer.ts';
import { parseRtp, type RtpPacket } from '../../../../src/media/rtp/rtp.ts';
import { mutationsOf } from '../../support/mutations.ts';
import { unitsOf, withLengths } from '../../support/nal-units.ts';
import { X264_CONFIG, X264_FRAMES } from '../../support/x264-frames.ts';

const hex = (text: string) => Buffer.from(text.replaceAll(' ', ''), 'hex');
const SPS = hex('6742c01eda0280bfe5c044');
const PPS = hex('68ce3c80');
const TOGETHER = Buffer.concat([hex('78 000b'), SPS, hex('0004'), PPS]);

function depacketizer() {
  const out: (H264Frame | 'dropped')[] = [];
  const frames = new H264Depacketizer({
    frame: (frame) => out.push({ ...frame, nals: frame.nals.map((nal) => Buffer.from(nal)) }),
    dropped: () => out.push('dropped'),
  });
  const receive = (payload: Buffer | string, marker = false, timestamp = 1) => {
    const bytes = typeof payload === 'string' ? hex(payload) : payload;
    const packet: RtpPacket = {
      payload: bytes,
      marker,
      timestamp,
      payloadType: 96,
      sequenceNumber: 0,
      ssrc: 1,
    };
    frames.receive(packet);
  };
  /** What came out, of frames their NAL units as hex digits, and which ones are key frames. */
  const taken = () =>
    out.splice(0).map((frame) => {
      if (frame === 'dropped') return frame;
      return `${frame.key ? 'key ' : ''}${frame.nals.map((nal) => nal.toString('hex')).join(' ')}`;
    });
  return { frames, receive, out, taken };
}

/** One that has begun. */
function begun() {
  const all = depacketizer();
  all.receive(TOGETHER);
  all.receive('65aa', true, 0);
  all.taken();
  return all;
}

describe('payloads', () => {
  test.each<[string, string[], string]>([
    ['a NAL unit', ['41aabb'], '41aabb'],
    ['several NAL units', ['0601', '41aa', '41bb'], '0601 41aa 41bb'],
    ['an IDR picture', ['65aa'], 'key 65aa'],
    ['an IDR picture that is no reference, which is odd', ['05aa'], 'key 05aa'],
    ['an aggregate', ['58 0002 0601 0003 41aabb'], '0601 41aabb'],
    ['an aggregate of one', ['78 0002 65aa'], 'key 65aa'],
    ['fragments', ['7c 85 aa', '7c 05 bbcc', '7c 45 dd'], 'key 65aabbccdd'],
    ['fragments of no bytes', ['5c 81', '5c 01 aa', '5c 41'], '41aa'],
    ['a fragment that is the whole', ['5c c1 aabb'], '41aabb'],
    ['fragments with the reserved bit', ['5c a1 aa', '5c 61 bb'], '41aabb'],
    ['all kinds', ['0601', '5c 81 aa', '5c 41 bb', '58 0001 41 0001 01', '0c00'], '0601 41aabb 41 01 0c00'],
    ['partitions of data', ['42aa', '43bb', '44cc'], '42aa 43bb 44cc'],
  ])('%s', (_, payloads, expected) => {
    const { frames, receive, taken } = begun();
    for (const [index, payload] of payloads.entries()) receive(payload, index === payloads.length - 1);
    expect(taken()).toEqual([expected]);
    expect(frames.malformed).toBe(0);
  });
});

describe('malformed is, and costs one frame,', () => {
  test.each<[string, string[]]>([
    ['type 0', ['60aa']],
    ['an aggregate with decoding order (STAP-B)', ['79 0000 0002 41aa']],
    ['fragments with decoding order (FU-B)', ['5d 81 0000 aa']],
    ['types of no meaning', ['5e aa']],
    ['the forbidden bit', ['c1 aa']],
    ['the forbidden bit of an aggregate', ['d8 0002 41aa']],
    ['the forbidden bit of fragments', ['dc 81 aa', 'dc 41 bb']],
    ['the forbidden bit in an aggregate', ['58 0002 c1aa']],
    ['an aggregate of nothing', ['58']],
    ['an aggregate of an empty unit', ['58 0000']],
    ['an aggregate of an empty unit and others', [`58 0000 0101 ${'41'.repeat(257)}`]],
    ['an aggregate with half a length', ['58 0002 41aa 00']],
    ['an aggregate that is cut off', ['58 0003 41aa']],
    ['an aggregate in an aggregate', ['58 0005 58 0002 41aa']],
    ['a fragment in an aggregate', ['58 0003 5cc1aa']],
    ['a fragment without its second byte', ['5c']],
    ['a fragment of type 0', ['5c 80 aa', '5c 40 aa']],
    ['a fragment of an aggregate', ['5c 98 aa', '5c 58 aa']],
    ['a fragment without a start', ['5c 01 aa']],
    ['an end without a start', ['5c 41 aa']],
    ['a start after a start', ['5c 81 aa', '5c 81 bb', '5c 41 cc']],
    ['no end', ['5c 81 aa', '5c 01 bb']],
    ['something else within fragments', ['5c 81 aa', '41bb', '5c 41 bb']],
    ['a fragment of something else', ['5c 81 aa', '5c 45 bb']],
    ['a fragment of other importance', ['5c 81 aa', '7c 41 bb']],
  ])('%s', (_, payloads) => {
    const { frames, receive, taken } = begun();
    receive('41aa', true, 1);
    receive('41bb', false, 2);
    for (const [index, payload] of payloads.entries()) receive(payload, index === payloads.length - 1, 2);
    receive('41cc', true, 3);
    expect(taken()).toEqual(['41aa', 'dropped', '41cc']);
    expect(frames.malformed).toBe(1);
  });

  test.each([
    [1_024, 'as many NAL units as may be', 0],
    [1_025, 'more NAL units than may be', 1],
  ])('with %i NAL units: %s', (count, _, malformed) => {
    const { frames, receive, out } = begun();
    for (let unit = 1; unit <= count; unit++) receive('41aa', unit === count, 2);
    expect(out[0] === 'dropped' || out[0]!.nals.length).toBe(malformed === 1 || count);
    expect(frames.malformed).toBe(malformed);
  });

  test.each([
    [2 * 1024 * 1024, 0],
    [2 * 1024 * 1024 + 1, 1],
  ])('a frame of %i bytes: %i', (size, malformed) => {
    const { frames, receive, out } = begun();
    const unit = Buffer.alloc(size, 0x41);
    for (let at = 1; at < size; at += 60_000) {
      const end = Math.min(size, at + 60_000);
      const header = Buffer.of(0x5c, (at === 1 ? 0x80 : 0) | (end === size ? 0x40 : 0) | 1);
      receive(Buffer.concat([header, unit.subarray(at, end)]), end === size);
    }
    expect(out[0] === 'dropped' ? malformed : out[0]!.nals[0]!.equals(unit) && 0).toBe(malformed);
    expect(frames.malformed).toBe(malformed);
    receive('41aa', true, 2);
    expect(out[1]).toMatchObject({ nals: [hex('41aa')] });
  });
});

describe('frames end', () => {
  test('at the marker bit, or with another timestamp if that is missing', () => {
    const { receive, taken } = begun();
    receive('41aa', false, 0xffffffff);
    receive('41bb', false, 0xffffffff);
    expect(taken()).toEqual([]);
    receive('41cc', false, 0);
    expect(taken()).toEqual(['41aa 41bb']);
    receive('41dd', true, 1);
    expect(taken()).toEqual(['41cc', '41dd']);
  });

  test('not at a packet without a payload: that is padding', () => {
    const { receive, taken } = begun();
    receive('41aa', false, 1);
    receive('', true, 9);
    receive('41bb', true, 1);
    expect(taken()).toEqual(['41aa 41bb']);
  });
});

describe('parameter sets', () => {
  test('are given with the frames, those of before too', () => {
    const { receive, out } = depacketizer();
    receive(TOGETHER);
    receive('65aa', true);
    receive('41aa', true, 2);
    receive('6742c01eda', false, 3);
    receive('65bb', true, 3);
    expect(out).toMatchObject([
      { nals: [SPS, PPS, hex('65aa')], sps: [SPS], pps: [PPS] },
      { nals: [hex('41aa')], sps: [SPS], pps: [PPS] },
      { nals: [hex('6742c01eda'), hex('65bb')], sps: [hex('6742c01eda')], pps: [PPS] },
    ]);
  });

  test('alone make no frame, but are kept', () => {
    const { receive, out } = depacketizer();
    receive(SPS, true, 1);
    receive(PPS, true, 2);
    receive('0601', true, 3);
    receive('65aa', true, 4);
    expect(out).toMatchObject([{ nals: [hex('65aa')], sps: [SPS], pps: [PPS], timestamp: 4 }]);
  });

  test('are kept of a frame that is left out, and in fragments', () => {
    const { frames, receive, out } = depacketizer();
    receive(SPS);
    receive(Buffer.concat([hex('7c 88'), PPS.subarray(1, 3)]));
    receive(Buffer.concat([hex('7c 48'), PPS.subarray(3)]));
    frames.gap();
    receive('09f0', false, 2);
    receive('65aa', true, 2);
    expect(out).toMatchObject(['dropped', { nals: [hex('09f0'), hex('65aa')], sps: [SPS], pps: [PPS] }]);
  });
});

describe('after a gap', () => {
  test.each<[string, string]>([
    ['a delimiter', '09f0'],
    ['an SPS', SPS.toString('hex')],
    ['an aggregate that begins with one', TOGETHER.toString('hex')],
  ])('it begins with %s', (_, first) => {
    const { frames, receive, taken } = begun();
    frames.gap();
    receive(first, false, 5);
    receive('65aa', true, 5);
    expect(taken()).toEqual([expect.stringMatching(/^key .*65aa$/)]);
  });

  test.each<[string, string]>([
    ['a slice, even the first of a key frame: its parameter sets may be missing', '6588'],
    ['a PPS', PPS.toString('hex')],
    ['a message', '0601'],
    ['an aggregate of other things', '58 0002 0601 0002 6742'],
    ['an aggregate of nothing', '58'],
    ['a fragment of a slice', '7c 85 aa'],
    ['a fragment of an SPS that is not the first', '7c 07 aa'],
    ['half a fragment', '7c'],
  ])('it does not with %s', (_, first) => {
    const { frames, receive, taken } = begun();
    frames.gap();
    receive(first, false, 5);
    receive('65aa', true, 5);
    receive('41aa', true, 6);
    expect(taken()).toEqual(['dropped', '41aa']);
    expect(frames.malformed).toBe(0);
  });

  test('it begins with an SPS in fragments', () => {
    const { frames, receive, taken } = begun();
    frames.gap();
    receive(Buffer.concat([hex('7c 87'), SPS.subarray(1, 5)]), false, 5);
    receive(Buffer.concat([hex('7c 47'), SPS.subarray(5)]), false, 5);
    receive('65aa', true, 5);
    expect(taken()).toEqual([`key ${SPS.toString('hex')} 65aa`]);
  });

  test('within a frame, the rest of it is left out whatever it begins with, and told once', () => {
    const { frames, receive, taken } = begun();
    receive('41aa', false, 5);
    frames.gap();
    receive(TOGETHER, false, 5);
    receive('65aa', true, 5);
    receive('41bb', true, 6);
    expect(taken()).toEqual(['dropped', '41bb']);
  });

  test('from within a frame into the next, both are left out', () => {
    const { frames, receive, taken } = begun();
    receive('5c81aa', false, 5);
    frames.gap();
    receive('5c41aa', true, 6);
    receive('41bb', true, 7);
    expect(taken()).toEqual(['dropped', 'dropped', '41bb']);
    expect(frames.malformed).toBe(0);
  });
});

test.each([16, 100, 1_200])("x264's frames arrive, in payloads of %i bytes", (maxPayloadBytes) => {
  const config = parseAvcConfig(X264_CONFIG)!;
  const sender = new H264Packetizer({ ssrc: 1, payloadType: 102, maxPayloadBytes });
  const { frames, out } = depacketizer();
  const sent = X264_FRAMES.map(({ data, key }, index) => {
    const sets = key ? [...config.sps, ...config.pps] : [];
    sender.packetize(data, 4, index * 9_000, sets, (packet) => frames.receive(parseRtp(packet)!));
    // Delimiters are not sent.
    const nals = [...sets, ...unitsOf(data).slice(1)];
    return { nals, key, timestamp: index * 9_000, sps: config.sps, pps: config.pps };
  });
  expect(out).toEqual(sent);
});

test('units of many sizes arrive', () => {
  const sender = new H264Packetizer({ ssrc: 1, payloadType: 102 });
  const { frames, out } = begun();
  const sizes = [1, 2, 3, 1_199, 1_200, 1_201, 2_397, 2_398, 64_000, 65_535, 65_536, 200_000];
  const sent = sizes.map((size, index) => {
    const units = [size, 7, size].map((length) =>
      Buffer.from(Array.from({ length }, (_, at) => (at === 0 ? 0x41 : (at * 7 + (at >> 8)) & 0xff))),
    );
    sender.packetize(withLengths(units), 4, index, [], (packet) => frames.receive(parseRtp(packet)!));
    return units;
  });
  const arrived = sent.map((units, index) => {
    const one = out[index];
    return (
      one !== undefined && one !== 'dropped' && Buffer.concat([...one.nals]).equals(Buffer.concat(units))
    );
  });
  expect(arrived).toEqual(sent.map(() => true));
  expect(out.length).toBe(sent.length);
});

test('bytes of strangers do no harm', () => {
  const { frames, receive, out } = depacketizer();
  const samples = [
    TOGETHER,
    ...['7c85aabb', '7c45cc', '5c81aabb', '5c41cc', '65aabb', '41aa', '5800020601000241aa'].map(hex),
  ];
  let round = 0;
  for (const payload of mutationsOf(samples, 20_000)) {
    round++;
    receive(payload, round % 3 === 0, round >> 2);
    if (round % 50 === 0) frames.gap();
  }
  const whole = out.filter((frame) => frame !== 'dropped');
  expect(whole.length).toBeGreaterThan(500);
  expect(frames.malformed).toBeGreaterThan(1_000);
  for (const { nals, key, sps } of whole) {
    const types = nals.map((nal) => nal[0]! & 0x1f);
    expect(types.every((type) => type >= 1 && type <= 23)).toBe(true);
    expect(types.some((type) => type <= 5)).toBe(true);
    expect(key).toBe(types.includes(5));
    expect(sps.length).toBeLessThanOrEqual(8);
  }
});
