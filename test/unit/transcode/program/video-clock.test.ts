import { describe, expect, test } from 'vitest';
import { VideoClock } from '../../../../transcode/program/video-clock.ts';
import { seededRandom } from '../../../signals/random.ts';

const ANYTHING = Number.NEGATIVE_INFINITY;

/** @param offs - by how much what is wanted differs from the even pace, one a picture */
function placed(clock: VideoClock, offs: readonly number[], periodMs = 40): number[] {
  return offs.map((off, index) => {
    const sourceMs = 5_000 + index * periodMs;
    return clock.place(sourceMs, sourceMs, 20_000 + index * periodMs + off).decodeMs;
  });
}

function distances(times: readonly number[]): number[] {
  return times.slice(1).map((time, index) => time - times[index]!);
}

test('the first is where it is wanted, and the others at the distances of the source', () => {
  const clock = new VideoClock(ANYTHING);
  expect(clock.place(5_000, 5_000, 20_000.4)).toEqual({ decodeMs: 20_000, compositionMs: 0 });
  expect(clock.place(5_033, 5_033, 20_040)).toEqual({ decodeMs: 20_033, compositionMs: 0 });
  expect(clock.place(5_067, 5_067, 20_050)).toEqual({ decodeMs: 20_067, compositionMs: 0 });
  expect(clock.lastMs).toBe(20_067);
});

test('B-frames are decoded before they are shown, as in the source', () => {
  const clock = new VideoClock(ANYTHING);
  const pictures = [
    [0, 80],
    [40, 240],
    [80, 160],
    [120, 120],
    [160, 200],
  ] as const;
  const times = pictures.map(([decode, show]) => clock.place(decode, show, 10_000 + show));
  expect(times).toEqual(
    pictures.map(([decode, show]) => ({ decodeMs: 10_000 + decode, compositionMs: show - decode })),
  );
});

describe('what is wanted wavers', () => {
  test.each([[[25]], [[-25]], [[10, -20, 25, -25, 3]]])('by %j ms: nothing moves', (offs) => {
    const times = placed(new VideoClock(ANYTHING), [0, ...offs, ...offs]);
    expect(new Set(distances(times))).toEqual(new Set([40]));
  });

  test.each([
    [60, 41],
    [-60, 39],
    [26, 41],
  ])('by %i ms for long: distances of %i ms until it is where it is wanted', (off, distance) => {
    const times = placed(new VideoClock(ANYTHING), [0, ...new Array(100).fill(off)]);
    const moved = Math.abs(off) - 1;
    expect(distances(times).slice(0, moved)).toEqual(new Array(moved).fill(distance));
    expect(new Set(distances(times).slice(moved))).toEqual(new Set([40]));
    expect(Math.abs(times.at(-1)! - (20_000 + 100 * 40 + off))).toBeLessThanOrEqual(1);
  });

  test.each([
    [460, 44],
    [-460, 36],
  ])('by %i ms for long: distances of %i ms until it is near, and smaller steps then', (off, distance) => {
    const times = placed(new VideoClock(ANYTHING), [0, ...new Array(300).fill(off)]);
    expect(distances(times).slice(0, 100)).toEqual(new Array(100).fill(distance));
    expect(Math.abs(distances(times)[100]! - 40)).toBe(1);
    expect(Math.abs(times.at(-1)! - (20_000 + 300 * 40 + off))).toBeLessThanOrEqual(1);
  });

  test.each([501, 3_000])('by %i ms: the source went on from elsewhere, and so does the program', (off) => {
    const times = placed(new VideoClock(ANYTHING), [0, off, off]);
    expect(distances(times)).toEqual([40 + off, 40]);
  });

  test('by much, back: they come right behind each other until the program has caught up', () => {
    const times = placed(new VideoClock(ANYTHING), [0, ...new Array(30).fill(-600)]);
    expect(distances(times).slice(0, 15)).toEqual(new Array(15).fill(1));
    expect(times.at(-1)).toBe(20_000 + 30 * 40 - 600);
  });
});

describe('the sound is late, and pictures with it', () => {
  const delayed = (delays: readonly number[]) => {
    const clock = new VideoClock(ANYTHING);
    return delays.map((delay, index) => {
      const sourceMs = 5_000 + index * 40;
      return clock.place(sourceMs, sourceMs, 20_000 + index * 40, delay).decodeMs - 20_000 - index * 40;
    });
  };
  test.each<[string, number[], number[]]>([
    ['from the beginning', [120, 120], [120, 120]],
    ['by so much that it is in trouble: not with it', [401, 5_000], [400, 400]],
    ['a little more, or less', [50, 75, 25, 60], [50, 50, 50, 50]],
    ['more: little by little', [50, 80, 80, 80, 80, 80, 80], [50, 51, 52, 53, 54, 55, 56]],
    ['less: little by little', [80, 50, 50, 50, 50, 50, 50], [80, 79, 78, 77, 76, 75, 74]],
    ['suddenly by a second: little by little, in larger steps', [0, 1_000, 1_000], [0, 4, 8]],
  ])('%s', (_, delays, expected) => {
    expect(delayed(delays)).toEqual(expected);
  });
});

describe('after another source', () => {
  test('what is due later is where it is wanted', () => {
    expect(placed(new VideoClock(19_000), [0, 0])).toEqual([20_000, 20_040]);
  });

  test('what is due earlier comes right behind, and catches up from the first on, by 4 ms each until it is near', () => {
    const times = placed(new VideoClock(20_100), new Array(100).fill(0));
    const late = times.map((time, index) => time - 20_000 - index * 40);
    // Right behind is 101 ms late. The first has a step less to go already, but nothing is before the one before it.
    expect(late.slice(0, 12)).toEqual([101, 93, 89, 85, 81, 77, 73, 69, 65, 61, 57, 56]);
    expect(late.slice(11, 67)).toEqual(Array.from({ length: 56 }, (_, index) => 56 - index));
    expect(new Set(late.slice(67))).toEqual(new Set([1]));
  });

  test('the first of them with B-frames is decoded later, too, and not shown before that', () => {
    const clock = new VideoClock(20_100);
    const { decodeMs, compositionMs } = clock.place(0, 80, 20_080);
    expect(decodeMs).toBe(20_101);
    expect(Math.abs(compositionMs - 80)).toBeLessThanOrEqual(4);
  });
});

describe('what was shown last', () => {
  test('is not what was decoded last, where there are B-frames', () => {
    const clock = new VideoClock(ANYTHING);
    for (const [decode, show] of [
      [0, 40],
      [40, 160],
      [80, 80],
      [120, 120],
    ] as const)
      clock.place(decode, show, 10_000 + show);
    expect([clock.lastMs, clock.lastShownMs]).toEqual([10_120, 10_160]);
    expect([80, 120, 160, 161, 200].map((showMs) => clock.isLater(showMs, 10_000 + showMs))).toEqual([
      ...[false, false, false, true, true],
    ]);
  });

  test('is that of the source before, until there is another; and that one may begin wherever it is', () => {
    const clock = new VideoClock(20_100);
    expect([clock.lastMs, clock.lastShownMs, clock.isLater(0, 20_000)]).toEqual([20_100, 20_100, true]);
  });

  test("is compared with where a source's time went on", () => {
    const clock = new VideoClock(ANYTHING);
    clock.place(900_000, 900_000, 20_000);
    expect([clock.isLater(0, 20_040), clock.isLater(1_800_000, 19_960)]).toEqual([true, false]);
  });
});

test('the source starts anew: its time is another, the program goes on', () => {
  const clock = new VideoClock(ANYTHING);
  clock.place(900_000, 900_000, 20_000);
  expect(clock.place(0, 0, 20_040)).toEqual({ decodeMs: 20_040, compositionMs: 0 });
  expect(clock.place(40, 40, 20_080)).toEqual({ decodeMs: 20_080, compositionMs: 0 });
});

test('pictures of one moment become a millisecond apart', () => {
  const clock = new VideoClock(ANYTHING);
  const times = [5_000, 5_000, 5_000].map((ms) => clock.place(ms, ms, 20_000));
  expect(times.map(({ decodeMs }) => decodeMs)).toEqual([20_000, 20_001, 20_002]);
  expect(times.every(({ compositionMs }) => compositionMs === 0)).toBe(true);
});

test('whatever comes, times are whole and grow, and nothing is shown before it is decoded', () => {
  const random = seededRandom(7);
  for (let round = 0; round < 50; round++) {
    const clock = new VideoClock(round % 2 ? ANYTHING : Math.round(random() * 1e5));
    let last = clock.lastMs;
    for (let index = 0; index < 200; index++) {
      const decodeMs = Math.round(random() * 10_000);
      const { decodeMs: at, compositionMs } = clock.place(
        decodeMs,
        decodeMs + Math.round(random() * 200),
        random() * 10_000,
      );
      const isRight = Number.isInteger(at) && at > last && compositionMs >= 0 && at === clock.lastMs;
      if (!isRight) expect.fail(`${at} and ${compositionMs} after ${last}`);
      last = at;
    }
  }
});
