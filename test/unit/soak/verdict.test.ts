import { describe, expect, test } from 'vitest';
import type { RelayFrame } from '../../bench/relay-frame.ts';
import { slope } from '../../bench/slope.ts';
import { Continuity } from '../../soak/continuity.ts';
import { type Findings, judge } from '../../soak/verdict.ts';

const frame = (kind: RelayFrame['kind'], timestampMs: number, atMs: number): RelayFrame => ({
  ...{ key: 'soak', kind, isKey: false, timestampMs, shownMs: timestampMs, tail: '', atMs },
});

describe('what came is looked at', () => {
  test('gaps are told across looks, and each kind on its own', () => {
    const continuity = new Continuity();
    continuity.look([frame('video', 0, 1000), frame('audio', 10, 1010), frame('video', 33, 1033)]);
    const second = continuity.look([frame('audio', 31, 1031), frame('video', 733, 1740)]);
    expect(second).toEqual({ largestMs: { audio: 21, video: 700 }, lagMs: 7, frames: 2 });
    expect(continuity.gaps).toEqual([{ kind: 'video', ms: 700, atMs: 1740 }]);
    expect(continuity.look([])).toEqual({ largestMs: { audio: 0, video: 0 }, lagMs: 0, frames: 0 });
    expect(continuity.largestMs).toEqual({ audio: 21, video: 700 });
  });

  test('times that go back are counted', () => {
    const continuity = new Continuity();
    continuity.look([frame('video', 100, 0), frame('video', 99, 10)]);
    expect(continuity.backward).toBe(1);
  });
});

test.each([
  [
    'rises',
    [
      [0, 1],
      [1, 3],
      [2, 5],
    ],
    2,
  ],
  [
    'stays',
    [
      [0, 4],
      [5, 4],
    ],
    0,
  ],
  [
    'wavers',
    [
      [0, 0],
      [1, 2],
      [2, 0],
      [3, 2],
    ],
    0.4,
  ],
] as [string, [number, number][], number][])('the slope of what %s', (_, points, expected) => {
  expect(slope(points)).toBeCloseTo(expected, 9);
});

const GOOD: Findings = {
  // What is taken before two minutes are over does not count.
  memory: [
    [0, 100],
    [1, 300],
    [2, 400],
    [3, 400.5],
    [4, 401],
  ],
  gaps: [],
  largestMs: { audio: 40, video: 200 },
  pictureEndsMs: [10_000],
  backward: 0,
  connections: 1,
  live: true,
  problems: [],
};

test.each<[string, Partial<Findings>, string[]]>([
  ['good', {}, []],
  [
    'more memory',
    {
      memory: [
        [0, 0],
        [2, 100],
        [3, 102],
        [4, 104],
      ],
    },
    ['memory of main and workers, MB a minute'],
  ],
  ['no memory seen', { memory: [] }, ['memory of main and workers, MB a minute']],
  ['a gap when the encoder was killed', { gaps: [{ kind: 'video', ms: 1400, atMs: 11_500 }] }, []],
  [
    'a longer one',
    { gaps: [{ kind: 'video', ms: 1600, atMs: 11_700 }] },
    ['largest gap of the picture after its encoder was killed, ms'],
  ],
  [
    'a gap without that',
    { gaps: [{ kind: 'video', ms: 600, atMs: 9_000 }] },
    ['largest gap of the picture otherwise, ms'],
  ],
  ['a gap of sound', { largestMs: { audio: 501, video: 0 } }, ['largest gap of the sound, ms']],
  ['times that went back', { backward: 1 }, ['frames whose times went back']],
  ['a second connection', { connections: 2 }, ['connections to the steady CDN']],
  ['a relay that is not live', { live: false }, ['relays live at the end']],
  ['a problem', { problems: ['An encoder ended.'] }, ['problems']],
])('the verdict on %s', (_, change, expected) => {
  const failed = judge({ ...GOOD, ...change }).filter(({ ok }) => !ok);
  expect(failed.map(({ what }) => what)).toEqual(expected);
});
