import { expect, test } from 'vitest';
import { Lateness } from '../../../../transcode/ingest/lateness.ts';

test('it is 0 before anything came, and at once what the first one says', () => {
  const lateness = new Lateness();
  expect(lateness.ms).toBe(0);
  lateness.note(300);
  expect(lateness.ms).toBe(300);
});

test('one that is late changes little, a hundred say how it is', () => {
  const lateness = new Lateness();
  for (let frame = 0; frame < 50; frame++) lateness.note(100);
  lateness.note(300);
  expect(lateness.ms).toBeCloseTo(110, 6);
  for (let frame = 0; frame < 100; frame++) lateness.note(300);
  expect(lateness.ms).toBeGreaterThan(298);
  expect(lateness.ms).toBeLessThan(300);
});
