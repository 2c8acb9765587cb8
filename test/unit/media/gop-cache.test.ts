import { describe, expect, test } from 'vitest';
import { type CachedPicture, GopCache } from '../../../src/media/gop-cache.ts';

interface Frame extends CachedPicture {
  readonly showMs: number;
}

const SMALL = Buffer.alloc(10);
const MEBIBYTE = Buffer.alloc(2 ** 20);

function frame(showMs: number, key = false, data = SMALL): Frame {
  return { data, showMs, key };
}

function times(cache: GopCache<Frame>): number[] {
  return cache.frames.map(({ showMs }) => showMs);
}

test('it holds what came since the last key frame, with that first', () => {
  const cache = new GopCache<Frame>();
  cache.add(frame(0));
  expect(times(cache)).toEqual([]);
  for (const one of [frame(40, true), frame(80), frame(120)]) cache.add(one);
  expect(times(cache)).toEqual([40, 80, 120]);
  cache.add(frame(160, true));
  expect(times(cache)).toEqual([160]);
  cache.clear();
  cache.add(frame(200));
  expect(times(cache)).toEqual([]);
});

describe('beyond its bounds it is empty until the next key frame', () => {
  test('1200 pictures', () => {
    const cache = new GopCache<Frame>();
    cache.add(frame(0, true));
    for (let index = 1; index < 1_200; index++) cache.add(frame(index));
    expect(cache.frames).toHaveLength(1_200);
    cache.add(frame(1_200));
    expect(cache.frames).toHaveLength(0);
    cache.add(frame(1_201));
    expect(cache.frames).toHaveLength(0);
    cache.add(frame(1_202, true));
    expect(times(cache)).toEqual([1_202]);
  });

  test('24 MiB', () => {
    const cache = new GopCache<Frame>();
    cache.add(frame(0, true, MEBIBYTE));
    for (let index = 1; index < 24; index++) cache.add(frame(index, false, MEBIBYTE));
    expect(cache.frames).toHaveLength(24);
    cache.add(frame(24));
    expect(cache.frames).toHaveLength(0);
    // The bytes of those that went do not count.
    cache.add(frame(25, true, MEBIBYTE));
    for (let index = 26; index < 49; index++) cache.add(frame(index, false, MEBIBYTE));
    expect(cache.frames).toHaveLength(24);
  });
});
