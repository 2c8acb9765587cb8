import { describe, expect, test } from 'vitest';
import { FlvTime } from '../../../../src/media/containers/flv/flv-time.ts';
import { StampLine } from '../../../../transcode/ffmpeg/stamp-line.ts';

describe('the line', () => {
  test.each<[string, number[]]>([
    ['goes on evenly', [700, 721, 743, 764]],
    ['has gaps', [700, 721, 5000, 5021]],
    ['goes back', [700, 721, 20, 41]],
    ['goes back below zero of its start', [90_000, 90_021, 0, 21]],
    ['jumps with every stamp', [0, 1000, 0, 5000, 70, 1]],
    ['is not whole', [0.25, 21.5, 42.75]],
  ])('a source that %s: places rise in small steps, and lead back', (_, stamps) => {
    const line = new StampLine();
    const places = stamps.map((stamp) => line.place(stamp)!);
    const steps = places.slice(1).map((place, index) => place - places[index]!);
    expect(Math.min(...steps)).toBeGreaterThanOrEqual(0);
    expect(Math.max(...steps)).toBeLessThanOrEqual(200);
    expect(places[0]).toBe(line.startMs);
    for (const [index, place] of places.entries()) {
      expect(Number.isInteger(place)).toBe(true);
      expect(Math.abs(line.source(place) - stamps[index]!)).toBeLessThanOrEqual(0.5);
    }
  });

  test('places may be off a little, also where the source jumped', () => {
    const line = new StampLine();
    const places = [0, 21, 5000, 5021].map((stamp) => line.place(stamp)!);
    expect(line.source(places[1]! + 40)).toBe(61);
    expect(line.source(places[2]! - 40)).toBe(4960);
  });

  test('a stamp that is a little too early stays where the line is', () => {
    const line = new StampLine();
    const places = [0, 21, 11, 43].map((stamp) => line.place(stamp)! - line.startMs);
    expect(places).toEqual([0, 21, 21, 43]);
  });

  test('ends where FLV has no more times', () => {
    const line = new StampLine();
    let stamp = 0;
    let place: number | undefined = 0;
    for (; place !== undefined; stamp += 1_000_000) {
      place = line.place(stamp);
      for (let step = 0; step < 200 && place !== undefined; step++) {
        stamp += 200;
        place = line.place(stamp);
      }
      if (stamp > 2 ** 53) throw new Error('it never ends');
      if (place !== undefined) expect(place).toBeLessThan(2 ** 32);
    }
  }, 60_000);
});

test('times of 31 bits go on where they begin anew, also backwards', () => {
  const time = new FlvTime();
  const wrapped = [0, 1_000_000_000, 2_000_000_000, 5, 2 ** 31 - 10, 50, 1_000_000_000, 2_000_000_000, 7];
  expect(wrapped.map((ms) => time.unwrap(ms))).toEqual([
    ...[0, 1_000_000_000, 2_000_000_000, 2 ** 31 + 5, 2 ** 31 - 10, 2 ** 31 + 50],
    ...[2 ** 31 + 1_000_000_000, 2 ** 31 + 2_000_000_000, 2 ** 32 + 7],
  ]);
});
