import { describe, expect, test } from 'vitest';
import { planVideo, refuseVideo, type VideoFacts } from '../../../../transcode/ingest/video-plan.ts';

const LIMITS = { maxKeyFrameGapMs: 3_000 };
const FORMAT = { profile: 'High', chromaFormat: 1, bitDepth: 8, interlaced: false };
/** What browsers take. */
const FINE: VideoFacts = {
  who: 'OBS',
  codec: 'H264',
  format: FORMAT,
  reorders: false,
  keyFrameGapMs: 2_000,
};

describe('passes through', () => {
  test.each<[string, Partial<VideoFacts>]>([
    ['H.264 without B-frames', {}],
    ['key frames just at the limit', { keyFrameGapMs: 3_000 }],
    ['a format that is not known', { format: undefined }],
  ])('%s', (_, facts) => {
    expect(planVideo({ ...FINE, ...facts }, LIMITS)).toEqual({
      outcome: 'pass-through',
      reason: 'browsers take it as it is',
      steps: [{ action: 'repacketize', detail: 'H.264 to RTP' }],
    });
  });
});

describe('is re-encoded, with what is to be done about it', () => {
  test.each<[string, Partial<VideoFacts>, string, boolean]>([
    [
      'B-frames',
      { reorders: true },
      'OBS sends B-frames, which browsers cannot show; Patchroom re-encodes. ' +
        'To avoid it, set B-frames to 0 (OBS: x264 option bframes=0).',
      false,
    ],
    [
      'key frames that are too far apart, which can be shown meanwhile',
      { keyFrameGapMs: 3_001 },
      'OBS sends key frames more than 3 s apart, for which whoever joins would have to wait; Patchroom re-encodes. ' +
        'To avoid it, set the keyframe interval to 2 s.',
      true,
    ],
    [
      'B-frames and such key frames: B-frames count',
      { reorders: true, keyFrameGapMs: 9_000 },
      'OBS sends B-frames, which browsers cannot show; Patchroom re-encodes. ' +
        'To avoid it, set B-frames to 0 (OBS: x264 option bframes=0).',
      false,
    ],
    [
      'frames that are too large',
      { oversized: true },
      'OBS sends frames of more than 1.2 MB, which browsers do not get in time; Patchroom re-encodes. ' +
        'To avoid it, set a lower bitrate or a smaller picture.',
      false,
    ],
    [
      'frames that are too large, with key frames that are too far apart: what cannot be shown counts',
      { oversized: true, keyFrameGapMs: 9_000 },
      'OBS sends frames of more than 1.2 MB, which browsers do not get in time; Patchroom re-encodes. ' +
        'To avoid it, set a lower bitrate or a smaller picture.',
      false,
    ],
    [
      '4:4:4',
      { format: { ...FORMAT, profile: 'High 4:4:4', chromaFormat: 3 } },
      'OBS sends High 4:4:4 without 4:2:0 colours, which browsers cannot show; Patchroom re-encodes. ' +
        'To avoid it, set the colour format to NV12.',
      false,
    ],
    [
      'no colours',
      { format: { ...FORMAT, chromaFormat: 0 } },
      'OBS sends High without 4:2:0 colours, which browsers cannot show; Patchroom re-encodes. ' +
        'To avoid it, set the colour format to NV12.',
      false,
    ],
    [
      '10 bits',
      { format: { ...FORMAT, bitDepth: 10 } },
      'OBS sends 10 bits a colour, which browsers cannot show; Patchroom re-encodes. ' +
        'To avoid it, set the colour format to NV12 (8 bits).',
      false,
    ],
    [
      'fields',
      { format: { ...FORMAT, interlaced: true } },
      'OBS sends interlaced pictures; Patchroom re-encodes. To avoid it, set it to progressive pictures.',
      false,
    ],
  ])('%s', (_, facts, reason, showable) => {
    const steps = [
      { action: 'decode', detail: 'H.264' },
      { action: 'encode', detail: 'H.264 without B-frames, key frames on request' },
    ];
    const plan = planVideo({ ...FINE, ...facts }, LIMITS);
    expect(plan).toEqual({ outcome: 'transcode', reason, steps, showable });
  });

  test.each([
    ['H265', 'H.265'],
    ['AV1', 'AV1'],
    ['VP9', 'VP9'],
    ['VP8', 'VP8'],
  ])('%s, however fine its frames are', (codec, name) => {
    const plan = planVideo({ ...FINE, codec, format: undefined }, LIMITS);
    expect(plan).toMatchObject({ outcome: 'transcode', showable: false });
    expect(plan.reason).toBe(
      `OBS sends ${name}, which not all browsers show; Patchroom re-encodes. To avoid it, set an H.264 encoder.`,
    );
    expect(plan.steps[0]).toEqual({ action: 'decode', detail: codec });
  });

  test('with an advice that keeps within a limit below 2 s', () => {
    const { reason } = planVideo(FINE, { maxKeyFrameGapMs: 1_500 });
    expect(reason).toContain('more than 1.5 s apart');
    expect(reason).toContain('set the keyframe interval to 1.5 s');
  });
});

test.each(['H263', 'Screen', 'VP6', 'unknown', ''])('%s is refused', (codec) => {
  expect(planVideo({ ...FINE, codec }, LIMITS)).toEqual({
    outcome: 'refused',
    reason: `OBS sends ${codec} video, which is not taken: set the video encoder to H.264 (x264)`,
    steps: [],
  });
});

test('what is refused for what is the matter with it says so', () => {
  expect(refuseVideo('OBS', 'H264', 'without its parameter sets')).toBe(
    'OBS sends H.264 without its parameter sets, so that it cannot be decoded',
  );
});
