import { beforeEach, describe, expect, test, vi } from 'vitest';
import { createLogger } from '../../../../src/base/log.ts';
import type { FlvAudio } from '../../../../src/media/containers/flv/flv.ts';
import { AudioPath } from '../../../../transcode/ingest/audio-path.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { audioJobs as jobs } from '../../support/fake-jobs.ts';
import { FakeLink } from '../../support/fake-link.ts';

vi.mock(import('../../../../transcode/ffmpeg/audio-decoder.ts'), async () => {
  const { FakeAudioDecoder } = await import('../../support/fake-jobs.ts');
  return { AudioDecoder: FakeAudioDecoder } as never;
});
beforeEach(() => void jobs.splice(0));

/** AudioSpecificConfig (ISO/IEC 14496-3, section 1.6.2.1): object type, rate, channels. */
const STEREO_48 = Buffer.from('1190', 'hex');
const MONO_44 = Buffer.from('1208', 'hex');
const SURROUND_48 = Buffer.from('11b0', 'hex');
/** The header of a frame of 128 kbit/s, 44.1 kHz, joint stereo. */
const MP3_FRAME = Buffer.from('fffb9064aabb', 'hex');
const REFUSED = 'which is not taken: set the audio encoder to AAC';

function audio(codec: FlvAudio['codec'], packet: FlvAudio['packet'], data: Buffer): FlvAudio {
  return { codec, packet, rate: 44_100, channels: 2, data };
}

function path() {
  const clock = new FakeClock();
  const link = new FakeLink();
  const plans: string[] = [];
  const ready: number[] = [];
  const one = new AudioPath({ bitrateBps: 96_000, maxWaitMs: 500 }, clock, createLogger('silent'), {
    planned: ({ outcome, reason }) => plans.push(`${outcome}: ${reason}`),
    ready: (ms) => ready.push(ms),
  });
  const target = { link, ssrc: 7, payloadType: 100 };
  const receive = (what: FlvAudio, sourceMs = 0) =>
    one.receive(what, Buffer.concat([Buffer.from('af01', 'hex'), what.data]), sourceMs, clock.now());
  const config = (data: Buffer) => receive(audio('AAC', 'config', data));
  const frame = (sourceMs: number, data = Buffer.from('2100', 'hex')) =>
    receive(audio('AAC', 'frame', data), sourceMs);
  return { path: one, clock, link, target, plans, ready, receive, config, frame };
}

/** AAC comes, and somebody listens. */
function decoding() {
  const all = path();
  all.path.open(all.target);
  all.config(STEREO_48);
  const [job] = jobs;
  return { ...all, job: job! };
}

describe('the plan', () => {
  test.each<[FlvAudio['codec'], string]>([
    ['AAC', 'transcode: browsers and phones do not take AAC'],
    ['MP3', 'transcode: browsers and phones do not take MP3'],
    ['Speex', `refused: OBS sends Speex sound, ${REFUSED}`],
  ])('for %s is told once', (codec, expected) => {
    const { path: one, receive, plans } = path();
    one.who = 'OBS';
    for (let index = 0; index < 3; index++) receive(audio(codec, 'frame', Buffer.from('00', 'hex')), index);
    expect(plans).toEqual([expected]);
  });

  test('changes with the codec', () => {
    const { receive, config, plans, path: one, target } = path();
    one.open(target);
    receive(audio('Speex', 'frame', Buffer.alloc(1)));
    config(STEREO_48);
    receive(audio('MP3', 'frame', MP3_FRAME));
    expect(plans.map((plan) => plan.split(':')[0])).toEqual(['refused', 'transcode', 'transcode']);
    expect(jobs.map(({ options, stopped }) => [options.codec, stopped])).toEqual([
      ['AAC', true],
      ['MP3', false],
    ]);
  });
});

describe('the format', () => {
  test.each<[string, Buffer, string]>([
    ['stereo', STEREO_48, 'AAC-LC 48 kHz stereo'],
    ['mono', MONO_44, 'AAC-LC 44.1 kHz mono'],
    ['surround', SURROUND_48, 'AAC-LC 48 kHz 5.1'],
    ['five channels', Buffer.from('11a8', 'hex'), 'AAC-LC 48 kHz 5 channels'],
    ['one that makes no sense', Buffer.from('ff', 'hex'), 'AAC'],
  ])('of AAC, %s', (_, data, expected) => {
    const { path: one, config } = path();
    config(data);
    expect(one.format).toBe(expected);
  });

  test('of MP3 is that of its first frame', () => {
    const { path: one, receive } = path();
    receive(audio('MP3', 'frame', MP3_FRAME));
    expect(one.format).toBe('MP3 44.1 kHz stereo');
  });

  test('of others is their name, of nothing is nothing', () => {
    const { path: one, receive } = path();
    expect([one.codec, one.format]).toEqual(['', '']);
    receive(audio('G711A', 'frame', Buffer.alloc(1)));
    expect(one.format).toBe('G711A');
  });
});

describe('a decoder runs', () => {
  test('only once somebody listens, and it is known how to decode', () => {
    const { path: one, target, config, frame } = path();
    frame(10_000);
    one.open(target);
    frame(10_020);
    expect(jobs).toEqual([]);
    config(STEREO_48);
    expect(jobs.map(({ options }) => [options.codec, options.config, options.maxWaitMs])).toEqual([
      ['AAC', STEREO_48, 500],
    ]);
    frame(10_040);
    expect(jobs[0]!.fed).toEqual([{ body: Buffer.from('af012100', 'hex'), timestampMs: 10_040 }]);
  });

  test('at once when somebody begins to listen later', () => {
    const { path: one, target, config, frame } = path();
    config(STEREO_48);
    frame(10_000);
    one.open(target);
    expect(jobs).toHaveLength(1);
  });

  test('until nobody listens any more', () => {
    const { path: one, job, frame, link } = decoding();
    one.close();
    frame(10_000);
    job.give(10_000);
    expect([job.stopped, job.fed, link.sent, one.job, one.sender]).toEqual([
      true,
      [],
      [],
      undefined,
      undefined,
    ]);
  });

  test('until the link is gone', () => {
    const { path: one, job, link } = decoding();
    link.close();
    expect([job.stopped, one.job, link.listeners]).toEqual([true, undefined, 0]);
  });

  test('on when the same configuration comes again; another begins a new one', () => {
    const { job, config } = decoding();
    config(Buffer.from(STEREO_48));
    expect([jobs.length, job.stopped]).toEqual([1, false]);
    config(MONO_44);
    expect(jobs.map(({ options, stopped }) => [options.config, stopped])).toEqual([
      [STEREO_48, true],
      [MONO_44, false],
    ]);
  });

  test('not for what is refused', () => {
    const { path: one, target, receive } = path();
    one.open(target);
    receive(audio('Speex', 'frame', Buffer.alloc(1)));
    expect(jobs).toEqual([]);
  });
});

test('what it gives goes out as packets of 20 ms', () => {
  const { job, link, ready } = decoding();
  job.give(10_000);
  job.give(10_020);
  expect([link.sent.length, ready]).toEqual([2, [10_000, 10_020]]);
});

test('nothing goes out while it is muted, nor of a decoder that was replaced', () => {
  const { path: one, job, link, config } = decoding();
  one.setMuted(true);
  job.give(10_000);
  expect(link.sent).toHaveLength(0);
  one.setMuted(false);
  job.give(10_020);
  expect(link.sent).toHaveLength(1);
  config(MONO_44);
  job.give(10_040);
  expect(link.sent).toHaveLength(1);
});

test('what was dropped counts once, whoever dropped it', () => {
  const { path: one, job, target } = decoding();
  job.counters.dropped = 5;
  job.give(10_000);
  job.give(5_000); // lies before what was sent
  expect(one.dropped).toBe(6);
  one.close();
  expect(one.dropped).toBe(6);
  one.open(target);
  jobs[1]!.counters.dropped = 2;
  expect(one.dropped).toBe(8);
  jobs[1]!.options.onEnd('killed');
  expect(one.dropped).toBe(8);
});

describe('a decoder that dies', () => {
  test('is replaced', () => {
    const { path: one, job, link, plans } = decoding();
    job.options.onEnd('killed by SIGKILL');
    expect([jobs.length, one.deaths.total, plans.length]).toEqual([2, 1, 1]);
    jobs[1]!.give(10_000);
    expect(link.sent).toHaveLength(1);
  });

  test('three times within a minute is not: the track is refused', () => {
    const { job, plans, config, frame } = decoding();
    job.options.onEnd('one');
    jobs[1]!.options.onEnd('two');
    jobs[2]!.options.onEnd('no memory');
    expect(plans.at(-1)).toBe(
      'refused: The audio decoder of the server failed three times within a minute: no memory',
    );
    config(MONO_44);
    frame(10_000);
    expect(jobs).toHaveLength(3);
  });

  test('after it was stopped is no news', () => {
    const { path: one, job } = decoding();
    one.close();
    job.options.onEnd('stopped');
    expect([one.deaths.total, jobs.length]).toEqual([0, 1]);
  });
});

test('it counts the bytes that come', () => {
  const { path: one, clock, frame } = path();
  for (let ms = 0; ms <= 2_000; ms += 20) {
    frame(ms, Buffer.alloc(400));
    clock.advance(20);
  }
  expect(one.rate.bitrateBps).toBe(160_000);
});
