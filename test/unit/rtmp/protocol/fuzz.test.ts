import { expect, test } from 'vitest';
import { fuzzRtmp } from '../../../fuzz/rtmp.ts';

test('broken input is refused, and nothing else happens (npm run fuzz for more of it)', () => {
  const { rounds, refused } = fuzzRtmp(1, 4000);
  expect(rounds).toBe(4000);
  // It comes to everything that there is to refuse, and not all of it is.
  const codes = [
    'aggregate',
    'amf',
    'chunk',
    'command',
    'handshake',
    'message-too-long',
    'too-many-streams',
    'too-much-unfinished',
  ];
  expect(Object.keys(refused).sort()).toEqual(codes);
  expect(Object.values(refused).reduce((before, count) => before + count, 0)).toBeLessThan(3600);
});

test('the same seed gives the same', () => {
  expect(fuzzRtmp(7, 100)).toEqual(fuzzRtmp(7, 100));
  expect(fuzzRtmp(7, 100)).not.toEqual(fuzzRtmp(8, 100));
});
