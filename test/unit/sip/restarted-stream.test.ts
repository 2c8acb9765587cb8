import { describe, expect, test } from 'vitest';
import { PassThrough } from '../../../gateways/sip/media/pass-through.ts';
import { sequenceDistance, timestampDistance } from '../../../src/media/rtp/sequence.ts';
import { keepingLink } from '../support/kept-packets.ts';
import { phoneCall } from '../support/phone-call.ts';
import { flat } from '../support/sounds.ts';

/*
 * A phone may begin its stream anew at any time: with another SSRC after a transfer or when ringing is followed by the
 * answer, or with other numbers of the same one. Browsers get one stream, whose packets SRTP drops where numbers go back.
 */

const HUB_SSRC = 0x11223344;
const A = 0xa;
const B = 0xb;
/** A packet: SSRC and sequence number; undefined is one that browsers do not get. */
type Step = readonly [ssrc: number, sequenceNumber: number] | undefined;

/** Numbers that so many packets have which follow one another. */
function run(ssrc: number, from: number, count: number): Step[] {
  return Array.from({ length: count }, (_, index) => [ssrc, (from + index) & 0xffff] as const);
}

function passedOn(steps: readonly Step[]): number[] {
  const { link, sent } = keepingLink();
  const pass = new PassThrough(link, HUB_SSRC, 100);
  let timestamp = 0;
  for (const step of steps) {
    timestamp += 160;
    if (!step) pass.leaveOut();
    else {
      const [ssrc, sequenceNumber] = step;
      const payload = Buffer.from('voice');
      const header = { payloadType: 0, marker: false, timestamp, ssrc, sequenceNumber };
      pass.forward({ ...header, payload }, -30, true);
    }
  }
  expect(new Set(sent().map(({ ssrc }) => ssrc))).toEqual(new Set([HUB_SSRC]));
  return sent().map(({ sequenceNumber }) => sequenceNumber);
}

describe("a passed-through stream's sequence numbers go on one by one", () => {
  test.each<[string, Step[]]>([
    ['after another SSRC with lower numbers', [...run(A, 50_000, 5), ...run(B, 20_000, 5)]],
    ['after another SSRC with higher numbers', [...run(A, 1_000, 5), ...run(B, 30_000, 5)]],
    ['after another SSRC half way round', [...run(A, 1_000, 5), ...run(B, 33_773, 5)]],
    ['after another SSRC with numbers a little lower', [...run(A, 1_000, 50), ...run(B, 1_020, 5)]],
    ['after another SSRC with the same numbers', [...run(A, 1_000, 5), ...run(B, 1_000, 5)]],
    ['where the same SSRC jumps back', [...run(A, 50_000, 5), ...run(A, 20_000, 5)]],
    ['where the same SSRC jumps far ahead', [...run(A, 1_000, 5), ...run(A, 30_000, 5)]],
    ['where the same SSRC begins at 0 again', [...run(A, 700, 5), ...run(A, 0, 5)]],
    ['where the same SSRC jumps back past the wrap', [...run(A, 100, 5), ...run(A, 65_000, 5)]],
    ['after another SSRC around the wrap', [...run(A, 65_534, 5), ...run(B, 65_533, 5)]],
    ['after a third SSRC', [...run(A, 9_000, 3), ...run(B, 100, 3), ...run(0xc, 40_000, 3)]],
    ['back at the first SSRC', [...run(A, 9_000, 3), ...run(B, 100, 3), ...run(A, 9_003, 3)]],
    ['where a stream is ended by packets left out', [...run(A, 9_000, 3), undefined, ...run(B, 100, 3)]],
    ['where a stream begins unheard', [...run(A, 9_000, 3), undefined, undefined, ...run(B, 102, 3)]],
  ])('%s', (_, steps) => {
    const numbers = passedOn(steps);
    expect(numbers.slice(1).map((number, index) => sequenceDistance(number, numbers[index]!))).toEqual(
      new Array(numbers.length - 1).fill(1),
    );
  });

  test.each<[string, Step[]]>([
    ['of a stray packet in between', [...run(A, 9_000, 5), [A, 40_000], ...run(A, 9_005, 5)]],
    [
      'of two streams at once',
      Array.from(
        { length: 20 },
        (_, index) => [index % 2 ? A : B, index % 2 ? 9_000 + index : index] as const,
      ),
    ],
    [
      'of the last packets of the stream before',
      [...run(A, 9_000, 5), [B, 100], [A, 9_005], [B, 101], [A, 9_006], [B, 102]],
    ],
  ])('and never repeat for all %s', (_, steps) => {
    const numbers = passedOn(steps);
    for (const [index, number] of numbers.slice(1).entries()) {
      const step = sequenceDistance(number, numbers[index]!);
      expect(step).toBeGreaterThan(0);
      expect(step).toBeLessThanOrEqual(10);
    }
  });

  test('and what is lost or overtaken after a new start is still seen', () => {
    const [first, ...others] = passedOn([
      ...run(A, 50_000, 1),
      ...[100, 101, 104, 103, 110].map((n) => [B, n] as const),
    ]);
    expect(others.map((number) => sequenceDistance(number, first!))).toEqual([1, 2, 5, 4, 11]);
  });
});

/** Packets of a phone, 20 ms after one another, on their way to browsers. @returns timestamps as browsers get them, from 0 on */
async function timesOf(
  packets: readonly { ssrc?: number; number: number; timestamp: number; afterMs?: number }[],
): Promise<number[]> {
  const { media, remote, send, clock } = await phoneCall();
  const { link, sent } = keepingLink();
  media.start(remote, 30_000);
  media.pass(link, HUB_SSRC, 100);
  for (const { ssrc = A, number, timestamp, afterMs = 20 } of packets) {
    clock.advance(afterMs);
    await send(flat(1000), { ssrc, sequenceNumber: number & 0xffff, timestamp: timestamp >>> 0 });
  }
  const [first, ...others] = sent().map(({ timestamp }) => timestamp);
  return others.map((timestamp) => timestampDistance(timestamp, first!));
}

describe("a passed-through stream's timestamps go on with the time that passes", () => {
  const before = [0, 1, 2, 3].map((index) => ({ number: 100 + index, timestamp: 5_000_000 + 160 * index }));
  /** The fifth packet and two more. */
  const after = (number: number, timestamp: number, more: { ssrc?: number; afterMs?: number } = {}) =>
    [0, 1, 2].map((index) => ({
      ...(more.ssrc === undefined ? {} : { ssrc: more.ssrc }),
      number: number + index,
      timestamp: timestamp + 160 * index,
      ...(index === 0 && more.afterMs ? { afterMs: more.afterMs } : {}),
    }));

  test.each<[string, ReturnType<typeof after>]>([
    ['after another SSRC', after(40_000, 3_000_000_000, { ssrc: B })],
    ['after another SSRC with the same sequence numbers', after(104, 77, { ssrc: B })],
    ['after other sequence numbers', after(40_000, 1_000)],
    ['where timestamps alone begin anew', after(104, 0)],
    ['where timestamps alone jump ahead', after(104, 5_000_000 + 8_000 * 3_600)],
    ['where timestamps alone jump half way round', after(104, 5_000_000 + 2 ** 31)],
  ])('%s', async (_, packets) => {
    const times = await timesOf([...before, ...packets]);
    expect(times).toHaveLength(6);
    for (const [index, time] of times.entries()) {
      // A frame more or less is no matter, as long as it never goes back.
      expect(Math.abs(time - 160 * (index + 1))).toBeLessThanOrEqual(160);
      expect(time).toBeGreaterThan(times[index - 1] ?? 0);
    }
  });

  test.each([1_000, 10_000, 120_000])('after another SSRC that comes %i ms later', async (afterMs) => {
    const times = await timesOf([...before, ...after(40_000, 12, { ssrc: B, afterMs })]);
    expect(Math.abs(times[3]! - (480 + 8 * afterMs))).toBeLessThanOrEqual(160);
    expect(times[4]! - times[3]!).toBe(160);
  });

  test('and a pause that the phone makes while nobody speaks stays as long as it was', async () => {
    const pause = after(104, 5_000_000 + 640 + 8 * 5_000, { afterMs: 5_020 });
    const times = await timesOf([...before, ...pause, ...after(9, 9, { ssrc: B, afterMs: 3_020 })]);
    const expected = [160, 320, 480, 40_640, 40_800, 40_960, 65_120, 65_280, 65_440];
    for (const [index, time] of times.entries()) {
      expect(Math.abs(time - expected[index]!)).toBeLessThanOrEqual(160);
    }
  });
});
