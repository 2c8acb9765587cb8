import { beforeEach, describe, expect, test, vi } from 'vitest';
import { parseFlvAudio } from '../../../../src/media/flv.ts';
import type { ProgramPacket } from '../../../../src/media/program.ts';
import { ProgramSound } from '../../../../transcode/program/program-sound.ts';
import { SILENT_AAC } from '../../../../transcode/program/silence.ts';
import { seededRandom } from '../../../signals/random.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { aacJobs as jobs } from '../../support/fake-program-jobs.ts';

vi.mock(import('../../../../transcode/aac-job.ts'), async () => {
  const { FakeAacJob } = await import('../../support/fake-program-jobs.ts');
  return { AacJob: FakeAacJob } as never;
});
beforeEach(() => void jobs.splice(0));

const ORIGIN_MS = 10_000;
const TICK_MS = 20;
const FRAME_MS = 1024 / 48;
/** Sound that is later does not come any more. */
const LATEST_MS = 1_500;

function soundOf() {
  const clock = new FakeClock();
  const packets: ProgramPacket[] = [];
  const deaths: string[] = [];
  const sound = new ProgramSound({
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
  /** Each frame is where the one before ends, whatever it holds. */
  const expectSteady = () => {
    const [first] = packets;
    const times = packets.map(({ timestampMs }) => timestampMs);
    const ideal = packets.map((_, index) => first!.timestampMs + index * FRAME_MS);
    const worst = Math.max(...times.map((time, index) => Math.abs(time - ideal[index]!)));
    expect(worst).toBeLessThanOrEqual(1);
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
    // No nearer than half a frame can it be with frames that begin elsewhere; one of the encoder's own is in front.
    expect(Math.abs(packets[first]!.timestampMs - (ORIGIN_MS - FRAME_MS))).toBeLessThanOrEqual(
      FRAME_MS / 2 + 1,
    );
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
    expect(Math.abs(last.timestampMs - (ORIGIN_MS + 74 * FRAME_MS + 199 * TICK_MS))).toBeLessThan(
      FRAME_MS / 2 + 1,
    );
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
    expect(Math.abs(own[1]!.timestampMs - (ORIGIN_MS + 200))).toBeLessThanOrEqual(FRAME_MS / 2 + 1);
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
    // 11 ticks are before it: with one tick less, it would be a frame earlier.
    expect(first.timestampMs - ORIGIN_MS).toBe(213);
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
    expectSteady();
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
