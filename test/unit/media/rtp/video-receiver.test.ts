import { describe, expect, test } from 'vitest';
import { parseAvcConfig } from '../../../../src/media/h264/avc-config.ts';
import { toAnnexB } from '../../../../src/media/h264/nal-units.ts';
import { H264Packetizer } from '../../../../src/media/rtp/h264-packetizer.ts';
import { RTP_HEADER_BYTES, writeRtpHeader } from '../../../../src/media/rtp/rtp.ts';
import { VideoReceiver } from '../../../../src/media/rtp/video-receiver.ts';
import { seededRandom } from '../../../signals/random.ts';
import { mutationsOf } from '../../support/mutations.ts';
import { unitsOf, withLengths } from '../../support/nal-units.ts';
import { vp8Frame, vp8Packets } from '../../support/vp8-packets.ts';
import { X264_CONFIG, X264_FRAMES } from '../../support/x264-frames.ts';

const FRAME_MS = 40;
const CONFIG = parseAvcConfig(X264_CONFIG)!;
const SETS = [...CONFIG.sps, ...CONFIG.pps];

interface Sent {
  readonly packets: Buffer[];
  readonly data: Buffer;
  readonly key: boolean;
}

/** Pictures of three to five packets. */
function vp8Stream(
  pictures: number,
  isKey: (index: number) => boolean,
  firstSequenceNumber = 65_530,
): Sent[] {
  let sequenceNumber = firstSequenceNumber;
  return Array.from({ length: pictures }, (_, index) => {
    const data = vp8Frame(isKey(index), 300 + index);
    const timestamp = (0xffff_0000 + index * FRAME_MS * 90) >>> 0;
    const packets = vp8Packets(data, { sequenceNumber, timestamp, maxPayloadBytes: 120 });
    sequenceNumber += packets.length;
    return { packets, data, key: isKey(index) };
  });
}

/** x264's frames again and again: a key frame and four others, each time with the parameter sets as packets. */
function h264Stream(pictures: number, firstSequenceNumber = 65_500): Sent[] {
  const sender = new H264Packetizer({
    ssrc: 1,
    payloadType: 102,
    sequenceNumber: firstSequenceNumber,
    maxPayloadBytes: 300,
  });
  return Array.from({ length: pictures }, (_, index) => {
    const { data, key } = X264_FRAMES[index % X264_FRAMES.length]!;
    const sets = key ? SETS : [];
    const packets: Buffer[] = [];
    const timestamp = (0xffff_0000 + index * FRAME_MS * 90) >>> 0;
    sender.packetize(data, 4, timestamp, sets, (packet) => packets.push(Buffer.from(packet)));
    // The delimiter is not sent.
    return { packets, data: toAnnexB(withLengths(unitsOf(data).slice(1)), 4, sets)!, key };
  });
}

function receiver(codec: 'H264' | 'VP8') {
  const pictures: { data: Buffer; key: boolean; timestampMs: number }[] = [];
  const asked: number[] = [];
  let nowMs = 0;
  const video = new VideoReceiver(codec, {
    picture: (picture) => pictures.push(picture),
    needsKeyFrame: () => asked.push(nowMs),
  });
  const receive = (packets: readonly Buffer[], now: number) => {
    nowMs = now;
    for (const packet of packets) video.receive(packet, now);
  };
  /** Each 40 ms after the one before. */
  const play = (sent: readonly Sent[], lost: (picture: number, packet: number) => boolean = () => false) => {
    for (const [picture, { packets }] of sent.entries()) {
      receive(
        packets.filter((_, packet) => !lost(picture, packet)),
        picture * FRAME_MS,
      );
    }
  };
  /** Which of them came out, as they were sent. */
  const shown = (sent: readonly Sent[]) =>
    pictures.map(({ data, key }) => sent.findIndex((one) => one.key === key && one.data.equals(data)));
  return { video, pictures, asked, receive, play, shown };
}

const numbers = (from: number, to: number) => Array.from({ length: to - from }, (_, index) => from + index);

describe.each([
  ['VP8', vp8Stream(200, (index) => index % 100 === 0)],
  ['H264', h264Stream(200)],
] as const)('%s: pictures', (codec, sent) => {
  test('arrive as they were sent, with times that go on, and nothing is asked for', () => {
    const { video, pictures, asked, play } = receiver(codec);
    play(sent);
    expect(pictures).toEqual(
      sent.map(({ data, key }, index) => ({ data, key, timestampMs: index * FRAME_MS })),
    );
    expect(asked).toEqual([]);
    const packets = sent.flatMap((one) => one.packets).length;
    expect(video.counters).toEqual({ packets, lost: 0, framesDropped: 0, malformed: 0 });
  });

  test('arrive although packets are swapped, delayed and doubled', () => {
    const { video, pictures, asked, receive } = receiver(codec);
    const random = seededRandom(5);
    const arrivals = sent.flatMap(({ packets }, picture) =>
      packets.flatMap((packet, index) => {
        const at = () => picture * FRAME_MS + (picture + index > 0 ? random() * 140 : 0);
        return random() < 0.1
          ? [
              { packet, at: at() },
              { packet, at: at() },
            ]
          : [{ packet, at: at() }];
      }),
    );
    for (const { packet, at } of arrivals.toSorted((a, b) => a.at - b.at)) receive([packet], at);
    expect(pictures).toEqual(
      sent.map(({ data, key }, index) => ({ data, key, timestampMs: index * FRAME_MS })),
    );
    expect(asked).toEqual([]);
    expect(video.counters).toMatchObject({ packets: arrivals.length, lost: 0, framesDropped: 0 });
  });

  test('are all whole, and decodable, whatever is lost', () => {
    for (let seed = 0; seed < 10; seed++) {
      const { video, shown, play } = receiver(codec);
      const random = seededRandom(seed);
      const losses = sent.map(({ packets }) => packets.map(() => random() < 0.004));
      play(sent, (picture, packet) => losses[picture]![packet]!);
      // A packet that is lost costs all up to the next key frame.
      let decodable = false;
      const expected = sent.flatMap(({ key }, index) => {
        decodable = !losses[index]!.includes(true) && (key || decodable);
        return decodable ? [index % (codec === 'H264' ? 5 : 200)] : [];
      });
      const out = shown(sent);
      // The last pictures may still wait for packets.
      expect(out).toEqual(expected.slice(0, out.length));
      expect(out.length).toBeGreaterThanOrEqual(expected.length - 5);
      expect(video.counters.framesDropped).toBeGreaterThanOrEqual(sent.length - expected.length - 5);
    }
  });
});

describe('a key frame is asked for', () => {
  const isKey =
    (...keys: number[]) =>
    (index: number) =>
      keys.includes(index);

  test('when it begins with something else, each 500 ms until there is one', () => {
    const { video, asked, play, shown } = receiver('VP8');
    const sent = vp8Stream(40, isKey(33));
    play(sent);
    expect(shown(sent)).toEqual(numbers(33, 40));
    expect(asked).toEqual([0, 520, 1_040]);
    expect(video.counters).toMatchObject({ lost: 0, framesDropped: 33 });
  });

  test('when a packet is lost: as soon as it is given up, and the pictures up to then are left out', () => {
    const { video, asked, play, shown } = receiver('VP8');
    const sent = vp8Stream(40, isKey(0, 20));
    play(sent, (picture, packet) => picture === 5 && packet === 1);
    expect(shown(sent)).toEqual([...numbers(0, 5), ...numbers(20, 40)]);
    // 150 ms after the packet behind it.
    expect(asked).toEqual([5 * FRAME_MS + 160]);
    expect(video.counters).toMatchObject({ lost: 1, framesDropped: 15, malformed: 0 });
  });

  test('when a whole picture is lost, of which nothing else tells', () => {
    const { video, asked, play, shown } = receiver('VP8');
    const sent = vp8Stream(40, isKey(0, 20));
    play(sent, (picture) => picture === 5);
    expect(shown(sent)).toEqual([...numbers(0, 5), ...numbers(20, 40)]);
    expect(asked.length).toBe(1);
    expect(video.counters).toMatchObject({ lost: sent[5]!.packets.length, framesDropped: 14 });
  });

  test('not when it has come with what was waiting', () => {
    const { asked, play, shown } = receiver('VP8');
    const sent = vp8Stream(20, isKey(0, 6));
    play(sent, (picture) => picture === 5);
    expect(shown(sent)).toEqual([...numbers(0, 5), ...numbers(6, 20)]);
    expect(asked).toEqual([]);
  });

  test('at most each 500 ms, even if there was one in between', () => {
    const { asked, play, shown } = receiver('VP8');
    const sent = vp8Stream(60, isKey(0, 12, 40));
    play(sent, (picture) => picture === 5 || picture === 14);
    expect(shown(sent)).toEqual([...numbers(0, 5), ...numbers(12, 14), ...numbers(40, 60)]);
    const first = 6 * FRAME_MS + 160;
    expect(asked).toEqual([first, first + 520, first + 1_040]);
  });

  test('when a picture is malformed', () => {
    const { video, asked, play, shown } = receiver('VP8');
    const sent = vp8Stream(20, isKey(0, 10));
    sent[4]!.packets[0]![12] = 0x00; // no start
    play(sent);
    expect(shown(sent)).toEqual([...numbers(0, 4), ...numbers(10, 20)]);
    expect(asked).toEqual([4 * FRAME_MS]);
    expect(video.counters).toMatchObject({ lost: 0, framesDropped: 6, malformed: 1 });
  });

  test('when the source starts anew; times go on', () => {
    const { video, pictures, asked, receive, play } = receiver('VP8');
    play(vp8Stream(10, isKey(0), 100));
    const again = vp8Stream(10, isKey(2), 20_000);
    for (const [index, { packets }] of again.entries()) receive(packets, 1_000 + index * FRAME_MS);
    expect(pictures.map(({ timestampMs }) => timestampMs)).toEqual([
      ...numbers(0, 10).map((index) => index * FRAME_MS),
      ...numbers(0, 8).map((index) => 1_080 + index * FRAME_MS),
    ]);
    expect(asked).toEqual([1_000]);
    expect(video.counters).toMatchObject({ lost: 0, framesDropped: 2 });
  });

  test('500 ms after the first packet, if that is all that came of a picture', () => {
    const { asked, receive } = receiver('VP8');
    const [{ packets }] = vp8Stream(1, isKey(0)) as [Sent];
    receive(packets.slice(0, 1), 1_000);
    receive(packets.slice(1, 2), 1_499);
    expect(asked).toEqual([]);
    receive(packets.slice(1, 2), 1_500);
    expect(asked).toEqual([1_500]);
  });
});

describe('H.264', () => {
  const KEY = Buffer.from('65b804', 'hex');
  const INTER = Buffer.from('41e002', 'hex');
  const [SPS, PPS] = SETS as [Buffer, Buffer];
  const OTHER_PPS = Buffer.from('68ce3c80', 'hex');

  /** Plays pictures of NAL units. @returns of each that came out its NAL units, which it has behind start codes */
  function played(...pictures: Buffer[][]) {
    const all = receiver('H264');
    const sender = new H264Packetizer({ ssrc: 1, payloadType: 102 });
    for (const [index, units] of pictures.entries()) {
      const packets: Buffer[] = [];
      sender.packetize(withLengths(units), 4, index * 3_600, [], (packet) =>
        packets.push(Buffer.from(packet)),
      );
      all.receive(packets, index * FRAME_MS);
    }
    return { ...all, out: all.pictures.map(({ data }) => data.toString('hex').split('00000001').slice(1)) };
  }
  const hex = (...units: Buffer[]) => units.map((unit) => unit.toString('hex'));

  test('key frames have the parameter sets of before in front, others have not', () => {
    const { out } = played([SPS, PPS, KEY], [INTER], [KEY], [INTER]);
    expect(out).toEqual([hex(SPS, PPS, KEY), hex(INTER), hex(SPS, PPS, KEY), hex(INTER)]);
  });

  test('parameter sets that change have their effect at once', () => {
    const { out } = played([SPS, PPS, KEY], [OTHER_PPS, INTER], [INTER], [OTHER_PPS], [KEY]);
    expect(out).toEqual([
      hex(SPS, PPS, KEY),
      hex(SPS, OTHER_PPS, INTER),
      hex(INTER),
      hex(SPS, OTHER_PPS, KEY),
    ]);
  });

  test.each([
    ['none', [KEY]],
    ['an SPS', [SPS, KEY]],
    ['a PPS', [PPS, KEY]],
  ])('key frames are left out as long as of the parameter sets there is %s', (_, units) => {
    const { out, asked, video } = played([INTER], units, [SPS, PPS, KEY]);
    expect(out).toEqual([hex(SPS, PPS, KEY)]);
    expect(asked).toEqual([0]);
    expect(video.counters.framesDropped).toBe(2);
  });

  test('delimiters and fillers are left out', () => {
    const { pictures, receive } = receiver('H264');
    const packets = [Buffer.from('09f0', 'hex'), SPS, PPS, Buffer.from('0cff80', 'hex'), KEY].map(
      (unit, index) => {
        const header = Buffer.alloc(RTP_HEADER_BYTES);
        const common = { payloadType: 102, timestamp: 1, ssrc: 1 };
        writeRtpHeader(header, { ...common, sequenceNumber: index, marker: unit === KEY });
        return Buffer.concat([header, unit]);
      },
    );
    receive(packets, 0);
    expect(pictures.map(({ data }) => data.toString('hex'))).toEqual([
      ['', ...hex(SPS, PPS, KEY)].join('00000001'),
    ]);
  });

  test('a key frame whose parameter sets were lost is not taken for one with those of before', () => {
    const { play, shown, asked } = receiver('H264');
    const sent = h264Stream(15);
    play(sent, (picture, packet) => picture === 5 && packet === 0);
    expect(shown(sent)).toEqual([...numbers(0, 5), ...numbers(0, 5)]);
    expect(asked.length).toBe(1);
  });

  test('a picture is not touched by what comes after it', () => {
    const { pictures, play } = receiver('H264');
    const sent = h264Stream(20);
    play(sent);
    expect(pictures[0]!.data.equals(sent[0]!.data)).toBe(true);
  });
});

test('what is no RTP is counted, and costs nothing', () => {
  const { video, play, receive, shown, asked } = receiver('VP8');
  const sent = vp8Stream(10, (index) => index === 0);
  receive([Buffer.alloc(0), Buffer.alloc(11, 0x80), Buffer.alloc(40)], 0);
  play(sent);
  expect(shown(sent)).toEqual(numbers(0, 10));
  expect(asked).toEqual([]);
  expect(video.counters).toMatchObject({ lost: 0, framesDropped: 0, malformed: 3 });
});

test.each(['H264', 'VP8'] as const)('bytes of strangers do no harm: %s', (codec) => {
  const { video, pictures, asked, receive } = receiver(codec);
  const sent = codec === 'H264' ? h264Stream(10, 1) : vp8Stream(20, (index) => index % 3 === 0, 1);
  const samples = sent.flatMap(({ packets }) => packets);
  let now = 0;
  for (const packet of mutationsOf(samples, 20_000)) {
    now += 5;
    receive([packet], now);
  }
  for (const { packets } of codec === 'H264'
    ? h264Stream(5, 30_000)
    : vp8Stream(5, (index) => index === 0, 30_000)) {
    now += 5;
    receive(packets, now);
  }
  expect(pictures.length).toBeGreaterThan(4);
  expect(asked.length).toBeGreaterThan(10);
  for (let index = 1; index < asked.length; index++)
    expect(asked[index]! - asked[index - 1]!).toBeGreaterThanOrEqual(500);
  let before = 0;
  for (const { timestampMs } of pictures) {
    expect(Number.isSafeInteger(timestampMs)).toBe(true);
    expect(timestampMs).toBeGreaterThanOrEqual(before);
    before = timestampMs;
  }
  expect(video.counters.malformed).toBeGreaterThan(100);
});
