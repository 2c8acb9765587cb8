import { beforeEach, describe, expect, test, vi } from 'vitest';
import { videoArguments } from '../../../../transcode/ffmpeg/video-arguments.ts';
import { type FakeVideoTranscoder, videoJobs as jobs } from '../../support/fake-jobs.ts';
import { withLengths } from '../../support/nal-units.ts';
import {
  DISPOSABLE,
  ENCODED,
  ENCODED_KEY,
  FRAME_MS,
  formatOf,
  INTER,
  KEY,
  PLAIN,
  PPS,
  passing,
  path,
  picture,
  SSRC,
  sps,
  WITH_B,
} from '../../support/picture-path.ts';
import { pli } from '../../support/rtcp-feedback.ts';

vi.mock(import('../../../../transcode/ffmpeg/video-transcoder.ts'), async () => {
  const { FakeVideoTranscoder } = await import('../../support/fake-jobs.ts');
  return { VideoTranscoder: FakeVideoTranscoder } as never;
});
beforeEach(() => void jobs.splice(0));

/** A picture comes out of the encoder. */
function give(job: FakeVideoTranscoder | undefined, timestampMs: number, key: boolean): void {
  job!.give({ data: withLengths([key ? ENCODED_KEY : ENCODED]), timestampMs, key });
}

/** It has B-frames and is re-encoded, and somebody watches. */
function encoding() {
  const all = path();
  all.video.open(all.target);
  all.configure(formatOf(WITH_B));
  all.group(3);
  const [job] = jobs;
  job!.options.onConfig(formatOf(sps('Baseline without B-frames')).record!);
  return { ...all, job: job! };
}

describe('what browsers cannot take is re-encoded', () => {
  test('from its first key frame on: each picture is fed once, and none of them is shown', () => {
    const { job, letters, plans } = encoding();
    expect(plans).toEqual([expect.stringMatching(/^transcode: The encoder sends B-frames/)]);
    const size = { width: 640, height: 360 };
    expect(job.options).toMatchObject({
      ...{ fourCc: 'H264', ...size, maxWaitMs: 500 },
      arguments: videoArguments({
        ...{ codec: 'H264', ...size, maxHeight: 720 },
        ...{ bitrateBps: 2_500_000, frameRate: 30, preset: 'superfast' },
      }),
    });
    expect(job.units).toEqual([[WITH_B, PPS, KEY], [INTER], [INTER]]);
    expect(job.fed).toMatchObject([
      {
        timestampMs: 10_000,
        options: { key: true, disposable: false, hidden: false },
      },
      { timestampMs: 10_040, options: { key: false, disposable: false, hidden: false } },
      { timestampMs: 10_080, options: { key: false, disposable: false, hidden: false } },
    ]);
    expect(letters()).toBe('');
  });

  test('when a B-frame shows, from the last key frame on, of which only the latest picture is shown', () => {
    const { receive, group, letters, plans } = passing();
    group(3);
    receive(picture('i', -60));
    receive(picture('i'));
    expect(plans.map((plan) => plan.split(':')[0])).toEqual(['pass-through', 'transcode']);
    const [job] = jobs;
    expect(job!.times).toEqual([
      [10_000, true],
      [10_040, true],
      [10_080, true],
      [10_060, false],
      [10_160, false],
    ]);
    expect([jobs.length, letters()]).toEqual([1, 'Kii']);
  });

  test('and the pictures tell which of them can be left out', () => {
    const { receive, job } = encoding();
    receive(picture('i', 0, { data: withLengths([DISPOSABLE]), disposable: true }));
    receive(picture('i'));
    expect(job.fed.slice(-2).map(({ options }) => options.disposable)).toEqual([true, false]);
  });

  test('and what comes out is shown, with its own parameter sets', () => {
    const { job, shown, sent } = encoding();
    give(job, 10_000, true);
    give(job, 10_040, false);
    expect(shown()).toEqual([
      { ms: 10_000, nals: [sps('Baseline without B-frames'), PPS, ENCODED_KEY] },
      { ms: 10_040, nals: [ENCODED] },
    ]);
    expect(sent).toEqual([10_000, 10_040]);
  });

  test('and key frames that browsers ask for are made', () => {
    const { link, job } = encoding();
    expect(link.ask(SSRC, pli(SSRC))).toBe(true);
    expect(job.keyFrameRequests).toBe(1);
  });

  test('only while somebody watches', () => {
    const { video, target, group, job } = encoding();
    job.counters.dropped = 3;
    video.close();
    group(2);
    expect([job.stopped, jobs.length, video.job]).toEqual([true, 1, undefined]);
    video.open(target);
    expect(jobs[1]!.times).toEqual([
      [10_120, true],
      [10_160, false],
    ]);
    jobs[1]!.counters.dropped = 2;
    expect(video.framesDropped).toBe(5);
  });

  test('but not while it is muted', () => {
    const { video, group, job, letters } = encoding();
    give(job, 10_000, true);
    video.setMuted(true);
    give(job, 10_040, false);
    group(2);
    expect([job.stopped, jobs.length, letters()]).toEqual([true, 1, 'E']);
    video.setMuted(false);
    expect(jobs[1]!.fed).toHaveLength(2);
  });

  test('what an encoder gives that was stopped is not shown', () => {
    const { video, target, job, letters } = encoding();
    video.open(target);
    give(job, 10_000, true);
    expect([jobs.length, letters()]).toEqual([2, '']);
  });
});

test('another format while it is re-encoded ends the encoder; the next key frame starts one for it', () => {
  const { configure, receive, group, job } = encoding();
  const other = sps('pixels that are not square, and colours');
  configure(formatOf(other));
  receive(picture('i'));
  expect([job.stopped, jobs.length]).toEqual([true, 1]);
  group(2);
  expect(jobs).toHaveLength(2);
  expect(jobs[1]!.options).toMatchObject({ width: 642, height: 362 });
  expect(jobs[1]!.units).toEqual([[other, PPS, KEY], [INTER]]);
});

describe('key frames that are too far apart', () => {
  /** No key frame for more than 3 s. */
  function sparse() {
    const all = passing();
    all.group(77);
    const [job] = jobs;
    job!.options.onConfig(formatOf(sps('Baseline without B-frames')).record!);
    return { ...all, job: job!, lastMs: 10_000 + 76 * FRAME_MS };
  }

  test('are shown as they come until there are others', () => {
    const { receive, job, letters, plans, lastMs } = sparse();
    expect(plans[1]).toMatch(/^transcode: The encoder sends key frames more than 3 s apart/);
    receive(picture('i'));
    expect(letters()).toBe(`K${'i'.repeat(77)}`);
    // What was shown already is not shown again: a later key frame is asked for.
    give(job, lastMs, true);
    give(job, lastMs + 2 * FRAME_MS, false);
    expect([letters().length, job.keyFrameRequests]).toEqual([78, 2]);
    give(job, lastMs + 3 * FRAME_MS, true);
    receive(picture('i'));
    receive(picture('K'));
    give(job, lastMs + 4 * FRAME_MS, false);
    expect(letters().slice(78)).toBe('Ee');
  });

  test('and that are close again for a while are passed through again', () => {
    const { group, job, letters, plans, lastMs } = sparse();
    give(job, lastMs + FRAME_MS, true);
    // Three short distances make the long one forgotten; from then on it has to stay so for 10 s.
    for (let seconds = 0; seconds < 12; seconds++) group(25);
    expect([plans.length, job.stopped]).toEqual([2, false]);
    group(25);
    for (let seconds = 0; seconds < 2; seconds++) group(25);
    expect(plans.slice(2)).toEqual(['pass-through: browsers take it as it is']);
    expect([job.stopped, jobs.length]).toEqual([true, 1]);
    expect(letters().slice(77)).toMatch(/^EK(i{24}K)*i{24}$/);
  });
});

describe('an encoder that dies', () => {
  test('is replaced, and the pictures go on', () => {
    const { job, letters, video } = encoding();
    give(job, 10_000, true);
    job.counters.dropped = 4;
    job.options.onEnd('killed by SIGKILL');
    const [, next] = jobs;
    expect(next!.times).toEqual([
      [10_000, true],
      [10_040, true],
      [10_080, false],
    ]);
    next!.options.onConfig(formatOf(sps('Baseline without B-frames')).record!);
    give(next, 10_080, true);
    expect([letters(), video.deaths.total, video.framesDropped]).toEqual(['EE', 1, 4]);
  });

  test('three times within a minute is not: the track is refused, for good', () => {
    const { plans, configure, group, letters } = encoding();
    for (const cause of ['one', 'two', 'no memory']) jobs.at(-1)!.options.onEnd(cause);
    expect(plans.at(-1)).toBe(
      'refused: The video encoder of the server failed three times within a minute: no memory',
    );
    configure(formatOf(PLAIN));
    group(3);
    expect([jobs.length, plans.length, letters()]).toEqual([3, 2, '']);
  });

  test('three times within a minute stays refused, whatever else comes that cannot be taken', () => {
    const { video, group, plans } = encoding();
    for (const cause of ['one', 'two', 'no memory']) jobs.at(-1)!.options.onEnd(cause);
    video.refuse('VP6', 'VP6 is not taken');
    group(3);
    expect([jobs.length, plans.at(-1)!.split(':')[0]]).toEqual([3, 'refused']);
  });

  test('after it was stopped is no news', () => {
    const { video, job } = encoding();
    video.close();
    job.options.onEnd('stopped');
    expect([video.deaths.total, jobs.length]).toEqual([0, 1]);
  });
});

describe('frames that are too large to be sent as they are', () => {
  /** In a single slice, so that RTP has it in some thousand packets. */
  const large = (bytes: number) => withLengths([Buffer.concat([KEY, Buffer.alloc(bytes, 0x55)])]);

  test('are dropped, and re-encoded from the next one on', () => {
    const { video, receive, group, letters, plans } = passing();
    group(2);
    receive(picture('K', 0, { data: large(1_500_000) }));
    expect([video.framesDropped, plans.length, letters()]).toEqual([1, 1, 'Ki']);
    receive(picture('i'));
    expect(plans[1]).toMatch(/^transcode: The encoder sends frames of more than 1.2 MB/);
    expect(jobs[0]!.times).toEqual([
      [10_080, true],
      [10_120, false],
    ]);
  });

  test('that are 1 MB are not', () => {
    const { video, receive, plans } = passing();
    receive(picture('K', 0, { data: large(1_000_000) }));
    receive(picture('i'));
    expect([video.framesDropped, plans.length, jobs.length]).toEqual([0, 1, 0]);
  });

  test('are forgotten when there were none for half a minute and 10 s more', () => {
    const { receive, group, plans } = passing();
    receive(picture('K', 0, { data: large(1_500_000) }));
    group(1);
    const [job] = jobs;
    for (let seconds = 0; seconds < 40; seconds++) group(25);
    expect([plans.length, job!.stopped]).toEqual([2, false]);
    for (let seconds = 0; seconds < 2; seconds++) group(25);
    receive(picture('K'));
    expect(plans.slice(2)).toEqual(['pass-through: browsers take it as it is']);
    expect(job!.stopped).toBe(true);
  });
});

test.each([
  ['AV1', 'AV01'],
  ['VP9', 'VP90'],
  ['VP8', 'VP80'],
] as const)('%s, which has no configuration, is re-encoded as it is', (codec, fourCc) => {
  const { video, target, configure, receive, plans } = path();
  video.open(target);
  configure({ kind: 'video', codec, parameterSets: [] });
  const data = Buffer.from('00010203', 'hex');
  for (const letter of ['K', 'i'] as const) receive(picture(letter, 0, { data }));
  expect(plans).toEqual([expect.stringContaining(`transcode: The encoder sends ${codec}`)]);
  expect(jobs[0]!.options).toMatchObject({ fourCc, width: 0, height: 0 });
  // There are no start codes in it.
  expect(jobs[0]!.fed.map(({ bytes }) => bytes)).toEqual([data, data]);
});

test('H.265 is re-encoded with its parameter sets in front of key frames, behind start codes', () => {
  const { video, target, configure, receive, plans } = path();
  video.open(target);
  const parameterSets = [Buffer.from('4001aa', 'hex'), Buffer.from('4201bb', 'hex')];
  configure({ kind: 'video', codec: 'H265', lengthBytes: 2, parameterSets, width: 640, height: 360 });
  const slice = Buffer.from('2601cc', 'hex');
  for (const letter of ['K', 'i'] as const) receive(picture(letter, 0, { data: withLengths([slice], 2) }));
  expect(plans).toEqual([expect.stringContaining('transcode: The encoder sends H.265')]);
  expect(jobs[0]!.options).toMatchObject({ fourCc: 'HEVC', width: 640, height: 360 });
  expect(jobs[0]!.units).toEqual([[...parameterSets, slice], [slice]]);
});
