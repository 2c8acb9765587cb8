import { beforeEach, describe, expect, test, vi } from 'vitest';
import { audioJobs, videoJobs } from '../../support/fake-jobs.ts';
import { AAC, FLAGS, ingest } from '../../support/ingest-bench.ts';
import { withLengths } from '../../support/nal-units.ts';
import { formatOf, KEY, PLAIN } from '../../support/picture-path.ts';

/* What becomes of access units on their way through the ingest: their times, and what programs get of them. */

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

describe('times', () => {
  test('are mended, and keep what is between decoding and showing', () => {
    const { video, tap, clock } = ingest();
    const units = tap();
    for (const [ms, compositionMs] of [
      [4e9, 80],
      [4e9 + 40, 160],
      [4e9 + 80, 0],
    ] as const) {
      video(formatOf(PLAIN), true, ms, compositionMs);
      clock.advance(40);
    }
    expect(units.map(({ dtsUs, ptsUs }) => [dtsUs, ptsUs])).toEqual([
      [10_000_000, 10_080_000],
      [10_040_000, 10_200_000],
      [10_080_000, 10_080_000],
    ]);
  });

  test('keep the fractions of ms between decoding and showing, and are whole µs', () => {
    const { ingest: one, tap } = ingest();
    const units = tap();
    const data = withLengths([KEY]);
    one.receive({ format: formatOf(PLAIN), data, key: true, dtsUs: 0, ptsUs: 33_367, ...FLAGS });
    expect(units.map(({ dtsUs, ptsUs }) => ptsUs - dtsUs)).toEqual([33_367]);
    expect(units.every(({ dtsUs }) => Number.isInteger(dtsUs))).toBe(true);
  });

  test('of showing never lie before 0', () => {
    const { video, tap } = ingest();
    const units = tap();
    video(formatOf(PLAIN), true, 0, -20_000);
    expect(units.map(({ ptsUs }) => ptsUs)).toEqual([0]);
  });
});

describe('a program gets', () => {
  test('all units as they came, with when they were due', () => {
    const { video, tap, clock } = ingest();
    const format = formatOf(PLAIN);
    const units = tap();
    clock.advance(1_000);
    video(format, true, 0, 40);
    clock.advance(100); // it is held up
    video(format, false, 40, 40);
    expect(units.map(({ key, dueAt, keyFrameGapMs }) => [key, dueAt, keyFrameGapMs])).toEqual([
      [true, 1_040, 0],
      [false, 1_080, 40],
    ]);
    expect(units.every((unit) => unit.format === format)).toBe(true);
  });

  test('what came since the last key frame first, when it begins later', () => {
    const { ingest: one, play, video, tap } = ingest();
    const format = formatOf(PLAIN);
    play(30, format);
    const units = tap();
    expect(units.map(({ key }) => key)).toEqual([true, false, false, false, false]);
    one.removeTap('program');
    video(format, false, 1_200);
    expect(units).toHaveLength(5);
  });

  test('by how much the audio of that moment is later than it was due, while somebody hears it', () => {
    const { video, audio, tap, open, clock } = ingest();
    const units = tap();
    const send = () => {
      video(formatOf(PLAIN), true, clock.now());
      audio(AAC, clock.now());
    };
    send();
    open('audio');
    for (let index = 0; index < 100; index++) {
      clock.advance(20);
      send();
      audioJobs[0]!.give(10_000 + clock.now() - 200);
    }
    const [first] = units;
    expect(first!.audioLateMs).toBe(0);
    expect(units.at(-1)!.audioLateMs).toBeCloseTo(200, 6);
  });

  test('nothing while it is muted', () => {
    const { ingest: one, play, tap } = ingest();
    const units = tap();
    one.setMuted('video', true);
    play(3, formatOf(PLAIN));
    one.setMuted('video', false);
    play(2, formatOf(PLAIN));
    expect(units.map(({ key }) => key)).toEqual([true, false]);
  });
});
