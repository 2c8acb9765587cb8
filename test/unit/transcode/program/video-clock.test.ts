import { describe, expect, test } from 'vitest';
import { wholeMs } from '../../../../src/media/containers/flv/flv-body.ts';
import { VideoClock } from '../../../../transcode/program/video-clock.ts';
import { seededRandom } from '../../../signals/random.ts';

const ANYTHING = Number.NEGATIVE_INFINITY;
/** What one frame may move by, and by how much when the program is far from where it should be. */
const STEP_MS = 0.5;
const LARGE_STEP_MS = 1;

/** @param offs - by how much what is wanted differs from the even pace, one a frame @returns decoding times, ms */
function placed(clock: VideoClock, offs: readonly number[], periodMs = 40): number[] {
  return offs.map((off, index) => {
    const sourceMs = 5_000 + index * periodMs;
    return clock.place(sourceMs, sourceMs, 20_000 + index * periodMs + off).dtsUs / 1000;
  });
}

function distances(times: readonly number[]): number[] {
  return times.slice(1).map((time, index) => time - times[index]!);
}

/** By how much each is later than at the even pace. */
function lateness(times: readonly number[], periodMs = 40): number[] {
  return times.map((time, index) => time - 20_000 - index * periodMs);
}

test('the first frame is where it is wanted, and the others at the distances of the source', () => {
  const clock = new VideoClock(ANYTHING);
  expect(clock.place(5_000, 5_000, 20_000.4)).toEqual({ dtsUs: 20_000_400, ptsUs: 20_000_400 });
  expect(clock.place(5_033, 5_033, 20_040)).toEqual({ dtsUs: 20_033_400, ptsUs: 20_033_400 });
  expect(clock.place(5_066.667, 5_066.667, 20_050)).toEqual({ dtsUs: 20_067_067, ptsUs: 20_067_067 });
  expect(clock.lastMs).toBeCloseTo(20_067.067, 6);
});

test('frames of 60 a second keep their distances to the microsecond', () => {
  const times = placed(new VideoClock(ANYTHING), new Array(6_000).fill(0), 1000 / 60);
  const off = lateness(times, 1000 / 60).map(Math.abs);
  expect(Math.max(...off)).toBeLessThanOrEqual(0.001);
});

test('B-frames are decoded before they are shown, as in the source', () => {
  const clock = new VideoClock(ANYTHING);
  const frames = [
    [0, 80],
    [40, 240],
    [80, 160],
    [120, 120],
    [160, 200],
  ] as const;
  const times = frames.map(([decode, show]) => clock.place(decode, show, 10_000 + show));
  expect(times).toEqual(
    frames.map(([decode, show]) => ({ dtsUs: 1000 * (10_000 + decode), ptsUs: 1000 * (10_000 + show) })),
  );
});

describe('when what is wanted wavers', () => {
  test.each([
    [[25]],
    [[-25]],
    [[10, -20, 25, -25, 3]],
    // One that came late or early says little.
    [[200, 0, 0, 0, 0, 0, 0, 0]],
    [[-200, 0, 0, 0, 0, 0, 0, 0]],
    [[150, -150, 150, -150]],
  ])('by %j ms, nothing moves', (offs) => {
    const times = placed(new VideoClock(ANYTHING), [0, ...offs, ...offs, ...offs]);
    expect(new Set(distances(times))).toEqual(new Set([40]));
  });

  test('by anything up to 200 ms, no frame moves by more than a large step', () => {
    const random = seededRandom(3);
    const offs = Array.from({ length: 5_000 }, () => Math.round(random() * 400) - 200);
    const moves = distances(placed(new VideoClock(ANYTHING), offs)).map((distance) =>
      Math.abs(distance - 40),
    );
    expect(Math.max(...moves)).toBeLessThanOrEqual(LARGE_STEP_MS);
  });

  test.each([60, -60, 26, -26])(
    'by %i ms for long, frames move by half a millisecond until they are where they are wanted',
    (off) => {
      const late = lateness(placed(new VideoClock(ANYTHING), [0, ...new Array(300).fill(off)]));
      const begin = late.findIndex((ms) => ms !== 0);
      const end = late.indexOf(late.at(-1)!);
      expect(begin).toBeGreaterThan(5); // not for what may be over soon
      expect(begin).toBeLessThan(60);
      const moves = distances(late.slice(begin - 1, end + 1));
      expect(moves).toEqual(new Array(end - begin + 1).fill(Math.sign(off) * STEP_MS));
      expect(Math.abs(late.at(-1)! - off)).toBeLessThanOrEqual(2 * STEP_MS);
    },
  );

  test.each([460, -460])(
    'by %i ms for long, frames move by a whole millisecond until they are near, and by half of one then',
    (off) => {
      const late = lateness(placed(new VideoClock(ANYTHING), [0, ...new Array(1_000).fill(off)]));
      const moves = distances(late).map((move) => move * Math.sign(off));
      const large = moves.filter((move) => move === LARGE_STEP_MS).length;
      const small = moves.filter((move) => move === STEP_MS).length;
      expect(large).toBeGreaterThan(460 - 60 - 10);
      // The first one or two are small, as what is wanted is smoothed; the last are for it is near.
      expect(small).toBeGreaterThan(60 / STEP_MS - 10);
      expect(moves.filter((move) => move === 0)).toHaveLength(1_000 - large - small);
      expect(moves.lastIndexOf(LARGE_STEP_MS)).toBeLessThan(large + 5);
      expect(Math.abs(late.at(-1)! - off)).toBeLessThanOrEqual(2 * STEP_MS);
    },
  );

  test.each([200, -200])(
    'as the clock of a source that is off by %i ppm has it, the program follows',
    (ppm) => {
      const offs = Array.from({ length: 90_000 }, (_, index) => (index * 40 * ppm) / 1e6); // an hour
      const times = placed(new VideoClock(ANYTHING), offs);
      expect(Math.max(...distances(times).map((distance) => Math.abs(distance - 40)))).toBeLessThanOrEqual(
        STEP_MS,
      );
      expect(Math.max(...lateness(times).map((late, index) => Math.abs(late - offs[index]!)))).toBeLessThan(
        27,
      );
    },
  );

  test.each([501, 3_000])('by %i ms, the source went on from elsewhere, and so does the program', (off) => {
    const times = placed(new VideoClock(ANYTHING), [0, off, off, off]);
    expect(distances(times)).toEqual([40 + off, 40, 40]);
  });

  test('by much, back, frames come right behind each other until the program has caught up', () => {
    const times = placed(new VideoClock(ANYTHING), [0, ...new Array(30).fill(-600)]);
    expect(distances(times).slice(0, 15)).toEqual(new Array(15).fill(1));
    expect(times.at(-1)).toBe(20_000 + 30 * 40 - 600);
  });
});

describe('when the audio is late, and video with it', () => {
  const delayed = (delays: readonly number[]) => {
    const clock = new VideoClock(ANYTHING);
    const times = delays.map((delay, index) => {
      const sourceMs = 5_000 + index * 40;
      return clock.place(sourceMs, sourceMs, 20_000 + index * 40, delay).dtsUs / 1000;
    });
    return lateness(times);
  };
  test.each<[string, number[], number[]]>([
    ['from the beginning, so is the first frame', [120, 120], [120, 120]],
    ['by so much that it is in trouble, frames wait no longer than that', [401, 5_000], [400, 400]],
    ['by a little more, or less, nothing moves', [50, 75, 25, 60], [50, 50, 50, 50]],
  ])('%s', (_, delays, expected) => {
    expect(delayed(delays)).toEqual(expected);
  });

  test.each([
    ['more', 50, 80],
    ['less', 80, 50],
  ])('by %s than before, frames follow little by little', (_, before, after) => {
    const late = delayed([before, ...new Array(200).fill(after)]);
    const moves = distances(late).filter((move) => move !== 0);
    expect(new Set(moves)).toEqual(new Set([Math.sign(after - before) * STEP_MS]));
    expect(Math.abs(late.at(-1)! - after)).toBeLessThanOrEqual(2 * STEP_MS);
  });

  test('suddenly by a second, frames follow little by little, in larger steps, as far as they wait at all', () => {
    const late = delayed([0, ...new Array(1_000).fill(1_000)]);
    const moves = distances(late);
    expect(Math.max(...moves)).toBe(LARGE_STEP_MS);
    expect(Math.min(...moves)).toBe(0);
    expect(late[20]).toBeGreaterThan(15);
    expect(Math.abs(late.at(-1)! - 400)).toBeLessThanOrEqual(2 * STEP_MS);
  });
});

describe('after another source', () => {
  test('what is due later is where it is wanted', () => {
    expect(placed(new VideoClock(19_000), [0, 0])).toEqual([20_000, 20_040]);
  });

  test('what is due earlier comes right behind, and catches up from the first frame on', () => {
    const late = lateness(placed(new VideoClock(20_100), new Array(300).fill(0)));
    // Right behind is 101 ms late. The first has a step less to go already, but nothing is before the one before it.
    expect(late.slice(0, 6)).toEqual([101, 99, 98, 97, 96, 95]);
    const near = late.findIndex((ms) => ms <= 60);
    expect(distances(late.slice(1, near + 1)).every((move) => move === -LARGE_STEP_MS)).toBe(true);
    const end = late.indexOf(late.at(-1)!);
    expect(distances(late.slice(near, end + 1)).every((move) => move === -STEP_MS)).toBe(true);
    expect(late.at(-1)).toBeLessThanOrEqual(STEP_MS);
  });

  test('the first frame of one with B-frames is decoded later, too, and not shown before that', () => {
    const clock = new VideoClock(20_100);
    const { dtsUs, ptsUs } = clock.place(0, 80, 20_080);
    expect(dtsUs).toBe(20_101_000);
    expect(Math.abs(ptsUs - dtsUs - 80_000)).toBeLessThanOrEqual(1000 * LARGE_STEP_MS);
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

  test('is that of the source before, until there is another frame; and that one may begin wherever it is', () => {
    const clock = new VideoClock(20_100);
    expect([clock.lastMs, clock.lastShownMs, clock.isLater(0, 20_000)]).toEqual([20_100, 20_100, true]);
  });

  test("is compared with where a source's time went on", () => {
    const clock = new VideoClock(ANYTHING);
    clock.place(900_000, 900_000, 20_000);
    expect([clock.isLater(0, 20_040), clock.isLater(1_800_000, 19_960)]).toEqual([true, false]);
  });

  test('is later than what would be shown in the same millisecond', () => {
    const clock = new VideoClock(ANYTHING);
    clock.place(5_000, 5_000, 20_000.1);
    expect([5_000, 5_000.3, 5_001].map((ms) => clock.isLater(ms, 20_000.1 + ms - 5_000))).toEqual([
      ...[false, false, true],
    ]);
  });
});

test('when the source starts anew, its time is another and the program goes on', () => {
  const clock = new VideoClock(ANYTHING);
  clock.place(900_000, 900_000, 20_000);
  expect(clock.place(0, 0, 20_040)).toEqual({ dtsUs: 20_040_000, ptsUs: 20_040_000 });
  expect(clock.place(40, 40, 20_080)).toEqual({ dtsUs: 20_080_000, ptsUs: 20_080_000 });
});

test('frames of one moment become a millisecond apart', () => {
  const clock = new VideoClock(ANYTHING);
  const times = [5_000, 5_000, 5_000].map((ms) => clock.place(ms, ms, 20_000));
  expect(times).toEqual([20_000_000, 20_001_000, 20_002_000].map((us) => ({ dtsUs: us, ptsUs: us })));
});

test('whatever comes, times are whole, grow also in whole ms, and nothing is shown before it is decoded', () => {
  const random = seededRandom(7);
  for (let round = 0; round < 50; round++) {
    const clock = new VideoClock(round % 2 ? ANYTHING : random() * 1e5);
    let last = clock.lastMs * 1000;
    for (let index = 0; index < 200; index++) {
      const decodeMs = Math.round(random() * 10_000);
      const showMs = decodeMs + Math.round(random() * 200);
      const { dtsUs, ptsUs } = clock.place(decodeMs, showMs, random() * 10_000);
      const areWhole = Number.isInteger(dtsUs) && Number.isInteger(ptsUs);
      const isRight = areWhole && wholeMs(dtsUs) > wholeMs(last) && ptsUs >= dtsUs;
      if (!isRight || Math.abs(dtsUs - 1000 * clock.lastMs) > 0.5)
        expect.fail(`${dtsUs} and ${ptsUs} after ${last}`);
      last = dtsUs;
    }
  }
});
