import { spawnSync } from 'node:child_process';
import fs from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { type Clock, systemClock } from '../../src/base/clock.ts';
import type { VideoCodec } from '../../src/media/access-unit.ts';
import { avcConfigBody, avcFrameBody } from '../../src/media/containers/flv/flv-body.ts';
import { flvHeader, flvTag } from '../../src/media/containers/flv/flv-tags.ts';
import { parseAvcConfig } from '../../src/media/h264/avc-config.ts';
import { parseSps } from '../../src/media/h264/sps.ts';
import {
  DEFAULT_ENCODING,
  type EncodingOptions,
  programArguments,
} from '../../transcode/ffmpeg/program-arguments.ts';
import { encodeSlate, type Slate } from '../../transcode/ffmpeg/slate.ts';
import { ivfFourCc } from '../../transcode/ffmpeg/video-arguments.ts';
import { type EncodedFrame, VideoTranscoder } from '../../transcode/ffmpeg/video-transcoder.ts';
import { type AccessUnit, accessUnits } from '../peers/access-units.ts';
import { makeClip, readFlv, runFfmpeg } from '../peers/flv-clip.ts';
import { makeHevcClip } from '../peers/hevc-clip.ts';
import { makeVp8Clip } from '../peers/vp8-clip.ts';
import { FakeClock } from '../unit/support/fake-clock.ts';

/* What a program's picture is made with: real ffmpeg children, fed as fast as they take it. */

const ENCODING: EncodingOptions = { ...DEFAULT_ENCODING, preset: 'ultrafast' };
/** A source's time when it is begun to be shown: anything. */
const EPOCH_MS = 123_456;

const open: { stop(): Promise<void> }[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map((job) => job.stop()));
});

function startPicture(codec: VideoCodec, encoding = ENCODING, clock: Clock = systemClock) {
  const frames: EncodedFrame[] = [];
  const configs: Buffer[] = [];
  const causes: string[] = [];
  const job = new VideoTranscoder({
    ...{ fourCc: ivfFourCc(codec), width: 0, height: 0 },
    arguments: programArguments({ codec }, encoding),
    clock,
    // What waits for the child is not what is tested here.
    maxWaitMs: 60_000,
    onConfig: (config) => configs.push(config),
    onFrame: (frame) => frames.push(frame),
    onEnd: (cause) => causes.push(cause),
  });
  open.push(job);
  const feed = (units: readonly AccessUnit[], fromMs = EPOCH_MS) => {
    for (const { data, timestampMs, key, disposable } of units) {
      job.feed([data], fromMs + timestampMs, { key, disposable });
    }
  };
  /** Until so many are there; ended is reported as too many. */
  const came = (count: number) =>
    expect.poll(() => frames.length + 1e6 * causes.length, { interval: 10 }).toBeGreaterThanOrEqual(count);
  return { job, frames, configs, causes, feed, came };
}

const h264 = async (options: object, seconds: number) =>
  accessUnits(await makeClip({ video: { size: '640x360', ...options }, audio: 'none', seconds }));
const shown = (units: readonly AccessUnit[], fromMs = EPOCH_MS) =>
  units.map(({ timestampMs }) => fromMs + timestampMs).sort((a, b) => a - b);
const timesOf = (frames: readonly EncodedFrame[]) => frames.map(({ timestampMs }) => timestampMs);
const keyTimes = (frames: readonly EncodedFrame[]) => timesOf(frames.filter(({ key }) => key));

/** Brightness of what a decoder makes of them, 160x90 samples each. */
const SMALL = { width: 160, height: 90 };
function decode(config: Buffer, frames: readonly { data: Buffer; key: boolean }[]): Buffer[] {
  const input = Buffer.concat([
    flvHeader(false, true),
    flvTag('video', 0, avcConfigBody(config)),
    ...frames.map(({ data, key }, index) => flvTag('video', index * 40, avcFrameBody(data, key, 0))),
  ]);
  const args = ['-v', 'error', '-xerror', '-f', 'flv', '-i', 'pipe:0', '-fps_mode', 'passthrough'];
  const output = ['-vf', `scale=${SMALL.width}:${SMALL.height}`, '-pix_fmt', 'gray', '-f', 'rawvideo', '-'];
  const { stdout, stderr } = spawnSync('ffmpeg', [...args, ...output], { input, maxBuffer: 2 ** 28 });
  expect(stderr.toString()).toBe('');
  const bytes = SMALL.width * SMALL.height;
  return Array.from({ length: stdout.length / bytes }, (_, index) =>
    stdout.subarray(index * bytes, (index + 1) * bytes),
  );
}
const at = (picture: Buffer, x: number, y: number) => picture[y * SMALL.width + x]!;

describe('the picture', () => {
  test('of H.264 with B-frames: every frame once, at its time, a key frame each two seconds', async () => {
    const units = await h264({ bFrames: 3, gop: 250 }, 5);
    // Ultrafast has nothing of the main profile.
    const { frames, configs, causes, feed, came } = startPicture('H264', DEFAULT_ENCODING);
    feed(units);
    await came(units.length - 4); // the decoder holds some until others come
    expect(causes).toEqual([]);
    expect(timesOf(frames)).toEqual(shown(units).slice(0, frames.length));
    const first = shown(units)[0]!;
    expect(keyTimes(frames)).toEqual([first, first + 2000, first + 4000]);
    const sps = parseSps(parseAvcConfig(configs[0]!)!.sps[0]!)!;
    expect(sps).toMatchObject({ profile: 77, chromaFormat: 1, bitDepth: 8, width: 1280, height: 720 });
    expect(decode(configs[0]!, frames)).toHaveLength(frames.length);
    const bps = (frames.reduce((sum, { data }) => sum + data.length, 0) * 8 * 30) / frames.length;
    expect(bps).toBeLessThan(ENCODING.bitrateBps * 1.2);
  });

  test('comes out before the next is fed', async () => {
    const units = (await makeVp8Clip('320x180', 1)).slice(0, 10);
    const { feed, came } = startPicture('VP8');
    for (const [index, unit] of units.entries()) {
      feed([unit]);
      await came(index + 1);
    }
  });

  test.each([
    [60, 30, 30],
    [50, 30, 30],
    [25, 30, 25],
    [30, 10, 10],
  ])('of %i frames a second, at most %i: %i', async (rate, limit, expected) => {
    const units = await h264({ size: '320x180', rate }, 2);
    const encoding = { ...ENCODING, width: 320, height: 180, frameRate: limit };
    const { frames, configs, feed, came } = startPicture('H264', encoding);
    feed(units);
    await came(2 * expected - 1);
    expect(Math.abs(frames.length - 2 * expected)).toBeLessThanOrEqual(1);
    expect(configs).toHaveLength(1);
    // They are some of the source's, evenly spread as far as these allow.
    expect(shown(units)).toEqual(expect.arrayContaining(timesOf(frames)));
    const gaps = timesOf(frames).map((time, index, all) => time - (all[index - 1] ?? time));
    expect(Math.max(...gaps)).toBeLessThanOrEqual(Math.ceil(1000 / rate) + 1000 / expected);
  });

  test('of a browser whose times waver loses none', async () => {
    const units = (await makeVp8Clip('320x180', 1)).map((unit, index) => ({
      ...unit,
      timestampMs: unit.timestampMs + ((index * 7) % 14),
    }));
    const { frames, feed, came } = startPicture('VP8', { ...ENCODING, width: 320, height: 180 });
    feed(units);
    await came(units.length);
    expect(timesOf(frames)).toEqual(shown(units));
  });

  test('of VP8 that changes its size while it runs: as large as it fits, with black beside it', async () => {
    const small = await makeVp8Clip('320x180', 1);
    const portrait = await makeVp8Clip('180x320', 1);
    const large = await makeVp8Clip('640x480', 1);
    const { frames, configs, causes, feed, came } = startPicture('VP8', {
      ...ENCODING,
      width: 640,
      height: 360,
    });
    for (const [index, part] of [small, portrait, large].entries()) feed(part, EPOCH_MS + index * 1000);
    const count = small.length + portrait.length + large.length;
    await came(count);
    expect(causes).toEqual([]);
    expect(configs).toHaveLength(1);
    expect(timesOf(frames)).toEqual([
      ...shown(small),
      ...shown(portrait, EPOCH_MS + 1000),
      ...shown(large, EPOCH_MS + 2000),
    ]);
    expect(keyTimes(frames)).toEqual([EPOCH_MS, EPOCH_MS + 2000]);
    const pictures = decode(configs[0]!, frames);
    expect(pictures).toHaveLength(count);
    const isBlack = (picture: Buffer, x: number) =>
      Array.from({ length: SMALL.height }, (_, y) => at(picture, x, y)).every((sample) => sample < 24);
    const edges = (index: number) =>
      [2, 10, 30, 50, 80, 110, 130, 150, 157].map((x) => (isBlack(pictures[index]!, x) ? '.' : '#')).join('');
    // 16:9; 9:16, 50 of 160 wide; 4:3, 120 of 160 wide
    expect([15, 45, 75].map(edges)).toEqual(['#########', '....#....', '..#####..']);
  });

  test('a line of a picture is shown, too', async () => {
    const units = await makeVp8Clip('1280x16', 1);
    const { frames, causes, feed, came } = startPicture('VP8', { ...ENCODING, width: 64, height: 360 });
    feed(units);
    await came(units.length);
    expect([frames.length, causes]).toEqual([units.length, []]);
  });

  test('a key frame can be asked for, and the next is due two seconds after it', async () => {
    const units = await h264({ size: '320x180' }, 5);
    const clock = new FakeClock();
    const encoding = { ...ENCODING, width: 320, height: 180 };
    const { job, frames, feed, came } = startPicture('H264', encoding, clock);
    feed(units.slice(0, 15));
    await came(15);
    clock.advance(250);
    job.requestKeyFrame();
    feed(units.slice(15));
    await came(units.length);
    expect(keyTimes(frames)).toEqual([0, 500, 2500, 4500].map((time) => EPOCH_MS + time));
  });

  test('after a pause it begins with a key frame', async () => {
    const units = await h264({ size: '320x180', gop: 1000 }, 1);
    const { frames, feed, came } = startPicture('H264', { ...ENCODING, width: 320, height: 180 });
    feed(units.slice(0, 10));
    feed(units.slice(10), EPOCH_MS + 7000);
    await came(units.length);
    expect(keyTimes(frames)).toEqual([EPOCH_MS, EPOCH_MS + 7000 + units[10]!.timestampMs]);
  });
});

test('parameter sets are those of the encoding, whatever the source, and those of the slate', async () => {
  const odd = ['-pix_fmt', 'yuvj444p', '-colorspace', 'smpte170m', '-color_primaries', 'smpte170m'];
  const oddly = [
    '-f',
    'lavfi',
    '-i',
    'testsrc2=size=400x400:rate=25',
    '-t',
    '0.4',
    '-c:v',
    'libx264',
    ...odd,
  ];
  const sources: [VideoCodec, AccessUnit[]][] = [
    ['H264', await h264({ bFrames: 2, rate: 25 }, 0.4)],
    ['H264', accessUnits(readFlv(await runFfmpeg(['-v', 'error', ...oddly, '-f', 'flv', '-'])))],
    ['VP8', (await makeVp8Clip('320x180', 1)).slice(0, 3)],
    ['H265', accessUnits(await makeHevcClip({ video: { size: '320x180' }, audio: 'none', seconds: 0.4 }))],
  ];
  const slate = await encodeSlate('room', DEFAULT_ENCODING, systemClock);
  for (const [codec, units] of sources) {
    const { configs, feed, job } = startPicture(codec, DEFAULT_ENCODING);
    feed(units);
    await expect.poll(() => configs.length).toBe(1);
    expect(configs[0]!.toString('hex')).toBe(slate.config.toString('hex'));
    await job.stop();
  }
});

const ONE_FRAME: EncodingOptions = { ...ENCODING, width: 640, height: 360, keyFrameSeconds: 1 / 30 };
const brightest = (samples: Buffer) => samples.reduce((most, sample) => Math.max(most, sample), 0);

describe('the slate', () => {
  test('is one group of pictures, which can be played over and over', async () => {
    const slate = await encodeSlate('Weekly meeting', DEFAULT_ENCODING, systemClock);
    expect(slate.textFailure).toBeUndefined();
    expect(slate.frames.map(({ key }) => key)).toEqual(Array.from({ length: 60 }, (_, index) => index === 0));
    const pictures = decode(slate.config, [...slate.frames, ...slate.frames]);
    expect(pictures).toHaveLength(120);
    expect(pictures[60]!.equals(pictures[0]!)).toBe(true);
    // It stands still: what is sent costs next to nothing.
    const bytes = slate.frames.reduce((sum, { data }) => sum + data.length, 0);
    expect(bytes).toBeLessThan(200_000);
    const changes = pictures[59]!.map((sample, index) => Math.abs(sample - pictures[0]![index]!));
    expect(Math.max(...changes)).toBeLessThan(40);
  });

  const NAMES: readonly [string, boolean][] = [
    ['standup', true],
    ["It's 5 o'clock: 'tea'", true],
    ["'", true],
    ['\\', true],
    ["\\'", true],
    [':', true],
    ['%{pts}%{n}%%', true],
    ['[in];[out],null', true],
    ['a=b:textfile=/etc/passwd', true],
    ["',drawbox=color=white:t=fill,drawtext=text='", true],
    ["\\\\',drawbox=color=white:t=fill", true],
    ['line\r\nbreak\0\x1b[31m', true],
    ['会議室 – réunion ✓ 😀 قاعة', true],
    ['\ud800', false],
    [' \n\t ', false],
    ['', false],
    ['W'.repeat(128), true],
    ['Schifffahrtsgesellschaft '.repeat(8), true],
  ];
  test('says any name, and nothing else happens', async () => {
    const slates: Slate[] = [];
    for (const [name] of NAMES) slates.push(await encodeSlate(name, ONE_FRAME, systemClock));
    expect(slates.map(({ textFailure }) => textFailure)).toEqual(slates.map(() => undefined));
    // All have the same parameter sets.
    const pictures = decode(
      slates[0]!.config,
      slates.map(({ frames }) => frames[0]!),
    );
    for (const [index, [name, isWritten]] of NAMES.entries()) {
      const picture = pictures[index]!;
      const row = (y: number) => picture.subarray(y * SMALL.width, (y + 1) * SMALL.width);
      const middle = picture.subarray(30 * SMALL.width, 60 * SMALL.width);
      expect([name, brightest(middle) > 60]).toEqual([name, isWritten]);
      // It stays off the edges: it is not too wide, and nothing else filled the picture.
      const columns = Buffer.from(
        Array.from({ length: SMALL.height }, (_, y) => [at(picture, 4, y), at(picture, 155, y)]).flat(),
      );
      const edges = brightest(Buffer.concat([row(0), row(10), row(80), row(89), columns]));
      expect([name, edges < 50]).toEqual([name, true]);
    }
    const written = pictures.filter((_, index) => NAMES[index]![1]);
    expect(new Set(written.map((picture) => picture.toString('latin1'))).size).toBe(written.length);
  });

  test('is empty when it cannot be written on, and says why', async () => {
    const folder = await fs.mkdtemp(path.join(os.tmpdir(), 'patchroom-slate-'));
    try {
      const executable = path.join(folder, 'ffmpeg');
      const refusal = 'case "$*" in *drawtext*) echo "Cannot find a valid font" >&2; exit 1;; esac';
      await fs.writeFile(executable, `#!/bin/sh\n${refusal}\nexec ffmpeg "$@"\n`, { mode: 0o755 });
      const slate = await encodeSlate('room', ONE_FRAME, systemClock, executable);
      expect(slate.textFailure).toMatch(/exit code 1: Cannot find a valid font.*installed/);
      expect(brightest(decode(slate.config, slate.frames)[0]!)).toBeLessThan(50);
    } finally {
      await fs.rm(folder, { recursive: true, force: true });
    }
  });

  test('is not waited for longer than ten seconds', async () => {
    const folder = await fs.mkdtemp(path.join(os.tmpdir(), 'patchroom-slate-'));
    try {
      const executable = path.join(folder, 'ffmpeg');
      await fs.writeFile(executable, '#!/bin/sh\nexec cat\n', { mode: 0o755 });
      const clock = new FakeClock();
      const causes: string[] = [];
      void encodeSlate('room', ONE_FRAME, clock, executable).catch(({ message }) => causes.push(message));
      clock.advance(6000);
      await expect.poll(() => clock.pending).toBe(1); // the attempt without text
      clock.advance(4000);
      await expect.poll(() => causes).toEqual([expect.stringContaining('took longer than 4 s')]);
    } finally {
      await fs.rm(folder, { recursive: true, force: true });
    }
  });

  test('that cannot be made is an error with its cause', async () => {
    const encoding = { ...DEFAULT_ENCODING, preset: 'nonsense' };
    await expect(encodeSlate('room', encoding, systemClock)).rejects.toThrow(
      /could not be encoded.*nonsense/s,
    );
  });
});
