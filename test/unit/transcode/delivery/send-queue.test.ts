import { describe, expect, test } from 'vitest';
import { SendQueue } from '../../../../transcode/delivery/send-queue.ts';
import { seededRandom } from '../../../signals/random.ts';
import { packet, word } from './program.ts';

const LIMITS = { maxBytes: 1_000, maxAgeMs: 2_000 };

/** Packets come at their own times, configs excepted, which come with the one before. */
function fill(queue: SendQueue, texts: string, bytes = 10): void {
  let now = 0;
  for (const one of texts.split(' ').map((text) => packet(text, bytes))) {
    if (one.packet === 'frame') now = one.timestampMs;
    queue.push(one, now);
  }
}

function empty(queue: SendQueue): string {
  const words: string[] = [];
  for (let one = queue.shift(0); one; one = queue.shift(0)) words.push(word(one));
  return words.join(' ');
}

test('what is not late comes out as it went in', () => {
  const queue = new SendQueue(LIMITS);
  const all = 'vc0 ac0 vk0 a0 v500 a700 v1000 vk1500 a1600 v2000';
  fill(queue, all);
  expect([queue.length, queue.bytes]).toEqual([10, 100]);
  expect(empty(queue)).toBe(all);
  expect([queue.length, queue.bytes, queue.framesDropped, queue.soundsDropped]).toEqual([0, 0, 0, 0]);
});

describe('too late', () => {
  test.each<[string, string, string, number, number]>([
    ['pictures up to the next key frame', 'vk0 v500 v1000 vk1500 v2001', 'vk1500 v2001', 3, 0],
    ['all pictures, when there is no key frame yet', 'vk0 v500 v1000 v2001', '', 4, 0],
    [
      'and those that come until there is one',
      'vk0 v500 v2001 v2500 v3000 vk3500 v4000',
      'vk3500 v4000',
      5,
      0,
    ],
    ['key frames that are late themselves', 'vk0 v100 vk200 v300 vk2000 v2301', 'vk2000 v2301', 4, 0],
    ['sounds one by one', 'a0 a500 a1000 a2100', 'a500 a1000 a2100', 0, 1],
    ['each kind for itself', 'a0 vk1000 a1500 v1700 a2900', 'vk1000 a1500 v1700 a2900', 0, 1],
    [
      'pictures, and not the sound among them',
      'vk0 a100 v200 a300 vk1900 v2050',
      'a100 a300 vk1900 v2050',
      2,
      0,
    ],
  ])('%s', (_, given, left, pictures, sounds) => {
    const queue = new SendQueue(LIMITS);
    fill(queue, given);
    const bytes = 10 * left.split(' ').filter((text) => text !== '').length;
    expect(queue.bytes).toBe(bytes);
    expect(empty(queue)).toBe(left);
    expect([queue.framesDropped, queue.soundsDropped]).toEqual([pictures, sounds]);
  });

  test('exactly as long as it may is not', () => {
    const queue = new SendQueue(LIMITS);
    fill(queue, 'vk0 a0 v2000');
    expect(empty(queue)).toBe('vk0 a0 v2000');
  });

  test('what was given out is no reason, and what refers to it may follow', () => {
    const queue = new SendQueue(LIMITS);
    queue.push(packet('vk0'), 0);
    queue.push(packet('v1500'), 1_500);
    expect(word(queue.shift(1_500)!)).toBe('vk0');
    queue.push(packet('v3000'), 3_000);
    expect(empty(queue)).toBe('v1500 v3000');
  });

  test('late is what waits long, whatever its own time', () => {
    const queue = new SendQueue(LIMITS);
    for (const text of ['vk0', 'v4000', 'v9000']) queue.push(packet(text), 10_000);
    expect(empty(queue)).toBe('vk0 v4000 v9000');
  });
});

describe('too much', () => {
  test.each<[string, string, string, number, number]>([
    ['pictures up to the next key frame', 'vk0 v1 v2 vk3 v4', 'vk3 v4', 3, 0],
    ['all pictures', 'vk0 a0 v1 v2 a3', 'a0 a3', 3, 0],
    ['the oldest sound, when there are no pictures', 'a0 a1 a2 a3 a4', 'a1 a2 a3 a4', 0, 1],
    ['a key frame at the front too', 'vk0 vk1 vk2 vk3 vk4', 'vk1 vk2 vk3 vk4', 1, 0],
  ])('%s', (_, given, left, pictures, sounds) => {
    const queue = new SendQueue(LIMITS);
    fill(queue, given, given.includes('a3') && given.includes('vk') ? 210 : 240);
    expect(empty(queue)).toBe(left);
    expect([queue.framesDropped, queue.soundsDropped]).toEqual([pictures, sounds]);
  });

  test('a picture larger than everything', () => {
    const queue = new SendQueue(LIMITS);
    queue.push(packet('vk0', 1_001), 0);
    queue.push(packet('v1'), 1);
    expect([queue.length, queue.bytes, queue.framesDropped]).toEqual([0, 0, 2]);
    queue.push(packet('vk2'), 2);
    expect(empty(queue)).toBe('vk2');
  });
});

describe('configs', () => {
  test.each<[string, string, string]>([
    ['are kept without their pictures', 'vc0 vk0 v100 v2101', 'vc0'],
    ['stay in front of what needs them', 'vc0 ac0 vk0 v100 vc1900 vk1901 v2001', 'ac0 vc1900 vk1901 v2001'],
    ['of pictures and sound are told apart', 'vc0 ac0 vk0 a0 a2100 v2100', 'vc0 ac0 a2100'],
    ['that nothing follows give way to the next', 'vc0 vc1 vc2 ac0 ac1 vk5', 'vc2 ac1 vk5'],
    ['change in between', 'vc0 vk0 v1 vc2 vk2 v3', 'vc0 vk0 v1 vc2 vk2 v3'],
  ])('%s', (_, given, left) => {
    const queue = new SendQueue(LIMITS);
    fill(queue, given);
    expect(empty(queue)).toBe(left);
  });

  test('many of them do not fill it', () => {
    const queue = new SendQueue(LIMITS);
    for (let ms = 0; ms < 10_000; ms++) queue.push(packet(`${ms % 2 ? 'v' : 'a'}c${ms}`), ms);
    expect(empty(queue)).toBe('ac9998 vc9999');
  });
});

test('what comes first, or after all was forgotten, has to be a key frame', () => {
  const queue = new SendQueue(LIMITS);
  fill(queue, 'v0 a0 vk10 v20');
  expect(empty(queue)).toBe('a0 vk10 v20');
  fill(queue, 'vk30 v40');
  queue.clear();
  expect([queue.length, queue.bytes]).toEqual([0, 0]);
  fill(queue, 'v50 vk60');
  expect(empty(queue)).toBe('vk60');
});

test('how long nothing was taken', () => {
  const queue = new SendQueue(LIMITS);
  expect(queue.blockedMs(5)).toBe(0);
  queue.push(packet('vk0'), 10);
  queue.push(packet('a0'), 20);
  expect(queue.blockedMs(110)).toBe(100);
  queue.shift(110);
  expect(queue.blockedMs(150)).toBe(40);
  queue.push(packet('v9'), 3_000); // the sound is left out, it is too old; that takes nothing
  expect(queue.blockedMs(3_110)).toBe(3_000);
  queue.shift(3_110);
  expect(queue.blockedMs(9_000)).toBe(0);
});

test('the order stays, however long it is filled and never empty', () => {
  const queue = new SendQueue(LIMITS);
  queue.push(packet('a0'), 0);
  for (let ms = 1; ms <= 5_000; ms++) {
    queue.push(packet(`a${ms}`), ms);
    expect(queue.shift(ms)!.timestampMs).toBe(ms - 1);
  }
  expect([queue.length, queue.bytes]).toEqual([1, 10]);
});

test('whatever comes and is taken, its bounds hold and every picture has those it refers to', () => {
  const random = seededRandom(7);
  const limits = { maxBytes: 3_000, maxAgeMs: 300 };
  const queue = new SendQueue(limits);
  let taken = 0;
  let broken = 0;
  let last: number | undefined;
  let config = -1;
  const given = new Map<number, { predecessor: number | undefined; config: number }>();
  let previous: number | undefined;
  let current = -1;
  for (let ms = 0; ms < 60_000; ms += 5) {
    const key = random() < 0.05;
    if (key && random() < 0.3) {
      current = ms;
      queue.push(packet(`vc${ms}`, 5), ms);
    }
    given.set(ms, { predecessor: key ? undefined : previous, config: current });
    previous = ms;
    queue.push(packet(`v${key || ms === 0 ? 'k' : ''}${ms}`, Math.floor(random() * 100)), ms);
    if (random() < 0.4) queue.push(packet(`a${ms}`), ms);
    expect(queue.bytes).toBeLessThanOrEqual(limits.maxBytes);
    // It takes more at some times than at others.
    const patience = ms % 6_000 < 3_000 ? 0.3 : 3;
    for (let budget = random() * patience; budget > 0.2; budget -= 0.5) {
      const one = queue.shift(ms);
      if (!one) break;
      taken++;
      if (one.packet === 'config') config = one.timestampMs;
      if (one.packet === 'config' || one.kind === 'audio') continue;
      const { predecessor, config: needed } = given.get(one.timestampMs)!;
      if (predecessor !== undefined && predecessor !== last) broken++;
      if (needed !== config) broken++;
      expect(ms - one.timestampMs).toBeLessThanOrEqual(limits.maxAgeMs);
      last = one.timestampMs;
    }
  }
  expect(broken).toBe(0);
  expect(taken).toBeGreaterThan(3_000);
  expect(queue.framesDropped).toBeGreaterThan(1_000);
});
