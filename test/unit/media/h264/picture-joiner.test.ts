import { describe, expect, test } from 'vitest';
import { type JoinedPicture, PictureJoiner } from '../../../../src/media/h264/picture-joiner.ts';
import { frameH264 } from '../../../../src/media/h264/unit-framing.ts';
import {
  interSlice,
  keySlice,
  laterInterSlice,
  laterKeySlice,
  PLAIN,
  PPS,
  RECOVERY_POINT,
  SEI,
} from '../../support/flv-bodies.ts';
import { withLengths } from '../../support/nal-units.ts';

/** A joiner with what comes out of it, in units in ms: `0:2` is a picture of 2 NAL units at 0 ms. */
function joining() {
  const pictures: JoinedPicture[] = [];
  const joiner = new PictureJoiner((picture) => pictures.push(picture));
  const add = (timestampMs: number, units: readonly Buffer[], { key = false, compositionMs = 0 } = {}) =>
    joiner.add({ framed: frameH264(withLengths(units), 4)!, timestampMs, compositionMs, key });
  return {
    joiner,
    pictures,
    add,
    get stamps() {
      return pictures.map(({ timestampMs }) => timestampMs);
    },
    /** So many whole pictures, 40 ms apart from 0. */
    addWholes: (count: number) => {
      for (let index = 0; index < count; index++) add(40 * index, [interSlice(index)]);
    },
  };
}

describe('pictures that each come in one message', () => {
  test('wait for the next at the beginning, and for nothing once three came', () => {
    const { add, pictures } = joining();
    const counts = [0, 1, 2, 3, 4, 5].map((index) => {
      add(40 * index, [interSlice(index)]);
      return pictures.length;
    });
    expect(counts).toEqual([0, 1, 2, 4, 5, 6]);
  });

  test('come out as they went in', () => {
    const { add, pictures, joiner } = joining();
    const bytes = [SEI, keySlice()];
    add(0, bytes, { key: true, compositionMs: 80 });
    joiner.flush();
    expect(pictures).toHaveLength(1);
    expect(pictures[0]).toMatchObject({ timestampMs: 0, compositionMs: 80, key: true });
    expect(pictures[0]!.framed.data).toEqual(withLengths(bytes));
  });

  test('are whole when something later came, and not before', () => {
    const all = joining();
    all.add(100, [interSlice()]);
    all.joiner.passed(99);
    all.joiner.passed(100);
    expect(all.stamps).toEqual([]);
    all.joiner.passed(101);
    expect(all.stamps).toEqual([100]);
    all.joiner.passed(500);
    all.joiner.flush();
    expect(all.stamps).toEqual([100]);
  });

  test('may have the same time', () => {
    const all = joining();
    for (let index = 0; index < 4; index++) all.add(0, [interSlice(index)]);
    expect(all.stamps).toEqual([0, 0, 0, 0]);
  });
});

describe('slices in messages of their own', () => {
  test('are one picture, with the facts of all of them', () => {
    const all = joining();
    all.add(0, [RECOVERY_POINT, keySlice()], { key: true, compositionMs: 40 });
    all.add(0, [laterKeySlice()], { key: true, compositionMs: 40 });
    all.add(40, [interSlice()]);
    const [picture] = all.pictures;
    expect(picture!.framed.data).toEqual(withLengths([RECOVERY_POINT, keySlice(), laterKeySlice()]));
    expect(picture).toMatchObject({
      ...{ timestampMs: 0, compositionMs: 40, key: true },
      framed: {
        isIdr: true,
        isRecoveryPoint: true,
        hasSlice: true,
        beginsPicture: true,
        isDisposable: false,
      },
    });
  });

  test('wait for the next picture for good', () => {
    const all = joining();
    for (let index = 0; index < 20; index++) {
      all.add(40 * index, [interSlice(index)]);
      expect(all.pictures).toHaveLength(index);
      all.add(40 * index, [laterInterSlice(index)]);
    }
    all.joiner.flush();
    expect(all.pictures).toHaveLength(20);
  });

  test('are found although the pictures before came whole: at most one of them comes apart', () => {
    const all = joining();
    all.addWholes(10);
    for (let index = 10; index < 20; index++) {
      all.add(40 * index, [interSlice(index)]);
      all.add(40 * index, [laterInterSlice(index)]);
    }
    all.joiner.flush();
    const whole = all.pictures.filter(({ framed }) => framed.data.length === 2 * (4 + 12));
    expect(whole.length).toBeGreaterThanOrEqual(9);
  });

  test('of a picture that nothing refers to make one that nothing refers to', () => {
    const all = joining();
    const [first, later] = ['019a23aa', '010c9aaa'].map((hex) => Buffer.from(hex, 'hex'));
    all.add(0, [first!]);
    all.add(0, [later!]);
    all.joiner.flush();
    expect(all.pictures[0]!.framed.isDisposable).toBe(true);
  });

  test.each([0, 1, 5])('may be stamped each by itself, %d ms apart', (stepMs) => {
    const all = joining();
    for (let index = 0; index < 5; index++) {
      all.add(40 * index, [interSlice(index)]);
      all.add(40 * index + stepMs, [laterInterSlice(index)]);
    }
    all.joiner.flush();
    expect(all.stamps).toEqual([0, 40, 80, 120, 160]);
    expect(all.pictures[4]!.framed.data).toEqual(withLengths([interSlice(4), laterInterSlice(4)]));
  });

  test('do not wait for ever when nothing but audio comes any more', () => {
    const all = joining();
    all.add(0, [interSlice()]);
    all.add(0, [laterInterSlice()]);
    all.joiner.passed(1_000);
    expect(all.stamps).toEqual([0]);
  });

  test('are those of the same time: what is much later is another picture', () => {
    const all = joining();
    all.add(0, [interSlice()]);
    all.add(1_000, [laterInterSlice()]);
    expect(all.stamps).toEqual([0]);
  });
});

describe('what comes ahead of its picture', () => {
  test.each<[string, boolean]>([
    ['at the beginning', false],
    ['once nothing waits', true],
  ])('waits for it %s', (_, isTrusted) => {
    const all = joining();
    if (isTrusted) all.addWholes(5);
    const { length } = all.pictures;
    all.add(200, [PLAIN]);
    all.add(200, [PPS]);
    all.add(200, [SEI]);
    all.joiner.passed(230);
    all.joiner.flush();
    expect(all.pictures.slice(isTrusted ? length : 0).map(({ timestampMs }) => timestampMs)).toEqual([]);
    all.add(240, [keySlice()], { key: true });
    all.joiner.flush();
    expect(all.stamps.at(-1)).toBe(240);
    expect(all.pictures.at(-1)!.framed).toMatchObject({ sps: [PLAIN], pps: [PPS], isIdr: true });
    expect(all.pictures.at(-1)!.framed.data).toEqual(withLengths([SEI, keySlice()]));
  });

  test('does not make a key frame of its picture by its own flag', () => {
    const all = joining();
    all.add(0, [SEI], { key: true });
    all.add(0, [interSlice()]);
    all.joiner.flush();
    expect(all.pictures[0]!.key).toBe(false);
  });

  test('is not of the picture that waits', () => {
    const all = joining();
    all.add(0, [interSlice()]);
    all.add(40, [SEI]);
    expect(all.stamps).toEqual([0]);
    expect(all.pictures[0]!.framed.data).toEqual(withLengths([interSlice()]));
  });
});

describe('its bounds', () => {
  test('messages that never make a picture are not kept for ever', () => {
    const all = joining();
    for (let index = 0; index < 10_000; index++) all.add(index, [SEI]);
    all.add(10_000, [keySlice()]);
    all.joiner.flush();
    expect(all.pictures[0]!.framed.data.length).toBeLessThan(1_200 * (4 + SEI.length));
  });

  test('pictures that are too large are left out, and the next is taken', () => {
    const all = joining();
    const slice = keySlice(1, 5 * 1024 * 1024);
    const later = laterKeySlice(1, 5 * 1024 * 1024);
    all.add(0, [slice]);
    for (let index = 0; index < 3; index++) all.add(0, [later]);
    all.add(40, [interSlice()]);
    all.joiner.flush();
    expect(all.stamps).toEqual([40]);
  });

  test('what was forgotten does not come', () => {
    const all = joining();
    all.add(0, [interSlice()]);
    all.joiner.clear();
    all.joiner.flush();
    expect(all.pictures).toEqual([]);
  });
});
