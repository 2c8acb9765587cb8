import { describe, expect, test } from 'vitest';
import type { VideoFormat } from '../../../../src/media/access-unit.ts';
import { VideoAnalysis } from '../../../../transcode/ingest/video-analysis.ts';
import { BitWriter } from '../../support/bit-writer.ts';
import { SPS_SAMPLES } from '../../support/sps-samples.ts';

const FRAME_MS = 40;

function formatOf(...parameterSets: Buffer[]): VideoFormat {
  return { kind: 'video', codec: 'H264', lengthBytes: 4, parameterSets };
}

function sample(name: string): VideoFormat {
  const sps = Buffer.from(SPS_SAMPLES.find(([what]) => what === name)![1], 'hex');
  return formatOf(sps, Buffer.from('68ee3c80', 'hex'));
}

const WITHOUT_B = sample('Main without B-frames');
const WITH_B = sample('High with B-frames');
/** Main, 320x240, without a VUI: it does not say whether pictures are reordered. */
const UNSAID = formatOf(
  new BitWriter().bits(0x674d001f, 32).ue(0, 0, 0, 0, 1).flags(0).ue(19, 14).flags(1, 1, 0, 0, 1).bytes(),
);

/** Frames 40 ms apart. @param offsets - of each, how long after it is decoded it is shown, ms; the first is a key frame */
function show(analysis: VideoAnalysis, offsets: readonly number[], fromMs = 10_000): number {
  for (const [index, offset] of offsets.entries()) {
    const decodeMs = fromMs + index * FRAME_MS;
    analysis.frame({ decodeMs, showMs: decodeMs + offset, key: index === 0, bytes: 1_000 }, decodeMs);
  }
  return fromMs + offsets.length * FRAME_MS;
}

/** Key frames at these times, and a frame in between each 40 ms. */
function keyFramesAt(times: readonly number[], untilMs: number): VideoAnalysis {
  const analysis = new VideoAnalysis();
  analysis.configure(WITHOUT_B);
  for (let ms = 0; ms <= untilMs; ms += FRAME_MS) {
    analysis.frame({ decodeMs: ms, showMs: ms, key: times.includes(ms), bytes: 1_000 }, ms);
  }
  return analysis;
}

describe('pictures in another order', () => {
  test.each<[string, VideoFormat, number[], boolean]>([
    ['SPS: none; each is shown when it is decoded', WITHOUT_B, [0, 0, 0], false],
    ['SPS: none; each is shown as long after it is decoded', WITHOUT_B, [80, 80, 80], false],
    ['SPS: none; but one is shown before its predecessor', WITHOUT_B, [80, 120, 0], true],
    ['SPS: some; none so far', WITH_B, [0, 0, 0], true],
    ['SPS: some, before any came', WITH_B, [], true],
    ['SPS does not say: each is shown when it is decoded', UNSAID, [0, 0, 0], false],
    ['SPS does not say: the first one waits for others', UNSAID, [80], true],
    ['SPS does not say: one is shown before its predecessor', UNSAID, [0, 80, 0], true],
    ['there is no SPS: one waits for others', formatOf(), [0, 40], true],
    ['there is no SPS: each is shown when it is decoded', formatOf(), [0, 0], false],
  ])('%s', (_, format, offsets, expected) => {
    const analysis = new VideoAnalysis();
    analysis.configure(format);
    show(analysis, offsets);
    expect(analysis.reorders).toBe(expected);
    expect(analysis.facts('OBS').reorders).toBe(expected);
  });

  test('are forgotten when there was none for 10 s', () => {
    const analysis = new VideoAnalysis();
    analysis.configure(WITHOUT_B);
    const next = show(analysis, [80, 120, 40]);
    // The last to be shown before one that came earlier is decoded at 10.08 s.
    const pictures = (untilMs: number, fromMs: number) =>
      show(analysis, new Array((untilMs - fromMs) / FRAME_MS).fill(40), fromMs);
    const later = pictures(20_080, next);
    expect(analysis.reorders).toBe(true);
    pictures(20_120, later);
    expect(analysis.reorders).toBe(false);
  });

  test('are forgotten with another format', () => {
    const analysis = new VideoAnalysis();
    analysis.configure(WITH_B);
    const next = show(analysis, [80, 160, 0, 40]);
    analysis.configure(WITHOUT_B);
    // It begins earlier than the last one was shown.
    show(analysis, [0, 0], next);
    expect(analysis.reorders).toBe(false);
  });
});

describe('the distance between key frames', () => {
  test.each<[string, number[], number, number | undefined, number]>([
    ['before the first', [], 400, undefined, 0],
    ['of one: how long ago it was', [0], 1_000, undefined, 1_000],
    ['the longest of the last', [0, 2_000, 3_000], 3_400, 1_000, 2_000],
    ['the one that is under way, when it is longer', [0, 1_000], 5_000, 1_000, 4_000],
    ['three are remembered', [0, 4_000, 5_000, 6_000, 7_000], 7_400, 1_000, 1_000],
    ['the third last still counts', [0, 4_000, 5_000, 6_000], 6_400, 1_000, 4_000],
  ])('%s', (_, times, untilMs, interval, gap) => {
    const analysis = keyFramesAt(times, untilMs);
    expect(analysis.keyFrameIntervalMs).toBe(interval);
    expect(analysis.facts('OBS').keyFrameGapMs).toBe(gap);
  });
});

test('it tells what the parameter set says', () => {
  const analysis = new VideoAnalysis();
  analysis.configure(sample('1080 lines in fields'));
  expect(analysis.facts('OBS')).toEqual({
    who: 'OBS',
    codec: 'H264',
    format: { profile: 'High', chromaFormat: 1, bitDepth: 8, interlaced: true },
    reorders: true,
    keyFrameGapMs: 0,
    oversized: false,
  });
});

test.each<[string, VideoFormat]>([
  ['of another codec', { kind: 'video', codec: 'H265', lengthBytes: 4, parameterSets: [Buffer.of(1)] }],
  ['without parameter sets', formatOf()],
  ['with a parameter set that makes no sense', formatOf(Buffer.from('674d', 'hex'))],
])('%s the form of its pictures is not known', (_, format) => {
  const analysis = new VideoAnalysis();
  analysis.configure(format);
  const { format: form, ...rest } = analysis.facts('The encoder');
  expect([form, analysis.sps, analysis.size]).toEqual([undefined, undefined, undefined]);
  const { codec } = format;
  expect(rest).toEqual({
    ...{ who: 'The encoder', codec, reorders: false },
    ...{ keyFrameGapMs: 0, oversized: false },
  });
});

test('the first parameter set that can be read counts, whatever lies before it', () => {
  const analysis = new VideoAnalysis();
  analysis.configure(formatOf(Buffer.from('674d', 'hex'), ...WITH_B.parameterSets));
  expect(analysis.sps).toMatchObject({ width: 640, height: 360 });
});

test.each<[string, Partial<VideoFormat>, { width: number; height: number } | undefined]>([
  ['the format says', { width: 1_280, height: 720 }, { width: 1_280, height: 720 }],
  ['nobody knows', {}, undefined],
  ['is said by half', { width: 1_280 }, undefined],
])('the size is what %s', (_, size, expected) => {
  const analysis = new VideoAnalysis();
  analysis.configure({ kind: 'video', codec: 'VP9', parameterSets: [], ...size });
  expect(analysis.size).toEqual(expected);
});

describe('a frame that is too large to be sent as it is', () => {
  test('is remembered for 30 s', () => {
    const analysis = new VideoAnalysis();
    analysis.configure(WITHOUT_B);
    const frame = (ms: number) => analysis.frame({ decodeMs: ms, showMs: ms, key: true, bytes: 2e6 }, ms);
    frame(10_000);
    analysis.noteOversized();
    const oversized = [10_040, 39_960, 40_000].map((ms) => {
      frame(ms);
      return analysis.facts('OBS').oversized;
    });
    expect(oversized).toEqual([true, true, false]);
  });
});

test('it counts pictures and bytes', () => {
  const { rate } = keyFramesAt([0], 2_000);
  expect([rate.perSecond, rate.bitrateBps]).toEqual([25, 200_000]);
});
