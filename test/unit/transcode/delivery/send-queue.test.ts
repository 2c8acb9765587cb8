import { describe, expect, test } from 'vitest';
import { type AccessUnit, isVideo } from '../../../../src/media/access-unit.ts';
import { SendQueue } from '../../../../transcode/delivery/send-queue.ts';
import { seededRandom } from '../../../signals/random.ts';
import { AUDIO, unit, VIDEO, videoFormat, word } from './program.ts';

const LIMITS = { maxBytes: 1_000, maxAgeMs: 2_000 };

/** Units come at their own times. */
function fill(queue: SendQueue, texts: string, bytes = 10): void {
  for (const one of texts.split(' ').map((text) => unit(text, bytes))) queue.push(one, one.dtsUs / 1000);
}

function empty(queue: SendQueue): string {
  const words: string[] = [];
  for (let one = queue.shift(0); one; one = queue.shift(0)) words.push(word(one));
  return words.join(' ');
}

test('what is not late comes out of the queue as it went in', () => {
  const queue = new SendQueue(LIMITS);
  const all = 'vk0 a0 v500 a700 v1000 vk1500 a1600 v2000';
  fill(queue, all);
  expect([queue.length, queue.bytes]).toEqual([8, 80]);
  expect(empty(queue)).toBe(all);
  expect([queue.length, queue.bytes, queue.framesDropped, queue.audioDropped]).toEqual([0, 0, 0, 0]);
});

describe('what waited too long is left out', () => {
  test.each<[string, string, string, number, number]>([
    ['video up to the next key frame', 'vk0 v500 v1000 vk1500 v2001', 'vk1500 v2001', 3, 0],
    ['all video, when there is no key frame yet', 'vk0 v500 v1000 v2001', '', 4, 0],
    [
      'the video that comes until there is a key frame',
      'vk0 v500 v2001 v2500 v3000 vk3500 v4000',
      'vk3500 v4000',
      5,
      0,
    ],
    ['key frames that are late themselves', 'vk0 v100 vk200 v300 vk2000 v2301', 'vk2000 v2301', 4, 0],
    ['audio one by one', 'a0 a500 a1000 a2100', 'a500 a1000 a2100', 0, 1],
    ['each kind for itself', 'a0 vk1000 a1500 v1700 a2900', 'vk1000 a1500 v1700 a2900', 0, 1],
    ['video, and not the audio among it', 'vk0 a100 v200 a300 vk1900 v2050', 'a100 a300 vk1900 v2050', 2, 0],
  ])('%s', (_, given, left, video, audio) => {
    const queue = new SendQueue(LIMITS);
    fill(queue, given);
    const bytes = 10 * left.split(' ').filter((text) => text !== '').length;
    expect(queue.bytes).toBe(bytes);
    expect(empty(queue)).toBe(left);
    expect([queue.framesDropped, queue.audioDropped]).toEqual([video, audio]);
  });

  test('what waited exactly as long as it may is not left out', () => {
    const queue = new SendQueue(LIMITS);
    fill(queue, 'vk0 a0 v2000');
    expect(empty(queue)).toBe('vk0 a0 v2000');
  });

  test('what was given out is no reason to leave anything out, and what refers to it may follow', () => {
    const queue = new SendQueue(LIMITS);
    queue.push(unit('vk0'), 0);
    queue.push(unit('v1500'), 1_500);
    expect(word(queue.shift(1_500)!)).toBe('vk0');
    queue.push(unit('v3000'), 3_000);
    expect(empty(queue)).toBe('v1500 v3000');
  });

  test('only what waits long is late, whatever its own time', () => {
    const queue = new SendQueue(LIMITS);
    for (const text of ['vk0', 'v4000', 'v9000']) queue.push(unit(text), 10_000);
    expect(empty(queue)).toBe('vk0 v4000 v9000');
  });
});

describe('what is too much is left out', () => {
  test.each<[string, string, string, number, number]>([
    ['video up to the next key frame', 'vk0 v1 v2 vk3 v4', 'vk3 v4', 3, 0],
    ['all video', 'vk0 a0 v1 v2 a3', 'a0 a3', 3, 0],
    ['the oldest audio, when there is no video', 'a0 a1 a2 a3 a4', 'a1 a2 a3 a4', 0, 1],
    ['a key frame at the front too', 'vk0 vk1 vk2 vk3 vk4', 'vk1 vk2 vk3 vk4', 1, 0],
  ])('%s', (_, given, left, video, audio) => {
    const queue = new SendQueue(LIMITS);
    fill(queue, given, given.includes('a3') && given.includes('vk') ? 210 : 240);
    expect(empty(queue)).toBe(left);
    expect([queue.framesDropped, queue.audioDropped]).toEqual([video, audio]);
  });

  test('a frame larger than everything is left out, with those that refer to it', () => {
    const queue = new SendQueue(LIMITS);
    queue.push(unit('vk0', 1_001), 0);
    queue.push(unit('v1'), 1);
    expect([queue.length, queue.bytes, queue.framesDropped]).toEqual([0, 0, 2]);
    queue.push(unit('vk2'), 2);
    expect(empty(queue)).toBe('vk2');
  });
});

test('a unit that comes out still has the format it came with, whatever was left out before it', () => {
  const queue = new SendQueue(LIMITS);
  const another = videoFormat();
  fill(queue, 'vk0 v100');
  queue.push(unit('vk1900', 10, { video: another, audio: AUDIO }), 1_900);
  queue.push(unit('v2101', 10, { video: another, audio: AUDIO }), 2_101);
  expect(queue.framesDropped).toBe(2);
  expect(queue.shift(2_101)!.format).toBe(another);
  expect(another).not.toBe(VIDEO);
});

test('the first video frame, and the first after all was forgotten, has to be a key frame', () => {
  const queue = new SendQueue(LIMITS);
  fill(queue, 'v0 a0 vk10 v20');
  expect(empty(queue)).toBe('a0 vk10 v20');
  fill(queue, 'vk30 v40');
  queue.clear();
  expect([queue.length, queue.bytes]).toEqual([0, 0]);
  fill(queue, 'v50 vk60');
  expect(empty(queue)).toBe('vk60');
});

test('it tells for how long nothing was taken', () => {
  const queue = new SendQueue(LIMITS);
  expect(queue.blockedMs(5)).toBe(0);
  queue.push(unit('vk0'), 10);
  queue.push(unit('a0'), 20);
  expect(queue.blockedMs(110)).toBe(100);
  queue.shift(110);
  expect(queue.blockedMs(150)).toBe(40);
  queue.push(unit('v9'), 3_000); // the audio is left out, it is too old; that takes nothing
  expect(queue.blockedMs(3_110)).toBe(3_000);
  queue.shift(3_110);
  expect(queue.blockedMs(9_000)).toBe(0);
});

test('the order stays, however long the queue is filled and never empty', () => {
  const queue = new SendQueue(LIMITS);
  queue.push(unit('a0'), 0);
  for (let ms = 1; ms <= 5_000; ms++) {
    queue.push(unit(`a${ms}`), ms);
    expect(queue.shift(ms)!.dtsUs).toBe((ms - 1) * 1000);
  }
  expect([queue.length, queue.bytes]).toEqual([1, 10]);
});

test('whatever comes and is taken, its bounds hold and every video frame has those it refers to', () => {
  const random = seededRandom(7);
  const limits = { maxBytes: 3_000, maxAgeMs: 300 };
  const queue = new SendQueue(limits);
  let taken = 0;
  let broken = 0;
  let last: AccessUnit | undefined;
  const predecessors = new Map<AccessUnit, AccessUnit | undefined>();
  const formats = { video: VIDEO, audio: AUDIO };
  let previous: AccessUnit | undefined;
  for (let ms = 0; ms < 60_000; ms += 5) {
    const key = random() < 0.05;
    if (key && random() < 0.3) formats.video = videoFormat();
    const one = unit(`v${key || ms === 0 ? 'k' : ''}${ms}`, Math.floor(random() * 100), formats);
    predecessors.set(one, key ? undefined : previous);
    previous = one;
    queue.push(one, ms);
    if (random() < 0.4) queue.push(unit(`a${ms}`), ms);
    expect(queue.bytes).toBeLessThanOrEqual(limits.maxBytes);
    // It takes more at some times than at others.
    const patience = ms % 6_000 < 3_000 ? 0.3 : 3;
    for (let budget = random() * patience; budget > 0.2; budget -= 0.5) {
      const next = queue.shift(ms);
      if (!next) break;
      taken++;
      if (!isVideo(next)) continue;
      const predecessor = predecessors.get(next);
      if (predecessor && (predecessor !== last || predecessor.format !== next.format)) broken++;
      expect(ms - next.dtsUs / 1000).toBeLessThanOrEqual(limits.maxAgeMs);
      last = next;
    }
  }
  expect(broken).toBe(0);
  expect(taken).toBeGreaterThan(3_000);
  expect(queue.framesDropped).toBeGreaterThan(1_000);
});
