import { describe, expect, test } from 'vitest';
import {
  annexB,
  avcBody,
  DELIMITER,
  END_OF_SEQUENCE,
  EX,
  exVideo,
  FILLER,
  interSlice,
  keySlice,
  LARGE,
  laterInterSlice,
  laterKeySlice,
  OTHER_PPS,
  PLAIN,
  PPS,
  pictureBody,
  RECOVERY_POINT,
  recordOf,
  SEI,
  sequenceHeader,
} from '../../../support/flv-bodies.ts';
import { mutationsOf } from '../../../support/mutations.ts';
import { withLengths } from '../../../support/nal-units.ts';
import { demuxing, HEVC_RECORD, times } from './demuxing.ts';

const RECORD = recordOf(PLAIN);
const HEADER = sequenceHeader(RECORD);
const KEY = pictureBody(true);
const INTER = pictureBody(false);
const FRAME = Buffer.from('00000003aabbcc', 'hex');
const WITHOUT_SETS = 'video: H264 without its parameter sets (no sequence header, and none in band)';

function message(key: boolean, ...units: readonly Buffer[]): Buffer {
  return avcBody(withLengths(units), { frame: key ? 'key' : 'inter' });
}

describe('plain H.264', () => {
  test('becomes units with their times, and one format that says how they are decoded', () => {
    const { videoOf, told } = demuxing();
    const disposable = avcBody(withLengths([Buffer.from('019a23aa', 'hex')]), { compositionMs: -20 });
    const units = videoOf([HEADER, pictureBody(true, 1, { compositionMs: 80 }), INTER, disposable]);
    expect(units.map(({ dtsUs, ptsUs }) => [dtsUs, ptsUs])).toEqual([
      [1_040_000, 1_120_000],
      [1_080_000, 1_080_000],
      [1_120_000, 1_100_000],
    ]);
    expect(times(units)).toBe('k1040 1080 d1120');
    expect(units[0]!.data).toEqual(withLengths([keySlice()]));
    expect(units[0]!.format).toEqual({
      kind: 'video',
      codec: 'H264',
      record: RECORD,
      lengthBytes: 4,
      parameterSets: [PLAIN, PPS],
      width: 640,
      height: 360,
    });
    expect(new Set(units.map(({ format }) => format)).size).toBe(1);
    expect([units.some(({ discontinuity }) => discontinuity), told]).toEqual([false, []]);
  });

  test.each([1, 2, 3] as const)('may have lengths of %d bytes', (lengthBytes) => {
    const { videoOf } = demuxing();
    const header = sequenceHeader(recordOf(PLAIN, PPS, lengthBytes));
    const body = avcBody(withLengths([keySlice()], lengthBytes), { frame: 'key' });
    const [unit] = videoOf([header, body]);
    expect(unit).toMatchObject({ format: { lengthBytes }, data: withLengths([keySlice()], lengthBytes) });
  });

  test('that repeats its sequence header goes on in the same format, and with another has another', () => {
    const { videoOf } = demuxing();
    const other = sequenceHeader(recordOf(LARGE));
    const units = videoOf([HEADER, KEY, HEADER, KEY, other, KEY, other, INTER, HEADER, KEY]);
    const [first, second, third, fourth, fifth] = units.map(({ format }) => format);
    expect([second === first, third === first, fourth === third, fifth === third]).toEqual([
      true,
      false,
      true,
      false,
    ]);
    expect([first!.width, third!.width, fifth!.width]).toEqual([640, 1920, 640]);
  });

  test('ends, has commands, metadata and empty messages between its frames: they are no units, nor malformed', () => {
    const { demuxer, videoOf, told } = demuxing();
    const aside = ['1702000000', '5700', '2701000000', '', '94617663310203'].map((hex) =>
      Buffer.from(hex, 'hex'),
    );
    expect(videoOf([HEADER, KEY, ...aside, INTER])).toHaveLength(2);
    expect([demuxer.malformed, told]).toEqual([{ audio: 0, video: 0 }, []]);
  });

  test.each<[string, Buffer]>([
    ['a body that is cut off', Buffer.from('1701', 'hex')],
    ['a length that leads past the end', avcBody(Buffer.from('00000010aabb', 'hex'))],
    ['a record that is none', sequenceHeader(Buffer.from('0102', 'hex'))],
    ['a record of H.265 that is none', exVideo(EX.start, 'hvc1', Buffer.from('0102', 'hex'))],
  ])('counts %s as malformed, and goes on', (_, body) => {
    const { demuxer, videoOf } = demuxing();
    expect(videoOf([HEADER, KEY, body, INTER])).toHaveLength(2);
    expect(demuxer.malformed).toEqual({ audio: 0, video: 1 });
  });

  test('has times of 32 bits', () => {
    const { demuxer, units } = demuxing();
    demuxer.video(HEADER, 0);
    demuxer.video(KEY, 2 ** 32 - 1);
    demuxer.video(INTER, 39);
    demuxer.end();
    expect(units.map(({ dtsUs }) => dtsUs)).toEqual([(2 ** 32 - 1) * 1000, 39_000]);
  });
});

describe('H.264 that is not as it should be', () => {
  test.each<[string, 3 | 4 | 'mixed']>([
    ['of four bytes', 4],
    ['of three bytes', 3],
    ['of both kinds', 'mixed'],
  ])('with start codes %s behind a header that promises lengths has lengths', (_, startCodes) => {
    const { videoOf, told } = demuxing();
    const picture = (key: boolean, ...units: Buffer[]) =>
      avcBody(annexB(units, startCodes), { frame: key ? 'key' : 'inter' });
    const units = videoOf([HEADER, picture(true, keySlice(), laterKeySlice()), picture(false, interSlice())]);
    expect(units.map(({ data }) => data)).toEqual([
      withLengths([keySlice(), laterKeySlice()]),
      withLengths([interSlice()]),
    ]);
    expect([units[0]!.format.record, told]).toEqual([RECORD, []]);
  });

  test.each<[string, (units: readonly Buffer[]) => Buffer]>([
    ['lengths', (units) => withLengths(units)],
    ['start codes', (units) => annexB(units)],
  ])('without a sequence header is decoded by the parameter sets in band, behind %s', (_, join) => {
    const { videoOf, told } = demuxing();
    const units = videoOf([
      avcBody(join([interSlice()])),
      avcBody(join([DELIMITER, PLAIN, PPS, SEI, keySlice()]), { frame: 'key' }),
      avcBody(join([DELIMITER, interSlice()])),
    ]);
    expect([times(units), told]).toEqual(['k1040 1080', []]);
    expect(units[0]!.data).toEqual(withLengths([SEI, keySlice()]));
    expect(units[0]!.format).toMatchObject({ lengthBytes: 4, parameterSets: [PLAIN, PPS], width: 640 });
    expect(units[0]!.format.record!.subarray(0, 4)).toEqual(RECORD.subarray(0, 4));
  });

  test('that repeats its parameter sets in band keeps its format, and with others has another', () => {
    const { videoOf } = demuxing();
    const picture = (...sets: Buffer[]) => message(true, ...sets, keySlice());
    const formats = videoOf([
      HEADER,
      picture(PLAIN, PPS),
      picture(PPS),
      picture(PLAIN, OTHER_PPS),
      picture(PLAIN, OTHER_PPS),
      picture(LARGE, PPS),
      INTER,
    ]).map(({ format }) => format);
    expect(formats.map((format) => [...new Set(formats)].indexOf(format))).toEqual([0, 0, 1, 1, 2, 2]);
    expect(formats[2]!.parameterSets).toEqual([PLAIN, OTHER_PPS]);
    expect(formats[4]).toMatchObject({ width: 1920, height: 1080, parameterSets: [LARGE, PPS] });
  });

  test('that is said to be decoded as before by a sequence header, after other sets in band, is', () => {
    const { videoOf } = demuxing();
    const units = videoOf([HEADER, KEY, message(true, LARGE, PPS, keySlice()), HEADER, KEY]);
    expect(units.map(({ format }) => format.width)).toEqual([640, 1920, 640]);
  });

  test('without anything that says how to decode it is told of once, after two seconds', () => {
    const { demuxer, units, told } = demuxing();
    for (let index = 0; index < 49; index++) demuxer.video(index % 25 ? INTER : KEY, 40 * index);
    expect(told).toEqual([]);
    for (let index = 49; index < 500; index++) demuxer.video(index % 25 ? INTER : KEY, 40 * index);
    expect([units, told]).toEqual([[], [WITHOUT_SETS]]);
    // It is told again only after there was something to see.
    demuxer.video(HEADER, 20_000);
    demuxer.video(KEY, 20_040);
    demuxer.end();
    expect([units.length, told]).toEqual([1, [WITHOUT_SETS]]);
  });

  test.each<[string, string, Buffer[]]>([
    ['a key frame that is none', '1040', [message(true, interSlice())]],
    ['an IDR that is said to be none', 'k1040', [message(false, keySlice())]],
    [
      'a recovery point that is said to be a key frame',
      'k1040',
      [message(true, RECOVERY_POINT, interSlice())],
    ],
    ['a recovery point that is not', '1040', [message(false, RECOVERY_POINT, interSlice())]],
    ['a key frame that brings its parameter sets', 'k1040', [message(true, PLAIN, PPS, interSlice())]],
    [
      'a frame that is said to be disposable and is referred to',
      '1040',
      [avcBody(withLengths([interSlice()]), { frame: 'disposable' })],
    ],
  ])('has its own flags, not those of its container: %s', (_, expected, bodies) => {
    expect(times(demuxing().videoOf([HEADER, ...bodies]))).toBe(expected);
  });
});

describe('frames that come in parts', () => {
  test('are one when their slices come in messages of their own', () => {
    const { demuxer, units } = demuxing();
    demuxer.video(HEADER, 0);
    for (let picture = 0; picture < 10; picture++) {
      const key = picture === 0;
      demuxer.video(message(key, key ? keySlice(picture) : interSlice(picture)), 40 * picture);
      demuxer.video(message(key, key ? laterKeySlice(picture) : laterInterSlice(picture)), 40 * picture);
    }
    demuxer.end();
    expect(times(units)).toBe('k0 40 80 120 160 200 240 280 320 360');
    expect(units[0]!.data).toEqual(withLengths([keySlice(0), laterKeySlice(0)]));
    expect(units[9]!.data).toEqual(withLengths([interSlice(9), laterInterSlice(9)]));
  });

  test.each<[string, Buffer[], Buffer]>([
    ['SEI', [message(false, SEI)], withLengths([SEI, keySlice()])],
    ['a recovery point', [message(true, RECOVERY_POINT)], withLengths([RECOVERY_POINT, keySlice()])],
    ['parameter sets', [message(true, LARGE, PPS)], withLengths([keySlice()])],
    ['a delimiter', [message(false, DELIMITER)], withLengths([keySlice()])],
    [
      'each on its own',
      [DELIMITER, LARGE, PPS, SEI].map((unit) => message(false, unit)),
      withLengths([SEI, keySlice()]),
    ],
  ])('are one with what comes ahead of them: %s', (_, ahead, data) => {
    const { demuxer, units } = demuxing();
    demuxer.video(HEADER, 0);
    for (let index = 0; index < 5; index++) demuxer.video(KEY, 40 * index);
    for (const body of ahead) demuxer.video(body, 200);
    demuxer.video(KEY, 200);
    demuxer.video(INTER, 240);
    demuxer.end();
    expect(times(units)).toBe('k0 k40 k80 k120 k160 k200 240');
    expect(units[5]!.data).toEqual(data);
  });

  test('with filler and the end of a sequence behind them lose those alone', () => {
    const { demuxer, units } = demuxing();
    demuxer.video(HEADER, 0);
    for (let index = 0; index < 6; index++) {
      demuxer.video(KEY, 40 * index);
      demuxer.video(message(false, FILLER), 40 * index);
      demuxer.video(message(false, END_OF_SEQUENCE), 40 * index);
    }
    demuxer.end();
    expect(units.map(({ data }) => data)).toEqual(Array(6).fill(withLengths([keySlice()])));
  });

  test('cost no delay once three of them came whole, nor when audio says that one is over', () => {
    const { demuxer, units } = demuxing();
    demuxer.video(HEADER, 0);
    demuxer.video(KEY, 0);
    expect(units).toHaveLength(0);
    demuxer.audio(Buffer.from('82ff', 'hex'), 10);
    expect(units).toHaveLength(2);
    for (let index = 1; index <= 3; index++) demuxer.video(INTER, 40 * index);
    expect(times(units)).toBe('k0 a10 40 80 120');
    demuxer.video(INTER, 160);
    expect(times(units)).toBe('k0 a10 40 80 120 160');
  });
});

test('whatever strangers send becomes units that are well-formed, or none', () => {
  const samples = [
    HEADER,
    KEY,
    message(true, PLAIN, PPS, SEI, keySlice()),
    avcBody(annexB([PLAIN, PPS, keySlice()]), { frame: 'key' }),
    exVideo(EX.start, 'hvc1', HEVC_RECORD),
    exVideo(EX.frames, 'hvc1', FRAME, { compositionMs: 40, tracks: 'many' }),
  ];
  const { demuxer, units } = demuxing();
  let ms = 0;
  for (const body of mutationsOf(samples, 20_000)) demuxer.video(body, ms++);
  demuxer.end();
  expect(units.length).toBeGreaterThan(1_000);
  for (const { data, format } of units) {
    if (format.codec !== 'H264') continue;
    expect(data.length).toBeGreaterThan(0);
    expect((format as { record?: Buffer }).record).toBeDefined();
  }
});
