import { describe, expect, test } from 'vitest';
import { layOut } from '../../../../transcode/ffmpeg/slate-layout.ts';

describe('lines of a slate of 1280x720', () => {
  test.each([
    ['standup', ['standup']],
    ['Weekly engineering sync & planning', ['Weekly engineering', 'sync & planning']],
    // A long word makes all smaller rather than being broken, while that can be read.
    ['Donaudampfschifffahrtsgesellschaft', ['Donaudampfschifffahrtsgesellschaft']],
    ['会議室'.repeat(6), ['会議室'.repeat(6)]],
  ])('%s', (text, lines) => {
    expect(layOut(text, 1280, 720).lines).toEqual(lines);
  });

  test('are smaller the more there is', () => {
    const sizes = [5, 20, 60, 128].map((length) =>
      layOut('abcd '.repeat(30).slice(0, length).trim(), 1280, 720),
    );
    expect(sizes[0]!.fontSize).toBe(80);
    expect(sizes[3]!.fontSize).toBeLessThan(sizes[0]!.fontSize);
    expect(sizes[3]!.fontSize).toBeGreaterThan(36);
  });
});

describe.each([
  [1280, 720],
  [1920, 1080],
  [360, 640],
  [64, 36],
  [2, 2],
])('on %ix%i', (width, height) => {
  test.each([
    ['W'.repeat(128)],
    ['会'.repeat(128)],
    ['👨‍👩‍👧‍👦'.repeat(18)],
    ['a b '.repeat(32).trim()],
    [`${'x'.repeat(100)} y`],
    [`e${'\u0301'.repeat(127)}`],
  ])('%s takes no more than there is room for', (text) => {
    const { fontSize, lineHeight, lines } = layOut(text, width, height);
    expect(fontSize).toBeGreaterThanOrEqual(8);
    expect(lines.length).toBeGreaterThanOrEqual(1);
    expect(lines.length === 1 || lines.length * lineHeight <= 0.65 * height).toBe(true);
    expect(lines.every((line) => line !== '' && line === line.trim())).toBe(true);
    // Nothing is lost where there is room.
    if (width >= 1280) expect(lines.join('').replaceAll(' ', '')).toBe(text.replaceAll(' ', ''));
  });
});
