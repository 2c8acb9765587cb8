import { describe, expect, test } from 'vitest';
import { H264ParameterSets } from '../../../../src/media/h264/parameter-sets.ts';
import { BitWriter } from '../../support/bit-writer.ts';
import { mutationsOf } from '../../support/mutations.ts';

const sps = (id: number, rest = 0x80) =>
  Buffer.concat([Buffer.from('6742c01e', 'hex'), new BitWriter().ue(id).bytes(), Buffer.of(rest)]);
const pps = (id: number, rest = 0x80) =>
  Buffer.concat([Buffer.of(0x68), new BitWriter().ue(id).bytes(), Buffer.of(rest)]);

function kept(...units: readonly Buffer[]) {
  const sets = new H264ParameterSets();
  for (const unit of units) sets.add(unit);
  return { sps: sets.sps, pps: sets.pps };
}

describe('of what was sent is kept', () => {
  test.each<[string, Buffer[], Buffer[], Buffer[]]>([
    ['one of each kind', [sps(0), pps(0)], [sps(0)], [pps(0)]],
    ['one of each id', [sps(0), sps(31), pps(0), pps(255)], [sps(0), sps(31)], [pps(0), pps(255)]],
    ['the last of each id', [sps(0, 1), pps(3, 1), sps(0, 2), pps(3, 2)], [sps(0, 2)], [pps(3, 2)]],
    ['nothing of other kinds', [Buffer.from('658880', 'hex'), Buffer.from('0910', 'hex')], [], []],
    ['none with an id that there is not', [sps(32), pps(256)], [], []],
    ['none that is cut off', [Buffer.from('6742c01e', 'hex'), Buffer.of(0x68), Buffer.alloc(0)], [], []],
    ['none that is too large', [Buffer.concat([sps(0), Buffer.alloc(4_091)])], [], []],
    [
      'what is just not too large',
      [Buffer.concat([pps(0), Buffer.alloc(4_093)])],
      [],
      [Buffer.concat([pps(0), Buffer.alloc(4_093)])],
    ],
    [
      'eight of a kind, without the one that changed longest ago',
      [0, 1, 2, 3, 4, 5, 6, 7, 0, 8].map((id, index) => pps(id, index)),
      [],
      [2, 3, 4, 5, 6, 7, 0, 8].map((id) => pps(id, { 0: 8, 8: 9 }[id] ?? id)),
    ],
  ])('%s', (_, units, expectedSps, expectedPps) => {
    expect(kept(...units)).toEqual({ sps: expectedSps, pps: expectedPps });
  });
});

test('the arrays are others only once they have changed, and what they hold is copied', () => {
  const sets = new H264ParameterSets();
  const unit = sps(0);
  sets.add(unit);
  const before = sets.sps;
  sets.add(Buffer.from(unit));
  expect(sets.sps).toBe(before);
  unit.fill(0);
  expect(before).toEqual([sps(0)]);
  sets.add(sps(0, 3));
  expect(sets.sps).not.toBe(before);
  expect(before).toEqual([sps(0)]);
});

test('bytes of strangers do no harm', () => {
  const sets = new H264ParameterSets();
  for (const bytes of mutationsOf([sps(0), pps(9)], 5_000)) sets.add(bytes);
  expect(sets.sps.length).toBe(8);
  expect(sets.pps.length).toBe(8);
});
