import { describe, expect, test } from 'vitest';
import { AUDIO_LEVEL_ID, readAudioLevel } from '../../../../src/media/rtp/audio-level.ts';
import { parseRtp, type RtpPacket } from '../../../../src/media/rtp/rtp.ts';
import { OpusDecoder } from '../../../../transcode/audio/opus-codec.ts';
import { AudioSender } from '../../../../transcode/ingest/audio-sender.ts';
import { Tone } from '../../../signals/tone.ts';
import { ToneMeter } from '../../../signals/tone-meter.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { FakeLink } from '../../support/fake-link.ts';

const RATE = 48_000;
const FRAME_TICKS = 960;
const START_MS = 10_000;

function sender(maxWaitMs = 500) {
  const clock = new FakeClock();
  const link = new FakeLink();
  /** Source times of the frames that were ready. */
  const ready: number[] = [];
  const told: string[] = [];
  const one = new AudioSender(
    { link, ssrc: 0x89abcdef, payloadType: 100 },
    { bitrateBps: 96_000, maxWaitMs },
    clock,
    (frameMs) => ready.push(frameMs),
    () => told.push('closed'),
  );
  /** Pushes silence of so many samples. */
  const push = (sourceMs: number, samples = FRAME_TICKS) => one.push(new Int16Array(2 * samples), sourceMs);
  const packets = () => link.sent.map((packet) => parseRtp(packet)!);
  return { sender: one, clock, link, ready, told, push, packets };
}

/** @returns how far each is from the one before, modulo 2^32 and 2^16 */
function steps(packets: readonly RtpPacket[]): { ticks: number[]; numbers: number[] } {
  const pairs = packets.slice(1).map((packet, index) => [packets[index]!, packet] as const);
  return {
    ticks: pairs.map(([one, next]) => (next.timestamp - one.timestamp) | 0),
    numbers: pairs.map(([one, next]) => (next.sequenceNumber - one.sequenceNumber) & 0xffff),
  };
}

function repeated<T>(value: T, count: number): T[] {
  return new Array(count).fill(value);
}

describe('sound becomes Opus', () => {
  test('of 20 ms a packet, in order, however it is cut', () => {
    const cuts = [960, 1_024, 1, 2_048, 100, 4_000];
    const { push, packets, ready } = sender();
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
    expect(packets()[0]).toMatchObject({ payloadType: 100, ssrc: 0x89abcdef, marker: false });
    expect(ready.map(Math.round)).toEqual(
      Array.from({ length: frames }, (_, index) => START_MS + 20 * index),
    );
  });

  test('that decodes to the tone that it was, and tells its level', () => {
    const { sender: one, link, packets } = sender();
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

  test('that says whether it is to count as speech', () => {
    const { sender: one, link } = sender();
    for (const [index, value] of [0, 50, 200].entries()) {
      one.push(new Int16Array(2 * FRAME_TICKS).fill(value), START_MS + 20 * index);
    }
    // In the header extension behind the 12 bytes of the header: its sixth byte (RFC 6464, section 3).
    expect(link.sent.map((packet) => [packet[17]! >> 7, -(packet[17]! & 0x7f)])).toEqual([
      [0, -127],
      [0, -56],
      [1, -44],
    ]);
  });
});

describe('the time of a packet', () => {
  test('goes on from somewhere else after a gap, and the number does not', () => {
    const { push, packets } = sender();
    for (const ms of [0, 20, 520, 540]) push(START_MS + ms);
    expect(steps(packets())).toEqual({ ticks: [960, 24_000, 960], numbers: [1, 1, 1] });
  });

  test('is that of the sound behind a gap, when it came in the middle of a frame', () => {
    const { push, packets, ready } = sender();
    push(START_MS);
    push(START_MS + 20, 500);
    push(START_MS + 1_000);
    expect(steps(packets())).toEqual({ ticks: [48_000], numbers: [1] });
    expect(ready).toEqual([START_MS, START_MS + 1_000]);
  });

  test.each<[number, number]>([
    [10, 965],
    [20, 965],
    [-10, 955],
    [-20, 955],
  ])('makes up for %i ms little by little', (offMs, step) => {
    const { push, packets } = sender();
    const before = 5;
    const frames = Math.abs(offMs) * 48 * (1 / 5);
    for (let index = 0; index < before + frames + 5; index++) {
      push(START_MS + 20 * index + (index >= before ? offMs : 0));
    }
    expect(steps(packets()).ticks).toEqual([
      ...repeated(960, before - 1),
      ...repeated(step, frames),
      ...repeated(960, 5),
    ]);
  });

  test('does not make up for more than a frame: it jumps', () => {
    const { push, packets } = sender();
    for (const ms of [0, 20, 61, 81]) push(START_MS + ms);
    expect(steps(packets()).ticks).toEqual([960, 41 * 48, 960]);
  });

  test.each([200, -200])('follows a source that is %i ppm off', (ppm) => {
    const { push, packets } = sender();
    for (let index = 0; index <= 300; index++) push(START_MS + 20 * index * (1 + ppm / 1e6));
    const all = packets();
    const elapsed = (all.at(-1)!.timestamp - all[0]!.timestamp) | 0;
    expect(elapsed).toBe(Math.round(300 * 960 * (1 + ppm / 1e6)));
  });
});

test('sound that lies before what was sent is dropped, and then it goes on', () => {
  const { sender: one, push, packets } = sender();
  for (let ms = 0; ms < 200; ms += 20) push(START_MS + ms);
  for (let ms = 100; ms < 260; ms += 20) push(START_MS + ms);
  // Of the second run, 100 to 160 ms: 180 is but a frame before 200, which is made up for.
  expect(one.dropped).toBe(4);
  expect(packets()).toHaveLength(14);
  expect(steps(packets())).toEqual({
    ticks: [...repeated(960, 9), ...repeated(955, 4)],
    numbers: repeated(1, 13),
  });
});

describe('sound is held back', () => {
  /** Pushes frames as they would come. @returns the delay after each */
  function play(all: ReturnType<typeof sender>, frames: number, firstFrame = 0): number[] {
    return Array.from({ length: frames }, (_, index) => {
      all.push(START_MS + 20 * (firstFrame + index));
      const { delayMs } = all.sender;
      all.clock.advance(20);
      return delayMs;
    });
  }

  test('by what is wanted, in steps of 1 ms a frame, to within 15 ms', () => {
    const all = sender();
    all.sender.wantedDelayMs = 100;
    expect(play(all, 100)).toEqual([
      ...Array.from({ length: 85 }, (_, index) => index + 1),
      ...repeated(85, 15),
    ]);
    all.sender.wantedDelayMs = 60;
    expect(play(all, 20, 100)).toEqual([84, 83, 82, 81, 80, 79, 78, 77, 76, ...repeated(75, 11)]);
  });

  test('and not any more in the end', () => {
    const all = sender();
    all.sender.wantedDelayMs = 40;
    play(all, 25);
    all.sender.wantedDelayMs = 0;
    expect(play(all, 13, 25)).toEqual([24, 23, 22, 21, 20, 19, 18, 17, 16, 0, 0, 0, 0]);
  });

  test('not for less than what is heard', () => {
    const all = sender();
    all.sender.wantedDelayMs = 15;
    expect(play(all, 5)).toEqual(repeated(0, 5));
  });

  test('and goes out in its order when its time has come', () => {
    const all = sender();
    const { sender: one, clock, push, packets } = all;
    one.wantedDelayMs = 65;
    play(all, 60);
    clock.advance(100);
    expect([one.delayMs, packets().length]).toEqual([50, 60]);
    for (let frame = 60; frame < 63; frame++) {
      push(START_MS + 20 * frame);
      clock.advance(10);
    }
    const counts = [19, 1, 9, 1, 9, 1, 100].map((ms) => {
      clock.advance(ms);
      return packets().length;
    });
    expect(counts).toEqual([60, 61, 61, 62, 62, 63, 63]);
    expect(steps(packets()).numbers).toEqual(repeated(1, 62));
    expect([one.packetsSent, clock.pending]).toEqual([63, 0]);
  });

  test('no more of it than the longest delay and 160 ms: what has no room is dropped', () => {
    const all = sender(100);
    const { sender: one, clock, push, packets } = all;
    one.wantedDelayMs = 100;
    play(all, 90);
    clock.advance(200);
    const before = packets().length;
    for (let frame = 90; frame < 110; frame++) push(START_MS + 20 * frame);
    expect(one.dropped).toBe(20 - 13);
    clock.advance(200);
    push(START_MS + 20 * 110);
    clock.advance(200);
    expect(packets()).toHaveLength(before + 14);
    expect(steps(packets().slice(before))).toEqual({
      // It says that some are missing.
      ticks: [...repeated(960, 12), 8 * 960],
      numbers: repeated(1, 13),
    });
  });
});

test('who owns it is told when the link is gone', () => {
  const { link, told } = sender();
  link.close();
  expect(told).toEqual(['closed']);
});

test('closed, it sends nothing more, and leaves nothing behind', () => {
  const { sender: one, clock, link, push } = sender();
  one.wantedDelayMs = 100;
  for (let index = 0; index < 90; index++) {
    push(START_MS + 20 * index);
    clock.advance(20);
  }
  const sent = link.sent.length;
  one.close();
  clock.advance(1_000);
  expect(link.sent).toHaveLength(sent);
  expect([link.listeners, clock.pending]).toEqual([0, 0]);
});
