import { describe, expect, test } from 'vitest';
import {
  avcBody,
  interSlice,
  keySlice,
  laterKeySlice,
  PLAIN,
  pictureBody,
  recordOf,
  sequenceHeader,
} from '../../support/flv-bodies.ts';
import { withLengths } from '../../support/nal-units.ts';
import { GROUP, sliceNumbers, stream } from '../../support/picture-stream.ts';
import { type Push, push } from '../../support/push.ts';

/* A picture of 1.2 MB takes 1,024 packets, and more than that the way to the hub does not take at once. */

type Nals = (number: number) => readonly Buffer[];

const MB = 1_000_000;

/** In slices of equal size. */
function slices(count: number, bytes: number): Nals {
  return (number) =>
    Array.from({ length: count }, (_, index) => (index === 0 ? keySlice : laterKeySlice)(number, bytes));
}

const LARGE: [string, Nals][] = [
  ['of 1.3 MB in one slice', slices(1, 1.3 * MB)],
  ['of 1.3 MB in eight slices', slices(8, (1.3 * MB) / 8)],
  ['of 3.9 MB', slices(1, 3.9 * MB)],
  ['of 15 MB', slices(4, 3.75 * MB)],
  ['of 1,100 slices', slices(1_100, 20)],
];

function sendWith(nals: Nals, { video }: Push) {
  return (key: boolean, number: number, ms: number) =>
    video(key ? avcBody(withLengths(nals(number)), { frame: 'key' }) : pictureBody(false, number), ms);
}

/** How browsers get two key frames: 'as they are', or through an encoder and why. @param first - number of the one */
function way({ pictures, plan, encoders }: Push, first = 0): string {
  const numbers = new Set(sliceNumbers(pictures()).flat());
  if (numbers.has(first) && numbers.has(first + GROUP)) return 'as they are';
  const { outcome, reason } = plan('video')!;
  const fed = encoders.flatMap((encoder) => encoder.fed).filter(({ options }) => options.key);
  return outcome === 'transcode' && fed.length > 0 ? `encoded: ${reason}` : `not seen (${outcome})`;
}

/** Told in words, of the pictures' size and not of something else. */
const SEEN = /^as they are$|^encoded: .*(large|big|MB|size|bytes|packets)/i;

describe('browsers see a stream whose key frames are', () => {
  test.each(LARGE)('%s', (_, nals) => {
    const all = push();
    all.open('video');
    all.video(sequenceHeader(recordOf(PLAIN)), 0);
    stream(all, sendWith(nals, all));
    expect(way(all)).toMatch(SEEN);
  });

  test.each(LARGE)('%s, also who comes later', (_, nals) => {
    const all = push();
    all.video(sequenceHeader(recordOf(PLAIN)), 0);
    stream(all, sendWith(nals, all), { seconds: 1 });
    all.open('video');
    stream(all, sendWith(nals, all), { from: GROUP });
    const { outcome } = all.plan('video')!;
    expect([outcome, all.encoders.length > 0 || sliceNumbers(all.pictures()).length > 0]).toEqual([
      expect.stringMatching(/^(transcode|pass-through)$/),
      true,
    ]);
  });
});

test('browsers go on seeing a stream whose key frames become too large on the way', () => {
  const all = push();
  all.open('video');
  all.video(sequenceHeader(recordOf(PLAIN)), 0);
  stream(all, (key, number, ms) => all.video(pictureBody(key, number), ms));
  const small = new Set(sliceNumbers(all.pictures()).flat());
  expect(small.has(GROUP)).toBe(true);
  stream(all, sendWith(slices(1, 1.3 * MB), all), { from: 3 * GROUP });
  expect(way(all, 3 * GROUP)).toMatch(SEEN);
});

test('what refers to a picture that was too large to be sent is not shown as if it had been', () => {
  const all = push();
  all.open('video');
  all.video(sequenceHeader(recordOf(PLAIN)), 0);
  const lost = GROUP + 5;
  stream(all, (key, number, ms) =>
    all.video(
      number === lost
        ? avcBody(withLengths([interSlice(number, 1.3 * MB)]), { frame: 'inter' })
        : pictureBody(key, number),
      ms,
    ),
  );
  const shown = sliceNumbers(all.pictures()).flat();
  const referring = shown.filter((number) => number > lost && number < 2 * GROUP);
  expect(shown.includes(lost) || referring.length === 0).toBe(true);
});

test('key frames that go another way, as they are too large to pass, do not count as dropped', () => {
  const all = push();
  all.open('video');
  all.video(sequenceHeader(recordOf(PLAIN)), 0);
  stream(all, sendWith(slices(1, 1.3 * MB), all));
  expect(all.statistics.video?.dropped).toBeLessThanOrEqual(1);
});
