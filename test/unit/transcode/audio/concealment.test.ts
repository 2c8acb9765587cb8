import { describe, expect, test } from 'vitest';
import { Concealment } from '../../../../transcode/audio/concealment.ts';

const FRAME = 160;

/** Like a vowel: harmonics of one pitch, the higher the quieter. */
function vowel(pitchHertz: number, amplitude = 6000): (index: number) => number {
  return (index) => {
    const phase = (2 * Math.PI * pitchHertz * index) / 8000;
    return Math.round(
      amplitude * (Math.sin(phase) + 0.5 * Math.sin(2 * phase + 1) + 0.3 * Math.sin(5 * phase + 2)),
    );
  };
}

/** Plays a signal of which some frames are lost. @returns what is heard */
function play(
  signal: (index: number) => number,
  frames: number,
  isLost: (frame: number) => boolean,
): Int16Array {
  const concealment = new Concealment();
  const heard = new Int16Array(frames * FRAME);
  for (let frame = 0; frame < frames; frame++) {
    const samples = new Int16Array(FRAME);
    if (isLost(frame)) concealment.conceal(samples, FRAME);
    else {
      for (let index = 0; index < FRAME; index++) samples[index] = signal(frame * FRAME + index);
      concealment.received(samples, FRAME);
    }
    heard.set(samples, frame * FRAME);
  }
  return heard;
}

const steps = (samples: Int16Array) =>
  [...samples].map((sample, at) => Math.abs(sample - (samples[at - 1] ?? sample)));
const powerOf = (samples: Int16Array) =>
  samples.reduce((sum, sample) => sum + sample ** 2, 0) / samples.length;

describe('concealment', () => {
  test('changes nothing when nothing is lost', () => {
    const signal = vowel(120);
    expect(play(signal, 10, () => false)).toEqual(
      Int16Array.from({ length: 10 * FRAME }, (_, index) => signal(index)),
    );
  });

  test.each([70, 100, 125, 160, 195])(
    'goes on with a voice of %i Hz: the first 10 ms are nearly as they were',
    (hertz) => {
      const signal = vowel(hertz);
      const heard = play(signal, 10, (frame) => frame === 5).subarray(5 * FRAME, 5 * FRAME + 80);
      const error = Int16Array.from(heard, (sample, index) => sample - signal(5 * FRAME + index));
      expect(10 * Math.log10(powerOf(heard) / powerOf(error))).toBeGreaterThan(12);
    },
  );

  test.each([1, 2, 3, 5])('leaves no clicks where %i frames are lost', (lost) => {
    for (const hertz of [70, 111, 133, 187]) {
      const signal = vowel(hertz);
      const heard = play(signal, 20, (frame) => frame >= 8 && frame < 8 + lost);
      const usual = Math.max(...steps(play(signal, 20, () => false)));
      expect(Math.max(...steps(heard))).toBeLessThan(usual * 1.15);
    }
  });

  test.each([4000, 32_000])('lets what does not fit fade, in a sound that grows to %i', (loudest) => {
    for (let begin = 0; begin < 100; begin += 7) {
      // 80 Hz, twice as loud after each period, in the middle of which the loss begins somewhere.
      const signal = (index: number) => {
        const left = (5 * FRAME - index) / 100;
        return Math.round(loudest * 2 ** -left * Math.sin((2 * Math.PI * (index + begin)) / 100));
      };
      const heard = play(signal, 10, (frame) => frame >= 5);
      expect(Math.max(...steps(heard.subarray(5 * FRAME - 1)))).toBeLessThan(loudest * 0.12);
    }
  });

  test('goes on from what it made up itself when the next loss is near', () => {
    const signal = vowel(125);
    const concealment = new Concealment();
    const part = (from: number, count: number) =>
      Int16Array.from({ length: count }, (_, index) => signal(from + index));
    concealment.received(part(0, 800), 800);
    concealment.conceal(new Int16Array(FRAME), FRAME);
    concealment.received(part(960, 40), 40);
    const made = new Int16Array(80);
    concealment.conceal(made, 80);
    const error = made.map((sample, index) => sample - signal(1000 + index));
    expect(10 * Math.log10(powerOf(made) / powerOf(error))).toBeGreaterThan(12);
  });

  test('becomes quieter by a fifth each 10 ms after the first, and silent after 60 ms', () => {
    const heard = play(vowel(100), 12, (frame) => frame >= 6);
    const good = powerOf(heard.subarray(0, 6 * FRAME));
    const gains = Array.from({ length: 8 }, (_, step) => {
      const begin = 6 * FRAME + step * 80;
      return Math.sqrt(powerOf(heard.subarray(begin, begin + 80)) / good);
    });
    // The gain falls within each step as well: these are its values in their middles.
    for (const [step, gain] of [1, 0.9, 0.7, 0.5, 0.3, 0.1, 0, 0].entries())
      expect(gains[step]).toBeCloseTo(gain, 1);
    expect(heard.subarray(6 * FRAME + 480).every((sample) => sample === 0)).toBe(true);
  });

  test('is the real signal again 10 ms after the loss at the latest', () => {
    const signal = vowel(140);
    const heard = play(signal, 12, (frame) => frame >= 5 && frame < 9);
    const real = Int16Array.from({ length: FRAME }, (_, index) => signal(9 * FRAME + index));
    expect(heard.subarray(9 * FRAME + 80, 10 * FRAME)).toEqual(real.subarray(80));
    expect(heard.subarray(9 * FRAME, 9 * FRAME + 80)).not.toEqual(real.subarray(0, 80));
  });

  test('never wraps around, however loud it was', () => {
    const samples = Int16Array.from(
      { length: 800 },
      (_, index) => 25_000 * Math.sin((2 * Math.PI * (index + 15)) / 100),
    );
    // A step that the repetition fades in from, just before the crest.
    for (let index = 790; index < 800; index++) samples[index] = 32_000;
    const concealment = new Concealment();
    concealment.received(samples, 800);
    const made = new Int16Array(20);
    concealment.conceal(made, 20);
    expect(Math.min(...made)).toBeGreaterThan(20_000);
    expect(Math.max(...made)).toBe(32_767);
  });

  test('makes the same of frames of any length', () => {
    const lengths = [[480], [160, 160, 160], [37, 200, 243], [80, 80, 80, 80, 80, 80]];
    const made = lengths.map((parts) => {
      const concealment = new Concealment();
      concealment.received(
        Int16Array.from({ length: 800 }, (_, index) => vowel(110)(index)),
        800,
      );
      return parts.flatMap((count) => {
        const output = new Int16Array(count);
        concealment.conceal(output, count);
        return [...output];
      });
    });
    for (const one of made) expect(one).toEqual(made[0]);
  });

  test.each([
    ['before anything came', (_: Concealment) => {}],
    [
      'after a reset',
      (concealment: Concealment) => {
        concealment.received(new Int16Array(FRAME).fill(5000), FRAME);
        concealment.conceal(new Int16Array(FRAME), FRAME);
        concealment.reset();
      },
    ],
  ])('is silence %s', (_, prepare) => {
    const concealment = new Concealment();
    prepare(concealment);
    const output = new Int16Array(FRAME).fill(1);
    concealment.conceal(output, FRAME);
    expect(output).toEqual(new Int16Array(FRAME));
  });
});
