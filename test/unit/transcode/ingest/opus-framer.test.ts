import { expect, test } from 'vitest';
import { AUDIO_LEVEL_ID, readAudioLevel } from '../../../../src/media/rtp/audio-level.ts';
import { OpusDecoder } from '../../../../transcode/audio/opus-codec.ts';
import { OpusFramer } from '../../../../transcode/ingest/opus-framer.ts';
import { Tone } from '../../../signals/tone.ts';
import { ToneMeter } from '../../../signals/tone-meter.ts';
import { audioSender, repeated, steps } from '../../support/sent-audio.ts';

const RATE = 48_000;
const FRAME_TICKS = 960;
const START_MS = 10_000;

function framer() {
  const all = audioSender();
  const one = new OpusFramer(all.sender, 96_000);
  /** Pushes silence of so many samples. */
  const push = (sourceMs: number, samples = FRAME_TICKS) => one.push(new Int16Array(2 * samples), sourceMs);
  return { ...all, framer: one, push };
}

test('decoded audio becomes frames of 20 ms in their order, however it is cut', () => {
  const cuts = [960, 1_024, 1, 2_048, 100, 4_000];
  const { push, packets, ready } = framer();
  let samples = 0;
  for (let index = 0; index < 60; index++) {
    const count = cuts[index % cuts.length]!;
    push(START_MS + (samples * 1000) / RATE, count);
    samples += count;
  }
  const frames = Math.floor(samples / FRAME_TICKS);
  expect(packets()).toHaveLength(frames);
  expect(steps(packets())).toEqual({
    ticks: repeated(FRAME_TICKS, frames - 1),
    numbers: repeated(1, frames - 1),
  });
  expect(ready.map(Math.round)).toEqual(Array.from({ length: frames }, (_, index) => START_MS + 20 * index));
});

test('what was encoded decodes to the tone that it was, and tells its level', () => {
  const { framer: one, link, packets } = framer();
  const tone = new Tone(RATE, 1_000, -20);
  const samples = new Int16Array(1_024);
  for (let index = 0; index < 50; index++) {
    tone.fill(samples);
    const stereo = Int16Array.from({ length: 2_048 }, (_, at) => samples[at >> 1]!);
    one.push(stereo, START_MS + (index * 1_024_000) / RATE);
  }
  const decoder = new OpusDecoder(RATE);
  const meter = new ToneMeter(RATE);
  const decoded = new Int16Array(FRAME_TICKS);
  for (const { payload } of packets()) {
    expect(decoder.decode(payload, decoded)).toBe(FRAME_TICKS);
    meter.push(decoded);
  }
  expect(meter.level(1_000)).toBeCloseTo(-20, 0);
  expect(link.sent.map((packet) => readAudioLevel(packet, AUDIO_LEVEL_ID))).toEqual(
    repeated(-23, packets().length),
  );
});

test('the level that is told is that of the samples', () => {
  const { framer: one, link } = framer();
  for (const [index, value] of [0, 50, 200].entries()) {
    one.push(new Int16Array(2 * FRAME_TICKS).fill(value), START_MS + 20 * index);
  }
  expect(link.sent.map((packet) => readAudioLevel(packet, AUDIO_LEVEL_ID))).toEqual([-127, -56, -44]);
});

test('a frame that has only begun when there is a gap is forgotten, and the next one has the time of its audio', () => {
  const { push, packets, ready } = framer();
  push(START_MS);
  push(START_MS + 20, 500);
  push(START_MS + 1_000);
  expect(steps(packets())).toEqual({ ticks: [48_000], numbers: [1] });
  expect(ready).toEqual([START_MS, START_MS + 1_000]);
});

test('audio that comes up to a frame early or late goes on in the frame that has begun', () => {
  const { push, ready } = framer();
  push(START_MS, 480);
  push(START_MS + 10 + 20, 960);
  push(START_MS + 10 + 20 + 20 - 20, 480);
  expect(ready).toEqual([START_MS, START_MS + 40]);
});
