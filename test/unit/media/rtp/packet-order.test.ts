import { describe, expect, test } from 'vitest';
import { PacketOrder } from '../../../../src/media/rtp/packet-order.ts';
import { seededRandom } from '../../../signals/random.ts';

/** What came out: numbers of packets, and gaps as `-3` for three missing ones, `restart` for a new start. */
function ordered() {
  const out: (number | string)[] = [];
  const order = new PacketOrder<{ number: number }>({
    packet: ({ number }) => out.push(number),
    gap: (missing) => out.push(missing === 0 ? 'restart' : `-${missing}`),
  });
  const push = (number: number, now = 0) => order.push(number & 0xffff, { number }, now);
  const taken = () => out.splice(0);
  return { order, push, taken };
}

describe('what comes', () => {
  test.each<[string, number[], (number | string)[], number]>([
    ['in order', [7, 8, 9], [7, 8, 9], 0],
    ['past 65535', [65_534, 65_535, 65_536, 65_537], [65_534, 65_535, 65_536, 65_537], 0],
    ['swapped', [1, 3, 2, 4], [1, 2, 3, 4], 0],
    ['swapped around 65535', [65_534, 65_537, 65_536, 65_535], [65_534, 65_535, 65_536, 65_537], 0],
    ['with two missing', [1, 3, 5, 4, 2], [1, 2, 3, 4, 5], 0],
    ['twice', [1, 1, 2, 2, 1], [1, 2], 3],
    ['twice, while one is waited for', [1, 3, 3, 2, 3], [1, 2, 3], 2],
    ['before the first one', [5, 4, 6], [5, 6], 1],
    ['missing', [1, 3, 4], [1], 0],
  ])('%s', (_, numbers, expected, discarded) => {
    const { order, push, taken } = ordered();
    for (const number of numbers) push(number);
    expect(taken()).toEqual(expected);
    expect([order.lost, order.discarded]).toEqual([0, discarded]);
  });
});

describe('a missing packet', () => {
  test('is given up when the first one after it has waited 150 ms', () => {
    const { order, push, taken } = ordered();
    push(1, 0);
    push(3, 1_000);
    push(4, 1_149);
    expect(taken()).toEqual([1]);
    push(5, 1_150);
    expect(taken()).toEqual(['-1', 3, 4, 5]);
    push(2, 1_151);
    push(6, 1_152);
    expect(taken()).toEqual([6]);
    expect([order.lost, order.discarded]).toEqual([1, 1]);
  });

  test('is taken if it is what comes after 150 ms', () => {
    const { push, taken } = ordered();
    push(1, 0);
    push(3, 0);
    push(2, 400);
    expect(taken()).toEqual([1, 2, 3]);
  });

  test('is waited for since it was missing, not since the one before it was', () => {
    const { push, taken } = ordered();
    push(1, 0);
    push(3, 0);
    push(5, 100);
    push(6, 150);
    expect(taken()).toEqual([1, '-1', 3]);
    push(7, 249);
    expect(taken()).toEqual([]);
    push(8, 250);
    expect(taken()).toEqual(['-1', 5, 6, 7, 8]);
  });

  test('is waited for since the first one after it came, even if that is not the next', () => {
    const { push, taken } = ordered();
    push(1, 0);
    push(9, 0);
    push(3, 140);
    push(2, 141);
    expect(taken()).toEqual([1, 2, 3]);
    push(10, 150);
    expect(taken()).toEqual(['-5', 9, 10]);
  });

  test('several are given up at once, each for itself', () => {
    const { push, taken } = ordered();
    for (const number of [1, 3, 6]) push(number, 0);
    push(7, 150);
    expect(taken()).toEqual([1, '-1', 3, '-2', 6, 7]);
  });

  test('is waited for no longer than 511 packets after it', () => {
    const { order, push, taken } = ordered();
    push(0);
    for (let number = 2; number <= 512; number++) push(number);
    expect(taken()).toEqual([0]);
    push(513);
    expect(taken()).toEqual(['-1', ...Array.from({ length: 512 }, (_, index) => index + 2)]);
    expect(order.lost).toBe(1);
  });

  test('is not waited for when the next that comes is 512 further', () => {
    const { push, taken } = ordered();
    push(0);
    push(513);
    expect(taken()).toEqual([0, '-512', 513]);
    push(1_025);
    expect(taken()).toEqual([]);
  });
});

describe('a source', () => {
  test.each([
    [3_000, [10, '-3000', 3_010]],
    [3_001, [10, 'restart', 3_011]],
    [-3_001, [10, 'restart', -2_991]],
    [-3_000, [10]],
    [32_767, [10, 'restart', 32_777]],
    [-32_768, [10, 'restart', -32_758]],
  ])('that jumps by %i', (step, expected) => {
    const { push, taken } = ordered();
    push(10);
    push(11 + step);
    expect(taken()).toEqual(
      expected.map((one, index) => (index > 0 && typeof one === 'number' ? one + 1 : one)),
    );
  });

  test('that starts anew loses nothing that had come before', () => {
    const { order, push, taken } = ordered();
    for (const number of [10, 12, 13, 40_000, 40_001, 40_003, 40_002]) push(number);
    expect(taken()).toEqual([10, '-1', 12, 13, 'restart', 40_000, 40_001, 40_002, 40_003]);
    expect(order.lost).toBe(1);
  });

  test('that starts anew a little way back is heard again after a second', () => {
    const { push, taken } = ordered();
    push(1_000, 0);
    for (let index = 0; index < 60; index++) push(200 + index, 5_000 + index * 20);
    expect(taken()).toEqual([1_000, 'restart', ...Array.from({ length: 10 }, (_, index) => 250 + index)]);
  });

  test('whose old packets come again and again does not start anew as long as new ones come', () => {
    const { push, taken } = ordered();
    for (let index = 0; index < 200; index++) {
      push(1_000 + index, index * 20);
      push(900 + index, index * 20);
    }
    expect(taken()).toEqual(Array.from({ length: 200 }, (_, index) => 1_000 + index));
  });
});

test('however they are delayed, doubled and lost, they come out in order, once, and none is kept over 150 ms', () => {
  const random = seededRandom(11);
  for (let round = 0; round < 20; round++) {
    const first = Math.floor(random() * 65_536);
    const sent = Array.from({ length: 1_000 }, (_, index) => index).flatMap((index) => {
      if (index > 0 && index < 990 && random() < 0.02) return [];
      const copies = random() < 0.05 ? 2 : 1;
      const lateMs = () => (index > 0 && random() < 0.1 ? random() * 140 : 0);
      return Array.from({ length: copies }, () => ({ number: first + index, at: index * 5 + lateMs() }));
    });
    const present = new Set(sent.map(({ number }) => number));
    const { order, push, taken } = ordered();
    for (const { number, at } of sent.toSorted((a, b) => a.at - b.at)) push(number, at);
    push(first + 1_000, 10_000);
    const out = taken();
    expect(out.filter((one) => typeof one === 'number')).toEqual([
      ...Array.from({ length: 1_000 }, (_, index) => first + index).filter((number) => present.has(number)),
      first + 1_000,
    ]);
    expect(order.lost).toBe(1_000 - present.size);
    expect(order.discarded).toBe(sent.length - present.size);
  }
});
