import { beforeEach, describe, expect, test, vi } from 'vitest';
import type { AudioUnit } from '../../../../src/media/access-unit.ts';
import { wholeMs } from '../../../../src/media/containers/flv/flv-body.ts';
import { ProgramAudio } from '../../../../transcode/program/program-audio.ts';
import { SILENT_AAC } from '../../../../transcode/program/silence.ts';
import { seededRandom } from '../../../signals/random.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { aacJobs as jobs } from '../../support/fake-program-jobs.ts';

vi.mock(import('../../../../transcode/ffmpeg/aac-encoder.ts'), async () => {
  const { FakeAacEncoder } = await import('../../support/fake-program-jobs.ts');
  return { AacEncoder: FakeAacEncoder } as never;
});
beforeEach(() => void jobs.splice(0));

const ORIGIN_MS = 10_000;
const TICK_MS = 20;
const FRAME_MS = 1024 / 48;
/** By so much sound may begin apart from where the frame before ends; times are whole µs. */
const SEAM_MS = FRAME_MS / 2 + 0.001_5;
/** Sound that is later does not come any more. */
const LATEST_MS = 1_500;
/** What is left of two times that are rounded to whole µs. */
const ROUNDING_MS = 0.001_5;

/** Program time, ms. */
const timeOf = ({ dtsUs }: AudioUnit) => dtsUs / 1000;

function audioOf() {
  const clock = new FakeClock();
  const units: AudioUnit[] = [];
  const deaths: string[] = [];
  const audio = new ProgramAudio({
    clock,
    bitrateBps: 128_000,
    toProgramMs: (localMs) => localMs + ORIGIN_MS,
    emit: (unit) => units.push(unit),
    onDeath: (cause) => deaths.push(cause),
  });
  /** The mixer's, each with the byte; time passes. */
  const ticks = (count: number, byte = 1) => {
    for (let index = 0; index < count; index++) {
      audio.tick(new Uint8Array(3_840).fill(byte));
      clock.advance(TICK_MS);
    }
  };
  /** Frames that come out of the present encoder. */
  const give = (count: number) => {
    for (let index = 0; index < count; index++) jobs.at(-1)!.give();
  };
  const isSilence = ({ data }: AudioUnit) => data.equals(SILENT_AAC);
  /** In short: the times in whole ms, s for silence. */
  const letters = () => units.map((unit) => `${isSilence(unit) ? 's' : ''}${wholeMs(unit.dtsUs)}`).join(' ');
  /** Which of an encoder's frames it is. */
  const numberOf = ({ data }: AudioUnit) => data[1]!;
  /**
   * Each frame is where the one before ends; but where an encoder's begin they have times of their own, up to half a
   * frame from there.
   */
  const expectSteady = (sameEncoderMs = ROUNDING_MS) => {
    for (const [index, unit] of units.slice(1).entries()) {
      const before = units[index]!;
      const offMs = Math.abs(timeOf(unit) - timeOf(before) - FRAME_MS);
      const goesOn = !isSilence(before) && numberOf(unit) === (numberOf(before) + 1) % 256;
      const limitMs = isSilence(unit) ? ROUNDING_MS : goesOn ? sameEncoderMs : SEAM_MS;
      if (offMs > limitMs) expect.fail(`${before.dtsUs} is followed by ${unit.dtsUs}`);
    }
  };
  return { clock, audio, units, deaths, ticks, give, letters, isSilence, expectSteady };
}

test('its format is AAC-LC, 48 kHz, two channels, and the same object for sound and silence', () => {
  const { audio, ticks, give, units } = audioOf();
  audio.beginAt(8_000);
  audio.coverUntil(8_030);
  ticks(3);
  give(2);
  const format = {
    ...{ kind: 'audio', codec: 'AAC', sampleRate: 48_000, channels: 2 },
    config: Buffer.from('1190', 'hex'),
  };
  expect(units[0]!.format).toEqual(format);
  expect(new Set(units.map((unit) => unit.format)).size).toBe(1);
});

describe('frames', () => {
  test('are at the time of their first sample; what the encoder puts in front is left out', () => {
    const { ticks, give, units, letters, audio } = audioOf();
    ticks(5);
    give(4);
    expect(letters()).toBe('10000 10021 10043');
    expect(units.every(({ dtsUs, ptsUs, key, disposable }) => dtsUs === ptsUs && key && !disposable)).toBe(
      true,
    );
    expect(units.map(({ data }) => data.toString('hex'))).toEqual(['aa01', 'aa02', 'aa03']);
    expect(audio.silences).toBe(0);
  });

  test('begin when the first tick came', () => {
    const { clock, ticks, give, letters } = audioOf();
    clock.advance(1_234);
    ticks(3);
    give(2);
    expect(letters()).toBe('11234');
  });

  test('stay at even distances for an hour', () => {
    const { ticks, give, units, expectSteady, audio } = audioOf();
    ticks(2);
    give(1);
    for (let second = 0; second < 3_600 / 4; second++) {
      ticks(16);
      give(15);
    }
    expect(units).toHaveLength(15 * 900);
    expectSteady();
    expect(audio.silences).toBe(0);
  });

  test('what a tick brings is not held: its buffer may be used again', () => {
    const { audio } = audioOf();
    const l16 = new Uint8Array(3_840).fill(7);
    const kept: Buffer[] = [];
    jobs[0]!.feed = (pcm) => kept.push(pcm) > 0;
    audio.tick(l16);
    l16.fill(9);
    expect(kept[0]![0]).toBe(7);
  });
});

describe('the first tick is late by 60 ms', () => {
  const LATE_MS = 60;
  /** When the first tick would have come, program time. */
  const DUE_MS = ORIGIN_MS + 1_000;
  /** Time stands where the first tick, which was held up, is about to come. */
  function late() {
    const all = audioOf();
    all.clock.advance(1_000 + LATE_MS);
    const tick = () => all.audio.tick(new Uint8Array(3_840).fill(1));
    /** So many at the present moment. */
    const burst = (count: number) => {
      for (let index = 0; index < count; index++) tick();
    };
    /** By how much the time of each frame is later than its sound would have been due, ms. */
    const errors = () => {
      let number = 0; // the encoder's own is in front
      return all.units.map((unit) => {
        while (number % 256 !== unit.data[1]) number++;
        return Math.round(100 * (timeOf(unit) - DUE_MS - (number - 1) * FRAME_MS)) / 100 + 0;
      });
    };
    return { ...all, burst, errors };
  }

  test('ticks come on time before any sound has gone out: nothing is left of it', () => {
    const { clock, ticks, burst, give, errors, audio } = late();
    burst(4); // the fourth is on time
    clock.advance(TICK_MS);
    ticks(20);
    give(17);
    expect(errors().length).toBeGreaterThan(10);
    expect(new Set(errors())).toEqual(new Set([0]));
    expect(audio.silences).toBe(0);
  });

  test('ticks come on time when sound has gone out: it is less by 0.2 ms with each, until nothing is left', () => {
    const { clock, ticks, burst, give, errors, expectSteady, audio } = late();
    burst(1);
    clock.advance(TICK_MS);
    ticks(4); // as late as the first
    give(4);
    expect(errors()).toEqual([LATE_MS, LATE_MS, LATE_MS]);
    burst(3); // from here on they are on time
    for (let round = 0; round < 40; round++) {
      ticks(16);
      give(15);
    }
    const all = errors().slice(3);
    const steps = all.slice(1).map((error, index) => all[index]! - error);
    expect(Math.min(...steps)).toBeGreaterThanOrEqual(0);
    expect(new Set(all.slice(300))).toEqual(new Set([0]));
    // Half of it takes 150 ticks.
    const half = all[Math.round((150 * TICK_MS) / FRAME_MS)]!;
    expect(Math.abs(half - LATE_MS / 2)).toBeLessThanOrEqual(5);
    expectSteady(5);
    expect(audio.silences).toBe(0);
  });

  test('and all are: what is late is the time of the sound', () => {
    const { ticks, give, errors } = late();
    ticks(60);
    give(50);
    expect(new Set(errors())).toEqual(new Set([LATE_MS]));
  });

  test('later ticks that come late change nothing', () => {
    const { clock, ticks, burst, give, errors } = late();
    ticks(10);
    clock.advance(3 * TICK_MS);
    burst(3);
    ticks(47);
    give(50);
    expect(new Set(errors())).toEqual(new Set([LATE_MS]));
  });
});

describe('silence stands', () => {
  test('for what the encoder left out', () => {
    const { ticks, letters, audio } = audioOf();
    ticks(10);
    jobs[0]!.options.onFrame(Buffer.of(1), 0);
    jobs[0]!.options.onFrame(Buffer.of(1), 3 * 1024);
    expect(letters()).toBe('10000 s10021 s10043 10064');
    expect(audio.silences).toBe(2);
  });

  test('for frames that do not come in time; what comes too late is left out', () => {
    const { ticks, give, letters, units } = audioOf();
    ticks(LATEST_MS / TICK_MS + 2); // the last of them 20 ms after that
    expect(letters()).toBe('');
    ticks(1);
    expect(letters()).toBe('s10000');
    give(4);
    expect(letters()).toBe('s10000 10021 10043');
    expect(units).toHaveLength(3);
  });

  test('from the first picture on, as far as nothing else can come', () => {
    const { clock, audio, letters } = audioOf();
    audio.coverUntil(50_000);
    expect(letters()).toBe('');
    audio.beginAt(7_000);
    audio.beginAt(5_000);
    audio.coverUntil(7_060);
    expect(letters()).toBe('s7000 s7021');
    audio.coverUntil(50_000);
    clock.advance(1);
    const before = letters();
    audio.coverUntil(50_000);
    expect(letters()).toBe(before);
    expect(before).toMatch(/^s7000 .* s8472$/); // the next would end after 8500
  });

  test('between pictures from before the program and its first sound', () => {
    const { audio, ticks, give, expectSteady, units, isSilence } = audioOf();
    audio.beginAt(8_000);
    ticks(5);
    give(5);
    expectSteady();
    expect(units[0]!.dtsUs).toBe(8_000_000);
    const first = units.findIndex((unit) => !isSilence(unit));
    // It has its own time, wherever silence began; one frame of the encoder's own is in front of it.
    expect(units[first]!.dtsUs).toBe(Math.round(1000 * (ORIGIN_MS - FRAME_MS)));
  });
});

describe('the mixer stood still', () => {
  test('for up to a second: that many ticks of silence are encoded', () => {
    const { audio, ticks } = audioOf();
    ticks(1);
    audio.skip(50);
    ticks(1, 2);
    expect(jobs[0]!.fed).toEqual([1, ...new Array(50).fill(0), 2]);
  });

  test('for longer: it goes on later, and nothing overlaps', () => {
    const { clock, audio, ticks, give, units, expectSteady, isSilence } = audioOf();
    ticks(20);
    give(16);
    clock.advance(5_000 - TICK_MS);
    audio.skip(249);
    expect(jobs[0]!.fed).toHaveLength(20 + 50);
    ticks(20, 2);
    give(60);
    expectSteady();
    const last = units.at(-1)!;
    expect(isSilence(last)).toBe(false);
    // 75 frames behind the first sample, of which 199 ticks never were.
    expect(last.dtsUs).toBe(Math.round(1000 * (ORIGIN_MS + 74 * FRAME_MS + 199 * TICK_MS)));
  });

  test('before its first tick: that is none of its time', () => {
    const { audio, ticks, give, letters } = audioOf();
    audio.skip(1_000);
    ticks(2);
    give(2);
    expect(letters()).toBe('10000');
  });
});

describe('an encoder that dies', () => {
  test('is replaced at once; the next frames are where they belong, with silence between', () => {
    const { ticks, give, deaths, audio, units, expectSteady, isSilence } = audioOf();
    ticks(10);
    give(5);
    jobs[0]!.options.onEnd('killed by SIGKILL');
    expect([deaths, jobs.length, audio.deaths.total]).toEqual([['killed by SIGKILL'], 2, 1]);
    ticks(10, 2);
    give(5);
    expectSteady();
    expect(jobs[1]!.fed).toEqual(new Array(10).fill(2));
    // Its second frame begins with what was fed to it first, 200 ms after the beginning.
    const own = units.filter((unit) => !isSilence(unit)).slice(4);
    expect(own).toHaveLength(5);
    expect(timeOf(own[1]!)).toBe(ORIGIN_MS + 200);
    expect(audio.silences).toBeGreaterThan(2);
  });

  test('one that is found dead with a tick: that tick is none of the next one', () => {
    const { ticks, units, isSilence } = audioOf();
    ticks(10);
    jobs[0]!.hangs = true;
    ticks(1);
    expect(jobs).toHaveLength(2);
    ticks(10, 2);
    expect(jobs[1]!.fed).toEqual(new Array(10).fill(2));
    units.splice(0);
    jobs[1]!.options.onFrame(Buffer.of(1), 0);
    const first = units.find((unit) => !isSilence(unit))!;
    // 11 ticks are before it.
    expect(timeOf(first) - ORIGIN_MS).toBe(11 * TICK_MS);
  });

  test('what it still gives goes nowhere', () => {
    const { ticks, deaths, letters } = audioOf();
    ticks(10);
    jobs[0]!.options.onEnd('exit code 1');
    jobs[0]!.give();
    jobs[0]!.give();
    jobs[0]!.options.onEnd('exit code 1');
    expect([letters(), deaths.length, jobs.length]).toEqual(['', 1, 2]);
  });

  test('three times within a minute: there is silence for 10 s, then another one', () => {
    const { clock, ticks, audio, deaths, expectSteady, units, isSilence, give } = audioOf();
    ticks(1);
    for (let death = 0; death < 3; death++) jobs.at(-1)!.options.onEnd('exit code 1');
    expect([deaths.length, jobs.length, audio.pid]).toEqual([3, 3, 0]);
    ticks(10_000 / TICK_MS);
    expect(jobs).toHaveLength(3);
    expect(units.every(isSilence)).toBe(true);
    expect(timeOf(units.at(-1)!)).toBeGreaterThan(clock.now() + ORIGIN_MS - LATEST_MS - 3 * FRAME_MS);
    ticks(1);
    expect([jobs.length, audio.pid]).toEqual([4, jobs[3]!.pid]);
    ticks(10, 2);
    give(8);
    expectSteady();
    expect(isSilence(units.at(-1)!)).toBe(false);
  });
});

test('whatever the encoder, the mixer and the pictures do, frames follow each other', () => {
  const random = seededRandom(11);
  for (let round = 0; round < 40; round++) {
    jobs.splice(0);
    const { clock, audio, ticks, units, expectSteady } = audioOf();
    for (let step = 0; step < 150; step++) {
      const what = random();
      if (what < 0.5) ticks(1 + Math.floor(random() * 5));
      else if (what < 0.8 && jobs.at(-1)!.canGive) jobs.at(-1)!.give();
      else if (what < 0.84) jobs.at(-1)!.options.onEnd('killed by SIGKILL');
      else if (what < 0.9) audio.skip(Math.floor(random() * 120));
      else if (what < 0.95) clock.advance(random() * 2_000);
      else {
        const ms = clock.now() + ORIGIN_MS - random() * 1_000;
        audio.beginAt(ms);
        audio.coverUntil(ms);
      }
    }
    expect(units.length).toBeGreaterThan(50);
    // Many ticks may be between two frames of an encoder, and the time base moves with each.
    expectSteady(SEAM_MS);
  }
});

describe('closed', () => {
  test('its encoder is stopped, and not replaced when it ends', async () => {
    const { clock, audio, deaths, ticks } = audioOf();
    ticks(3);
    await audio.close();
    jobs[0]!.options.onEnd('stopped');
    expect([jobs.length, jobs[0]!.stopped, deaths, clock.pending]).toEqual([1, true, [], 0]);
  });

  test('while none runs, none is started', async () => {
    const { audio, ticks } = audioOf();
    ticks(1);
    for (let death = 0; death < 3; death++) jobs.at(-1)!.options.onEnd('exit code 1');
    await audio.close();
    ticks(600);
    expect(jobs).toHaveLength(3);
  });
});
