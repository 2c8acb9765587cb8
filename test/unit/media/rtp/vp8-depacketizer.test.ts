import { describe, expect, test } from 'vitest';
import { parseRtp, type RtpPacket } from '../../../../src/media/rtp/rtp.ts';
import { Vp8Depacketizer, type Vp8Frame } from '../../../../src/media/rtp/vp8-depacketizer.ts';
import { mutationsOf } from '../../support/mutations.ts';
import { type Vp8Extensions, vp8Descriptor, vp8Frame, vp8Packets } from '../../support/vp8-packets.ts';

const hex = (text: string) => Buffer.from(text.replaceAll(' ', ''), 'hex');

function depacketizer() {
  const out: (Vp8Frame | 'dropped')[] = [];
  const frames = new Vp8Depacketizer({
    frame: (frame) => out.push({ ...frame, data: Buffer.from(frame.data) }),
    dropped: () => out.push('dropped'),
  });
  const receive = (payload: Buffer, marker = false, timestamp = 1) => {
    const packet: RtpPacket = { payload, marker, timestamp, payloadType: 96, sequenceNumber: 0, ssrc: 1 };
    frames.receive(packet);
  };
  return { frames, receive, out };
}

const inter = (data: Buffer, timestamp = 1) => ({ data, key: false, timestamp });
const INTER = hex('31 02 00 aa bb');

describe('the payload descriptor is taken off', () => {
  const pictureIds: Vp8Extensions['pictureId'][] = [
    undefined,
    { value: 0x7f, bits: 7 },
    { value: 0x1234, bits: 15 },
    { value: 5, bits: 15 },
  ];
  const all = pictureIds.flatMap((pictureId) =>
    [undefined, 0xff].flatMap((tl0PictureIndex) =>
      [undefined, { value: 2, layerSync: true }].flatMap((tid) =>
        [undefined, 0x1f].flatMap((keyIndex) =>
          [false, true].map((nonReference) => ({ pictureId, tl0PictureIndex, tid, keyIndex, nonReference })),
        ),
      ),
    ),
  );
  test.each(all)('$pictureId, $tl0PictureIndex, $tid, $keyIndex, $nonReference', (extensions) => {
    const { frames, receive, out } = depacketizer();
    receive(Buffer.concat([vp8Descriptor(true, 0, extensions), INTER]));
    receive(Buffer.concat([vp8Descriptor(false, 0, extensions), hex('cc')]));
    receive(Buffer.concat([vp8Descriptor(true, 1, extensions), hex('dd')]), true);
    expect(out).toEqual([inter(Buffer.concat([INTER, hex('ccdd')]))]);
    expect(frames.malformed).toBe(0);
  });

  test.each([
    ['none', '10'],
    ['reserved bits', '58'],
    ['no extension though it says so', '90 00'],
    ['reserved bits of the extension', '90 0f'],
    ['picture id of 7 bits', '90 80 11'],
    ['picture id of 15 bits', '90 80 92 34'],
    ['TL0PICIDX', '90 40 01'],
    ['TID', '90 20 e0'],
    ['KEYIDX', '90 10 1f'],
    ['TID and KEYIDX, which share a byte', '90 30 ff'],
    ['what Chromium sends with temporal layers', '90 e0 92 34 07 40'],
    ['all', 'b0 f0 ff ff ff ff'],
  ])('%s', (_, descriptor) => {
    const { frames, receive, out } = depacketizer();
    receive(Buffer.concat([hex(descriptor), INTER]), true);
    expect(out).toEqual([inter(INTER)]);
    expect(frames.malformed).toBe(0);
  });
});

describe('a key frame', () => {
  test.each<[string, string, Partial<Vp8Frame> | undefined]>([
    ['of 640x360', '10 02 00 9d012a 8002 6801', { key: true, width: 640, height: 360 }],
    [
      'scaled up, which its size does not say',
      '10 02 00 9d012a 8042 68c1',
      { key: true, width: 640, height: 360 },
    ],
    ['of the largest size', '10 02 00 9d012a ff3f ffff', { key: true, width: 16_383, height: 16_383 }],
    ['of no width', '10 02 00 9d012a 00c0 6801', undefined],
    ['of no height', '10 02 00 9d012a 8002 0040', undefined],
    ['of another start code', '10 02 00 9d012b 8002 6801', undefined],
    ['that is cut off', '10 02 00 9d012a 8002 68', undefined],
  ])('%s', (_, frame, expected) => {
    const { frames, receive, out } = depacketizer();
    receive(Buffer.concat([hex('10'), hex(frame)]), true);
    expect(out).toMatchObject([expected ? { ...expected, data: hex(frame) } : 'dropped']);
    expect(frames.malformed).toBe(expected ? 0 : 1);
  });

  test('may have its header in several packets', () => {
    const { receive, out } = depacketizer();
    receive(hex('10 10 02 00 9d'));
    receive(hex('00 012a 8002'));
    receive(hex('00 6801 ab'), true);
    expect(out).toMatchObject([{ key: true, width: 640, height: 360, data: hex('1002009d012a80026801ab') }]);
  });
});

describe('frames end', () => {
  const start = Buffer.concat([hex('10'), INTER]);

  test('at the marker bit', () => {
    const { receive, out } = depacketizer();
    receive(start, true, 1);
    receive(start, true, 1);
    expect(out).toEqual([inter(INTER), inter(INTER)]);
  });

  test('with another timestamp, if the bit is missing', () => {
    const { receive, out } = depacketizer();
    receive(start, false, 0xffffffff);
    receive(start, false, 0);
    expect(out).toEqual([inter(INTER, 0xffffffff)]);
    receive(start, true, 1);
    expect(out.slice(1)).toEqual([inter(INTER, 0), inter(INTER, 1)]);
  });

  test('not at a packet without a payload: that is padding', () => {
    const { receive, out } = depacketizer();
    receive(start, false, 1);
    receive(hex(''), true, 5);
    receive(hex('00 cc'), true, 1);
    expect(out).toEqual([inter(Buffer.concat([INTER, hex('cc')]))]);
  });
});

describe('malformed is, and costs one frame,', () => {
  test.each<[string, string[]]>([
    ['a descriptor alone', ['10']],
    ['a descriptor that is cut off', ['90']],
    ['a picture id that is cut off', ['90 80 81']],
    ['a descriptor alone with extensions', ['90 f0 81 02 03 04']],
    ['a frame that is too short', ['10 31 02']],
    ['a frame without its start', ['00 cc']],
    ['a later partition alone', ['11 cc']],
    ['a start within a frame', ['10 310200', '10 310200']],
    ['a continuation of nothing', ['10 310200', '00']],
  ])('%s', (_, payloads) => {
    const { frames, receive, out } = depacketizer();
    receive(Buffer.concat([hex('10'), INTER]), true, 1);
    for (const [index, payload] of payloads.entries())
      receive(hex(payload), index === payloads.length - 1, 2);
    receive(Buffer.concat([hex('10'), INTER]), true, 3);
    expect(out).toEqual([inter(INTER, 1), 'dropped', inter(INTER, 3)]);
    expect(frames.malformed).toBe(1);
  });

  test.each([
    [2 * 1024 * 1024, 0],
    [2 * 1024 * 1024 + 1, 1],
  ])('a frame of %i bytes: %i', (size, malformed) => {
    const { frames, receive, out } = depacketizer();
    const frame = vp8Frame(true, size);
    for (const packet of vp8Packets(frame, { sequenceNumber: 0, timestamp: 7, maxPayloadBytes: 60_000 })) {
      const { payload, marker, timestamp } = parseRtp(packet)!;
      receive(payload, marker, timestamp);
    }
    receive(Buffer.concat([hex('10'), INTER]), true, 8);
    // Not by toEqual, which takes minutes to show how two such frames differ.
    expect(out[0] === 'dropped' ? malformed : out[0]!.data.equals(frame) && 0).toBe(malformed);
    expect(out.slice(1)).toEqual([inter(INTER, 8)]);
    expect(frames.malformed).toBe(malformed);
  });
});

describe('a gap', () => {
  const start = Buffer.concat([hex('10'), INTER]);

  test.each<[string, (is: ReturnType<typeof depacketizer>) => void, unknown[]]>([
    [
      'between frames costs none',
      ({ frames, receive }) => {
        receive(start, true, 1);
        frames.gap();
        receive(start, true, 2);
      },
      [inter(INTER, 1), inter(INTER, 2)],
    ],
    [
      'between frames of the same time costs none',
      ({ frames, receive }) => {
        receive(start, true, 1);
        frames.gap();
        receive(start, true, 1);
      },
      [inter(INTER, 1), inter(INTER, 1)],
    ],
    [
      'at the end of a frame costs that',
      ({ frames, receive }) => {
        receive(start, false, 1);
        frames.gap();
        receive(start, true, 2);
      },
      ['dropped', inter(INTER, 2)],
    ],
    [
      'within a frame costs that, once',
      ({ frames, receive }) => {
        receive(start, false, 1);
        frames.gap();
        receive(hex('00 cc'), false, 1);
        frames.gap();
        receive(hex('00 cc'), true, 1);
        receive(start, true, 2);
      },
      ['dropped', inter(INTER, 2)],
    ],
    [
      'at the beginning of a frame costs that',
      ({ frames, receive }) => {
        receive(start, true, 1);
        frames.gap();
        receive(hex('00 cc'), false, 2);
        receive(hex('00 cc'), true, 2);
        receive(start, true, 3);
      },
      [inter(INTER, 1), 'dropped', inter(INTER, 3)],
    ],
    [
      'from within a frame into another costs both',
      ({ frames, receive }) => {
        receive(start, false, 1);
        frames.gap();
        receive(hex('00 cc'), false, 2);
        receive(start, true, 3);
      },
      ['dropped', 'dropped', inter(INTER, 3)],
    ],
  ])('%s', (_, play, expected) => {
    const all = depacketizer();
    play(all);
    expect(all.out).toEqual(expected);
    expect(all.frames.malformed).toBe(0);
  });

  test('is before the first packet: a frame without its start is left out', () => {
    const { frames, receive, out } = depacketizer();
    receive(hex('00 cc'), true, 1);
    receive(start, true, 2);
    expect(out).toEqual(['dropped', inter(INTER, 2)]);
    expect(frames.malformed).toBe(0);
  });
});

test('frames of many sizes arrive', () => {
  const { frames, out } = depacketizer();
  const sent: Buffer[] = [];
  for (const [index, size] of [
    10, 11, 1_198, 1_199, 1_200, 2_396, 5_000, 65_536, 65_537, 300_000,
  ].entries()) {
    const frame = vp8Frame(index % 2 === 0, size);
    sent.push(frame);
    const extensions = { pictureId: { value: index, bits: 15 }, tl0PictureIndex: index } as const;
    const options = { sequenceNumber: 0, timestamp: index, extensions };
    for (const packet of vp8Packets(frame, options)) frames.receive(parseRtp(packet)!);
  }
  const arrived = sent.map((frame, index) => {
    const one = out[index];
    return one !== undefined && one !== 'dropped' && one.data.equals(frame);
  });
  expect(arrived).toEqual(sent.map(() => true));
  expect(out.length).toBe(sent.length);
});

test('bytes of strangers do no harm', () => {
  const { frames, receive, out } = depacketizer();
  const samples = ['90e0923407401002009d012a80026801aa', '10310200aabb', '00cc', '90800130'].map(hex);
  let round = 0;
  for (const payload of mutationsOf(samples, 20_000)) {
    round++;
    receive(payload, round % 3 === 0, round >> 2);
    if (round % 50 === 0) frames.gap();
  }
  const whole = out.filter((frame) => frame !== 'dropped');
  expect(whole.length).toBeGreaterThan(500);
  expect(frames.malformed).toBeGreaterThan(1_000);
  for (const { data, key, width } of whole) {
    expect(data.length).toBeGreaterThanOrEqual(3);
    expect(key).toBe((data[0]! & 1) === 0);
    expect(width !== undefined).toBe(key);
  }
});
