import { expect, test } from 'vitest';
import { ProgramTimeline } from '../../../../transcode/delivery/program-timeline.ts';
import { packet } from './program.ts';

const stamps = (timeline: ProgramTimeline, texts: string) =>
  texts.split(' ').map((text) => timeline.stamp(packet(text)));

test('begins at 0, and configs with it however old they are', () => {
  const timeline = new ProgramTimeline();
  timeline.begin(packet('vk5000'));
  expect(stamps(timeline, 'vc0 ac0 vk5000 a5010 v5033 vc5066 vk5066')).toEqual([0, 0, 0, 10, 33, 66, 66]);
});

test('goes on with the program over connections, for each kind forwards', () => {
  const timeline = new ProgramTimeline();
  timeline.begin(packet('vk5000'));
  stamps(timeline, 'vk5000 a5010 v5033 a5031');
  timeline.begin(packet('vk9000'));
  expect(stamps(timeline, 'vc0 ac0 vk9000 a9005')).toEqual([4_000, 4_000, 4_000, 4_005]);
  // Headers in between are no reason to go back, either.
  expect(stamps(timeline, 'ac0 a9026')).toEqual([4_005, 4_026]);
});

test.each<[string, string, boolean]>([
  ['a newer key frame', 'vk1001', true],
  ['the one that was sent last', 'vk1000', false],
  ['an older one', 'vk999', false],
  ['another picture', 'v1001', false],
  ['a sound', 'a1001', false],
  ['a config', 'vc1001', false],
])('a connection may begin with %s: %s', (_, text, expected) => {
  const timeline = new ProgramTimeline();
  expect(timeline.canBeginWith(packet('vk0'))).toBe(true);
  timeline.begin(packet('vk0'));
  stamps(timeline, 'vk0 v1000');
  expect(timeline.canBeginWith(packet(text))).toBe(expected);
});

test.each<[string, boolean]>([
  ['a1999', false], // before the picture that it began with
  ['a2050', false], // was sent
  ['a2051', true],
  ['v1999', false],
  ['vk2000', true],
  ['vc0', true],
])('a connection that began at 2000, after sound up to 2050 was sent, takes %s: %o', (text, expected) => {
  const timeline = new ProgramTimeline();
  timeline.begin(packet('vk0'));
  stamps(timeline, 'vk0 v1900 a2050');
  timeline.begin(packet('vk2000'));
  expect(timeline.takes(packet(text))).toBe(expected);
});
