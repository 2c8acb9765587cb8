import { expect, test } from 'vitest';
import { ProcessDeaths } from '../../../../transcode/ffmpeg/process-deaths.ts';
import { FakeClock } from '../../support/fake-clock.ts';

test.each<[string, number[], boolean[]]>([
  ['three in a moment', [0, 0, 0], [true, true, false]],
  ['three within a minute', [0, 30_000, 29_999], [true, true, false]],
  ['the first a minute ago', [0, 30_000, 30_000], [true, true, true]],
  ['one each 31 s', [0, 31_000, 31_000, 31_000, 31_000], [true, true, true, true, true]],
  ['again after a while', [0, 0, 0, 60_000, 0, 0], [true, true, false, true, true, false]],
])('%s: may it be started again?', (_, pausesMs, expected) => {
  const clock = new FakeClock();
  const deaths = new ProcessDeaths(clock);
  const answers = pausesMs.map((pauseMs) => {
    clock.advance(pauseMs);
    return deaths.note();
  });
  expect(answers).toEqual(expected);
  expect(deaths.total).toBe(expected.length);
});
