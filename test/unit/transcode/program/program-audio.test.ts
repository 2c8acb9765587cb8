import { beforeEach, describe, expect, test, vi } from 'vitest';
import { parseFlvAudio } from '../../../../src/media/containers/flv/flv.ts';
import type { ProgramPacket } from '../../../../src/media/program.ts';
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
/** By so much sound may begin apart from where the frame before ends, in whole ms. */
const SEAM_MS = FRAME_MS / 2 + 1;
/** Sound that is later does not come any more. */
const LATEST_MS = 1_500;

function soundOf() {
  const clock = new FakeClock();
  const packets: ProgramPacket[] = [];
  const deaths: string[] = [];
  const sound = new ProgramAudio({
    clock,
    bitrateBps: 128_000,
    toProgramMs: (localMs) => localMs + ORIGIN_MS,
    emit: (packet) => packets.push(packet),
    onDeath: (cause) => deaths.push(cause),
  });
  /** The mixer's, each with the byte; time passes. */
  const ticks = (count: number, byte = 1) => {
    for (let index = 0; index < count; index++) {
      sound.tick(new Uint8Array(3_840).fill(byte));
      clock.advance(TICK_MS);
    }
  };
  /** Frames that come out of the present encoder. */
  const give = (count: number) => {
    for (let index = 0; index < count; index++) jobs.at(-1)!.give();
  };
  const isSilence = ({ body }: ProgramPacket) => parseFlvAudio(body)!.data.equals(SILENT_AAC);
  /** In short: the times, s for silence. */
  const letters = () =>
    packets.map((packet) => `${isSilence(packet) ? 's' : ''}${packet.timestampMs}`).join(' ');
  /** Which of an encoder's frames it is. */
  const numberOf = (packet: ProgramPacket) => parseFlvAudio(packet.body)!.data[1]!;
  /**
   * Each frame is where the one before ends; but where an encoder's begin they have times of their own, up to half a
   * frame from there.
   */
  const expectSteady = (sameEncoderMs = 1) => {
    for (const [index, packet] of packets.slice(1).entries()) {
      const before = packets[index]!;
      const offMs = Math.abs(packet.timestampMs - before.timestampMs - FRAME_MS);
      const goesOn = !isSilence(before) && numberOf(packet) === (numberOf(before) + 1) % 256;
      const limitMs = isSilence(packet) ? 1 : goesOn ? sameEncoderMs : SEAM_MS;
      if (offMs > limitMs) expect.fail(`${before.timestampMs} is followed by ${packet.timestampMs}`);
    }
  };
  return { clock, sound, packets, deaths, ticks, give, letters, isSilence, expectSteady };
}

test('its configuration is AAC-LC, 48 kHz, two channels, before there is any sound', () => {
  const { sound } = soundOf();
  expect(sound.config).toMatchObject({ kind: 'audio', packet: 'config', key: true, timestampMs: 0 });
  expect(parseFlvAudio(sound.config.body)).toMatchObject({
    ...{ codec: 'AAC', packet: 'config' },
    data: Buffer.from('1190', 'hex'),
  });
});

describe('frames', () => {
  test('are at the time of their first sample; what the encoder puts in front is left out', () => {
    const { ticks, give, packets, letters, sound } = soundOf();
    ticks(5);
    give(4);
    expect(letters()).toBe('10000 10021 10043');
    expect(packets.every(({ kind, packet, key }) => kind === 'audio' && packet === 'frame' && key)).toBe(
      true,
    );
    expect(packets.map(({ body }) => parseFlvAudio(body)!.data.toString('hex'))).toEqual([
      'aa01',
      'aa02',
      'aa03',
    ]);
    expect(sound.silences).toBe(0);
  });

  test('begin when the first tick came', () => {
    const { clock, ticks, give, letters } = soundOf();
    clock.advance(1_234);
    ticks(3);
    give(2);
    expect(letters()).toBe('11234');
  });

  test('stay at even distances for an hour', () => {
    const { ticks, give, packets, expectSteady, sound } = soundOf();
    ticks(2);
    give(1);
    for (let second = 0; second < 3_600 / 4; second++) {
      ticks(16);
      give(15);
    }
    expect(packets).toHaveLength(15 * 900);
    expectSteady();
    expect(sound.silences).toBe(0);
  });

  test('what a tick brings is not held: its buffer may be used again', () => {
    const { sound } = soundOf();
    const l16 = new Uint8Array(3_840).fill(7);
    const kept: Buffer[] = [];
    jobs[0]!.feed = (pcm) => kept.push(pcm) > 0;
    sound.tick(l16);
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
    const all = soundOf();
    all.clock.advance(1_000 + LATE_MS);
    const tick = () => all.sound.tick(new Uint8Array(3_840).fill(1));
    /** So many at the present moment. */
    const burst = (count: number) => {
      for (let index = 0; index < count; index++) tick();
    };
    /** By how much the time of each frame is later than its sound would have been due, ms. */
    const errors = () => {
      let number = 0; // the encoder's own is in front
      return all.packets.map(({ timestampMs, body }) => {
        while (number % 256 !== parseFlvAudio(body)!.data[1]) number++;
        return timestampMs - Math.round(DUE_MS + (number - 1) * FRAME_MS);
      });
    };
    return { ...all, burst, errors };
  }

  test('ticks come on time before any sound has gone out: nothing is left of it', () => {
    const { clock, ticks, burst, give, errors, sound } = late();
    burst(4); // the fourth is on time
    clock.advance(TICK_MS);
    ticks(20);
    give(17);
    expect(errors().length).toBeGreaterThan(10);
    expect(new Set(errors())).toEqual(new Set([0]));
    expect(sound.silences).toBe(0);
  });

  test('ticks come on time when sound has gone out: it is less by 0.2 ms with each, until nothing is left', () => {
    const { clock, ticks, burst, give, errors, expectSteady, sound } = late();
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
    expect(Math.min(...steps)).toBeGreaterThanOrEqual(-1);
    expect(new Set(all.slice(300))).toEqual(new Set([0]));
    // Half of it takes 150 ticks.
    const half = all[Math.round((150 * TICK_MS) / FRAME_MS)]!;
    expect(Math.abs(half - LATE_MS / 2)).toBeLessThanOrEqual(5);
    expectSteady(5);
    expect(sound.silences).toBe(0);
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
    const { ticks, letters, sound } = soundOf();
    ticks(10);
    jobs[0]!.options.onFrame(Buffer.of(1), 0);
    jobs[0]!.options.onFrame(Buffer.of(1), 3 * 1024);
    expect(letters()).toBe('10000 s10021 s10043 10064');
    expect(sound.silences).toBe(2);
  });

  test('for frames that do not come in time; what comes too late is left out', () => {
    const { ticks, give, letters, packets } = soundOf();
    ticks(LATEST_MS / TICK_MS + 2); // the last of them 20 ms after that
    expect(letters()).toBe('');
    ticks(1);
    expect(letters()).toBe('s10000');
    give(4);
    expect(letters()).toBe('s10000 10021 10043');
    expect(packets).toHaveLength(3);
  });

  test('from the first picture on, as far as nothing else can come', () => {
    const { clock, sound, letters } = soundOf();
    sound.coverUntil(50_000);
    expect(letters()).toBe('');
    sound.beginAt(7_000);
    sound.beginAt(5_000);
    sound.coverUntil(7_060);
    expect(letters()).toBe('s7000 s7021');
    sound.coverUntil(50_000);
    clock.advance(1);
    const before = letters();
    sound.coverUntil(50_000);
    expect(letters()).toBe(before);
    expect(before).toMatch(/^s7000 .* s8472$/); // the next would end after 8500
  });

  test('between pictures from before the program and its first sound', () => {
    const { sound, ticks, give, expectSteady, packets, isSilence } = soundOf();
    sound.beginAt(8_000);
    ticks(5);
    give(5);
    expectSteady();
    expect(packets[0]!.timestampMs).toBe(8_000);
    const first = packets.findIndex((packet) => !isSilence(packet));
    // It has its own time, wherever silence began; one frame of the encoder's own is in front of it.
    expect(packets[first]!.timestampMs).toBe(Math.round(ORIGIN_MS - FRAME_MS));
  });
});

describe('the mixer stood still', () => {
  test('for up to a second: that many ticks of silence are encoded', () => {
    const { sound, ticks } = soundOf();
    ticks(1);
    sound.skip(50);
    ticks(1, 2);
    expect(jobs[0]!.fed).toEqual([1, ...new Array(50).fill(0), 2]);
  });

  test('for longer: it goes on later, and nothing overlaps', () => {
    const { clock, sound, ticks, give, packets, expectSteady, isSilence } = soundOf();
    ticks(20);
    give(16);
    clock.advance(5_000 - TICK_MS);
    sound.skip(249);
    expect(jobs[0]!.fed).toHaveLength(20 + 50);
    ticks(20, 2);
    give(60);
    expectSteady();
    const last = packets.at(-1)!;
    expect(isSilence(last)).toBe(false);
    // 75 frames behind the first sample, of which 199 ticks never were.
    expect(last.timestampMs).toBe(Math.round(ORIGIN_MS + 74 * FRAME_MS + 199 * TICK_MS));
  });

  test('before its first tick: that is none of its time', () => {
    const { sound, ticks, give, letters } = soundOf();
    sound.skip(1_000);
    ticks(2);
    give(2);
    expect(letters()).toBe('10000');
  });
});

describe('an encoder that dies', () => {
  test('is replaced at once; the next frames are where they belong, with silence between', () => {
    const { ticks, give, deaths, sound, packets, expectSteady, isSilence } = soundOf();
    ticks(10);
    give(5);
    jobs[0]!.options.onEnd('killed by SIGKILL');
    expect([deaths, jobs.length, sound.deaths.total]).toEqual([['killed by SIGKILL'], 2, 1]);
    ticks(10, 2);
    give(5);
    expectSteady();
    expect(jobs[1]!.fed).toEqual(new Array(10).fill(2));
    // Its second frame begins with what was fed to it first, 200 ms after the beginning.
    const own = packets.filter((packet) => !isSilence(packet)).slice(4);
    expect(own).toHaveLength(5);
    expect(own[1]!.timestampMs).toBe(ORIGIN_MS + 200);
    expect(sound.silences).toBeGreaterThan(2);
  });

  test('one that is found dead with a tick: that tick is none of the next one', () => {
    const { ticks, packets, isSilence } = soundOf();
    ticks(10);
    jobs[0]!.hangs = true;
    ticks(1);
    expect(jobs).toHaveLength(2);
    ticks(10, 2);
    expect(jobs[1]!.fed).toEqual(new Array(10).fill(2));
    packets.splice(0);
    jobs[1]!.options.onFrame(Buffer.of(1), 0);
    const first = packets.find((packet) => !isSilence(packet))!;
    // 11 ticks are before it.
    expect(first.timestampMs - ORIGIN_MS).toBe(11 * TICK_MS);
  });

  test('what it still gives goes nowhere', () => {
    const { ticks, deaths, letters } = soundOf();
    ticks(10);
    jobs[0]!.options.onEnd('exit code 1');
    jobs[0]!.give();
    jobs[0]!.give();
    jobs[0]!.options.onEnd('exit code 1');
    expect([letters(), deaths.length, jobs.length]).toEqual(['', 1, 2]);
  });

  test('three times within a minute: there is silence for 10 s, then another one', () => {
    const { clock, ticks, sound, deaths, expectSteady, packets, isSilence, give } = soundOf();
    ticks(1);
    for (let death = 0; death < 3; death++) jobs.at(-1)!.options.onEnd('exit code 1');
    expect([deaths.length, jobs.length, sound.pid]).toEqual([3, 3, 0]);
    ticks(10_000 / TICK_MS);
    expect(jobs).toHaveLength(3);
    expect(packets.every(isSilence)).toBe(true);
    expect(packets.at(-1)!.timestampMs).toBeGreaterThan(clock.now() + ORIGIN_MS - LATEST_MS - 3 * FRAME_MS);
    ticks(1);
    expect([jobs.length, sound.pid]).toEqual([4, jobs[3]!.pid]);
    ticks(10, 2);
    give(8);
    expectSteady();
    expect(isSilence(packets.at(-1)!)).toBe(false);
  });
});

test('whatever the encoder, the mixer and the pictures do, frames follow each other', () => {
  const random = seededRandom(11);
  for (let round = 0; round < 40; round++) {
    jobs.splice(0);
    const { clock, sound, ticks, packets, expectSteady } = soundOf();
    for (let step = 0; step < 150; step++) {
      const what = random();
      if (what < 0.5) ticks(1 + Math.floor(random() * 5));
      else if (what < 0.8 && jobs.at(-1)!.canGive) jobs.at(-1)!.give();
      else if (what < 0.84) jobs.at(-1)!.options.onEnd('killed by SIGKILL');
      else if (what < 0.9) sound.skip(Math.floor(random() * 120));
      else if (what < 0.95) clock.advance(random() * 2_000);
      else {
        const ms = clock.now() + ORIGIN_MS - random() * 1_000;
        sound.beginAt(ms);
        sound.coverUntil(ms);
      }
    }
    expect(packets.length).toBeGreaterThan(50);
    // Many ticks may be between two frames of an encoder, and the time base moves with each.
    expectSteady(SEAM_MS);
  }
});

describe('closed', () => {
  test('its encoder is stopped, and not replaced when it ends', async () => {
    const { clock, sound, deaths, ticks } = soundOf();
    ticks(3);
    await sound.close();
    jobs[0]!.options.onEnd('stopped');
    expect([jobs.length, jobs[0]!.stopped, deaths, clock.pending]).toEqual([1, true, [], 0]);
  });

  test('while none runs, none is started', async () => {
    const { sound, ticks } = soundOf();
    ticks(1);
    for (let death = 0; death < 3; death++) jobs.at(-1)!.options.onEnd('exit code 1');
    await sound.close();
    ticks(600);
    expect(jobs).toHaveLength(3);
  });
});
