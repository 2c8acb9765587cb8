import { beforeEach, describe, expect, test, vi } from 'vitest';
import { createLogger } from '../../../../src/base/log.ts';
import type { AudioFormat } from '../../../../src/media/access-unit.ts';
import { parseRtp } from '../../../../src/media/rtp/rtp.ts';
import { AudioPath } from '../../../../transcode/ingest/audio-path.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { audioJobs as jobs } from '../../support/fake-jobs.ts';
import { FakeLink } from '../../support/fake-link.ts';
import { steps } from '../../support/sent-audio.ts';

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
const AAC_FRAME = Buffer.from('2100', 'hex');

function aac(config: Buffer): AudioFormat {
  return { kind: 'audio', codec: 'AAC', config };
}

const MP3: AudioFormat = { kind: 'audio', codec: 'MP3' };
const PCMA: AudioFormat = { kind: 'audio', codec: 'PCMA', sampleRate: 8_000, channels: 1 };
const PCMU: AudioFormat = { ...PCMA, codec: 'PCMU' };
const OPUS: AudioFormat = { kind: 'audio', codec: 'opus', sampleRate: 48_000, channels: 2 };

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
  let format = aac(STEREO_48);
  /** What comes from now on is of that format. */
  const configure = (next: AudioFormat) => {
    format = next;
  };
  const receive = (sourceMs: number, data = AAC_FRAME) => {
    const times = { dtsUs: sourceMs * 1000, ptsUs: sourceMs * 1000 };
    const flags = { key: true, disposable: false, discontinuity: false };
    one.receive({ format, data, ...times, ...flags }, clock.now());
  };
  return { path: one, clock, link, target, plans, ready, configure, receive };
}

/** AAC comes, and somebody listens. */
function decoding() {
  const all = path();
  all.path.open(all.target);
  all.receive(10_000);
  const [job] = jobs;
  return { ...all, job: job! };
}

describe('the plan', () => {
  test.each<[string, AudioFormat, string]>([
    ['AAC', aac(STEREO_48), 'transcode: browsers and phones do not take AAC'],
    ['MP3', MP3, 'transcode: browsers and phones do not take MP3'],
    ['PCMA', PCMA, 'pass-through: browsers take it as it is'],
    ['PCMU', PCMU, 'pass-through: browsers take it as it is'],
    ['opus', OPUS, 'pass-through: browsers take it as it is'],
  ])('for %s is told once', (codec, format, expected) => {
    const { path: one, configure, receive, plans } = path();
    configure(format);
    for (let index = 0; index < 3; index++) receive(index, MP3_FRAME);
    expect([plans, one.codec, one.changes]).toEqual([[expected], codec, 1]);
  });

  test('of a refusal has its reason', () => {
    const { path: one, target, receive, plans } = path();
    one.who = 'OBS';
    one.open(target);
    one.refuse('Speex', undefined);
    one.refuse('AAC', 'without its configuration');
    expect(plans).toEqual([
      'refused: OBS sends Speex audio, which is not taken: set the audio encoder to AAC',
      'refused: OBS sends AAC without its configuration, so that it cannot be decoded',
    ]);
    expect([one.codec, one.format, one.changes, jobs]).toEqual(['AAC', 'AAC', 2, []]);
    receive(10_000);
    expect([plans.at(-1)!.split(':')[0], jobs.length]).toEqual(['transcode', 1]);
  });

  test('changes with the codec', () => {
    const { configure, receive, plans, path: one, target } = path();
    one.open(target);
    one.refuse('Speex', undefined);
    receive(10_000);
    configure(MP3);
    receive(10_020, MP3_FRAME);
    expect(plans.map((plan) => plan.split(':')[0])).toEqual(['refused', 'transcode', 'transcode']);
    expect(jobs.map(({ options, stopped }) => [options.codec, stopped])).toEqual([
      ['AAC', true],
      ['MP3', false],
    ]);
  });

  test('stays with another configuration of the same codec, which counts as a change', () => {
    const { path: one, configure, receive, plans } = decoding();
    configure(aac(MONO_44));
    receive(10_020);
    expect([plans.length, one.changes]).toEqual([1, 2]);
  });
});

describe('the format', () => {
  test.each<[string, Buffer, string]>([
    ['stereo', STEREO_48, 'AAC-LC 48 kHz stereo'],
    ['mono', MONO_44, 'AAC-LC 44.1 kHz mono'],
    ['surround', SURROUND_48, 'AAC-LC 48 kHz 5.1'],
    ['five channels', Buffer.from('11a8', 'hex'), 'AAC-LC 48 kHz 5 channels'],
    ['one that makes no sense', Buffer.from('ff', 'hex'), 'AAC'],
  ])('of AAC is that of its configuration: %s', (_, data, expected) => {
    const { path: one, configure, receive } = path();
    configure(aac(data));
    receive(10_000);
    expect(one.format).toBe(expected);
  });

  test('of MP3 is that of its first frame', () => {
    const { path: one, configure, receive } = path();
    configure(MP3);
    receive(10_000, MP3_FRAME);
    expect(one.format).toBe('MP3 44.1 kHz stereo');
  });

  test.each<[string, AudioFormat, string]>([
    ['PCMA', PCMA, 'PCMA 8 kHz mono'],
    ['Opus', OPUS, 'opus 48 kHz stereo'],
    ['Opus that does not say it', { kind: 'audio', codec: 'opus' }, 'opus'],
  ])('of %s is what its container says', (_, format, expected) => {
    const { path: one, configure, receive } = path();
    configure(format);
    receive(10_000);
    expect(one.format).toBe(expected);
  });

  test('of nothing is nothing', () => {
    const { path: one } = path();
    expect([one.codec, one.format]).toEqual(['', '']);
  });
});

describe('a decoder runs', () => {
  test('only once somebody listens, and something came', () => {
    const { path: one, target, receive } = path();
    receive(10_000);
    expect(jobs).toEqual([]);
    one.open(target);
    expect(jobs.map(({ options }) => [options.codec, options.config, options.maxWaitMs])).toEqual([
      ['AAC', STEREO_48, 500],
    ]);
    receive(10_040);
    expect(jobs[0]!.fed).toEqual([{ frame: AAC_FRAME, timestampMs: 10_040 }]);
  });

  test('when what comes begins only after somebody listens', () => {
    const { path: one, target, receive } = path();
    one.open(target);
    expect(jobs).toEqual([]);
    receive(10_000);
    expect(jobs[0]!.fed).toEqual([{ frame: AAC_FRAME, timestampMs: 10_000 }]);
  });

  test('until nobody listens any more', () => {
    const { path: one, job, receive, link } = decoding();
    one.close();
    receive(10_020);
    job.give(10_000);
    expect([job.stopped, job.fed.length, link.sent, one.job, one.sender]).toEqual([
      ...[true, 1, []],
      undefined,
      undefined,
    ]);
  });

  test('until the link is gone', () => {
    const { path: one, job, link } = decoding();
    link.close();
    expect([job.stopped, one.job, link.listeners]).toEqual([true, undefined, 0]);
  });

  test('on while the format stays; another begins a new one', () => {
    const { job, configure, receive } = decoding();
    receive(10_020);
    expect([jobs.length, job.stopped]).toEqual([1, false]);
    configure(aac(MONO_44));
    receive(10_040);
    expect(jobs.map(({ options, stopped }) => [options.config, stopped])).toEqual([
      [STEREO_48, true],
      [MONO_44, false],
    ]);
  });

  test('not for what is refused', () => {
    const { path: one, job } = decoding();
    one.refuse('Speex', undefined);
    expect([job.stopped, jobs.length, one.sender]).toEqual([true, 1, undefined]);
  });

  test.each([
    ['PCMA', PCMA],
    ['opus', OPUS],
  ])('not for %s, which passes through', (_, format) => {
    const { path: one, target, configure, receive } = path();
    one.open(target);
    configure(format);
    receive(10_000);
    expect(jobs).toEqual([]);
  });
});

test('what a decoder gives goes out as packets of 20 ms', () => {
  const { job, link, ready } = decoding();
  job.give(10_000);
  job.give(10_020);
  expect([link.sent.length, ready]).toEqual([2, [10_000, 10_020]]);
});

describe('what passes through', () => {
  function passing(format: AudioFormat) {
    const all = path();
    all.configure(format);
    all.path.open(all.target);
    const packets = () => all.link.sent.map((packet) => parseRtp(packet)!);
    return { ...all, packets };
  }

  test('goes out as it came: G.711', () => {
    const { receive, packets, ready } = passing(PCMA);
    for (let index = 0; index < 3; index++) receive(10_000 + 20 * index, Buffer.alloc(160, index));
    expect(packets().map(({ payload }) => payload)).toEqual(
      [0, 1, 2].map((index) => Buffer.alloc(160, index)),
    );
    expect(steps(packets()).ticks).toEqual([160, 160]);
    expect(ready).toEqual([10_000, 10_020, 10_040]);
  });

  test('goes out as it came: Opus', () => {
    const { receive, packets } = passing(OPUS);
    const packet = Buffer.concat([Buffer.of(0xfc), Buffer.alloc(99, 7)]);
    for (let index = 0; index < 3; index++) receive(10_000 + 20 * index, packet);
    expect(packets().map(({ payload }) => payload)).toEqual([packet, packet, packet]);
    expect(steps(packets()).ticks).toEqual([960, 960]);
  });

  test('does so only while somebody listens, and is not muted', () => {
    const { path: one, target, receive, packets } = passing(PCMA);
    const frame = () => receive(10_000 + 20 * index++, Buffer.alloc(160));
    let index = 0;
    frame();
    one.setMuted(true);
    frame();
    one.setMuted(false);
    frame();
    one.close();
    frame();
    expect(packets()).toHaveLength(2);
    one.open(target);
    frame();
    expect(packets()).toHaveLength(3);
  });
});

describe('a stream that goes on with something else', () => {
  test('keeps its delay and its count of packets when only the configuration is another', () => {
    const { path: one, clock, configure, receive, link } = decoding();
    one.sender!.wantedDelayMs = 60;
    for (let index = 0; index < 50; index++) {
      jobs[0]!.give(10_000 + 20 * index);
      clock.advance(20);
    }
    const { delayMs } = one.sender!;
    configure(aac(MONO_44));
    receive(11_000);
    jobs[1]!.give(11_000);
    clock.advance(100);
    expect([delayMs, one.sender!.delayMs]).toEqual([45, 45]);
    expect([link.sent.length, one.sender!.packetsSent]).toEqual([51, 51]);
  });

  test('keeps its numbers and its time when only the configuration is another', () => {
    const { configure, receive, link } = decoding();
    for (const ms of [10_000, 10_020]) jobs[0]!.give(ms);
    configure(aac(MONO_44));
    receive(10_040);
    for (const ms of [10_040, 10_060]) jobs[1]!.give(ms);
    const packets = link.sent.map((packet) => parseRtp(packet)!);
    expect(steps(packets)).toEqual({ ticks: [960, 960, 960], numbers: [1, 1, 1] });
  });

  test.each<[string, AudioFormat, AudioFormat]>([
    ['G.711 after AAC', aac(STEREO_48), PCMA],
    ['Opus after G.711', PCMU, OPUS],
    ['AAC, decoded, after G.711', PCMA, aac(STEREO_48)],
    ['another law of G.711', PCMA, PCMU],
  ])('waits to be asked for again where the hub was told of another codec: %s', (_, before, after) => {
    const { path: one, target, configure, receive, link } = path();
    one.open(target);
    configure(before);
    receive(10_000, Buffer.alloc(160, 1));
    link.sent.length = 0;
    configure(after);
    receive(10_020, Buffer.alloc(160, 1));
    jobs.at(-1)?.give(10_020);
    expect(link.sent.length).toBe(0);
    one.open({ ...target, ssrc: 8, payloadType: 0 });
    receive(10_040, Buffer.alloc(160, 1));
    jobs.at(-1)?.give(10_040);
    expect(link.sent.map((packet) => parseRtp(packet)!.ssrc)).toEqual([8]);
  });
});

test('nothing goes out while it is muted, nor of a decoder that was replaced', () => {
  const { path: one, job, link, configure, receive } = decoding();
  one.setMuted(true);
  job.give(10_000);
  expect(link.sent).toHaveLength(0);
  one.setMuted(false);
  job.give(10_020);
  expect(link.sent).toHaveLength(1);
  configure(aac(MONO_44));
  receive(10_040);
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
    const { job, plans, configure, receive } = decoding();
    job.options.onEnd('one');
    jobs[1]!.options.onEnd('two');
    jobs[2]!.options.onEnd('no memory');
    expect(plans.at(-1)).toBe(
      'refused: The audio decoder of the server failed three times within a minute: no memory',
    );
    configure(aac(MONO_44));
    receive(10_020);
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
  const { path: one, clock, receive } = path();
  for (let ms = 0; ms <= 2_000; ms += 20) {
    receive(ms, Buffer.alloc(400));
    clock.advance(20);
  }
  expect(one.rate.bitrateBps).toBe(160_000);
});
