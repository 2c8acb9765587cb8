import { describe, expect, test } from 'vitest';
import { videoJobs as jobs } from '../../support/fake-jobs.ts';
import {
  copying,
  HUB,
  MIX_DELAY_MS,
  ORIGIN_MS,
  OTHER_PUSH,
  PERIOD_MS,
  programVideo,
} from '../../support/program-video.ts';

/* What is copied gives way to its own encoding, or to another source: neither decoding nor showing times go back. */

const TOO_FAR = { keyFrameGapMs: 4_200 };
/** Of pictures that are shown as I b b P b b P, in the order they are decoded: by how much later each is shown. */
const KEY_WITH_B = [
  ['K', PERIOD_MS],
  ['i', 3 * PERIOD_MS],
  ['i', 0],
  ['i', 0],
] as const;
const THREE_WITH_B = KEY_WITH_B.slice(1);

/** When each is decoded and shown, program time. */
function timesOf({ units }: ReturnType<typeof programVideo>): { decodeMs: number; showMs: number }[] {
  return units.map(({ dtsUs, ptsUs }) => ({ decodeMs: dtsUs / 1000, showMs: ptsUs / 1000 }));
}

/** Where the last part begins, after so many copied pictures, it is decoded and shown after all of them. */
function expectAfter(all: ReturnType<typeof programVideo>, copied: number): void {
  const times = timesOf(all);
  const before = times.slice(0, copied);
  const after = times.slice(copied);
  expect([before.length, after.length > 0]).toEqual([copied, true]);
  const decoded = times.map(({ decodeMs }) => decodeMs);
  expect(decoded.slice(1).every((decodeMs, index) => decodeMs > decoded[index]!)).toBe(true);
  const lastShownMs = Math.max(...before.map(({ showMs }) => showMs));
  expect(Math.min(...after.map(({ decodeMs }) => decodeMs))).toBeGreaterThan(lastShownMs);
}

/** A push with B-frames is copied. */
function copyingReordered() {
  const all = programVideo();
  void all.video.show('a');
  all.configure('a', OTHER_PUSH);
  all.sendReordered('a', [...KEY_WITH_B, ...THREE_WITH_B]);
  expect(all.letters()).toBe('[O]Kiiiiii');
  // The latest is not the one that is shown last.
  const times = timesOf(all);
  expect(times.at(-3)!.showMs).toBeGreaterThan(times.at(-1)!.showMs);
  return all;
}

describe('to its own encoder', () => {
  test.each([
    [0, 'no more'],
    [3, 'no more'],
    [4, 'on'],
    [20, 'on'],
  ])('which is %i pictures behind: copying goes %s', (behind, goes) => {
    const all = copying();
    all.send('a', `i${'i'.repeat(behind)}`, TOO_FAR);
    const before = `[P]Kiii${'i'.repeat(behind)}`;
    expect(all.letters()).toBe(before);
    all.encodeInTurn(jobs[0]!, 'E');
    all.send('a', 'i', TOO_FAR);
    expect([all.letters(), all.video.mode]).toEqual([goes === 'on' ? `${before}i` : before, 'copied']);
    // A key frame would be too early as long as copying goes on.
    expect(jobs[0]!.keyFrameRequests).toBe(goes === 'on' ? 0 : 1);
  });

  test('which catches up: then copying ends, and the first key frame after it begins', () => {
    const all = copying();
    all.send('a', 'i'.repeat(10), TOO_FAR);
    const [job] = jobs;
    all.encodeInTurn(job!, 'Eeeee'); // the last of them is 5 pictures behind
    all.send('a', 'i', TOO_FAR);
    all.encodeInTurn(job!, 'ee'); // 4
    const copied = `[P]Kii${'i'.repeat(11)}`;
    expect([all.letters(), job!.keyFrameRequests]).toEqual([copied, 0]);
    all.encodeInTurn(job!, 'e'); // 3
    expect(job!.keyFrameRequests).toBe(1);
    all.send('a', 'ii', TOO_FAR);
    all.encodeInTurn(job!, 'EeE'); // of what was copied
    expect([all.letters(), all.video.mode]).toEqual([copied, 'copied']);
    all.encodeInTurn(job!, 'e'); // after it, but nobody could decode it
    expect([all.letters(), job!.keyFrameRequests]).toEqual([copied, 5]);
    all.encodeInTurn(job!, 'E');
    all.send('a', 'Ki');
    all.encodeInTurn(job!, 'ee');
    expect([all.letters(), all.video.mode]).toEqual([`${copied}[E]Eee`, 'encoded']);
    expect([job!.keyFrameRequests, jobs.length]).toEqual([5, 1]);
    expectAfter(all, 14);
  });

  test('which does not catch up within 3 s: copying ends all the same', () => {
    const all = copying();
    const oneSecond = 'i'.repeat(1_000 / PERIOD_MS);
    all.send('a', oneSecond, TOO_FAR);
    for (let second = 0; second < 3; second++) {
      all.encodeInTurn(jobs[0]!, 'e');
      all.send('a', oneSecond, TOO_FAR);
    }
    const copied = 3 + 4 * oneSecond.length;
    expect([all.units.length, jobs[0]!.keyFrameRequests]).toEqual([copied, 0]);
    all.encodeInTurn(jobs[0]!, 'e');
    all.send('a', 'i', TOO_FAR);
    expect([all.units.length, jobs[0]!.keyFrameRequests]).toEqual([copied, 1]);
    all.encodeInTurn(jobs[0]!, 'E'); // of long ago
    expect(all.video.mode).toBe('copied');
    all.encode(jobs[0]!, 'E');
    expect(all.letters()).toMatch(/^\[P\]Ki+\[E\]E$/);
    expectAfter(all, copied);
  });

  test('with B-frames: it begins after the last picture shown, which is not the last one copied', () => {
    const all = copyingReordered();
    const [first, ...others] = THREE_WITH_B;
    all.sendReordered('a', [...THREE_WITH_B, first!], TOO_FAR);
    const [job] = jobs;
    all.encodeInTurn(job!, 'E');
    const copied = `[O]K${'i'.repeat(10)}`;
    expect([all.letters(), job!.keyFrameRequests]).toEqual([copied, 1]);
    all.sendReordered('a', [...others, ...THREE_WITH_B], TOO_FAR);
    all.encodeInTurn(job!, 'EE'); // of what was copied
    // These two were not, and are shown before the last one that was.
    all.encodeInTurn(job!, 'EE');
    all.encodeInTurn(job!, 'E'); // that one itself
    expect([all.letters(), all.video.mode, job!.keyFrameRequests]).toEqual([copied, 'copied', 6]);
    all.encodeInTurn(job!, 'Ee');
    expect([all.letters(), all.video.mode]).toEqual([`${copied}[E]Ee`, 'encoded']);
    expectAfter(all, 11);
    const [lastCopied, begin] = timesOf(all).slice(-3);
    expect(begin!.showMs - lastCopied!.showMs).toBe(PERIOD_MS);
  });

  test('for it is of another form, with another time of its own', () => {
    const all = copying();
    all.configure('a', HUB);
    all.send('a', 'K', { decodeMs: 4_000, showMs: 4_000 });
    all.encodeInTurn(jobs[0]!, 'E');
    expect([all.letters(), all.video.mode]).toEqual(['[P]Kii[E]E', 'encoded']);
    expectAfter(all, 3);
    const [before, after] = timesOf(all).slice(-2);
    expect(after!.decodeMs - before!.decodeMs).toBe(PERIOD_MS);
  });
});

test('a source whose times are no whole milliseconds is encoded with whole ones, and goes out near its own', () => {
  const all = programVideo();
  void all.video.show('a');
  all.configure('a', HUB);
  const showMs = Array.from({ length: 30 }, (_, index) => 5_000 + (index * 1001) / 30);
  for (const [index, ms] of showMs.entries()) {
    all.clock.advance(ms - 5_000 - all.clock.now());
    all.receive('a', index === 0, { showMs: ms });
    all.encodeInTurn(jobs[0]!, index === 0 ? 'E' : 'e');
  }
  expect(jobs[0]!.times.map(([ms]) => ms)).toEqual(showMs.map(Math.round));
  const shown = timesOf(all).map((times) => times.showMs - ORIGIN_MS - MIX_DELAY_MS);
  const off = shown.map((ms, index) => Math.abs(ms - (showMs[index]! - 5_000)));
  expect([off.length, Math.max(...off) < 1]).toEqual([30, true]);
});

describe('to another source', () => {
  test('that is encoded: it begins after the last picture shown', () => {
    const all = copyingReordered();
    void all.video.show('b');
    all.configure('b', HUB);
    all.send('b', 'K');
    all.encodeInTurn(jobs[0]!, 'E');
    expect(all.letters()).toBe('[O]Kiiiiii[E]E');
    expectAfter(all, 7);
  });

  test('that is copied as well, for it is the same by another way: it begins after the last picture shown', () => {
    const all = copyingReordered();
    void all.video.show('b');
    all.configure('b', OTHER_PUSH);
    all.sendReordered('b', KEY_WITH_B);
    expect([all.letters(), jobs.length]).toEqual(['[O]KiiiiiiKiii', 0]);
    expectAfter(all, 7);
  });

  test('while it hands over to its encoder: what takes over is copied, and its encoder stops', () => {
    const all = copyingReordered();
    all.sendReordered('a', THREE_WITH_B, TOO_FAR);
    all.encodeInTurn(jobs[0]!, 'E');
    all.sendReordered('a', THREE_WITH_B, TOO_FAR);
    expect(all.units).toHaveLength(10);
    void all.video.show('b');
    all.configure('b', OTHER_PUSH);
    all.sendReordered('b', [...KEY_WITH_B, ...THREE_WITH_B]);
    expect([all.letters(), jobs[0]!.stopped]).toEqual([`[O]K${'i'.repeat(9)}Kiiiiii`, true]);
    expectAfter(all, 10);
    // It hands over to its own one day, and is copied until then.
    all.sendReordered('b', THREE_WITH_B, TOO_FAR);
    expect([all.units.length, jobs.length]).toEqual([10 + 7 + 3, 2]);
  });
});
