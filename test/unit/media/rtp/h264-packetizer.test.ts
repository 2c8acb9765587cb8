import { describe, expect, test } from 'vitest';
import { parseAvcConfig } from '../../../../src/media/h264/avc-config.ts';
import type { LengthBytes } from '../../../../src/media/h264/nal-units.ts';
import { H264Packetizer, type H264PacketizerOptions } from '../../../../src/media/rtp/h264-packetizer.ts';
import { parseRtp } from '../../../../src/media/rtp/rtp.ts';
import { seededRandom } from '../../../signals/random.ts';
import { H264Depacketizer, type ReceivedUnit } from '../../support/h264-depacketizer.ts';
import { mutationsOf } from '../../support/mutations.ts';
import { unitsOf, withLengths } from '../../support/nal-units.ts';
import { X264_CONFIG, X264_FRAMES } from '../../support/x264-frames.ts';

const SSRC = 0x89abcdef;
const SPS = Buffer.from('6742c01eda0280bfe5c044', 'hex');
const PPS = Buffer.from('68ce3c80', 'hex');

const packetizer = (options: Partial<H264PacketizerOptions> = {}) =>
  new H264Packetizer({ ssrc: SSRC, payloadType: 102, ...options });

/** A NAL unit with a content that shows where a part of it was from. */
function nal(header: number, size: number): Buffer {
  const unit = Buffer.alloc(size, header);
  for (let at = 1; at < size; at++) unit[at] = (at * 7 + (at >> 8)) & 0xff;
  return unit;
}

function packetsOf(
  sender: H264Packetizer,
  units: readonly Buffer[],
  parameterSets: readonly Buffer[] = [],
  timestamp = 1,
): Buffer[] {
  const packets: Buffer[] = [];
  const made = sender.packetize(withLengths(units), 4, timestamp, parameterSets, (packet) =>
    packets.push(Buffer.from(packet)),
  );
  expect(made).toBe(packets.length);
  return packets;
}

/** What a receiver has of the packets of one access unit. */
function received(packets: readonly Buffer[], maxPayloadBytes = 1200): ReceivedUnit | undefined {
  const receiver = new H264Depacketizer(maxPayloadBytes);
  const units = packets.map((packet) => receiver.receive(packet));
  expect(units.slice(0, -1).every((unit) => unit === undefined)).toBe(true);
  return units.at(-1);
}

const payloads = (packets: readonly Buffer[]) => packets.map((packet) => parseRtp(packet)!.payload);

describe('a packet', () => {
  test('has the header of RTP, and the marker bit when it is the last', () => {
    const sender = packetizer({ sequenceNumber: 65_535 });
    const packets = packetsOf(sender, [nal(0x06, 10), nal(0x65, 20)], [], 0xfedcba98);
    expect(packets.map((packet) => parseRtp(packet))).toMatchObject([
      { payloadType: 102, sequenceNumber: 65_535, timestamp: 0xfedcba98, ssrc: SSRC, marker: false },
      { payloadType: 102, sequenceNumber: 0, timestamp: 0xfedcba98, ssrc: SSRC, marker: true },
    ]);
    expect(sender.sequenceNumber).toBe(1);
  });

  test('is a NAL unit as it is, when that is small enough (RFC 6184, section 5.6)', () => {
    expect(payloads(packetsOf(packetizer(), [nal(0x65, 1200)]))).toEqual([nal(0x65, 1200)]);
  });

  test('is a fragment when it is not (section 5.8)', () => {
    const [first, second] = payloads(packetsOf(packetizer(), [nal(0x65, 1201)]));
    // FU indicator: importance 3, type 28. FU header: start and end bits, type 5. The NAL unit's header byte is not repeated.
    expect([first!.toString('hex', 0, 3), second!.toString('hex', 0, 2)]).toEqual(['7c8507', '7c45']);
    expect([first!.length, second!.length]).toEqual([602, 602]);
  });

  test('has the parameter sets together (section 5.7.1)', () => {
    const [aggregate] = payloads(packetsOf(packetizer(), [nal(0x65, 20)], [SPS, PPS]));
    expect(aggregate!.toString('hex')).toBe(`78000b${SPS.toString('hex')}0004${PPS.toString('hex')}`);
  });

  test('that aggregates has the highest importance and the error bit of what is in it', () => {
    const [aggregate] = payloads(packetsOf(packetizer(), [nal(0x65, 20)], [nal(0x27, 3), nal(0xc8, 3)]));
    expect(aggregate![0]).toBe(0x80 | 0x40 | 24);
  });
});

describe('sizes around the borders', () => {
  const BORDERS = [16, 17, 18, 19, 20, 64, 1200];
  test.each(BORDERS)('of payloads of %i bytes', (maxPayloadBytes) => {
    const sender = packetizer({ maxPayloadBytes });
    const around = (size: number) => [-3, -2, -1, 0, 1, 2, 3].map((offset) => size + offset);
    const fragment = maxPayloadBytes - 2;
    const sizes = new Set([
      1,
      2,
      3,
      ...[1, 2, 3, 7].flatMap((n) => [...around(n * fragment + 1), ...around(n * maxPayloadBytes)]),
    ]);
    for (const size of sizes) {
      const unit = nal(0x41, size);
      const packets = packetsOf(sender, [unit]);
      expect(received(packets, maxPayloadBytes)?.nals).toEqual([unit]);
      expect(packets.length).toBe(size <= maxPayloadBytes ? 1 : Math.ceil((size - 1) / fragment));
      const lengths = packets.map(({ length }) => length);
      expect(Math.max(...lengths) - Math.min(...lengths)).toBeLessThanOrEqual(1);
    }
  });

  test.each([
    ['just fit together', 1200 - 1 - 2 - 2 - PPS.length, 1],
    ['just do not', 1200 - 1 - 2 - 2 - PPS.length + 1, 2],
    ['are too large even alone', 1201, 3],
  ])('of parameter sets that %s', (_, spsBytes, packetsBefore) => {
    const sps = nal(0x67, spsBytes);
    const packets = packetsOf(packetizer(), [nal(0x65, 20)], [sps, PPS]);
    expect(packets.length).toBe(packetsBefore + 1);
    expect(received(packets)?.nals).toEqual([sps, PPS, nal(0x65, 20)]);
  });

  test('one parameter set goes by itself, empty ones do not', () => {
    const packets = packetsOf(packetizer(), [nal(0x65, 20)], [Buffer.alloc(0), SPS]);
    expect(payloads(packets)).toEqual([SPS, nal(0x65, 20)]);
  });

  test.each([1, 2, 3, 4] as const)('of lengths: %i bytes', (lengthBytes: LengthBytes) => {
    const packets: Buffer[] = [];
    const units = [nal(0x06, 30), nal(0x65, 200)];
    packetizer().packetize(withLengths(units, lengthBytes), lengthBytes, 1, [], (packet) =>
      packets.push(packet),
    );
    expect(received(packets)?.nals).toEqual(units);
  });
});

describe('left out', () => {
  const slice = nal(0x65, 20);
  test.each<[string, Buffer[], Buffer[], Buffer[]]>([
    ['delimiters', [nal(0x09, 2), slice], [], [slice]],
    ['fillers', [slice, nal(0x0c, 3_000)], [], [slice]],
    ['ends of sequence and stream', [slice, nal(0x0a, 1), nal(0x0b, 1)], [], [slice]],
    [
      'types that mean something else in RTP',
      [nal(0, 5), nal(24, 5), nal(28, 5), nal(31, 5), slice],
      [],
      [slice],
    ],
    ['the same parameter sets', [SPS, PPS, slice], [SPS, PPS], [SPS, PPS, slice]],
    ['but not others', [nal(0x67, 9), PPS, slice], [SPS, PPS], [SPS, PPS, nal(0x67, 9), slice]],
    ['nor those that are not given', [SPS, PPS, slice], [], [SPS, PPS, slice]],
    ['nor messages', [nal(0x06, 9), slice], [SPS, PPS], [SPS, PPS, nal(0x06, 9), slice]],
  ])('%s', (_, units, parameterSets, expected) => {
    expect(received(packetsOf(packetizer(), units, parameterSets))?.nals).toEqual(expected);
  });
});

describe('nothing is sent of', () => {
  test.each<[string, Buffer]>([
    ['nothing', Buffer.alloc(0)],
    ['empty units', Buffer.alloc(8)],
    ['a delimiter alone', withLengths([nal(0x09, 2)])],
    ['a length that is cut off', Buffer.concat([withLengths([nal(0x65, 20)]), Buffer.alloc(3)])],
    ['a unit that is cut off', withLengths([nal(0x65, 3_000), nal(0x41, 20)]).subarray(0, -1)],
    ['more than half the ring holds', withLengths([nal(0x65, 8 * 1198 + 2)])],
    ['many small units', withLengths(Array.from({ length: 9 }, () => nal(0x41, 1)))],
  ])('%s', (_, accessUnit) => {
    const sender = packetizer({ ringPackets: 16 });
    const emit = () => expect.unreachable('a packet');
    expect(sender.packetize(accessUnit, 4, 1, [SPS, PPS], emit)).toBe(0);
    expect(sender.sequenceNumber).toBe(0);
  });

  test('more than half the ring holds, with its parameter sets', () => {
    const units = [nal(0x65, 8 * 1198 + 1)];
    expect(packetsOf(packetizer({ ringPackets: 16 }), units).length).toBe(8);
    expect(packetsOf(packetizer({ ringPackets: 16 }), units, [SPS, PPS])).toEqual([]);
  });
});

describe('the ring', () => {
  test('gives back what was sent, until others took its place', () => {
    const random = seededRandom(4);
    const sender = packetizer({ ringPackets: 37, sequenceNumber: 65_000, maxPayloadBytes: 100 });
    const sent: Buffer[] = [];
    for (let round = 0; round < 400; round++) {
      sent.push(...packetsOf(sender, [nal(0x41, 1 + Math.floor(random() * 900))], [], round));
      expect(sender.sequenceNumber).toBe((65_000 + sent.length) & 0xffff);
      for (let age = 1; age <= 40; age++) {
        const expected = age <= 37 ? sent.at(-age) : undefined;
        expect(sender.packet((65_000 + sent.length - age) & 0xffff)).toEqual(expected);
      }
    }
    expect(sent.length).toBeGreaterThan(1_000);
  });

  test.each([1024, 16_384])('of %i has nothing that was not sent', (ringPackets) => {
    const sender = packetizer({ ringPackets, sequenceNumber: 5 });
    packetsOf(sender, [nal(0x41, 10), nal(0x41, 10)]);
    for (let number = 0; number < 65_536; number++) {
      expect(sender.packet(number) !== undefined).toBe(number === 5 || number === 6);
    }
  });

  test('leaves packets alone until it has come round', () => {
    const sender = packetizer({ ringPackets: 8 });
    const [first] = packetsOf(sender, [nal(0x41, 10)]);
    let held: Buffer | undefined;
    for (let others = 0; others < 8; others++) {
      if (others < 7) packetsOf(sender, [nal(0x61, 500 + others)]);
      held ??= sender.packet(0);
      expect(held).toEqual(first);
    }
    packetsOf(sender, [nal(0x61, 10)]);
    expect(held).not.toEqual(first);
  });

  test('needs no new views for packets of the same sizes', () => {
    const sender = packetizer({ ringPackets: 4 });
    const seen = new Set<Buffer>();
    for (let round = 0; round < 20; round++) {
      sender.packetize(withLengths([nal(0x65, 2_000)]), 4, round, [], (packet) => seen.add(packet));
    }
    expect(seen.size).toBe(4);
  });
});

test.each<[string, Partial<H264PacketizerOptions>]>([
  ['payloads that are too small', { maxPayloadBytes: 15 }],
  ['payloads that are too large', { maxPayloadBytes: 65_001 }],
  ['a ring of one', { ringPackets: 1 }],
  ['a ring that is too large', { ringPackets: 16_385 }],
  ['payloads of no number', { maxPayloadBytes: Number.NaN }],
])('refuses %s', (_, options) => {
  expect(() => packetizer(options)).toThrow(RangeError);
});

test.each([100, 1200])("x264's frames arrive, in payloads of %i bytes", (maxPayloadBytes) => {
  const config = parseAvcConfig(X264_CONFIG)!;
  const sender = packetizer({ maxPayloadBytes });
  for (const [index, { data, key }] of X264_FRAMES.entries()) {
    const sets = key ? [...config.sps, ...config.pps] : [];
    const packets: Buffer[] = [];
    sender.packetize(data, 4, index * 9_000, sets, (packet) => packets.push(Buffer.from(packet)));
    const slices = unitsOf(data).slice(1); // without the delimiter
    expect(slices.map((slice) => slice[0]! & 0x1f)).toEqual(key ? [5, 5] : [1, 1]);
    expect(received(packets, maxPayloadBytes)).toEqual({
      timestamp: index * 9_000,
      nals: [...sets, ...slices],
    });
  }
});

test('bytes of strangers do no harm: what goes out is well-formed', () => {
  const samples = [withLengths([SPS, PPS, nal(0x65, 300)]), withLengths([nal(0x41, 5), nal(0x09, 2)])];
  const sender = packetizer({ maxPayloadBytes: 64, ringPackets: 32 });
  const receiver = new H264Depacketizer(64);
  let sent = 0;
  for (const accessUnit of mutationsOf(samples, 20_000)) {
    const before = sender.sequenceNumber;
    let unit: ReceivedUnit | undefined;
    const made = sender.packetize(accessUnit, 4, 1, [SPS], (packet) => {
      expect(unit).toBeUndefined();
      unit = receiver.receive(packet);
    });
    expect(made).toBeLessThanOrEqual(16);
    expect(sender.sequenceNumber).toBe((before + made) & 0xffff);
    expect(unit !== undefined).toBe(made > 0);
    if (made > 0) sent++;
  }
  expect(sent).toBeGreaterThan(1_000);
});
