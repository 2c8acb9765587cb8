import { describe, expect, test } from 'vitest';
import type { MeasuredTrack } from '../../../src/api/metrics-sample.ts';
import { TrackTotals } from '../../../src/api/track-totals.ts';
import { camera, openRoom, person, voice } from '../support/rooms.ts';

interface Counts {
  readonly packets?: number;
  readonly packetsLost?: number;
  readonly late?: number;
  readonly lost?: number;
  readonly discarded?: number;
}

function tracks() {
  const ann = openRoom().room.join(person('ann'));
  return { sound: ann.publish(voice()), picture: ann.publish(camera()) };
}

function measure(track: MeasuredTrack['track'], counts: Counts): MeasuredTrack {
  const { packets = 0, packetsLost = 0, late = 0, lost = 0, discarded = 0 } = counts;
  const jitterBuffer = { depth: 0, late, lost, discarded, stretched: 0 };
  return { track, statistics: { packets, packetsLost, bitrateBps: 0, jitterMs: 0, jitterBuffer } };
}

const NONE = { packets: 0, packetsLost: 0, late: 0, lost: 0, discarded: 0 };

describe('counts of one track, sample by sample', () => {
  test.each<[string, Counts[], Counts]>([
    ['grow', [{ packets: 10 }, { packets: 25 }], { packets: 25 }],
    ['stand still', [{ packets: 10 }, { packets: 10 }], { packets: 10 }],
    ['begin anew', [{ packets: 10 }, { packets: 3 }, { packets: 5 }], { packets: 15 }],
    ['of late packets begin anew', [{ late: 4 }, { late: 1 }], { late: 5 }],
    [
      'of lost packets fall, since one came after all',
      [{ packetsLost: 5 }, { packetsLost: 4 }],
      { packetsLost: 5 },
    ],
    [
      'of every kind',
      [{ packets: 1, packetsLost: 2, late: 3, lost: 4, discarded: 5 }],
      { packets: 1, packetsLost: 2, late: 3, lost: 4, discarded: 5 },
    ],
  ])('%s', (_, samples, sum) => {
    const { sound } = tracks();
    const totals = new TrackTotals();
    for (const counts of samples) totals.add([measure(sound, counts)], new Set([sound.sid]));
    expect(totals.all).toEqual([{ gateway: 'webrtc', kind: 'audio', ...NONE, ...sum }]);
  });
});

test('a track that ended takes nothing with it, and one that did not answer is counted from where it was', () => {
  const { sound, picture } = tracks();
  const totals = new TrackTotals();
  const both = new Set([sound.sid, picture.sid]);
  totals.add([measure(sound, { packets: 7 }), measure(picture, { packets: 100 })], both);
  totals.add([measure(sound, { packets: 8 })], both);
  totals.add([measure(picture, { packets: 130 })], new Set([picture.sid]));
  expect(totals.all.map(({ kind, packets }) => [kind, packets])).toEqual([
    ['audio', 8],
    ['video', 130],
  ]);
});

test('what answers for a track that is not there any more is left out', () => {
  const { sound } = tracks();
  const totals = new TrackTotals();
  totals.add([measure(sound, { packets: 7 })], new Set());
  expect(totals.all).toEqual([]);
});
