import { describe, expect, test } from 'vitest';
import { aacBody, PLAIN, pictureBody, recordOf, sequenceHeader } from '../../support/flv-bodies.ts';
import { PERIOD_MS, stream } from '../../support/picture-stream.ts';
import { push } from '../../support/push.ts';

/* Stamps of encoders whose clocks stand, or run at another speed than time does. */

const AAC_CONFIG = Buffer.from('1190', 'hex');
const AAC_FRAME = Buffer.from('2110', 'hex');
const SECONDS = 30;
/** From here on it has been found out what kind of clock it is. */
const SETTLED_MS = 15_000;

/** @returns what a message is stamped with, ms */
type EncoderClock = (ms: number) => number;

interface Clocks {
  readonly sound: EncoderClock;
  readonly pictures: EncoderClock;
}

const right: EncoderClock = (ms) => 100_000 + ms;
const both = (clock: EncoderClock): Clocks => ({ sound: clock, pictures: clock });

const CLOCKS: [string, Clocks][] = [
  ['all are 0', both(() => 0)],
  ['all are the same', both(() => 4_711_000)],
  ['those of sound are 0', { sound: () => 0, pictures: right }],
  ['those of pictures are 0', { sound: right, pictures: () => 0 }],
  ['all stop after 5 s', both((ms) => right(Math.min(ms, 5_000)))],
  ['those of sound stop after 5 s', { sound: (ms) => right(Math.min(ms, 5_000)), pictures: right }],
  ['all count pictures', both((ms) => ms / PERIOD_MS)],
  ['all count in hundredths', both((ms) => ms / 10)],
  ['those of sound run at half the speed', { sound: (ms) => right(ms / 2), pictures: right }],
  ['those of sound run at twice the speed', { sound: (ms) => right(2 * ms), pictures: right }],
  ['those of pictures run at twice the speed', { sound: right, pictures: (ms) => right(2 * ms) }],
];

/** Sound and pictures in real time, while they are watched, heard and shown in a program. */
function play({ sound, pictures }: Clocks) {
  const all = push();
  all.open('video', 'audio');
  const program = all.program();
  all.audio(aacBody(0, AAC_CONFIG), 0);
  all.video(sequenceHeader(recordOf(PLAIN)), 0);
  /** When the pictures of the program came. */
  const cameAt: number[] = [];
  stream(
    all,
    (key, number, ms) => {
      all.video(pictureBody(key, number), Math.round(pictures(ms)));
      all.audio(aacBody(1, AAC_FRAME), Math.round(sound(ms)));
      while (cameAt.length < program.length) cameAt.push(all.clock.now());
      decode(all);
    },
    { seconds: SECONDS },
  );
  return { ...all, program, cameAt };
}

/** The decoder gives what it was fed with last: two frames of 20 ms. */
function decode({ decoders }: Pick<ReturnType<typeof push>, 'decoders'>): void {
  const decoder = decoders.at(-1);
  const fed = decoder?.fed.at(-1);
  if (!decoder || !fed) return;
  decoder.give(fed.timestampMs);
  decoder.give(fed.timestampMs + 20);
}

/** Of times that come one after the other: how far they advance in a second of real time, ms. */
function speedOf(times: readonly number[], seconds: number): number {
  return (times.at(-1)! - times[0]!) / seconds;
}

function expectSteadily(times: readonly number[], perSecond: number): void {
  const seconds = (SECONDS * 1000 - SETTLED_MS) / 1000;
  expect(times.length).toBeGreaterThan(0.9 * perSecond * seconds);
  expect(speedOf(times, seconds)).toBeGreaterThan(950);
  expect(speedOf(times, seconds)).toBeLessThan(1_050);
  for (const [index, ms] of times.slice(1).entries()) expect(ms).toBeGreaterThan(times[index]!);
}

describe('sound and pictures go on in real time when of the stamps', () => {
  test.each(CLOCKS)('%s', (_, clocks) => {
    const all = play(clocks);
    const { program, cameAt } = all;
    const sound = all.sound().filter(({ sentAt }) => sentAt >= SETTLED_MS);
    const pictures = all.pictures().slice((SETTLED_MS / PERIOD_MS) | 0);
    expectSteadily(
      pictures.map(({ ms }) => ms),
      1000 / PERIOD_MS,
    );
    const [first] = sound;
    expect(first).toBeDefined();
    expectSteadily(
      sound.map(({ timestamp }) => ((timestamp - first!.timestamp) >>> 0) / 48),
      50,
    );
    for (const [index, { dueAt, soundLateMs }] of program.entries()) {
      if (cameAt[index]! < SETTLED_MS) continue;
      expect(Math.abs(dueAt - cameAt[index]!)).toBeLessThan(1_000);
      expect(Math.abs(soundLateMs)).toBeLessThan(600);
    }
  });

  test.each(CLOCKS)('%s, and it is told that they were put right', (_, clocks) => {
    const { jumps, steps } = play(clocks).statistics.repairs;
    expect(jumps + steps).toBeGreaterThan(0);
  });
});
