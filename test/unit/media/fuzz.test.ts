import { expect, test } from 'vitest';
import { fuzzMedia } from '../../fuzz/media.ts';

test('broken media is refused, and nothing else happens (npm run fuzz for more of it)', () => {
  const { rounds, refused } = fuzzMedia(1, 5000);
  expect(rounds).toBe(5000);
  // Every parser refuses some of its inputs, about one in nine of all, and takes some.
  expect(Object.keys(refused).length).toBe(9);
  for (const count of Object.values(refused)) expect(count).toBeLessThan(500);
});
