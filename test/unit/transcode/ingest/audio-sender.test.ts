import { describe, expect, test } from 'vitest';
import { AUDIO_LEVEL_ID, readAudioLevel } from '../../../../src/media/rtp/audio-level.ts';
import { audioSender, repeated, steps } from '../../support/sent-audio.ts';

const FRAME_TICKS = 960;
const START_MS = 10_000;

function sender(options: Parameters<typeof audioSender>[0] = {}) {
  const all = audioSender(options);
  /** Sends a frame of 20 ms of Opus. */
  const push = (sourceMs: number) =>
    all.sender.send(sourceMs, FRAME_TICKS, -127, (packet, at) => packet.write('opus', at));
  return { ...all, push };
}

describe('a frame', () => {
  test('goes out as one packet, with what was written into it', () => {
    const { sender: one, packets, ready } = sender();
    for (const [index, text] of ['first', 'next'].entries()) {
      one.send(START_MS + 20 * index, FRAME_TICKS, -30, (packet, at) => packet.write(text, at));
    }
    expect(packets().map(({ payload }) => payload.toString())).toEqual(['first', 'next']);
    expect(packets()[0]).toMatchObject({ payloadType: 100, ssrc: 0x89abcdef, marker: false });
    expect(steps(packets())).toEqual({ ticks: [FRAME_TICKS], numbers: [1] });
    expect([ready, one.packetsSent]).toEqual([[START_MS, START_MS + 20], 2]);
  });

  test('tells its level, and whether it counts as speech', () => {
    const { sender: one, link } = sender();
    for (const [index, levelDb] of [-127, -50, -49, -0.4].entries()) {
      one.send(START_MS + 20 * index, FRAME_TICKS, levelDb, () => 1);
    }
    expect(link.sent.map((packet) => readAudioLevel(packet, AUDIO_LEVEL_ID))).toEqual([-127, -50, -49, -0]);
    // In the header extension behind the 12 bytes of the header: its sixth byte (RFC 6464, section 3).
    expect(link.sent.map((packet) => packet[17]! >> 7)).toEqual([0, 0, 1, 1]);
  });

  test('may be of any length', () => {
    const { sender: one, packets } = sender();
    let ms = START_MS;
    for (const lengthMs of [2.5, 60, 20, 120]) {
      one.send(ms, lengthMs * 48, -127, () => 1);
      ms += lengthMs;
    }
    expect(steps(packets())).toEqual({ ticks: [120, 2_880, 960], numbers: [1, 1, 1] });
  });

  test('of G.711 has its time in ticks of 8 kHz', () => {
    const { sender: one, packets } = sender({ ticksPerMs: 8 });
    for (const ms of [0, 20, 40]) one.send(START_MS + ms, 160, -127, () => 160);
    expect(steps(packets())).toEqual({ ticks: [160, 160], numbers: [1, 1] });
  });
});

describe('the time of a packet', () => {
  test('goes on from somewhere else after a gap, and the number does not', () => {
    const { push, packets } = sender();
    for (const ms of [0, 20, 520, 540]) push(START_MS + ms);
    expect(steps(packets())).toEqual({ ticks: [960, 24_000, 960], numbers: [1, 1, 1] });
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

  test('of 8 kHz is made up for by a tick a frame', () => {
    const { sender: one, packets } = sender({ ticksPerMs: 8 });
    for (let index = 0; index < 10; index++) {
      one.send(START_MS + 20 * index + (index < 3 ? 0 : 0.5), 160, -127, () => 160);
    }
    expect(steps(packets()).ticks).toEqual([160, 160, ...repeated(161, 4), 160, 160, 160]);
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
    const all = sender({ maxWaitMs: 100 });
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
