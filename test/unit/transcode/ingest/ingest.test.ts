import { beforeEach, describe, expect, test, vi } from 'vitest';
import type { UnitAudioCodec, VideoFormat } from '../../../../src/media/access-unit.ts';
import { audioJobs, videoJobs } from '../../support/fake-jobs.ts';
import { AAC, ingest } from '../../support/ingest-bench.ts';
import { formatOf, LARGE, PLAIN, WITH_B } from '../../support/picture-path.ts';

vi.mock(import('../../../../transcode/ffmpeg/video-transcoder.ts'), async () => {
  const { FakeVideoTranscoder } = await import('../../support/fake-jobs.ts');
  return { VideoTranscoder: FakeVideoTranscoder } as never;
});
vi.mock(import('../../../../transcode/ffmpeg/audio-decoder.ts'), async () => {
  const { FakeAudioDecoder } = await import('../../support/fake-jobs.ts');
  return { AudioDecoder: FakeAudioDecoder } as never;
});
beforeEach(() => {
  videoJobs.splice(0);
  audioJobs.splice(0);
});

describe('the encoder is called', () => {
  test.each([
    ['obs-output module (libobs version 29.0.2)', 'OBS'],
    ['OBS', 'OBS'],
    ['Lavf59.27.100', 'FFmpeg'],
    ['Wirecast/14.1.3', 'Wirecast/14.1.3'],
    ['a\u0000b\u200e\u2028c', 'a b  c'],
    ['x'.repeat(100), 'x'.repeat(40)],
  ])('%j: %s', (encoder, expected) => {
    const { ingest: one, told } = ingest();
    one.rename(encoder);
    expect(told).toEqual([`encoder: ${expected}`]);
  });

  test.each([[''], ['\u0000 ']])('nothing else if it says %j', (encoder) => {
    const { ingest: one, told } = ingest();
    one.rename(encoder);
    expect(told).toEqual([]);
  });

  test('by what it says, once, however often it says so', () => {
    const { ingest: one, told } = ingest();
    for (const encoder of ['OBS', 'obs', 'OBS', 'Lavf60']) one.rename(encoder);
    expect(told).toEqual(['encoder: OBS', 'encoder: FFmpeg']);
  });

  test('so in the reasons of what is refused', () => {
    const { ingest: one, reasons } = ingest();
    one.rename('obs-output');
    one.refuse('video', 'VP6', undefined);
    one.refuse('audio', 'Speex', undefined);
    one.refuse('video', 'H264', 'without its parameter sets');
    expect(reasons).toEqual([
      'OBS sends VP6 video, which is not taken: set the video encoder to H.264 (x264)',
      'OBS sends Speex audio, which is not taken: set the audio encoder to AAC',
      'OBS sends H.264 without its parameter sets, so that it cannot be decoded',
    ]);
  });
});

describe('what comes is told', () => {
  test('with its size', () => {
    const { video, audio, told } = ingest();
    video(formatOf(PLAIN), true, 0);
    audio(AAC, 0);
    expect(told).toEqual(['video: H264 640x360 pass-through', 'audio: AAC transcode']);
  });

  test.each<[string, Partial<VideoFormat>, string]>([
    ['that is known', { width: 1_280, height: 720 }, '1280x720 '],
    ['that is not', {}, ''],
  ])('with a size %s, of a codec that is not read', (_, size, expected) => {
    const { video, told, open } = ingest();
    open('video');
    video({ kind: 'video', codec: 'VP9', parameterSets: [], ...size }, true, 0);
    expect(told).toEqual([`video: VP9 ${expected}transcode`]);
    expect(videoJobs[0]!.options.width).toBe(expected ? 1_280 : 0);
  });

  test.each<UnitAudioCodec>(['PCMA', 'PCMU', 'opus'])('%s passes through', (codec) => {
    const { audio, told, open, link } = ingest();
    open('audio');
    audio({ kind: 'audio', codec }, 0, Buffer.alloc(160, 0xff));
    expect([told, link.sent.length, audioJobs]).toEqual([[`audio: ${codec} pass-through`], 1, []]);
  });

  test('when it cannot be taken', () => {
    const { ingest: one, told } = ingest();
    one.refuse('video', 'VP6', undefined);
    one.refuse('audio', 'Speex', undefined);
    expect(told).toEqual(['video: VP6 refused', 'audio: Speex refused']);
  });
});

describe('statistics', () => {
  test('tell nothing of what did not come', () => {
    const { ingest: one } = ingest();
    expect(one.statistics).toEqual({ repairs: { jumps: 0, steps: 0 } });
  });

  test('of a stream that passes through', () => {
    const { ingest: one, open, play, link } = ingest();
    open('video');
    open('audio');
    play(76, formatOf(LARGE));
    expect(one.statistics).toEqual({
      video: {
        format: 'H.264 High',
        // Two seconds of 48 inter frames of 1004 bytes and two key frames of 7.
        bitrateBps: Math.round((48 * 1_004 + 2 * 7) * 4),
        packetsSent: expect.any(Number),
        dropped: 0,
        width: 1_920,
        height: 1_080,
        frameRate: 25,
        keyFrameIntervalMs: 1_000,
        bFrames: false,
      },
      audio: {
        format: 'AAC-LC 48 kHz stereo',
        bitrateBps: 79_600,
        packetsSent: 152,
        dropped: 0,
        delayMs: 0,
        job: expect.objectContaining({ pid: 4_712, deaths: 0 }),
      },
      repairs: { jumps: 0, steps: 0 },
    });
    expect(one.statistics.video!.packetsSent + 152).toBe(link.sent.length);
  });

  test('of a stream that is re-encoded', () => {
    const { ingest: one, open, play } = ingest();
    open('video');
    play(2, formatOf(WITH_B));
    videoJobs[0]!.counters.dropped = 3;
    expect(one.statistics.video).toMatchObject({
      format: 'H.264 High',
      bFrames: true,
      dropped: 3,
      job: { pid: 4_711, latencyMs: 40, deaths: 0 },
    });
  });

  test('have the size that the container says, of a codec that is not read', () => {
    const { ingest: one, video } = ingest();
    video({ kind: 'video', codec: 'AV1', parameterSets: [], width: 1_280, height: 720 }, true, 0);
    expect(one.statistics.video).toMatchObject({ format: 'AV1', width: 1_280, height: 720 });
  });

  test('of what is refused have its name', () => {
    const { ingest: one } = ingest();
    one.refuse('video', 'VP6', undefined);
    one.refuse('audio', 'Speex', undefined);
    const { video, audio } = one.statistics;
    expect([video?.format, audio?.format]).toEqual(['VP6', 'Speex']);
  });

  test('count what was put right in the timestamps', () => {
    const { ingest: one, video, clock } = ingest();
    for (const timestamp of [100_000, 100_040, 100_020, 0]) {
      video(formatOf(PLAIN), true, timestamp);
      clock.advance(40);
    }
    expect(one.statistics.repairs).toEqual({ jumps: 1, steps: 1 });
  });
});

describe('audio waits for video', () => {
  test.each<[number, number]>([
    [0, 0],
    [200, 185],
    // At the most as long as anything waits.
    [900, 285],
  ])('that come out of the encoder after %i ms by %i ms', (encodeMs, expected) => {
    const { ingest: one, open, play } = ingest();
    open('video');
    open('audio');
    const format = formatOf(WITH_B);
    play(1, format);
    videoJobs[0]!.options.onConfig(formatOf(PLAIN).record!);
    play(300, format, encodeMs);
    expect(one.statistics.audio!.delayMs).toBeGreaterThanOrEqual(expected - 2);
    expect(one.statistics.audio!.delayMs).toBeLessThanOrEqual(expected + 2);
  });
});

test('after its end nothing goes out, nothing runs and no timer is set', () => {
  const { ingest: one, clock, open, play, link } = ingest();
  open('video');
  open('audio');
  const format = formatOf(WITH_B);
  play(3, format);
  one.end();
  expect([videoJobs[0]!.stopped, audioJobs[0]!.stopped]).toEqual([true, true]);
  const { length } = link.sent;
  play(3, format);
  expect([link.sent.length, clock.pending]).toEqual([length, 0]);
});

describe('a publisher that becomes something else', () => {
  const change = ({ audio }: ReturnType<typeof ingest>, index: number) =>
    audio({ kind: 'audio', codec: index % 2 ? 'MP3' : 'opus' }, index, Buffer.of(1, 2));

  test('all the time is given up', () => {
    const all = ingest();
    const answers = Array.from({ length: 14 }, (_, index) => change(all, index));
    expect(answers).toEqual([...new Array(12).fill(true), false, false]);
  });

  test('now and then is followed', () => {
    const all = ingest();
    for (let index = 0; index < 40; index++) {
      expect(change(all, index)).toBe(true);
      all.clock.advance(2_000);
    }
    expect(all.told).toHaveLength(40);
  });

  test('by its name is one too', () => {
    const { ingest: one } = ingest();
    const answers = Array.from({ length: 13 }, (_, index) => one.rename(`Encoder ${index}`));
    expect(answers.indexOf(false)).toBe(12);
  });

  test('by its format is one too, even when that says the same', () => {
    const { video } = ingest();
    const answers = Array.from({ length: 13 }, (_, index) => video(formatOf(PLAIN), true, index));
    expect(answers.indexOf(false)).toBeGreaterThan(0);
  });

  test('by what cannot be taken is one too', () => {
    const { ingest: one } = ingest();
    const answers = Array.from({ length: 13 }, (_, index) =>
      one.refuse('audio', `codec ${index}`, undefined),
    );
    expect(answers.indexOf(false)).toBe(12);
  });
});
