import { describe, expect, test } from 'vitest';
import { statusAttributes, trackStatistics } from '../../../src/ingest/publisher-report.ts';
import type { KindStatistics } from '../../../transcode/ingest/ingest-statistics.ts';

const VIDEO: KindStatistics = {
  format: 'H.264 High',
  bitrateBps: 2_534_000,
  packetsSent: 1_000,
  dropped: 0,
  width: 1_280,
  height: 720,
  frameRate: 29.97,
  keyFrameIntervalMs: 2_040,
  bFrames: false,
};
const AUDIO: KindStatistics = {
  format: 'AAC-LC 48 kHz stereo',
  bitrateBps: 158_700,
  packetsSent: 500,
  dropped: 0,
  delayMs: 40,
};
const REPAIRS = { jumps: 1, steps: 2 };

const UNSAID = { 'ingest.picture': '', 'ingest.sound': '', 'ingest.repairs': '', 'ingest.cost': '' };
const NO_REPAIRS = { jumps: 0, steps: 0 };

describe('people read of the pictures', () => {
  test.each<[string, Partial<KindStatistics>, string]>([
    ['all there is', {}, '1280×720, 30 fps, H.264 High, 2.5 Mbit/s, key frame every 2.0 s'],
    [
      'B-frames, and what was dropped',
      { bFrames: true, dropped: 7 },
      '1280×720, 30 fps, H.264 High, 2.5 Mbit/s, key frame every 2.0 s, B-frames, 7 dropped',
    ],
    [
      'little, when little is known',
      {
        width: undefined,
        height: undefined,
        frameRate: undefined,
        keyFrameIntervalMs: undefined,
        bFrames: undefined,
      },
      'H.264 High, 2.5 Mbit/s',
    ],
    [
      'no half of a size',
      { height: undefined, frameRate: 0, keyFrameIntervalMs: 0 },
      'H.264 High, 2.5 Mbit/s',
    ],
    [
      'smaller bitrates',
      { bitrateBps: 843_000 },
      '1280×720, 30 fps, H.264 High, 840 kbit/s, key frame every 2.0 s',
    ],
  ])('%s', (_, change, expected) => {
    const attributes = statusAttributes({ video: { ...VIDEO, ...change }, repairs: NO_REPAIRS }, undefined);
    expect(attributes).toEqual({ ...UNSAID, 'ingest.picture': expected });
  });

  test('the same when its bitrate changes a little', () => {
    const words = [2_460_000, 2_500_000, 2_540_000].map(
      (bitrateBps) =>
        statusAttributes({ video: { ...VIDEO, bitrateBps }, repairs: REPAIRS }, undefined)['ingest.picture'],
    );
    expect(new Set(words).size).toBe(1);
  });
});

describe('people read of the sound', () => {
  test.each<[string, Partial<KindStatistics>, string]>([
    ['all there is', {}, 'AAC-LC 48 kHz stereo, 160 kbit/s'],
    ['what was dropped', { dropped: 3 }, 'AAC-LC 48 kHz stereo, 160 kbit/s, 3 dropped'],
    ['nothing that comes', { bitrateBps: 0 }, 'AAC-LC 48 kHz stereo, 0 kbit/s'],
  ])('%s', (_, change, expected) => {
    const attributes = statusAttributes({ audio: { ...AUDIO, ...change }, repairs: NO_REPAIRS }, undefined);
    expect(attributes).toEqual({ ...UNSAID, 'ingest.sound': expected });
  });
});

describe('people read', () => {
  const job = { pid: 5, latencyMs: 20, deaths: 0 };

  test('how many timestamps were mended', () => {
    expect(statusAttributes({ repairs: REPAIRS }, undefined)['ingest.repairs']).toBe('3 timestamps mended');
  });

  test.each<[string, KindStatistics['job'], number | undefined, string | undefined]>([
    ['where it was measured', job, 0.44, '0.4 of a core'],
    ['nothing new, where it was not measured yet', job, undefined, undefined],
    ['nothing, where it is not re-encoded', undefined, undefined, ''],
  ])('what re-encoding costs: %s', (_, of, cores, expected) => {
    const attributes = statusAttributes({ video: { ...VIDEO, job: of }, repairs: REPAIRS }, cores);
    expect(attributes['ingest.cost']).toBe(expected);
  });
});

describe('the API tells', () => {
  test('of pictures', () => {
    expect(trackStatistics({ ...VIDEO, dropped: 4 }, REPAIRS)).toEqual({
      packets: 1_000,
      packetsLost: 0,
      bitrateBps: 2_534_000,
      jitterMs: 0,
      source: {
        format: 'H.264 High',
        width: 1_280,
        height: 720,
        frameRate: 29.97,
        keyFrameIntervalMs: 2_040,
        bFrames: false,
        dropped: 4,
        timestampJumps: 1,
        timestampSteps: 2,
      },
    });
  });

  test('of sound, and of the child that decodes it', () => {
    const job = { pid: 5, latencyMs: 20, deaths: 1 };
    expect(trackStatistics({ ...AUDIO, job: { ...job, latencyMs: 20.4 } }, REPAIRS).source).toEqual({
      format: 'AAC-LC 48 kHz stereo',
      delayMs: 40,
      dropped: 0,
      timestampJumps: 1,
      timestampSteps: 2,
      job,
    });
  });
});
