import { describe, expect, test } from 'vitest';
import {
  avcBody,
  interSlice,
  keySlice,
  LARGE,
  OTHER_PPS,
  PLAIN,
  PPS,
  recordOf,
  SEI,
  sequenceHeader,
  WITH_B,
} from '../../support/flv-bodies.ts';
import { withLengths } from '../../support/nal-units.ts';
import { GROUP, isSlice, numberOf, stream } from '../../support/picture-stream.ts';
import { push } from '../../support/push.ts';

/* A picture that brings parameter sets of its own changes what the header said, from there on (ITU-T H.264, section 7.4.1.2.1). */

const SPS = 7;
const PARAMETER_SETS = [SPS, 8];
/** The number of the first picture of another form, and of one after which nothing changes any more. */
const CHANGE = 2 * GROUP;
const SETTLED = 3 * GROUP;

const setsOf = (nals: readonly Buffer[]) => nals.filter((nal) => PARAMETER_SETS.includes(nal[0]! & 0x1f));

interface Change {
  /** In front of the key frame that changes, and of those after it. */
  readonly once?: readonly Buffer[];
  readonly always?: readonly Buffer[];
  /** What has to reach everybody. */
  readonly sets: readonly Buffer[];
}

const CHANGES: [string, Change][] = [
  ['both, in front of each key frame', { always: [LARGE, OTHER_PPS], sets: [LARGE, OTHER_PPS] }],
  ['both, in front of the first key frame', { once: [LARGE, OTHER_PPS], sets: [LARGE, OTHER_PPS] }],
  ['an SPS, and the PPS as it was', { once: [LARGE, PPS], always: [LARGE, PPS], sets: [LARGE, PPS] }],
  ['an SPS without a PPS', { once: [LARGE], sets: [LARGE, PPS] }],
  ['a PPS without an SPS', { once: [OTHER_PPS], sets: [PLAIN, OTHER_PPS] }],
  ['both, with SEI between them', { once: [LARGE, SEI, OTHER_PPS], sets: [LARGE, OTHER_PPS] }],
];

/** 640x360, and from the third group of pictures on what its encoder changes to. */
function changing({ once = [], always = [] }: Change) {
  const all = push();
  const seen = all.program();
  all.open('video');
  all.video(sequenceHeader(recordOf(PLAIN)), 0);
  const send = (key: boolean, number: number, ms: number) => {
    const sets = number === CHANGE && once.length > 0 ? once : number >= CHANGE ? always : [];
    const units = key ? [...sets, keySlice(number)] : [interSlice(number)];
    all.video(avcBody(withLengths(units), { frame: key ? 'key' : 'inter' }), ms);
  };
  stream(all, send, { seconds: 4 });
  return { ...all, seen, send };
}

function picturesOf(all: ReturnType<typeof changing>, number: number) {
  return all.pictures().find(({ nals }) => nals.some((nal) => isSlice(nal) && numberOf(nal) === number));
}

describe('a key frame that brings other parameter sets', () => {
  test.each(CHANGES)('reaches browsers with these and no older ones: %s', (_, change) => {
    const all = changing(change);
    for (const number of [CHANGE, SETTLED]) {
      expect([number, setsOf(picturesOf(all, number)!.nals)]).toEqual([number, change.sets]);
    }
  });

  test.each(CHANGES)('changes what programs are told: %s', (_, change) => {
    const { seen } = changing(change);
    const shown = seen.filter(({ nals }) => numberOf(nals.findLast(isSlice)!) >= CHANGE);
    expect(shown).toHaveLength(2 * GROUP);
    const [width, height] = change.sets[0] === LARGE ? [1_920, 1_080] : [640, 360];
    for (const { parameterSets, width: columns, height: rows, nals } of shown) {
      expect([parameterSets, columns, rows]).toEqual([change.sets, width, height]);
      // They may stand in the picture as well.
      expect(setsOf(nals).filter((set) => !change.sets.some((one) => one.equals(set)))).toEqual([]);
    }
  });

  test.each(CHANGES)('is what whoever comes later begins with: %s', (_, change) => {
    const all = changing(change);
    const later = all.program();
    expect(later[0]?.parameterSets).toEqual(change.sets);
    all.close('video');
    all.open('video');
    stream(all, all.send, { from: 4 * GROUP, seconds: 1 });
    expect(setsOf(picturesOf(all, 4 * GROUP)!.nals)).toEqual(change.sets);
  });
});

test.each(CHANGES.filter(([, { sets }]) => sets[0] === LARGE))(
  'the size of a stream that changes is told: %s',
  (_, change) => {
    const { plan, statistics } = changing(change);
    expect(plan('video')).toMatchObject({ outcome: 'pass-through', width: 1_920, height: 1_080 });
    expect(statistics.video).toMatchObject({ width: 1_920, height: 1_080 });
  },
);

test('a stream is re-encoded once its pictures bring parameter sets that browsers cannot show', () => {
  const { plan, encoders } = changing({ always: [WITH_B, PPS], sets: [WITH_B, PPS] });
  expect(plan('video')).toMatchObject({ outcome: 'transcode', width: 640, height: 360 });
  const [first] = encoders.at(-1)?.units ?? [];
  expect(first && setsOf(first)).toEqual([WITH_B, PPS]);
});

test('sets that a picture brings again and again are no change', () => {
  const { plans, pictures } = changing({ always: [LARGE, OTHER_PPS], sets: [LARGE, OTHER_PPS] });
  const sizes = plans.filter(({ kind }) => kind === 'video').map(({ width }) => width);
  expect(sizes).toEqual([640, 1_920]);
  const keys = pictures().filter(({ nals }) => setsOf(nals).length > 0);
  expect(keys.map(({ nals }) => setsOf(nals).length)).toEqual([2, 2, 2, 2]);
});
