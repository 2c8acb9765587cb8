import { describe, expect, test } from 'vitest';
import { BitWriter } from '../../support/bit-writer.ts';
import {
  avcBody,
  type FrameType,
  interSlice,
  keySlice,
  PLAIN,
  PPS,
  pictureBody,
  recordOf,
  sequenceHeader,
  WITH_B,
} from '../../support/flv-bodies.ts';
import { withLengths } from '../../support/nal-units.ts';
import { GROUP, PERIOD_MS, sliceNumbers, stream } from '../../support/picture-stream.ts';
import { push } from '../../support/push.ts';

/* What a message's header says of its picture, and what the picture itself says. */

const SECONDS = 3;

/** @param flag - of each picture @param isIdr - whether it is a key frame in truth */
function flagged(
  flag: (number: number) => FrameType,
  isIdr = (number: number) => number % GROUP === 0,
  sps = PLAIN,
) {
  const all = push();
  all.video(sequenceHeader(recordOf(sps)), 0);
  const send = (_: boolean, number: number, ms: number) => {
    const slice = isIdr(number) ? keySlice(number) : interSlice(number);
    all.video(avcBody(withLengths([slice]), { frame: flag(number) }), ms);
  };
  return { ...all, send };
}

/** Three pictures of a group say that they are key frames, and one is. */
const often = (number: number): FrameType => (number % 10 === 0 || number % GROUP === 0 ? 'key' : 'inter');

describe('a picture that says that it is a key frame, and is none', () => {
  test('is not where a program begins that joins later', () => {
    const all = flagged(often);
    stream(all, all.send, { seconds: SECONDS });
    const [first] = all.program();
    expect(sliceNumbers([first!])).toEqual([[(SECONDS - 1) * GROUP]]);
  });

  test('is not told to a program as one', () => {
    const all = flagged(often);
    const program = all.program();
    stream(all, all.send, { seconds: SECONDS });
    const keys = program.filter(({ key }) => key);
    expect(sliceNumbers(keys)).toEqual([[0], [GROUP], [2 * GROUP]]);
  });

  test('is not where a browser begins that joins later', () => {
    const all = flagged(often);
    // It joins right before the picture with the number 30.
    stream(all, all.send, { seconds: 1.2 });
    all.open('video');
    stream(all, all.send, { from: 30, seconds: 2 });
    expect(sliceNumbers(all.pictures())[0]).toEqual([2 * GROUP]);
  });

  test('is not where the encoder begins that makes pictures fit for browsers', () => {
    const all = flagged(often, undefined, WITH_B);
    stream(all, all.send, { seconds: 1.6 });
    all.open('video');
    stream(all, all.send, { from: 40, seconds: 1 });
    const [first] = all.encoders.at(-1)!.units;
    expect(sliceNumbers([{ nals: first! }])).toEqual([[GROUP]]);
  });

  test('does not make key frames come more often', () => {
    const all = flagged(
      (number) => (number % 10 === 0 ? 'key' : 'inter'),
      (number) => number % 100 === 0,
    );
    stream(all, all.send, { seconds: 9 });
    expect(all.plan('video')).toMatchObject({
      outcome: 'transcode',
      reason: expect.stringMatching(/key frames/),
    });
    expect(all.statistics.video?.keyFrameIntervalMs).toBe(4_000);
  });
});

test.each<FrameType>(['inter', 'disposable'])('a key frame that says that it is %s is one', (flag) => {
  const all = flagged(() => flag);
  all.open('video');
  const program = all.program();
  stream(all, all.send, { seconds: SECONDS });
  expect(all.plan('video')).toMatchObject({ outcome: 'pass-through' });
  expect(all.statistics.video).toMatchObject({ keyFrameIntervalMs: 1_000, dropped: 0 });
  expect(sliceNumbers(all.pictures())[0]).toEqual([0]);
  expect(sliceNumbers(program.filter(({ key }) => key))).toEqual([[0], [GROUP], [2 * GROUP]]);
  expect(program.filter(({ disposable }) => disposable)).toEqual([]);
});

/** Main profile, 640x360, in which any order is possible (pic_order_cnt_type 0), and which does not say more. */
const ANY_ORDER = Buffer.concat([
  Buffer.from('674d001e', 'hex'),
  new BitWriter().ue(0, 0, 0, 2, 1).flags(0).ue(39, 22).flags(1, 1, 1).ue(0, 0, 0, 4).flags(0, 1).bytes(),
]);

describe('pictures that are all shown later than they are decoded, in the same order, are no B-frames', () => {
  test.each<[string, (number: number) => number]>([
    ['by a picture', () => PERIOD_MS],
    ['by two pictures', () => 2 * PERIOD_MS],
    ['by half a second', () => 500],
    ['by as much less', () => -PERIOD_MS],
    ['by a picture, give or take a millisecond', (number) => PERIOD_MS + (number % 2)],
  ])('%s', (_, compositionMs) => {
    const all = push();
    all.open('video');
    all.video(sequenceHeader(recordOf(ANY_ORDER)), 0);
    stream(
      all,
      (key, number, ms) => {
        all.video(pictureBody(key, number, { compositionMs: compositionMs(number) }), 1_000 + ms);
      },
      { seconds: 40 },
    );
    expect(all.statistics.video).toMatchObject({ width: 640, height: 360, bFrames: false });
    expect(all.plan('video')).toMatchObject({ outcome: 'pass-through' });
  });
});

describe('empty NAL units', () => {
  test.each([[1], [2], [4]] as const)('do not reach programs, behind lengths of %i bytes', (lengthBytes) => {
    const all = push();
    const program = all.program();
    all.video(sequenceHeader(recordOf(PLAIN, PPS, lengthBytes)), 0);
    stream(all, (key, number, ms) => {
      const slice = key ? keySlice(number) : interSlice(number);
      const nals = [Buffer.alloc(0), slice, Buffer.alloc(0)];
      all.video(avcBody(withLengths(nals, lengthBytes), { frame: key ? 'key' : 'inter' }), ms);
    });
    expect(program.length).toBeGreaterThan(70);
    expect(program.flatMap(({ nals }) => nals).filter(({ length }) => length === 0)).toEqual([]);
  });

  test('alone are no picture', () => {
    const all = push();
    const program = all.program();
    all.video(sequenceHeader(recordOf(PLAIN)), 0);
    stream(all, (key, number, ms) => {
      all.video(avcBody(withLengths([Buffer.alloc(0)])), ms);
      all.video(pictureBody(key, number), ms);
    });
    const empty = program.filter(({ nals }) => nals.every(({ length }) => length === 0));
    expect(empty).toEqual([]);
    expect(Math.abs(all.statistics.video!.frameRate! - 25)).toBeLessThan(1);
  });
});
