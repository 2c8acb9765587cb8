import { beforeEach, describe, expect, test, vi } from 'vitest';
import { createLogger } from '../../../../src/base/log.ts';
import { Ingest } from '../../../../transcode/ingest/ingest.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { audioJobs, videoJobs } from '../../support/fake-jobs.ts';
import { FakeLink } from '../../support/fake-link.ts';
import { withLengths } from '../../support/nal-units.ts';
import { config, KEY, LARGE, PLAIN, WITH_B } from '../../support/picture-path.ts';

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

/* Bodies of RTMP's messages, as FLV has them (section E.4). */
const AAC_CONFIG = Buffer.from('af001190', 'hex');
const AAC_FRAME = Buffer.concat([Buffer.from('af01', 'hex'), Buffer.alloc(398)]);

function avcConfig(sps: Buffer): Buffer {
  return Buffer.concat([Buffer.from('1700000000', 'hex'), config(sps).data]);
}

function avcFrame(key: boolean, compositionMs = 0): Buffer {
  const header = Buffer.from([key ? 0x17 : 0x27, 1, 0, 0, 0]);
  header.writeIntBE(compositionMs, 2, 3);
  return Buffer.concat([header, withLengths([key ? KEY : Buffer.alloc(1_000, 0x61)])]);
}

function ingest() {
  const clock = new FakeClock();
  const link = new FakeLink();
  const told: string[] = [];
  const one = new Ingest(
    {
      video: {
        maxKeyFrameGapMs: 3_000,
        maxHeight: 720,
        bitrateBps: 2e6,
        preset: 'superfast',
        maxWaitMs: 500,
      },
      audio: { bitrateBps: 96_000, maxWaitMs: 300 },
    },
    clock,
    createLogger('silent'),
    {
      encoder: (name) => told.push(`encoder: ${name}`),
      video: (codec, size, { outcome }) =>
        told.push(`video: ${codec} ${size ? `${size.width}x${size.height} ` : ''}${outcome}`),
      audio: (codec, { outcome }) => told.push(`audio: ${codec} ${outcome}`),
    },
  );
  const open = (kind: 'audio' | 'video') => one.open(kind, { link, ssrc: 7, payloadType: 100 });
  /** Sound and pictures, 25 a second, with a key frame each second; the encoder gives each picture after so long. */
  const play = (frames: number, encodeMs?: number) => {
    for (let index = 0; index < frames; index++) {
      const ms = clock.now();
      one.video(avcFrame(index % 25 === 0), ms);
      one.audio(AAC_FRAME, ms);
      audioJobs.at(-1)?.give(10_000 + ms);
      clock.after(20, () => audioJobs.at(-1)?.give(10_020 + ms));
      const { fed, options } = videoJobs.at(-1) ?? {};
      if (encodeMs !== undefined && fed) {
        const { timestampMs, options: frame } = fed.at(-1)!;
        const data = withLengths([KEY]);
        clock.after(encodeMs, () =>
          options!.onFrame({ data, timestampMs, key: frame.key, latencyMs: encodeMs }),
        );
      }
      clock.advance(40);
    }
  };
  return { ingest: one, clock, link, told, open, play };
}

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
    one.metadata({ encoder });
    expect(told).toEqual([`encoder: ${expected}`]);
  });

  test.each([[''], ['\u0000 '], [5], [null], [undefined], [{}]])('nothing else if it says %j', (encoder) => {
    const { ingest: one, told } = ingest();
    one.metadata({ encoder });
    expect(told).toEqual([]);
  });

  test('by what it says, once, however often it says so', () => {
    const { ingest: one, told } = ingest();
    for (const encoder of ['OBS', 'obs', 'OBS', 'Lavf60']) one.metadata({ encoder });
    expect(told).toEqual(['encoder: OBS', 'encoder: FFmpeg']);
  });

  test('so in the reasons of what is refused', () => {
    const { ingest: one } = ingest();
    const plans: string[] = [];
    const events = {
      encoder: () => {},
      video: (_codec: string, _size: unknown, plan: { reason: string }) => plans.push(plan.reason),
      audio: (_codec: string, plan: { reason: string }) => plans.push(plan.reason),
    };
    const options = {
      maxKeyFrameGapMs: 3_000,
      maxHeight: 720,
      bitrateBps: 2e6,
      preset: 'fast',
      maxWaitMs: 500,
    };
    const told = new Ingest(
      { video: options, audio: options },
      new FakeClock(),
      createLogger('silent'),
      events,
    );
    for (const each of [one, told]) {
      each.metadata({ encoder: 'obs-output' });
      each.video(Buffer.from('1400', 'hex'), 0); // VP6
      each.audio(Buffer.from('b600', 'hex'), 0); // Speex
    }
    expect(plans.map((reason) => reason.slice(0, 12))).toEqual(['OBS sends VP', 'OBS sends Sp']);
  });
});

describe('what comes is told', () => {
  test('with its size', () => {
    const { ingest: one, told } = ingest();
    one.video(avcConfig(PLAIN), 0);
    one.video(avcFrame(true), 0);
    one.audio(AAC_CONFIG, 0);
    expect(told).toEqual(['video: H264 640x360 pass-through', 'audio: AAC transcode']);
  });

  test.each<[string, unknown, unknown, string]>([
    ['known', 1_280, 720, '1280x720 '],
    ['not known', undefined, undefined, ''],
    ['none', 0, 720, ''],
    ['no number', '1280', '720', ''],
    ['not whole', 1_280.5, 720, ''],
    ['too large', 1e6, 720, ''],
  ])('with that of the metadata where the codec is not read: %s', (_, width, height, expected) => {
    const { ingest: one, told, open } = ingest();
    one.metadata({ width, height } as never);
    open('video');
    // A key frame of Enhanced RTMP, VP9.
    one.video(Buffer.concat([Buffer.from('91', 'hex'), Buffer.from('vp09'), Buffer.from('aabb', 'hex')]), 0);
    expect(told).toEqual([`video: VP9 ${expected}transcode`]);
    expect(videoJobs[0]!.options.width).toBe(expected ? 1_280 : 0);
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
    one.video(avcConfig(LARGE), 0);
    one.audio(AAC_CONFIG, 0);
    play(76);
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
    one.video(avcConfig(WITH_B), 0);
    play(2);
    videoJobs[0]!.counters.dropped = 3;
    expect(one.statistics.video).toMatchObject({
      format: 'H.264 High',
      bFrames: true,
      dropped: 3,
      job: { pid: 4_711, latencyMs: 40, deaths: 0 },
    });
  });

  test('count messages that make no sense where they belong, and empty ones nowhere', () => {
    const { ingest: one } = ingest();
    one.video(avcConfig(PLAIN), 0);
    one.audio(AAC_CONFIG, 0);
    for (let index = 0; index < 3; index++) one.video(Buffer.from('17', 'hex'), 0);
    for (let index = 0; index < 2; index++) one.audio(Buffer.from('af', 'hex'), 0);
    one.video(Buffer.alloc(0), 0);
    one.audio(Buffer.alloc(0), 0);
    expect([one.statistics.video!.dropped, one.statistics.audio!.dropped]).toEqual([3, 2]);
  });

  test('count what was put right in the timestamps; configurations may have any', () => {
    const { ingest: one, clock } = ingest();
    one.video(avcConfig(PLAIN), 0);
    for (const timestamp of [100_000, 100_040, 100_020, 0]) {
      one.video(avcFrame(true), timestamp);
      one.video(avcConfig(PLAIN), 0);
      one.audio(AAC_CONFIG, 0);
      clock.advance(40);
    }
    expect(one.statistics.repairs).toEqual({ jumps: 1, steps: 1 });
  });
});

describe('sound waits for pictures', () => {
  test.each<[number, number]>([
    [0, 0],
    [200, 185],
    // At the most as long as anything waits.
    [900, 285],
  ])('that come out of the encoder after %i ms by %i ms', (encodeMs, expected) => {
    const { ingest: one, open, play } = ingest();
    open('video');
    open('audio');
    one.video(avcConfig(WITH_B), 0);
    one.audio(AAC_CONFIG, 0);
    play(1);
    videoJobs[0]!.options.onConfig(config(PLAIN).data);
    play(300, encodeMs);
    expect(one.statistics.audio!.delayMs).toBeGreaterThanOrEqual(expected - 2);
    expect(one.statistics.audio!.delayMs).toBeLessThanOrEqual(expected + 2);
  });
});

test('after its end nothing goes out, nothing runs and no timer is set', () => {
  const { ingest: one, clock, open, play, link } = ingest();
  open('video');
  open('audio');
  one.video(avcConfig(WITH_B), 0);
  one.audio(AAC_CONFIG, 0);
  play(3);
  one.end();
  expect([videoJobs[0]!.stopped, audioJobs[0]!.stopped]).toEqual([true, true]);
  const { length } = link.sent;
  play(3);
  expect([link.sent.length, clock.pending]).toEqual([length, 0]);
});

describe('an encoder that becomes something else', () => {
  /** Codecs that say it all in one message, in turn. */
  const change = (one: Ingest, index: number) => one.audio(Buffer.of(index % 2 ? 0x2f : 0xb2, 1, 2), index);

  test('all the time is given up', () => {
    const { ingest: one } = ingest();
    for (let index = 0; index < 12; index++) change(one, index);
    expect(() => change(one, 12)).toThrow('The encoder changes what it sends all the time.');
  });

  test('now and then is followed', () => {
    const { ingest: one, told, clock } = ingest();
    for (let index = 0; index < 40; index++) {
      change(one, index);
      clock.advance(2_000);
    }
    expect(told).toHaveLength(40);
  });

  test('by its name is one too', () => {
    const { ingest: one } = ingest();
    const rename = () => {
      for (let index = 0; index < 13; index++) one.metadata({ encoder: `Encoder ${index}` });
    };
    expect(rename).toThrow('all the time');
  });
});
