import { describe, expect, test } from 'vitest';
import {
  avcBody,
  EX,
  exVideo,
  interSlice,
  keySlice,
  PLAIN,
  pictureBody,
  recordOf,
  sequenceHeader,
} from '../../../support/flv-bodies.ts';
import { withLengths } from '../../../support/nal-units.ts';
import { demuxing, HEVC_RECORD, HEVC_SETS, times } from './demuxing.ts';

const RECORD = recordOf(PLAIN);
const HEADER = sequenceHeader(RECORD);
const KEY = pictureBody(true);
const INTER = pictureBody(false);
const FRAME = Buffer.from('00000003aabbcc', 'hex');

describe('other codecs', () => {
  test('H.265 by its FourCC, with and without a time', () => {
    const { videoOf } = demuxing();
    const units = videoOf([
      exVideo(EX.start, 'hvc1', HEVC_RECORD),
      exVideo(EX.frames, 'hvc1', FRAME, { compositionMs: 40 }),
      exVideo(EX.framesX, 'hvc1', FRAME, { frame: 'inter' }),
      exVideo(EX.framesX, 'hvc1', FRAME, { frame: 'disposable' }),
    ]);
    expect(times(units)).toBe('k1040 1080 d1120');
    expect(units.map(({ ptsUs }) => ptsUs)).toEqual([1_080_000, 1_080_000, 1_120_000]);
    expect(units[0]).toMatchObject({
      data: FRAME,
      format: { codec: 'H265', record: HEVC_RECORD, lengthBytes: 4 },
    });
    expect(units[0]!.format.parameterSets).toEqual(HEVC_SETS);
  });

  test.each([7, 12])('H.265 by the number %d, as encoders sent it before it had a FourCC', (codecId) => {
    const { videoOf, demuxer } = demuxing();
    const units = videoOf([
      sequenceHeader(HEVC_RECORD, codecId),
      avcBody(FRAME, { frame: 'key', compositionMs: 40, codecId }),
      avcBody(FRAME, { codecId }),
    ]);
    expect(times(units)).toBe('k1040 1080');
    expect(units[0]).toMatchObject({ data: FRAME, ptsUs: 1_080_000, format: { codec: 'H265' } });
    expect(demuxer.malformed.video).toBe(0);
  });

  test('H.265 without anything that says how to decode it is told of once', () => {
    const { videoOf, told } = demuxing();
    const body = exVideo(EX.framesX, 'hvc1', FRAME);
    expect(videoOf(Array(200).fill(body))).toEqual([]);
    expect(told).toEqual(['video: H265 without its parameter sets (no sequence header, and none in band)']);
  });

  test('H.264 by its FourCC', () => {
    const { videoOf } = demuxing();
    const units = videoOf([
      exVideo(EX.start, 'avc1', RECORD),
      exVideo(EX.frames, 'avc1', withLengths([keySlice()]), { compositionMs: 80 }),
      exVideo(EX.framesX, 'avc1', withLengths([interSlice()]), { frame: 'inter' }),
    ]);
    expect(times(units)).toBe('k1040 1080');
    expect(units[0]).toMatchObject({ ptsUs: 1_120_000, format: { codec: 'H264', record: RECORD } });
  });

  test.each<[string, string, string]>([
    ['AV1', 'av01', 'with what begins it'],
    ['VP9', 'vp09', 'with what begins it'],
    ['VP8', 'vp08', 'with what begins it'],
    ['AV1', 'av01', 'without'],
    ['VP9', 'vp09', 'without'],
    ['VP8', 'vp08', 'without'],
  ])('%s (%s), %s, in the size that its metadata says', (codec, fourCc, how) => {
    const { videoOf, demuxer } = demuxing();
    demuxer.setStatedSize(1_280, 720);
    const header = exVideo(EX.start, fourCc, Buffer.from('81050c00', 'hex'));
    const units = videoOf([
      ...(how === 'without' ? [] : [header]),
      exVideo(EX.frames, fourCc, FRAME),
      exVideo(EX.frames, fourCc, FRAME, { frame: 'inter' }),
    ]);
    expect(units.map(({ key, data }) => [key, data])).toEqual([
      [true, FRAME],
      [false, FRAME],
    ]);
    expect(units[0]!.format).toEqual({ kind: 'video', codec, parameterSets: [], width: 1_280, height: 720 });
  });

  test('that begin without a key frame begin with the next', () => {
    const { videoOf } = demuxing();
    const frames = (['inter', 'inter', 'key', 'inter'] as const).map((frame) =>
      exVideo(EX.frames, 'av01', FRAME, { frame }),
    );
    expect(times(videoOf(frames))).toBe('k1080 1120');
  });

  test.each<[string, string]>([
    ['Sorenson H.263', '12aabb'],
    ['Screen Video', '13aa'],
    ['VP6', '14aa'],
    ['codec 15', '1faa'],
  ])('of which no unit is made are told of once: %s', (codec, hex) => {
    const { videoOf, told } = demuxing();
    const body = Buffer.from(hex, 'hex');
    expect(videoOf([body, body, body])).toEqual([]);
    expect(told).toEqual([`video: ${codec}`]);
    videoOf([HEADER, KEY, INTER, body, body], 5_000);
    expect(told).toEqual([`video: ${codec}`, `video: ${codec}`]);
  });

  const VP8 = [exVideo(EX.frames, 'vp08', FRAME)];
  const HEVC = [exVideo(EX.start, 'hvc1', HEVC_RECORD), exVideo(EX.framesX, 'hvc1', FRAME)];
  test.each<[string, string, Buffer[]]>([
    ['H.264 and H.265', 'H264 H265 H264', [HEADER, KEY, ...HEVC, HEADER, KEY]],
    ['VP8 without what begins it behind H.264', 'H264 VP8', [HEADER, KEY, ...VP8]],
    [
      'H.264, that begins as before, behind VP8',
      'H264 H264 H264 H264 VP8 H264',
      [HEADER, KEY, KEY, KEY, KEY, ...VP8, HEADER, KEY],
    ],
  ])('may follow each other, each in a format of its own: %s', (_, expected, bodies) => {
    const units = demuxing().videoOf(bodies);
    expect(units.map(({ format }) => format.codec).join(' ')).toBe(expected);
  });
});

describe('Enhanced RTMP', () => {
  const frame = (options: Parameters<typeof exVideo>[3]) =>
    exVideo(EX.frames, 'hvc1', FRAME, { compositionMs: 40, ...options });
  const start = (options: Parameters<typeof exVideo>[3] = {}) =>
    exVideo(EX.start, 'hvc1', HEVC_RECORD, options);

  test.each<[string, Parameters<typeof exVideo>[3]]>([
    ['nanoseconds in front', { modEx: [Buffer.from('0f4240', 'hex')] }],
    ['several modifiers', { modEx: [Buffer.alloc(1), Buffer.alloc(300)] }],
    ['the one track', { tracks: 'one' }],
    ['the first of two tracks', { tracks: 'many' }],
    ['the first of two tracks with codecs of their own', { tracks: 'many codecs' }],
  ])('may have %s', (_, options) => {
    const { videoOf, told } = demuxing();
    const units = videoOf([start(options), frame(options)]);
    expect([times(units), told]).toEqual(['k1040', []]);
    expect(units[0]).toMatchObject({ data: FRAME, ptsUs: 1_080_000, format: { record: HEVC_RECORD } });
  });

  test('with a second track besides the first is the first alone', () => {
    const { videoOf, told, demuxer } = demuxing();
    const other = { tracks: 'one', trackId: 1 } as const;
    const bodies = [start(), start(other), frame({}), frame(other), frame({ frame: 'inter' }), frame(other)];
    expect(times(videoOf(bodies))).toBe('k1080 1160');
    expect([told, demuxer.malformed.video]).toEqual([[], 0]);
  });
});
