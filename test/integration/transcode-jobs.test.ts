import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { afterEach, describe, expect, test } from 'vitest';
import { type Clock, systemClock } from '../../src/base/clock.ts';
import { parseFlvAudio } from '../../src/media/containers/flv/flv.ts';
import { parseAvcConfig } from '../../src/media/h264/avc-config.ts';
import { parseSps } from '../../src/media/h264/sps.ts';
import { AudioDecoder, type AudioDecoderOptions } from '../../transcode/ffmpeg/audio-decoder.ts';
import { ivfFourCc, type VideoShape, videoArguments } from '../../transcode/ffmpeg/video-arguments.ts';
import { type EncodedFrame, VideoTranscoder } from '../../transcode/ffmpeg/video-transcoder.ts';
import { type AccessUnit, accessUnits } from '../peers/access-units.ts';
import type { EncodedAudio, EncodedVideo } from '../peers/ffmpeg-encoding.ts';
import { isSequenceHeader, makeClip } from '../peers/flv-clip.ts';
import { makeHevcClip } from '../peers/hevc-clip.ts';
import { isAlive } from '../peers/processes.ts';
import { makeHeAac } from '../signals/he-aac.ts';
import { ToneMeter } from '../signals/tone-meter.ts';
import { FakeClock } from '../unit/support/fake-clock.ts';

/* Real ffmpeg children. Frames are fed as fast as they can be: at the start nothing is left out for being late. */

/** A decoder may hold so many frames until others come. */
const HELD = 4;
/** The time of the encoder's clock when it starts, as RTMP has it: anything. */
const EPOCH_MS = 123_456;

const open: { stop(): Promise<void> }[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map((job) => job.stop()));
});

const pictures = async (video: EncodedVideo, seconds = 2): Promise<AccessUnit[]> =>
  accessUnits(await makeClip({ video: { size: '320x180', ...video }, audio: 'none', seconds }));

function startVideo({ clock = systemClock, ...stated }: Partial<VideoShape & { clock: Clock }> = {}) {
  const frames: EncodedFrame[] = [];
  const configs: Buffer[] = [];
  const causes: string[] = [];
  const shape: VideoShape = {
    ...{ codec: 'H264', width: 320, height: 180, maxHeight: 720 },
    ...{ bitrateBps: 1_000_000, frameRate: 30, preset: 'ultrafast', ...stated },
  };
  const job = new VideoTranscoder({
    fourCc: ivfFourCc(shape.codec),
    width: shape.width,
    height: shape.height,
    arguments: videoArguments(shape),
    clock,
    onConfig: (config) => configs.push(config),
    onFrame: (frame) => frames.push(frame),
    onEnd: (cause) => causes.push(cause),
  });
  open.push(job);
  const feed = (units: readonly AccessUnit[], extra: { hidden?: boolean } = {}) => {
    for (const { data, timestampMs, key, disposable } of units) {
      job.feed([data], EPOCH_MS + timestampMs, { key, disposable, ...extra });
    }
  };
  const sps = () => parseSps(parseAvcConfig(configs[0]!)!.sps[0]!)!;
  return { job, frames, configs, causes, feed, sps };
}

/** In the order they are shown, on the encoder's clock. */
const shown = (units: readonly AccessUnit[]) =>
  units.map(({ timestampMs }) => EPOCH_MS + timestampMs).sort((a, b) => a - b);
const timesOf = (frames: readonly EncodedFrame[]) => frames.map(({ timestampMs }) => timestampMs);

describe('video', () => {
  test.each<[string, () => Promise<AccessUnit[]>, Partial<VideoShape>]>([
    ['H.264 without B-frames', () => pictures({}), {}],
    ['H.264 with B-frames, some of them references', () => pictures({ bFrames: 3, gop: 250 }), {}],
    ['H.264 of 4:2:2', () => pictures({ profile: 'high422', bFrames: 2 }), {}],
    ['H.264 of 10 bits', () => pictures({ profile: 'high10', bFrames: 2 }), {}],
    [
      'H.265 with B-frames',
      async () =>
        accessUnits(
          await makeHevcClip({ video: { size: '320x180', bFrames: 3 }, audio: 'none', seconds: 2 }),
        ),
      { codec: 'H265' },
    ],
    [
      'what is too high',
      () => pictures({ size: '640x360', bFrames: 2 }),
      { width: 640, height: 360, maxHeight: 180 },
    ],
    [
      'what is too high, and nobody said so',
      () => pictures({ size: '640x360', bFrames: 2 }),
      { width: 0, height: 0, maxHeight: 180 },
    ],
  ])('%s: every frame comes out once, in order and with its time', async (_, source, options) => {
    const units = await source();
    const { job, frames, causes, feed, sps } = startVideo(options);
    feed(units);
    await expect.poll(() => frames.length + causes.length).toBeGreaterThanOrEqual(units.length - HELD);
    expect(causes).toEqual([]);
    expect(timesOf(frames)).toEqual(shown(units).slice(0, frames.length));
    expect(frames.map(({ key }) => key)).toEqual(frames.map((_, index) => index === 0));
    expect(sps()).toMatchObject({
      ...{ profile: 66, chromaFormat: 1, bitDepth: 8, width: 320, height: 180 },
    });
    expect(frames.every(({ latencyMs }) => latencyMs > 0)).toBe(true);
    expect(job.counters).toMatchObject({ framesIn: units.length, dropped: 0, keyFramesForced: 0 });
  });

  test('its bitrate is what it was told, also where the source does not say its frame rate', async () => {
    const clip = await makeHevcClip({
      video: { size: '320x180', bitrateKbps: 2000, gop: 250 },
      audio: 'none',
      seconds: 6,
    });
    const units = accessUnits(clip);
    const { frames, feed } = startVideo({ codec: 'H265', bitrateBps: 400_000, frameRate: 30 });
    feed(units);
    await expect.poll(() => frames.length).toBeGreaterThanOrEqual(units.length - HELD);
    const bytes = frames.reduce((sum, { data }) => sum + data.length, 0);
    const bps = (bytes * 8 * 30) / frames.length;
    expect(bps).toBeGreaterThan(300_000);
    expect(bps).toBeLessThan(500_000);
  });

  test('the first frame after requests for a key frame is one, and it alone', async () => {
    const units = await pictures({ bFrames: 3, gop: 250 });
    const clock = new FakeClock();
    const { job, frames, feed } = startVideo({ clock });
    feed(units.slice(0, 20));
    await expect.poll(() => frames.length).toBeGreaterThanOrEqual(20 - HELD);
    job.requestKeyFrame();
    feed(units.slice(20, 21)); // too soon
    clock.advance(250);
    job.requestKeyFrame();
    feed(units.slice(21));
    await expect.poll(() => frames.length).toBeGreaterThanOrEqual(units.length - HELD);
    const keys = frames.filter(({ key }) => key);
    expect(timesOf(keys)).toEqual([shown(units)[0], EPOCH_MS + units[21]!.timestampMs]);
    // IDR, and nothing else that has slices (nal_unit_type 5)
    for (const { data } of keys) expect(sliceTypes(data)).toEqual([5]);
    expect(job.counters.keyFramesForced).toBe(1);
  });

  test('hidden frames do not come out, and those after them begin with a key frame', async () => {
    const units = await pictures({ bFrames: 3, gop: 250 }, 4);
    const { job, frames, feed } = startVideo();
    feed(units.slice(0, 90), { hidden: true });
    feed(units.slice(90));
    await expect.poll(() => frames.length).toBeGreaterThanOrEqual(units.length - 90 - HELD);
    expect(timesOf(frames)).toEqual(shown(units.slice(90)).slice(0, frames.length));
    expect(frames[0]!.key).toBe(true);
    expect(job.counters).toMatchObject({ dropped: 0 });
  });

  test('without B-frames each frame comes out before the next is fed', async () => {
    const units = (await pictures({})).slice(0, 20);
    const { frames, feed } = startVideo();
    for (const [index, unit] of units.entries()) {
      feed([unit]);
      await expect.poll(() => frames.length, { interval: 5 }).toBe(index + 1);
    }
  });

  test('a child that is killed ends the job with the cause, once', async () => {
    const units = await pictures({});
    const { job, frames, causes, feed } = startVideo();
    feed(units.slice(0, 10));
    await expect.poll(() => frames.length).toBeGreaterThan(0);
    process.kill(job.pid, 'SIGKILL');
    await expect.poll(() => causes).toEqual(['killed by SIGKILL']);
    feed(units.slice(10));
    expect(job.counters.framesIn).toBe(10);
    await job.stop();
    expect(causes).toHaveLength(1);
  });

  test('what it can make nothing of ends it with its last words', async () => {
    const { causes, feed } = startVideo({ preset: 'nonsense' });
    feed(await pictures({}));
    await expect.poll(() => causes.length).toBe(1);
    expect(causes[0]).toMatch(/^exit code 1: .*nonsense/s);
  });

  test('a child that hangs is ended', async () => {
    const units = await pictures({});
    const clock = new FakeClock();
    const { job, frames, causes, feed } = startVideo({ clock });
    feed(units.slice(0, 5));
    await expect.poll(() => frames.length).toBe(5);
    process.kill(job.pid, 'SIGSTOP');
    for (const unit of units.slice(5)) {
      clock.advance(100);
      feed([unit]);
    }
    expect(causes).toEqual(['no picture came out of it for 3 s']);
    await expect.poll(() => isAlive(job.pid)).toBe(false);
  });
});

/** nal_unit_type of what is a slice. */
function sliceTypes(frame: Buffer): number[] {
  const types: number[] = [];
  for (let at = 0; at + 4 < frame.length; at += 4 + frame.readUInt32BE(at)) types.push(frame[at + 4]! & 0x1f);
  return types.filter((type) => type >= 1 && type <= 5);
}

interface Frame {
  readonly data: Buffer;
  readonly timestampMs: number;
}

const TONE_HZ = 1000;
const SECONDS = 3;

async function sound(
  audio: Omit<EncodedAudio, 'toneHz'>,
): Promise<{ config: Buffer | undefined; coded: Frame[] }> {
  const clip = await makeClip({ video: 'none', audio: { toneHz: TONE_HZ, ...audio }, seconds: SECONDS });
  const all = clip.filter(({ type }) => type === 'audio');
  const header = all.find(isSequenceHeader);
  const coded = all
    .filter((tag) => tag !== header)
    .map(({ body, timestampMs }) => ({ data: parseFlvAudio(body)!.data, timestampMs }));
  return { config: header && parseFlvAudio(header.body)!.data, coded };
}

async function heSound(name: 'HE-AAC' | 'HE-AACv2', rate: 44100 | 48000) {
  const { config, bodies } = await makeHeAac(name, rate, TONE_HZ, SECONDS);
  const coded = bodies.map((body, index) => ({
    data: parseFlvAudio(body)!.data,
    timestampMs: Math.round((index * 2_048_000) / rate),
  }));
  return { config, coded };
}

function startAudio(options: Partial<AudioDecoderOptions>) {
  const meter = new ToneMeter(48_000);
  const right = new ToneMeter(48_000);
  const runs: { timestampMs: number; samples: number; peak: number }[] = [];
  const causes: string[] = [];
  const job = new AudioDecoder({
    codec: 'AAC',
    config: undefined,
    clock: systemClock,
    maxWaitMs: 60_000,
    onSamples: (samples, timestampMs) => {
      meter.push(samples.filter((_, index) => index % 2 === 0));
      right.push(samples.filter((_, index) => index % 2 === 1));
      const peak = samples.reduce((highest, sample) => Math.max(highest, Math.abs(sample)), 0);
      runs.push({ timestampMs, samples: samples.length / 2, peak });
    },
    onEnd: (cause) => causes.push(cause),
    ...options,
  });
  open.push(job);
  return { job, meter, right, runs, causes };
}

describe('sound', () => {
  test.each<
    [
      string,
      number,
      () => Promise<{ config: Buffer | undefined; coded: Frame[] }>,
      Partial<AudioDecoderOptions>,
    ]
  >([
    ['AAC-LC, 48 kHz', 1024, () => sound({}), {}],
    ['AAC-LC, mono', 1024, () => sound({ channels: 1 }), {}],
    ['AAC-LC, 5.1', 1024, () => sound({ channels: 6, bitrateKbps: 300 }), {}],
    ['AAC-LC, 44.1 kHz', (1024 * 480) / 441, () => sound({ rate: 44100 }), {}],
    ['HE-AAC, 48 kHz', 2048, () => heSound('HE-AAC', 48000), {}],
    ['HE-AAC, 44.1 kHz', (2048 * 480) / 441, () => heSound('HE-AAC', 44100), {}],
    ['HE-AAC v2', 2048, () => heSound('HE-AACv2', 48000), {}],
    ['MP3, 44.1 kHz', (1152 * 480) / 441, () => sound({ codec: 'libmp3lame' }), { codec: 'MP3' }],
    ['MP3, mono', (1152 * 480) / 441, () => sound({ codec: 'libmp3lame', channels: 1 }), { codec: 'MP3' }],
  ])(
    '%s: a run for each frame, the tone as it was, at its time',
    async (_, samplesPerFrame, source, options) => {
      const { config, coded } = await source();
      const { job, meter, right, runs, causes } = startAudio({ config, ...options });
      for (const { data, timestampMs } of coded) job.feed(data, EPOCH_MS + timestampMs);
      await expect.poll(() => runs.length + causes.length).toBe(coded.length);
      expect(causes).toEqual([]);

      const total = runs.reduce((sum, { samples }) => sum + samples, 0);
      expect(Math.abs(total - coded.length * samplesPerFrame)).toBeLessThan(20); // the resampler holds some back
      expect(job.counters).toEqual({ tagsIn: coded.length, samplesOut: total, dropped: 0, jumps: 0 });
      // Times of frames are rounded, those of the samples are evened out.
      const offMs = runs.map(({ timestampMs }, index) => timestampMs - EPOCH_MS - coded[index]!.timestampMs);
      expect(Math.max(...offMs.map(Math.abs))).toBeLessThan(1.5);
      const steps = runs.slice(1).map(({ timestampMs }, index) => {
        const before = runs[index]!;
        return timestampMs - before.timestampMs - before.samples / 48;
      });
      expect(Math.max(...steps.map(Math.abs))).toBeLessThan(0.1);

      expect(meter.tones()).toEqual([TONE_HZ]);
      expect(right.tones()).toEqual([TONE_HZ]);
      // Half of full scale, whatever the number of channels.
      const peak = Math.max(...runs.slice(20, -5).map((run) => run.peak));
      expect(Math.abs(20 * Math.log10(peak / 32768) + 6)).toBeLessThan(1);
    },
  );

  test('where the times of the frames jump, forth or back, those of the samples do, and none is lost or made up', async () => {
    const { config, coded } = await sound({});
    const { job, runs } = startAudio({ config });
    const shift = (index: number) => (index < 40 ? 0 : index < 80 ? 5_000 : index < 90 ? 150 : -100_000);
    for (const [index, { data, timestampMs }] of coded.entries()) {
      job.feed(data, EPOCH_MS + timestampMs + shift(index));
    }
    await expect.poll(() => runs.length).toBe(coded.length);
    const offMs = runs.map(
      ({ timestampMs }, index) => timestampMs - EPOCH_MS - coded[index]!.timestampMs - shift(index),
    );
    expect(Math.max(...offMs.map(Math.abs))).toBeLessThan(1.5);
    expect(job.counters.jumps).toBe(3);
    expect(runs.every(({ samples }) => samples === 1024)).toBe(true);
  });

  test('a frame that is no AAC costs its own samples only', async () => {
    const { config, coded } = await sound({});
    const { job, runs, causes } = startAudio({ config });
    const broken = Buffer.alloc(60, 0xff);
    for (const [index, { data, timestampMs }] of coded.entries()) {
      job.feed(index === 50 ? broken : data, EPOCH_MS + timestampMs);
    }
    const last = coded.at(-1)!.timestampMs;
    await expect.poll(() => (runs.at(-1)?.timestampMs ?? 0) - EPOCH_MS).toBeGreaterThan(last - 10);
    expect(runs.length).toBeGreaterThanOrEqual(coded.length - 2);
    expect(causes).toEqual([]);
  });

  test('AAC without its configuration is not decoded, nor is an empty frame', async () => {
    const { config, coded } = await sound({});
    const unknown = startAudio({ config: undefined });
    for (const { data, timestampMs } of coded) unknown.job.feed(data, timestampMs);
    const { job, meter, runs } = startAudio({ config });
    job.feed(Buffer.alloc(0), 0); // as some encoders send
    for (const { data, timestampMs } of coded) job.feed(data, timestampMs);
    await expect.poll(() => runs.length).toBe(coded.length);
    expect(meter.tones()).toEqual([TONE_HZ]);
    expect([unknown.job.counters.tagsIn, unknown.runs, unknown.causes]).toEqual([0, [], []]);
  });

  test('what waits for a child that is behind is bounded: the oldest is dropped, and the child that hangs ended', async () => {
    const { config, coded } = await sound({});
    const clock = new FakeClock();
    const { job, runs, causes } = startAudio({ config, clock, maxWaitMs: 500 });
    job.feed(coded[0]!.data, 0);
    await expect.poll(() => runs.length).toBe(1);
    process.kill(job.pid, 'SIGSTOP');
    for (const { data, timestampMs } of coded.slice(1)) {
      clock.advance(10);
      job.feed(data, timestampMs);
    }
    const fedMs = coded.at(-1)!.timestampMs;
    // One second is with the child, half a second waits.
    expect(Math.abs(job.counters.dropped - ((fedMs - 1500) * 48) / 1024)).toBeLessThan(4);
    process.kill(job.pid, 'SIGCONT');
    await expect.poll(() => runs.length).toBe(coded.length - job.counters.dropped);
    expect(job.counters.jumps).toBe(1);

    process.kill(job.pid, 'SIGSTOP');
    for (const { data, timestampMs } of coded) {
      clock.advance(30);
      job.feed(data, timestampMs);
    }
    expect(causes).toEqual(['no sound came out of it for 3 s']);
  });
});

test('children end with the process that started them, even when that is killed', async () => {
  const clip = await pictures({});
  const source = `
    import { AudioDecoder } from './transcode/ffmpeg/audio-decoder.ts';
    import { videoArguments } from './transcode/ffmpeg/video-arguments.ts';
    import { VideoTranscoder } from './transcode/ffmpeg/video-transcoder.ts';
    import { systemClock as clock } from './src/base/clock.ts';
    const report = () => console.log(JSON.stringify([video.pid, audio.pid]));
    const size = { width: 320, height: 180 };
    const shape = { codec: 'H264', ...size, maxHeight: 720, bitrateBps: 1e6, frameRate: 30, preset: 'ultrafast' };
    const input = { fourCc: 'H264', ...size, arguments: videoArguments(shape) };
    const onEnd = () => {};
    const video = new VideoTranscoder({ ...input, clock, onConfig: () => {}, onFrame: report, onEnd });
    const audio = new AudioDecoder({ codec: 'AAC', config: Buffer.of(0x11, 0x90), clock, onSamples: () => {}, onEnd });
    video.feed([Buffer.from('${clip[0]!.data.toString('hex')}', 'hex')], 0, { key: true });
    setInterval(() => {}, 1000);`;
  const parent = spawn(process.execPath, ['--input-type=module', '-e', source], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  try {
    const [line] = (await once(parent.stdout, 'data')) as [Buffer];
    const pids = JSON.parse(line.toString()) as number[];
    expect(pids.map(isAlive)).toEqual([true, true]);
    parent.kill('SIGKILL');
    await expect.poll(() => pids.map(isAlive)).toEqual([false, false]);
  } finally {
    parent.kill('SIGKILL');
  }
});
