import { describe, expect, test } from 'vitest';
import {
  avcBody,
  DELIMITER,
  END_OF_SEQUENCE,
  FILLER,
  interSlice,
  keySlice,
  laterInterSlice,
  laterKeySlice,
  PLAIN,
  PPS,
  pictureBody,
  recordOf,
  SEI,
  sequenceHeader,
  WITH_B,
} from '../../support/flv-bodies.ts';
import { withLengths } from '../../support/nal-units.ts';
import {
  GROUP,
  isSlice,
  numberOf,
  sliceNumbers,
  stream,
  wholePictures,
} from '../../support/picture-stream.ts';
import { type Push, push } from '../../support/push.ts';

/* Encoders put one picture into several messages, and what is no picture into messages of its own (ITU-T H.264, 7.4.1.2). */

const AAC_FRAME = Buffer.from('af012110', 'hex');
const SECONDS = 3;
const SENT = SECONDS * GROUP;

/** Sends one picture. @param sps - of the stream */
type Manner = (push: Push, key: boolean, number: number, ms: number, sps: Buffer) => void;

function message(key: boolean, ...nals: readonly Buffer[]): Buffer {
  return avcBody(withLengths(nals), { frame: key ? 'key' : 'inter' });
}

const first = (key: boolean, number: number) => (key ? keySlice(number) : interSlice(number));
const later = (key: boolean, number: number) => (key ? laterKeySlice(number) : laterInterSlice(number));

/** @param count - of slices, each in a message of its own @param stepMs - from one's stamp to the next one's */
function slices(count: number, stepMs = 0): Manner {
  return ({ video }, key, number, ms) => {
    for (let index = 0; index < count; index++) {
      const slice = index === 0 ? first(key, number) : later(key, number);
      video(message(key, slice), ms + index * stepMs);
    }
  };
}

/** @param aside - messages of their own around a picture that is whole in one */
function around(aside: {
  readonly before?: (key: boolean, sps: Buffer) => Buffer | undefined;
  readonly beforeMs?: number;
  readonly behind?: (key: boolean) => Buffer | undefined;
}): Manner {
  return ({ video }, key, number, ms, sps) => {
    const before = aside.before?.(key, sps);
    if (before) video(before, ms - (aside.beforeMs ?? 0));
    video(pictureBody(key, number), ms);
    const behind = aside.behind?.(key);
    if (behind) video(behind, ms);
  };
}

const MANNERS: [string, Manner, slices: number][] = [
  ['SEI comes ahead of each picture', around({ before: () => message(false, SEI) }), 1],
  ['SEI comes ahead of each picture, marked as a key frame', around({ before: () => message(true, SEI) }), 1],
  [
    'SEI comes ahead of each picture, with a stamp of a little earlier',
    around({ before: () => message(false, SEI), beforeMs: 3 }),
    1,
  ],
  ['SEI comes behind each picture', around({ behind: () => message(false, SEI) }), 1],
  ['a delimiter comes ahead of each picture', around({ before: (key) => message(key, DELIMITER) }), 1],
  ['filler comes behind each picture', around({ behind: () => message(false, FILLER) }), 1],
  [
    'an end of sequence comes behind each picture',
    around({ behind: () => message(false, END_OF_SEQUENCE) }),
    1,
  ],
  [
    'the parameter sets come ahead of each key frame',
    around({ before: (key, sps) => (key ? message(true, sps, PPS) : undefined) }),
    1,
  ],
  ['two slices come in one message each', slices(2), 2],
  ['eight slices come in one message each', slices(8), 8],
  ['slices come in one message each, with stamps of their own', slices(2, 1), 2],
  [
    'slices come two in a message',
    ({ video }, key, number, ms) => {
      video(message(key, first(key, number), later(key, number)), ms);
      video(message(key, later(key, number), later(key, number)), ms);
    },
    4,
  ],
  [
    'SEI and two slices come in one message each',
    ({ video }, key, number, ms) => {
      video(message(key, SEI), ms);
      slices(2)({ video } as Push, key, number, ms, PLAIN);
    },
    2,
  ],
  [
    'sound comes between two slices',
    ({ video, audio }, key, number, ms) => {
      video(message(key, first(key, number)), ms);
      audio(AAC_FRAME, ms + 10);
      video(message(key, later(key, number)), ms);
    },
    2,
  ],
];

/** An encoder that is watched, and shown in a program. */
function watched(manner: Manner, sps = PLAIN) {
  const all = push();
  all.open('video');
  const program = all.program();
  all.audio(Buffer.from('af001190', 'hex'), 0);
  all.video(sequenceHeader(recordOf(sps)), 0);
  stream(all, (key, number, ms) => manner(all, key, number, 1_000 + ms, sps), { seconds: SECONDS });
  return { ...all, program };
}

/** Without the first group, in which an encoder's manner may be found out, and the last picture, which may wait for its end. */
function settled(numbers: number[][]): number[][] {
  return numbers.filter((ofOne) => ofOne.length === 0 || (ofOne[0]! >= GROUP && ofOne[0]! < SENT - 1));
}

describe('pictures are whole', () => {
  test.each(MANNERS)('for browsers and programs when %s', (_, manner, count) => {
    const { pictures, program } = watched(manner);
    const whole = wholePictures(GROUP, SENT - 1, count);
    expect(settled(sliceNumbers(pictures()))).toEqual(whole);
    expect(settled(sliceNumbers(program))).toEqual(whole);
    const keys = program.filter(({ key }) => key).map(({ nals }) => numberOf(nals.findLast(isSlice)!));
    expect(keys.filter((number) => number % GROUP !== 0)).toEqual([]);
  });

  test.each(MANNERS)('for the encoder that makes them fit for browsers when %s', (_, manner, count) => {
    const { encoders } = watched(manner, WITH_B);
    const fed = encoders.flatMap(({ units }) => units.map((nals) => ({ nals })));
    expect(settled(sliceNumbers(fed))).toEqual(wholePictures(GROUP, SENT - 1, count));
  });
});

test.each(MANNERS)('pictures are counted, not messages, when %s', (_, manner) => {
  const { statistics } = watched(manner);
  expect(statistics.video).toMatchObject({ keyFrameIntervalMs: 1_000, dropped: 0 });
  expect(statistics.video?.frameRate).toBeGreaterThan(24);
  expect(statistics.video?.frameRate).toBeLessThan(26);
});
