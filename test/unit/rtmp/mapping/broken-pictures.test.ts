import { describe, expect, test } from 'vitest';
import {
  avcBody,
  type FrameType,
  PLAIN,
  pictureBody,
  recordOf,
  sequenceHeader,
} from '../../support/flv-bodies.ts';
import { PERIOD_MS, sliceNumbers } from '../../support/picture-stream.ts';
import { push } from '../../support/push.ts';

/** A length that leads past the end. */
const BROKEN = Buffer.from('000000ff65', 'hex');
const GROUP = 5;
const COUNT = 20;

/** Pictures in real time, of which the one with that number cannot be read. */
function breaking(number: number, frame: FrameType) {
  const one = push();
  one.open('video');
  const program = one.program();
  one.video(sequenceHeader(recordOf(PLAIN)), 0);
  for (let index = 0; index < COUNT; index++) {
    const body = index === number ? avcBody(BROKEN, { frame }) : pictureBody(index % GROUP === 0, index);
    one.video(body, index * PERIOD_MS);
    one.clock.advance(PERIOD_MS);
  }
  return { browsers: sliceNumbers(one.pictures()), program: sliceNumbers(program) };
}

/** One slice each, all but those. */
function allBut(...missing: readonly number[]): number[][] {
  const numbers = Array.from({ length: COUNT }, (_, index) => index);
  return numbers.filter((index) => !missing.includes(index)).map((index) => [index]);
}

describe('a picture that cannot be read', () => {
  test('is left out alone when it is no key frame', () => {
    const { browsers, program } = breaking(7, 'inter');
    expect([browsers, program]).toEqual([allBut(7), allBut(7)]);
  });

  test('is left out with all that refer to it, up to the next key frame, when it is one', () => {
    const { browsers, program } = breaking(10, 'key');
    expect([browsers, program]).toEqual([allBut(10, 11, 12, 13, 14), allBut(10, 11, 12, 13, 14)]);
  });
});
