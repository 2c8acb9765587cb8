import { expect, test } from 'vitest';
import { RtpTimeline } from '../../../../src/media/rtp/rtp-timeline.ts';

test.each<[string, (readonly [timestamp: number, now: number])[], number[]]>([
  ['begins at 0', [[0xdeadbeef, 77_777]], [0]],
  [
    'goes on with the timestamps, whatever the arrivals',
    [
      [900, 0],
      [3_900, 90],
      [6_900, 91],
      [9_900, 92],
    ],
    [0, 33, 67, 100],
  ],
  [
    'wraps',
    [
      [2 ** 32 - 900, 0],
      [0, 10],
      [900, 20],
    ],
    [0, 10, 20],
  ],
  [
    'stands still for a picture of the same time',
    [
      [900, 0],
      [900, 20],
      [1_800, 20],
    ],
    [0, 0, 10],
  ],
  [
    'follows a pause',
    [
      [0, 0],
      [90 * 3_600_000, 3_600_000],
      [90 * 3_600_020, 3_600_020],
    ],
    [0, 3_600_000, 3_600_020],
  ],
  [
    'bears that much is held up',
    [
      [0, 0],
      [90 * 9_000, 0],
    ],
    [0, 9_000],
  ],
  [
    'goes on by the clock after a jump ahead',
    [
      [0, 0],
      [90 * 20_000, 40],
      [90 * 20_033, 73],
    ],
    [0, 40, 73],
  ],
  [
    'goes on by the clock after a jump back',
    [
      [90 * 5_000, 0],
      [0, 40],
      [90 * 33, 73],
    ],
    [0, 40, 73],
  ],
  [
    'goes on by the clock when timestamps stood still',
    [
      [0, 0],
      [1, 20_000],
    ],
    [0, 20_000],
  ],
  [
    'does not go back even if the clock does',
    [
      [90 * 50, 100],
      [0, 40],
    ],
    [0, 0],
  ],
])('time %s', (_, pictures, expected) => {
  const timeline = new RtpTimeline();
  expect(pictures.map(([timestamp, now]) => timeline.timeOf(timestamp, now))).toEqual(expected);
});
