import { describe, expect, test } from 'vitest';
import { createEncoder } from '../../../../transcode/audio/audio-codec.ts';
import { DecodedStream } from '../../../../transcode/audio/decoded-stream.ts';
import type { MixRate } from '../../../../transcode/audio/mix-format.ts';
import { flat, throughLaw, tonePayloads } from '../../support/sounds.ts';

/** A payload whose samples count up from a place, in steps that mu-law tells apart. */
const STEPS = Array.from({ length: 100 }, (_, index) => 0x80 + index);

function counting(from: number, samples: number): Buffer {
  return Buffer.from(Array.from({ length: samples }, (_, index) => STEPS[(from + index) % STEPS.length]!));
}

describe('packets of any length come out in frames of 20 ms', () => {
  test.each([
    ['20 ms', [160]],
    ['10 ms', [80]],
    ['30 ms', [240]],
    ['60 ms', [480]],
    ['120 ms', [960]],
    ['odd numbers of samples', [1, 159, 333, 7]],
  ])('%s', (_, lengths) => {
    const stream = new DecodedStream('PCMU', 8000);
    const all: number[] = [];
    let [queued, said] = [0, 0];
    for (let tick = 0; tick < 50; tick++) {
      stream.advance();
      queued = Math.max(0, queued - 160);
      for (let packet = 0; queued < 160; packet++) {
        const samples = lengths[packet % lengths.length]!;
        const units = stream.decode(counting(said, samples));
        expect(units).toBe(samples);
        queued += units;
        said += units;
      }
      all.push(...stream.frame);
    }
    expect(all).toEqual(Array.from(counting(0, all.length), (code) => throughCode(code)));
  });
});

function throughCode(code: number): number {
  const stream = new DecodedStream('PCMU', 8000);
  stream.decode(Buffer.of(code));
  return stream.frame[0]!;
}

test.each<[MixRate, number]>([
  [8000, 160],
  [16_000, 320],
  [48_000, 960],
])('at %i Hz a frame has %i samples, and 20 ms count as 160 units', (rate, samples) => {
  const stream = new DecodedStream('opus', rate);
  const [payload] = tonePayloads('opus', rate, 440, 1);
  expect(stream.frame).toHaveLength(samples);
  expect(stream.decode(payload!)).toBe(160);
  stream.advance();
  stream.conceal(480, undefined);
  for (let frame = 0; frame < 3; frame++) stream.advance();
  expect(stream.decode(payload!)).toBe(160);
});

test('the longest packet fits beside what is left of another', () => {
  const stream = new DecodedStream('PCMU', 8000);
  stream.decode(flat(1000, 10));
  stream.decode(flat(2000, 9.875));
  expect(stream.decode(flat(3000, 120))).toBe(960);
  expect([...stream.frame].slice(0, 80)).toEqual(new Array(80).fill(throughLaw(1000)));
  for (let frame = 0; frame < 6; frame++) stream.advance();
  expect(new Set(stream.frame)).toEqual(new Set([throughLaw(3000)]));
});

test('what cannot be decoded counts nothing', () => {
  const stream = new DecodedStream('opus', 48_000);
  expect(stream.decode(Buffer.of(0xff, 0x40))).toBe(0);
  expect(new DecodedStream('PCMU', 8000).decode(Buffer.alloc(961))).toBe(0);
});

test('concealment is put after what is there', () => {
  const stream = new DecodedStream('PCMU', 8000);
  stream.decode(flat(4000, 10));
  stream.conceal(80, undefined);
  const frame = [...stream.frame];
  expect(frame.slice(0, 80)).toEqual(new Array(80).fill(throughLaw(4000)));
  expect(frame.slice(80)).not.toContain(0);
});

test('clearing forgets what was decoded, not the place of its frame', () => {
  const stream = new DecodedStream('PCMU', 8000);
  const { frame } = stream;
  stream.decode(flat(1000, 30));
  stream.clear();
  stream.decode(flat(2000));
  expect(stream.frame).toBe(frame);
  expect(new Set(frame)).toEqual(new Set([throughLaw(2000)]));
});

test('padding is silence of that length before what comes', () => {
  const stream = new DecodedStream('PCMU', 8000);
  stream.decode(flat(1000));
  stream.clear();
  stream.pad(200);
  stream.decode(flat(2000));
  expect(new Set(stream.frame)).toEqual(new Set([0]));
  stream.advance();
  expect([...stream.frame]).toEqual([...new Array(40).fill(0), ...new Array(120).fill(throughLaw(2000))]);
});

test('a decoder that was given the packet before sounds at once like one that heard all', () => {
  const payloads = tonePayloads('opus', 16_000, 440, 30);
  const [whole, primed, cold] = [1, 2, 3].map(() => new DecodedStream('opus', 16_000)) as [
    DecodedStream,
    DecodedStream,
    DecodedStream,
  ];
  for (const payload of payloads.slice(0, -1)) {
    whole.decode(payload);
    whole.advance();
  }
  primed.prime(payloads.at(-2)!);
  for (const stream of [whole, primed, cold]) expect(stream.decode(payloads.at(-1)!)).toBe(160);
  const difference = (stream: DecodedStream) =>
    stream.frame.reduce((sum, sample, at) => sum + (sample - whole.frame[at]!) ** 2, 0);
  expect(difference(primed)).toBeLessThan(difference(cold) / 2);
});

test('an encoder of Opus makes what its decoder takes', () => {
  const target = new Uint8Array(1500);
  const bytes = createEncoder('opus', 8000).encode(new Int16Array(160), target, 0);
  expect(new DecodedStream('opus', 48_000).decode(target.subarray(0, bytes))).toBe(160);
});
