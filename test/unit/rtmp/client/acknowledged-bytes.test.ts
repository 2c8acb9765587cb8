import { expect, test } from 'vitest';
import { AcknowledgedBytes } from '../../../../gateways/rtmp/client/acknowledged-bytes.ts';

const GIGABYTE = 2 ** 30;
const RESTART = 0xf0000000;

/** What comes of each acknowledgement: the number that is said, and what was sent by then. */
function totals(...acknowledgements: [said: number, sent: number][]) {
  const bytes = new AcknowledgedBytes();
  const read = acknowledgements.map(([said, sent]) => bytes.read(said, sent));
  return [read, bytes.isReliable];
}

test.each<[string, [number, number][], (number | undefined)[], boolean]>([
  ['none', [], [], false],
  [
    'grows',
    [
      [10, 20],
      [20, 20],
      [25, 40],
    ],
    [10, 20, 25],
    true,
  ],
  [
    'the same again',
    [
      [10, 20],
      [10, 30],
      [11, 30],
    ],
    [10, undefined, 11],
    true,
  ],
  ['of nothing', [[0, 20]], [undefined], true],
  [
    'goes back',
    [
      [10, 20],
      [9, 30],
      [15, 30],
    ],
    [10, undefined, 15],
    false,
  ],
  [
    'more than was sent',
    [
      [10, 20],
      [21, 20],
      [15, 30],
    ],
    [10, undefined, 15],
    false,
  ],
  ['more than was sent, first', [[21, 20]], [undefined], false],
  // livego counts from one to the next
  [
    'of each window',
    [
      [1005, 2000],
      [1001, 3000],
      [1003, 4000],
    ],
    [1005, undefined, undefined],
    false,
  ],
  [
    'wraps, and again',
    [
      [3 * GIGABYTE, 4 * GIGABYTE],
      [GIGABYTE, 6 * GIGABYTE],
      [3 * GIGABYTE, 8 * GIGABYTE],
      [0, 8 * GIGABYTE],
      [5, 8 * GIGABYTE + 5],
    ],
    [3, 5, 7, 8, 8].map((gigabytes, index) => gigabytes * GIGABYTE + (index === 4 ? 5 : 0)),
    true,
  ],
  [
    'wraps, with little under way',
    [
      [2 ** 32 - 100, 2 ** 32],
      [50, 2 ** 32 + 60],
    ],
    [2 ** 32 - 100, 2 ** 32 + 50],
    true,
  ],
  [
    'wraps to more than was sent',
    [
      [2 ** 32 - 100, 2 ** 32],
      [50, 2 ** 32 + 40],
    ],
    [2 ** 32 - 100, undefined],
    false,
  ],
  [
    'begins again as in nginx-rtmp, twice',
    [
      [RESTART - 100_000, RESTART],
      [250_000, RESTART + 300_000],
      [RESTART - 200_000, 2 * RESTART],
      [260_000, 2 * RESTART + 260_000],
    ],
    [RESTART - 100_000, RESTART + 250_000, 2 * RESTART - 200_000, 2 * RESTART + 260_000],
    true,
  ],
  [
    'begins again to more than was sent',
    [
      [RESTART - 100_000, RESTART],
      [250_000, RESTART + 200_000],
    ],
    [RESTART - 100_000, undefined],
    false,
  ],
  [
    'goes back by much near where it may begin again',
    [
      [RESTART - 100_000, RESTART],
      [GIGABYTE, RESTART + 300_000],
    ],
    [RESTART - 100_000, undefined],
    false,
  ],
])('%s', (_, acknowledgements, expected, isReliable) => {
  expect(totals(...acknowledgements)).toEqual([expected, isReliable]);
});
