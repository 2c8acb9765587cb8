import { describe, expect, test } from 'vitest';
import {
  encodedSize,
  type VideoShape,
  videoArguments,
} from '../../../../transcode/ffmpeg/video-arguments.ts';

describe('the size that is encoded', () => {
  test.each([
    [1280, 720, 720, 1280, 720],
    [1920, 1080, 720, 1280, 720],
    [1920, 1080, 2160, 1920, 1080],
    [720, 1280, 720, 406, 720],
    [641, 361, 720, 640, 360],
    [2560, 1080, 720, 1706, 720],
    [1280, 721, 721, 1280, 720],
    [16384, 16, 10, 10240, 10],
    [1, 1, 720, 2, 2],
  ])('%ix%i, at most %i high: %ix%i', (width, height, maxHeight, ...expected) => {
    expect(Object.values(encodedSize({ width, height, maxHeight }))).toEqual(expected);
  });
});

const SHAPE: VideoShape = {
  ...{ codec: 'H264', width: 1920, height: 1080, maxHeight: 720 },
  ...{ bitrateBps: 2_500_000, frameRate: 60, preset: 'superfast' },
};
const valueBehind = (args: readonly string[], name: string) => args[args.indexOf(name) + 1];

test('what depends on the stream', () => {
  const args = videoArguments(SHAPE);
  expect(valueBehind(args, '-vf')).toContain('scale=1280:720');
  expect(['-b:v', '-maxrate', '-g', '-x264-params'].map((name) => valueBehind(args, name))).toEqual([
    ...['2500000', '2500000', '600', 'fps=60'],
  ]);
  expect(args).not.toContain('hevc');
  expect(valueBehind(videoArguments({ ...SHAPE, codec: 'H265' }), '-c:v')).toBe('hevc');
});

test("a size that is not known before it is decoded is the filter's to find", () => {
  const args = videoArguments({ ...SHAPE, width: 0, height: 0 });
  expect(valueBehind(args, '-vf')).toContain('scale=-2:trunc(min(720\\,ih)/2)*2:flags');
});

test.each([
  [undefined, 'fps=30'],
  [29.97, 'fps=29.97'],
  [0, 'fps=1'],
  [100_000, 'fps=120'],
])('a frame rate of %s: %s', (frameRate, expected) => {
  expect(valueBehind(videoArguments({ ...SHAPE, frameRate }), '-x264-params')).toBe(expected);
});
