import { beforeEach, describe, expect, test, vi } from 'vitest';
import { videoJobs as jobs } from '../../support/fake-jobs.ts';
import { withLengths } from '../../support/nal-units.ts';
import {
  formatOf,
  INTER,
  KEY,
  LARGE,
  PLAIN,
  PPS,
  passing,
  path,
  picture,
} from '../../support/picture-path.ts';
import { repeated } from '../../support/sent-audio.ts';

vi.mock(import('../../../../transcode/ffmpeg/video-transcoder.ts'), async () => {
  const { FakeVideoTranscoder } = await import('../../support/fake-jobs.ts');
  return { VideoTranscoder: FakeVideoTranscoder } as never;
});
beforeEach(() => void jobs.splice(0));

describe('what browsers can take passes through', () => {
  test('from the first key frame on, with parameter sets before each', () => {
    const { receive, shown, plans, sent, video } = passing();
    receive(picture('i'));
    const key = receive(picture('K'));
    const inter = receive(picture('i'));
    const next = receive(picture('K'));
    expect(shown()).toEqual([
      { ms: key, nals: [PLAIN, PPS, KEY] },
      { ms: inter, nals: [INTER] },
      { ms: next, nals: [PLAIN, PPS, KEY] },
    ]);
    expect(plans).toEqual(['pass-through: browsers take it as it is']);
    expect(sent).toEqual([key, inter, next]);
    expect(video.packetsSent).toBe(5);
    expect(jobs).toEqual([]);
  });

  test('from the next key frame on, for who comes later', () => {
    const { video, target, receive, group, letters, plans } = path();
    group(5);
    expect(plans).toHaveLength(1);
    video.open(target);
    for (let index = 0; index < 3; index++) receive(picture('i'));
    group(3);
    expect(letters()).toBe('Kii');
  });

  test('and not while nobody watches', () => {
    const { video, group, link } = passing();
    group(2);
    video.close();
    const { length } = link.sent;
    group(2);
    expect([length, link.sent.length, link.listeners]).toEqual([3, 3, 0]);
  });

  test('and not when the link is gone', () => {
    const { group, link } = passing();
    group(1);
    link.close();
    group(1);
    expect(link.sent).toHaveLength(2);
  });

  test('with lengths of 2 bytes as well', () => {
    const { configure, receive, letters } = passing();
    configure(formatOf(PLAIN, 2));
    receive(picture('K', 0, { data: withLengths([KEY], 2) }));
    expect(letters()).toBe('K');
  });

  test('but not while it is muted, and afterwards from a key frame on', () => {
    const { video, receive, group, letters } = passing();
    group(3);
    video.setMuted(true);
    group(3);
    video.setMuted(false);
    receive(picture('i'));
    expect(letters()).toBe('Kii');
    group(2);
    expect(letters()).toBe('KiiKi');
  });
});

describe('another format', () => {
  test('goes out with the key frame behind it', () => {
    const { video, configure, group, shown, plans } = passing();
    group(2);
    configure(formatOf(LARGE));
    group(1);
    expect(shown().at(-1)!.nals).toEqual([LARGE, PPS, KEY]);
    expect(video.analysis.sps).toMatchObject({ width: 1_920, height: 1_080 });
    expect(video.analysis.size).toEqual({ width: 1_920, height: 1_080 });
    // The room is told of the other size.
    expect(plans).toEqual(repeated('pass-through: browsers take it as it is', 2));
  });

  test('that says the same in another object goes out as well, and counts as a change', () => {
    const { video, configure, group, letters, plans } = passing();
    group(2);
    const { changes } = video;
    configure(formatOf(PLAIN));
    group(2);
    expect([video.changes - changes, letters(), plans.length]).toEqual([1, 'KiKi', 1]);
  });

  test('empties the cache of what came since the last key frame', () => {
    const { video, configure, receive, group } = passing();
    group(3);
    expect(video.recent.frames).toHaveLength(3);
    configure(formatOf(LARGE));
    receive(picture('i'));
    expect(video.recent.frames).toEqual([]);
    group(2);
    expect(video.recent.frames).toHaveLength(2);
  });
});

test('all that comes is told, whatever browsers get of it, with the gap between key frames', () => {
  const { group, came } = path();
  group(3);
  group(2);
  expect(came.map(({ key, dtsUs, keyFrameGapMs }) => [key, dtsUs / 1000, keyFrameGapMs])).toEqual([
    [true, 10_000, 0],
    [false, 10_040, 40],
    [false, 10_080, 80],
    [true, 10_120, 120],
    [false, 10_160, 120],
  ]);
});

describe('what cannot be taken', () => {
  const REASON = 'OBS sends VP6 video, which is not taken';

  test('is refused with its reason, and nothing goes out', () => {
    const { video, target, link, plans } = path();
    video.open(target);
    video.refuse('VP6', REASON);
    expect(plans).toEqual([`refused: ${REASON}`]);
    expect([video.analysis.codec, link.sent, jobs]).toEqual(['VP6', [], []]);
  });

  test('ends what was shown before, and counts as a change', () => {
    const { video, group, letters } = passing();
    group(2);
    const { changes } = video;
    video.refuse('VP6', REASON);
    expect([video.changes - changes, video.recent.frames, video.analysis.sps]).toEqual([1, [], undefined]);
    expect(letters()).toBe('Ki');
  });

  test('can be followed by what can be', () => {
    const { video, group, letters, plans } = passing();
    group(2);
    video.refuse('VP6', REASON);
    group(2);
    expect(plans.map((plan) => plan.split(':')[0])).toEqual(['pass-through', 'refused', 'pass-through']);
    expect(letters()).toBe('KiKi');
    expect(video.analysis.codec).toBe('H264');
  });
});
