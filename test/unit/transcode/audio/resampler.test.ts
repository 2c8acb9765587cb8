import { describe, expect, test } from 'vitest';
import type { MixRate } from '../../../../transcode/audio/mix-format.ts';
import { Resampler } from '../../../../transcode/audio/resampler.ts';

const PAIRS: [MixRate, MixRate][] = [
  [8000, 16_000],
  [8000, 48_000],
  [16_000, 48_000],
  [16_000, 8000],
  [48_000, 8000],
  [48_000, 16_000],
];

/** Resamples a signal frame by frame. @returns one second of the output, after the filter has filled */
function resample(from: MixRate, to: MixRate, signal: (seconds: number) => number, frameMs = 20): Int16Array {
  const resampler = new Resampler(from, to);
  const [inputs, outputs] = [(from * frameMs) / 1000, (to * frameMs) / 1000];
  const all: number[] = [];
  for (let frame = 0; frame * frameMs < 1100; frame++) {
    const input = Int16Array.from({ length: inputs }, (_, index) =>
      Math.round(signal((frame * inputs + index) / from)),
    );
    const output = new Int16Array(outputs);
    expect(resampler.process(input, output)).toBe(outputs);
    all.push(...output);
  }
  return Int16Array.from(all.slice(to / 20, to / 20 + to));
}

const sine =
  (hertz: number, amplitude = 10_000) =>
  (seconds: number) =>
    amplitude * Math.sin(2 * Math.PI * hertz * seconds);

/** Fits a sine to samples of whole periods. @returns its gain against an amplitude of 10000, and what else there is against that, dB */
function measure(samples: Int16Array, rate: number, hertz: number): { gainDb: number; noiseDb: number } {
  let inPhase = 0;
  let quadrature = 0;
  let power = 0;
  for (const [index, sample] of samples.entries()) {
    const angle = (2 * Math.PI * hertz * index) / rate;
    inPhase += (sample * Math.sin(angle) * 2) / samples.length;
    quadrature += (sample * Math.cos(angle) * 2) / samples.length;
    power += (sample * sample) / samples.length;
  }
  const amplitude = Math.hypot(inPhase, quadrature);
  const noise = Math.max(power - amplitude ** 2 / 2, 1e-9);
  return { gainDb: 20 * Math.log10(amplitude / 10_000), noiseDb: 10 * Math.log10(noise / (10_000 ** 2 / 2)) };
}

describe.each(PAIRS)('%i Hz to %i Hz', (from, to) => {
  const lower = Math.min(from, to);

  test.each([0.01, 0.1, 0.25, 0.375, 0.42])('keeps a tone of %f of the lower rate as it is', (share) => {
    const hertz = Math.round(share * lower);
    const { gainDb, noiseDb } = measure(resample(from, to, sine(hertz)), to, hertz);
    expect(Math.abs(gainDb)).toBeLessThan(0.05);
    // With it, whatever images there are.
    expect(noiseDb).toBeLessThan(-50);
  });

  test('frames leave no seams: their length makes no difference', () => {
    const tone = (seconds: number) => sine(300)(seconds) + sine(1234, 7000)(seconds);
    expect(resample(from, to, tone, 10)).toEqual(resample(from, to, tone, 50));
  });

  test('is full scale where it would exceed that', () => {
    const square = resample(from, to, (seconds) => (sine(200)(seconds + 0.00001) > 0 ? 32_767 : -32_768));
    // Overshoot of the filter beside an edge; wrapped around it would have the other sign, far from any edge.
    expect(square.includes(32_767)).toBe(true);
    expect(square.includes(-32_768)).toBe(true);
    const signChanges = square.filter((sample, index) => index > 0 && sample > 0 !== square[index - 1]! > 0);
    expect(signChanges.length).toBeLessThanOrEqual(400);
  });

  test('begins anew after a reset', () => {
    const resampler = new Resampler(from, to);
    const output = new Int16Array(to / 50);
    resampler.process(new Int16Array(from / 50).fill(10_000), output);
    resampler.reset();
    resampler.process(new Int16Array(from / 50), output);
    expect(output.every((sample) => sample === 0)).toBe(true);
  });
});

describe.each(PAIRS.filter(([from, to]) => from > to))('%i Hz to %i Hz', (from, to) => {
  test.each([0.58, 0.625, 0.8, 0.9])(
    'takes a tone of %f of the lower rate away instead of folding it',
    (share) => {
      const samples = resample(from, to, sine(share * to));
      const power = samples.reduce((sum, sample) => sum + sample ** 2, 0) / samples.length;
      expect(10 * Math.log10(Math.max(power, 1e-9) / (10_000 ** 2 / 2))).toBeLessThan(-55);
    },
  );
});

test.each<MixRate>([8000, 16_000, 48_000])('%i Hz to itself is a copy', (rate) => {
  const input = Int16Array.from({ length: rate / 50 }, (_, index) => index * 7 - 300);
  const output = new Int16Array(rate / 50);
  expect(new Resampler(rate, rate).process(input, output)).toBe(input.length);
  expect(output).toEqual(input);
});

test('takes packets of 120 ms', () => {
  const output = new Int16Array(5760);
  expect(new Resampler(8000, 48_000).process(new Int16Array(960).fill(1000), output)).toBe(5760);
  expect(output[5000]).toBe(1000);
  expect(new Resampler(48_000, 8000).process(new Int16Array(5760).fill(1000), output)).toBe(960);
  expect(output[900]).toBe(1000);
});
