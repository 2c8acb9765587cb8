import { describe, expect, test } from 'vitest';
import { encodeMuLaw, MU_LAW_TO_LINEAR } from '../../../src/media/g711.ts';
import { seededRandom } from '../../signals/random.ts';
import { Tone } from '../../signals/tone.ts';
import { ABSENT_DB, ToneMeter } from '../../signals/tone-meter.ts';

interface Sound {
  readonly hz: number;
  readonly levelDb?: number;
}

/** That long, in frames of 20 ms. */
function* frames(rate: number, sounds: readonly Sound[], ms = 600): Generator<Int16Array> {
  const tones = sounds.map(({ hz, levelDb }) => new Tone(rate, hz, levelDb));
  for (let at = 0; at < ms; at += 20) {
    const sum = new Int16Array(rate / 50);
    const one = new Int16Array(rate / 50);
    for (const tone of tones) {
      tone.fill(one);
      for (const [index, sample] of one.entries()) sum[index] = sum[index]! + sample;
    }
    yield sum;
  }
}

function meterOf(rate: number, sounds: readonly Sound[], through = (frame: Int16Array) => frame): ToneMeter {
  const meter = new ToneMeter(rate);
  for (const frame of frames(rate, sounds)) meter.push(through(frame));
  return meter;
}

function noise(levelDb: number): (frame: Int16Array) => Int16Array {
  const random = seededRandom(7);
  // Even distribution: its power is a third of its peak's.
  const peak = 32767 * 10 ** (levelDb / 20) * Math.sqrt(1.5);
  return (frame) => frame.map((sample) => sample + peak * (2 * random() - 1));
}

const RATES = [8000, 16000, 48000];

describe.each(RATES)('at %i samples a second', (rate) => {
  test.each([300, 440, 441.3, 1000, 3400])('gives the level of a tone of %f Hz', (hz) => {
    for (const levelDb of [-3, -12, -30]) {
      const meter = meterOf(rate, [{ hz, levelDb }]);
      expect(meter.level(hz)).toBeCloseTo(levelDb, 1);
      expect(meter.power()).toBeCloseTo(levelDb, 1);
      expect(meter.hears(hz)).toBe(true);
    }
  });

  test('hears nothing where another tone is', () => {
    const meter = meterOf(rate, [{ hz: 440, levelDb: -6 }]);
    expect([400, 480, 660, 880, 1320].filter((hz) => meter.level(hz) > ABSENT_DB)).toEqual([]);
  });

  test('hears tones that are close together, and names them', () => {
    const sounds = [{ hz: 440 }, { hz: 480, levelDb: -20 }, { hz: 1200 }, { hz: 3000, levelDb: -35 }];
    const meter = meterOf(rate, sounds);
    expect(sounds.filter(({ hz }) => meter.hears(hz))).toEqual(sounds);
    expect(meter.tones()).toEqual([440, 480, 1200, 3000]);
  });

  test('forgets what is older than its window', () => {
    const meter = meterOf(rate, [{ hz: 440 }]);
    meter.pushSilence(rate / 2);
    expect(meter.level(440)).toBe(-120);
    expect(meter.tones()).toEqual([]);
  });
});

test('a tone that is too quiet is not heard', () => {
  expect(meterOf(8000, [{ hz: 440, levelDb: -38 }]).hears(440)).toBe(true);
  expect(meterOf(8000, [{ hz: 440, levelDb: -42 }]).hears(440)).toBe(false);
});

test('noise is not taken for a tone', () => {
  const meter = meterOf(8000, [], noise(-6));
  expect(meter.power()).toBeCloseTo(-6, 0);
  expect(meter.level(440)).toBeGreaterThan(-50);
  expect(meter.tones()).toEqual([]);
});

test('a tone is heard through noise as loud as itself', () => {
  const meter = meterOf(8000, [{ hz: 440, levelDb: -15 }], noise(-15));
  expect(meter.hears(440)).toBe(true);
  expect(meter.tones()).toEqual([440]);
});

test('a tone is heard through mu-law', () => {
  const meter = meterOf(8000, [{ hz: 440 }, { hz: 660 }], (frame) =>
    frame.map((sample) => MU_LAW_TO_LINEAR[encodeMuLaw(sample)]!),
  );
  expect(meter.tones()).toEqual([440, 660]);
});

test.each([
  ['every fifth frame', () => (frame: number) => frame % 5 === 0],
  [
    'a fifth of the frames, by chance',
    () => {
      const random = seededRandom(3);
      return () => random() < 0.2;
    },
  ],
  ['the first half', () => (frame: number) => frame < 18],
])('a tone is heard when %s is silence, and no tone that is not there', (_, silences) => {
  let frame = 0;
  const isSilence = silences();
  const meter = meterOf(8000, [{ hz: 500 }], (samples) => (isSilence(frame++) ? samples.fill(0) : samples));
  expect(meter.hears(500)).toBe(true);
  expect([300, 400, 600, 700, 1000, 1500].filter((hz) => meter.hears(hz))).toEqual([]);
  expect(meter.tones()).toEqual([500]);
});

test('one frame of a tone is no tone', () => {
  const meter = new ToneMeter(8000);
  const [frame] = frames(8000, [{ hz: 440 }]);
  meter.pushSilence(4000);
  meter.push(frame!);
  expect(meter.hears(440)).toBe(false);
});

test('random numbers repeat with their seed and are spread evenly', () => {
  const drawn = (seed: number) => Array.from({ length: 10000 }, seededRandom(seed));
  expect(drawn(5)).toEqual(drawn(5));
  expect(drawn(5)).not.toEqual(drawn(6));
  const below = (limit: number) => drawn(5).filter((number) => number < limit).length / 10000;
  for (const limit of [0.05, 0.2, 0.5, 0.9]) expect(below(limit)).toBeCloseTo(limit, 1);
  expect(Math.min(...drawn(5))).toBeGreaterThanOrEqual(0);
  expect(Math.max(...drawn(5))).toBeLessThan(1);
});
