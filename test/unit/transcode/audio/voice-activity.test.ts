import { describe, expect, test } from 'vitest';
import { A_LAW_TO_LINEAR, encodeALaw, encodeMuLaw, MU_LAW_TO_LINEAR } from '../../../../src/media/g711.ts';
import {
  levelOf,
  levelOfALaw,
  levelOfMuLaw,
  VoiceActivity,
} from '../../../../transcode/audio/voice-activity.ts';

const tone = (amplitude: number, samples = 160) =>
  Int16Array.from({ length: samples }, (_, index) => Math.round(amplitude * Math.sin((Math.PI * index) / 8)));

/** Feeds frames of these levels. @returns for each whether it was speech */
function speechIn(activity: VoiceActivity, levelsDb: readonly number[]): boolean[] {
  return levelsDb.map((levelDb) => activity.next(levelDb));
}

const frames = (count: number, levelDb: number) => new Array<number>(count).fill(levelDb);
const speaking = (results: readonly boolean[]) => results.filter((speech) => speech).length;

describe('voice activity', () => {
  test('begins with the first loud frame, and ends 300 ms after the last one', () => {
    const results = speechIn(new VoiceActivity(), [
      ...frames(10, -65),
      ...frames(20, -22),
      ...frames(40, -65),
    ]);
    expect(results.indexOf(true)).toBe(10);
    expect(results.lastIndexOf(true)).toBe(10 + 20 + 15 - 1);
    expect(speaking(results)).toBe(35);
  });

  test.each([
    ['digital silence', -127],
    ['a quiet line', -65],
    ['a noisy line', -50],
    ['a constant hum at the limit of what noise can be', -47],
  ])('%s is never speech', (_, levelDb) => {
    expect(speaking(speechIn(new VoiceActivity(), frames(3000, levelDb)))).toBe(0);
  });

  test.each([
    ['quiet speech on a quiet line', -48, -66],
    ['speech in a noisy room', -28, -42],
    ['usual speech', -20, -60],
  ])('%s is speech from the first frame to the last', (_, loudDb, quietDb) => {
    const activity = new VoiceActivity();
    speechIn(activity, frames(500, quietDb));
    const words = Array.from({ length: 60 }, () => [...frames(10, loudDb), ...frames(6, quietDb)]).flat();
    expect(speaking(speechIn(activity, words))).toBe(words.length);
  });

  test('a noise that begins counts as speech for some seconds only', () => {
    const activity = new VoiceActivity();
    speechIn(activity, frames(500, -65));
    const results = speechIn(activity, frames(1000, -42));
    expect(results[0]).toBe(true);
    expect(results.lastIndexOf(true)).toBeLessThan(500);
  });

  test('the noise of a line after digital silence counts as speech for a second at most', () => {
    const activity = new VoiceActivity();
    speechIn(activity, frames(500, -127));
    const results = speechIn(activity, frames(1000, -58));
    expect(results.lastIndexOf(true)).toBeLessThan(60);
  });

  test('a long sound without pauses is speech for three seconds', () => {
    const activity = new VoiceActivity();
    speechIn(activity, frames(500, -65));
    expect(speaking(speechIn(activity, frames(150, -45)))).toBe(150);
  });

  test('200 ms after a noise has ended, quiet speech is told from the quiet again', () => {
    const activity = new VoiceActivity();
    speechIn(activity, [...frames(1000, -42), ...frames(10, -66)]);
    expect(activity.next(-52)).toBe(true);
  });

  test('a loud steady sound, as music on hold, stays', () => {
    expect(speaking(speechIn(new VoiceActivity(), frames(3000, -20)))).toBe(3000);
  });
});

describe('level', () => {
  test.each([
    ['full scale', 32_767, -3.01],
    ['a tenth of it', 3276.7, -23.01],
    ['a hundredth of it', 327.67, -43.01],
  ])('of a sine of %s', (_, amplitude, expectedDb) => {
    expect(levelOf(tone(amplitude))).toBeCloseTo(expectedDb, 1);
  });

  test('of full-scale square waves is 0 dBFS', () => {
    expect(levelOf(new Int16Array(160).fill(-32_768))).toBe(0);
  });

  test.each([0, 160])('of %i samples of silence is -127 dBFS', (count) => {
    expect(levelOf(new Int16Array(count))).toBe(-127);
    expect(levelOfMuLaw(new Uint8Array(count).fill(0xff))).toBe(-127);
  });

  test.each([
    ['μ-law', levelOfMuLaw, encodeMuLaw, MU_LAW_TO_LINEAR],
    ['A-law', levelOfALaw, encodeALaw, A_LAW_TO_LINEAR],
  ])('of a %s payload is that of its samples', (_, level, encode, table) => {
    for (const amplitude of [0, 10, 100, 1000, 10_000, 32_767]) {
      const payload = Uint8Array.from(tone(amplitude), encode);
      const samples = Int16Array.from(payload, (code) => table[code]!);
      expect(level(payload)).toBeCloseTo(levelOf(samples), 9);
    }
  });

  test('of silence in A-law is that of its smallest step', () => {
    expect(levelOfALaw(new Uint8Array(160).fill(0xd5))).toBeCloseTo(-72.25, 2);
    expect(levelOfALaw(new Uint8Array(0))).toBe(-127);
  });
});
