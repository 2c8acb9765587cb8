import { expect, test } from 'vitest';
import { ProgramTimeline } from '../../../../transcode/delivery/program-timeline.ts';
import { unit } from './program.ts';

function note(timeline: ProgramTimeline, texts: string): void {
  for (const text of texts.split(' ')) timeline.note(unit(text));
}

test('a destination has no time before its first connection begins with a key frame', () => {
  const timeline = new ProgramTimeline();
  expect(timeline.originUs).toBeUndefined();
  timeline.begin(unit('vk5000'));
  expect(timeline.originUs).toBe(5_000_000);
});

test('the origin of a destination stays the same over all its connections', () => {
  const timeline = new ProgramTimeline();
  timeline.begin(unit('vk5000'));
  note(timeline, 'vk5000 a5010 v5033 a5031');
  timeline.begin(unit('vk9000'));
  expect(timeline.originUs).toBe(5_000_000);
});

test('the origin of a delivery that another process began is kept', () => {
  const timeline = new ProgramTimeline(1_234_000);
  expect(timeline.originUs).toBe(1_234_000);
  expect(timeline.canBeginWith(unit('vk9000'))).toBe(true);
  timeline.begin(unit('vk9000'));
  expect(timeline.originUs).toBe(1_234_000);
});

test.each<[number, number]>([
  [5_000_499, 5_000_000],
  [5_000_500, 5_001_000],
  [0, 0],
])('a first frame at %d µs makes the origin whole milliseconds: %d µs', (dtsUs, originUs) => {
  const timeline = new ProgramTimeline();
  timeline.begin({ ...unit('vk0'), dtsUs });
  expect(timeline.originUs).toBe(originUs);
});

test.each<[string, string, boolean]>([
  ['a newer key frame', 'vk1001', true],
  ['the one that was sent last', 'vk1000', false],
  ['an older one', 'vk999', false],
  ['another video frame', 'v1001', false],
  ['audio', 'a1001', false],
])('a connection may begin with %s: %s', (_, text, expected) => {
  const timeline = new ProgramTimeline();
  expect(timeline.canBeginWith(unit('vk0'))).toBe(true);
  timeline.begin(unit('vk0'));
  note(timeline, 'vk0 v1000');
  expect(timeline.canBeginWith(unit(text))).toBe(expected);
});

test('a connection may begin anew with a key frame that waited and was never sent', () => {
  const timeline = new ProgramTimeline();
  timeline.begin(unit('vk0'));
  note(timeline, 'vk0');
  expect(timeline.takes(unit('vk500'))).toBe(true);
  expect(timeline.canBeginWith(unit('vk500'))).toBe(true);
});

test.each<[string, boolean]>([
  ['a1999', false], // before the frame that it began with
  ['a2050', false], // was sent
  ['a2051', true],
  ['v1999', false],
  ['vk2000', true],
])('a connection that began at 2000, after audio up to 2050 was sent, takes %s: %o', (text, expected) => {
  const timeline = new ProgramTimeline();
  timeline.begin(unit('vk0'));
  note(timeline, 'vk0 v1900 a2050');
  timeline.begin(unit('vk2000'));
  expect(timeline.takes(unit(text))).toBe(expected);
});

test('what a connection sends itself does not keep it from taking what it did not send yet', () => {
  const timeline = new ProgramTimeline();
  timeline.begin(unit('vk0'));
  note(timeline, 'vk0 a50');
  // What waits in front of it may come a little late, of one kind and of the other.
  expect([timeline.takes(unit('a40')), timeline.takes(unit('v0'))]).toEqual([true, true]);
});
