import { beforeEach, describe, expect, test, vi } from 'vitest';
import { videoJobs as jobs } from '../../support/fake-jobs.ts';
import { withLengths } from '../../support/nal-units.ts';
import { config, INTER, KEY, LARGE, PLAIN, PPS, passing, path, picture } from '../../support/picture-path.ts';

vi.mock(import('../../../../transcode/ffmpeg/video-transcoder.ts'), async () => {
  const { FakeVideoTranscoder } = await import('../../support/fake-jobs.ts');
  return { VideoTranscoder: FakeVideoTranscoder } as never;
});
beforeEach(() => void jobs.splice(0));

describe('what browsers can take passes through', () => {
  test('from the first key frame on, with parameter sets before each', () => {
    const { receive, shown, plans, sent, video } = passing();
    receive(picture('inter'));
    const key = receive(picture('key'));
    const inter = receive(picture('inter'));
    const next = receive(picture('key'));
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
    receive(config(PLAIN));
    group(5);
    expect(plans).toHaveLength(1);
    video.open(target);
    for (let index = 0; index < 3; index++) receive(picture('inter'));
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
    const { receive, letters } = passing();
    receive(config(PLAIN, 2));
    receive(picture('key', 0, { data: withLengths([KEY], 2) }));
    expect(letters()).toBe('K');
  });

  test('but not while it is muted, and afterwards from a key frame on', () => {
    const { video, receive, group, letters } = passing();
    group(3);
    video.setMuted(true);
    group(3);
    video.setMuted(false);
    receive(picture('inter'));
    expect(letters()).toBe('Kii');
    group(2);
    expect(letters()).toBe('KiiKi');
  });
});

describe('another configuration', () => {
  test('goes out with the key frame behind it', () => {
    const { video, receive, group, shown, plans } = passing();
    group(2);
    receive(config(LARGE));
    group(1);
    expect(shown().at(-1)!.nals).toEqual([LARGE, PPS, KEY]);
    expect(video.analysis.sps).toMatchObject({ width: 1_920, height: 1_080 });
    expect(plans).toHaveLength(1);
  });

  test('that makes no sense is not taken, and counts', () => {
    const { video, receive, group, shown } = passing();
    receive({ ...config(PLAIN), data: Buffer.from('0164', 'hex') });
    group(1);
    expect(shown().at(-1)!.nals[0]).toEqual(PLAIN);
    expect(video.framesDropped).toBe(1);
  });
});

test('pictures before their configuration are dropped', () => {
  const { video, target, group, link, plans } = path();
  video.open(target);
  group(4);
  expect([video.framesDropped, link.sent, plans]).toEqual([4, [], []]);
  expect(video.analysis.codec).toBe('H264');
});

test('a picture that is malformed is dropped; after a key frame that is, nothing comes up to the next one', () => {
  const { video, receive, group, letters } = passing();
  group(2);
  const broken = Buffer.from('000000ff65', 'hex');
  receive(picture('inter', 0, { data: broken }));
  group(1);
  receive(picture('key', 0, { data: broken }));
  receive(picture('inter'));
  group(2);
  expect(letters()).toBe('KiKKi');
  expect(video.framesDropped).toBe(2);
});

test('a codec that is not taken is refused with a reason, once', () => {
  const { video, target, receive, link, plans } = path();
  video.who = 'OBS';
  video.open(target);
  for (const frame of ['inter', 'key', 'inter', 'key'] as const) receive(picture(frame, 0, { codec: 'VP6' }));
  expect(plans).toEqual([
    'refused: OBS sends VP6 video, which is not taken: set the video encoder to H.264 (x264)',
  ]);
  expect([link.sent, jobs]).toEqual([[], []]);
});
