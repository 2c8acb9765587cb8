import { afterEach, describe, expect, test } from 'vitest';
import { type Clock, systemClock } from '../../src/base/clock.ts';
import { AacEncoder } from '../../transcode/ffmpeg/aac-encoder.ts';
import { AudioDecoder } from '../../transcode/ffmpeg/audio-decoder.ts';
import { isAlive } from '../peers/processes.ts';
import { ToneMeter } from '../signals/tone-meter.ts';
import { FakeClock } from '../unit/support/fake-clock.ts';

/* What a program's sound is made with: real ffmpeg children, fed as fast as they take it. */

const open: { stop(): Promise<void> }[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map((job) => job.stop()));
});

const RATE = 48_000;
const TICK = 960;
/** 20 ms of a tone on each side, at a quarter of full scale. */
function tones(from: number, hz: readonly [number, number]): Buffer {
  const pcm = Buffer.alloc(TICK * 4);
  for (let index = 0; index < TICK; index++) {
    for (const side of [0, 1] as const) {
      const phase = (2 * Math.PI * hz[side] * (from + index)) / RATE;
      pcm.writeInt16BE(Math.round(8192 * Math.sin(phase)), 4 * index + 2 * side);
    }
  }
  return pcm;
}

function startSound(clock: Clock = systemClock) {
  const frames: { data: Buffer; firstSample: number }[] = [];
  const configs: Buffer[] = [];
  const causes: string[] = [];
  const job = new AacEncoder({
    clock,
    bitrateBps: 128_000,
    onConfig: (config) => configs.push(config),
    onFrame: (data, firstSample) => frames.push({ data, firstSample }),
    onEnd: (cause) => causes.push(cause),
  });
  open.push(job);
  const came = (count: number) =>
    expect.poll(() => frames.length + 1e6 * causes.length, { interval: 5 }).toBeGreaterThanOrEqual(count);
  return { job, frames, configs, causes, came };
}

describe('the sound', () => {
  test('as AAC has both sides, no sample too few or too many, each where it was', async () => {
    const { job, frames, configs, came } = startSound();
    const seconds = 4;
    const reused = Buffer.alloc(TICK * 4);
    let sent = 0;
    for (; sent < seconds * RATE; sent += TICK) {
      // A click marks the beginning of the third second.
      if (sent === 2 * RATE) reused.fill(0x7f);
      else tones(sent, [500, 1200]).copy(reused);
      if (sent >= frames.length * 1024 + RATE / 2) await came(frames.length + 10);
      expect(job.feed(reused)).toBe(true);
    }
    await came(Math.floor(sent / 1024) - 3);
    expect(configs).toHaveLength(1);
    // AAC-LC, 48 kHz, stereo
    expect(configs[0]!.subarray(0, 2).toString('hex')).toBe('1190');
    expect(job.counters).toEqual({ samplesIn: sent, framesOut: frames.length, dropped: 0 });
    expect(frames.map(({ firstSample }) => firstSample)).toEqual(
      frames.map((_, index) => (index - 1) * 1024),
    );

    const sides = [new ToneMeter(RATE), new ToneMeter(RATE)];
    const decoded: number[] = [];
    const decoder = new AudioDecoder({
      ...{ codec: 'AAC', config: configs[0]!, clock: systemClock, maxWaitMs: 60_000 },
      onSamples: (samples) => {
        for (const [side, meter] of sides.entries()) {
          meter.push(samples.filter((_, index) => index % 2 === side));
        }
        for (let index = 0; index < samples.length; index += 2) decoded.push(samples[index]!);
      },
      onEnd: () => {},
    });
    open.push(decoder);
    for (const [index, { data }] of frames.entries()) {
      decoder.feed(data, Math.round((index * 1024) / 48));
      // More than 128 wait for nobody.
      if (index % 100 === 99) await expect.poll(() => decoded.length).toBeGreaterThan((index - 50) * 1024);
    }
    await expect.poll(() => decoded.length).toBeGreaterThanOrEqual(frames.length * 1024 - 64);
    expect(sides.map((meter) => meter.tones())).toEqual([[500], [1200]]);
    // The first sample that comes out is that of the first frame.
    const loud = decoded.findIndex((sample) => sample > 20_000);
    expect(Math.abs(loud - 1024 - 2 * RATE)).toBeLessThan(200);
    expect(Math.abs(decoded.findIndex((sample) => Math.abs(sample) > 2000) - 1024)).toBeLessThan(200);
  });

  test('which samples a frame has is known, also of those that were not taken', async () => {
    const clock = new FakeClock();
    const { job, frames, causes, came } = startSound(clock);
    const feed = (ticks: number) => {
      let taken = 0;
      for (let count = 0; count < ticks; count++) if (job.feed(Buffer.alloc(TICK * 4))) taken++;
      return taken;
    };
    expect(feed(50)).toBe(50);
    await came(44);
    process.kill(job.pid, 'SIGSTOP');
    const takenMeanwhile = feed(100);
    expect(takenMeanwhile).toBeGreaterThan(40);
    expect(takenMeanwhile).toBeLessThanOrEqual(50);
    const missing = (100 - takenMeanwhile) * TICK;
    expect(job.counters).toMatchObject({ samplesIn: 150 * TICK, dropped: missing });
    process.kill(job.pid, 'SIGCONT');
    await came(Math.floor(((50 + takenMeanwhile) * TICK) / 1024) - 3);
    expect(feed(40)).toBe(40);
    await came(Math.floor(((90 + takenMeanwhile) * TICK) / 1024) - 3);
    expect(causes).toEqual([]);
    const steps = frames.map(
      ({ firstSample }, index) => firstSample - (frames[index - 1]?.firstSample ?? -2048),
    );
    const jump = steps.findIndex((step) => step !== 1024);
    expect(steps[jump]).toBe(1024 + missing);
    expect(steps.filter((step) => step !== 1024)).toHaveLength(1);
    expect(frames[jump]!.firstSample).toBeGreaterThanOrEqual(150 * TICK);
    expect(frames[jump]!.firstSample).toBeLessThan(150 * TICK + 1024);
  });

  test('comes out within three ticks of being fed', async () => {
    const { job, frames, came } = startSound();
    const tick = () => job.feed(Buffer.alloc(TICK * 4));
    for (let count = 0; count < 10; count++) tick();
    await came(6);
    for (let fed = 11; fed < 40; fed++) {
      tick();
      // All but 60 ms of what was fed.
      await came(Math.floor((fed * TICK - 2880) / 1024) + 1);
      expect(frames.at(-1)!.firstSample).toBeLessThan(fed * TICK);
    }
  });

  test('of a child that hangs or is killed ends, once, with the cause', async () => {
    const clock = new FakeClock();
    const { job, causes, came } = startSound(clock);
    for (let count = 0; count < 10; count++) job.feed(Buffer.alloc(TICK * 4));
    await came(5);
    process.kill(job.pid, 'SIGSTOP');
    for (let count = 0; count < 160; count++) {
      clock.advance(20);
      job.feed(Buffer.alloc(TICK * 4));
    }
    expect(causes).toEqual(['no sound came out of it for 3 s']);
    expect(job.feed(Buffer.alloc(TICK * 4))).toBe(false);
    await expect.poll(() => isAlive(job.pid)).toBe(false);

    const other = startSound();
    other.job.feed(Buffer.alloc(TICK * 4 * 10));
    await other.came(5);
    process.kill(other.job.pid, 'SIGKILL');
    await expect.poll(() => other.causes).toEqual(['killed by SIGKILL']);
  });

  test('that is cut through a sample is refused', () => {
    const { job } = startSound();
    expect(() => job.feed(Buffer.alloc(6))).toThrow(RangeError);
  });
});
