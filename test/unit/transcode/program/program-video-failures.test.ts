import { describe, expect, test, vi } from 'vitest';
import { videoJobs as jobs } from '../../support/fake-jobs.ts';
import { slateRequests } from '../../support/fake-program-jobs.ts';
import {
  copying,
  decodeTimes,
  HUB,
  OTHER_PUSH,
  PERIOD_MS,
  PUSH,
  programVideo,
  settled,
} from '../../support/program-video.ts';

function expectMonotonic({ units, letters }: ReturnType<typeof programVideo>): void {
  const times = decodeTimes(units);
  expect(times).toEqual([...times].sort((a, b) => a - b));
  expect(letters()).not.toContain('?');
}

/** A browser is shown, by the first encoder. */
function encoding() {
  const all = programVideo();
  void all.video.show('a');
  all.configure('a', HUB);
  all.send('a', 'Ki');
  all.encode(jobs[0]!, 'Ee');
  return all;
}

describe('nobody has a picture', () => {
  test('from the start: the slate, encoded', async () => {
    const all = programVideo();
    await all.video.show(undefined);
    expect(all.plans).toEqual(['encoded: nobody in the room has a picture']);
    expect([all.video.mode, slateRequests.map(({ text }) => text)]).toEqual(['undecided', ['A room']]);
    await all.slate();
    all.clock.advance(3 * PERIOD_MS);
    expect([all.letters(), all.video.mode]).toEqual(['[E]SssS', 'encoded']);
    const times = decodeTimes(all.units);
    expect(times).toEqual([10_000, 10_040, 10_080, 10_120]);
  });

  test('a push that comes before the slate is ready is copied', async () => {
    const all = programVideo();
    await all.video.show(undefined);
    void all.video.show('a');
    all.configure('a', PUSH);
    all.send('a', 'Ki');
    await all.slate();
    all.send('a', 'i');
    expect([all.letters(), all.video.mode]).toEqual(['[P]Kii', 'copied']);
  });

  test('any more: the slate, and who comes then is encoded', async () => {
    const all = copying();
    await all.video.show(undefined);
    all.send('a', 'i');
    await all.slate();
    all.clock.advance(PERIOD_MS);
    expect(all.letters()).toBe('[P]Kii[E]Ss');
    void all.video.show('a');
    all.configure('a', PUSH);
    all.send('a', 'K');
    expect(all.letters()).toBe('[P]Kii[E]Sss');
    all.encode(jobs[0]!, 'E');
    all.send('a', 'ii');
    expect(all.letters()).toBe('[P]Kii[E]SssE');
    expectMonotonic(all);
  });

  test('the encoder of the one before is stopped', async () => {
    const all = encoding();
    await all.video.show(undefined);
    expect(jobs[0]!.stopped).toBe(true);
    await all.slate();
    expect([all.letters(), all.plans.length]).toEqual(['[E]EeS', 1]);
  });

  test('for long: neither plans nor formats are told again', async () => {
    const all = programVideo();
    await all.video.show(undefined);
    await all.slate();
    all.clock.advance(60_000);
    await all.video.show(undefined);
    expect(all.letters()).toMatch(/^\[E\](Sss)+S?s?$/);
    expect([all.plans.length, slateRequests.length]).toEqual([1, 1]);
    expect(all.units.length).toBeGreaterThan(1_499);
    expectMonotonic(all);
  });

  test('the slate fails: that is told, and it comes later', async () => {
    const all = programVideo();
    await all.video.show(undefined);
    slateRequests[0]!.fail(new Error('exit code 1'));
    await settled();
    expect(all.deaths).toEqual(['slate: exit code 1']);
    all.clock.advance(5_000);
    await all.slate();
    expect(all.letters()).toBe('[E]S');
  });
});

describe('a source that gives nothing', () => {
  test('and never did: the slate after 3 s; it is still wanted', async () => {
    const all = programVideo();
    const shown = vi.fn();
    void all.video.show('a').then(shown);
    all.clock.advance(2_900);
    expect(slateRequests).toHaveLength(0);
    all.clock.advance(600);
    await all.slate();
    expect([all.letters(), shown.mock.calls.length]).toEqual(['[E]S', 0]);
    all.configure('a', PUSH);
    all.send('a', 'K');
    all.encode(jobs[0]!, 'E');
    await settled();
    expect([all.letters(), shown.mock.calls.length]).toEqual(['[E]SsE', 1]);
    expect(all.plans).toEqual(['encoded: there were no pictures for a while']);
  });

  test('any more, encoded: the slate after 3 s, and back again with a key frame', async () => {
    const all = encoding();
    all.clock.advance(2_800);
    expect(slateRequests).toHaveLength(1); // made in time, and not shown yet
    expect(all.letters()).toBe('[E]Ee');
    all.clock.advance(700);
    await all.slate();
    expect(all.letters()).toBe('[E]EeS');
    all.send('a', 'i');
    // The same encoder goes on from before the slate, which would be broken pictures.
    all.encode(jobs[0]!, 'ee');
    expect([all.letters(), jobs.length]).toEqual(['[E]EeSs', 1]);
    expect(jobs[0]!.keyFrameRequests).toBeGreaterThan(0);
    all.send('a', 'i');
    all.encode(jobs[0]!, 'E');
    all.clock.advance(1_000);
    expect(all.letters()).toBe('[E]EeSssE');
    expectMonotonic(all);
  });

  test('any more, copied: the slate after 15 s, then encoded, beginning with what is new', async () => {
    const all = copying();
    all.clock.advance(14_800);
    expect([slateRequests.length, all.video.mode]).toEqual([1, 'copied']);
    all.clock.advance(700);
    expect(all.plans.at(-1)).toBe('encoded: there were no pictures for a while');
    // The last of the old ones is none to take over from the slate with.
    expect(jobs).toHaveLength(0);
    await all.slate();
    expect(all.letters()).toBe('[P]Kii[E]S');
    all.send('a', 'iK');
    expect(jobs[0]!.times.map(([, hidden]) => hidden)).toEqual([true, true, true, false, false]);
    all.encode(jobs[0]!, 'E');
    all.send('a', 'i');
    expect(all.letters()).toBe('[P]Kii[E]SssE');
    expectMonotonic(all);
  });

  test('for less: it goes on being copied', () => {
    const all = copying();
    all.clock.advance(10_000);
    all.send('a', 'iK');
    expect([all.letters(), all.video.mode, slateRequests.length]).toEqual(['[P]KiiiK', 'copied', 1]);
    const [, , before, after] = decodeTimes(all.units);
    expect(after! - before!).toBe(10_000 + PERIOD_MS);
  });

  test('while another one is wanted that gives nothing either: the slate, and the first is let go', async () => {
    const all = encoding();
    void all.video.show('b');
    all.clock.advance(3_500);
    await all.slate();
    expect(jobs[0]!.stopped).toBe(true);
    all.send('a', 'Ki');
    all.encode(jobs[0]!, 'E');
    expect([all.letters(), jobs.length]).toEqual(['[E]EeSss', 1]);
    all.configure('b', OTHER_PUSH);
    all.send('b', 'K');
    all.encode(jobs[1]!, 'E');
    expect(all.letters()).toMatch(/^\[E\]EeSssS?s?E$/);
  });
});

describe('who is wanted', () => {
  test('and is not any more is let go, and whoever waited for him waits no longer', async () => {
    const all = encoding();
    const waits = [vi.fn(), vi.fn(), vi.fn()];
    void all.video.show('b').then(waits[0]!);
    all.configure('b', HUB);
    all.send('b', 'K');
    void all.video.show('c').then(waits[1]!);
    await settled();
    expect(waits.map(({ mock }) => mock.calls.length)).toEqual([1, 0, 0]);
    expect(jobs[1]!.stopped).toBe(true);
    all.encode(jobs[1]!, 'E');
    void all.video.show('a').then(waits[2]!);
    await settled();
    expect(waits.map(({ mock }) => mock.calls.length)).toEqual([1, 1, 1]);
    all.send('a', 'i');
    all.encode(jobs[0]!, 'e');
    expect(all.letters()).toBe('[E]Eee');
  });

  test('twice: both know in the end', async () => {
    const all = programVideo();
    const waits = [vi.fn(), vi.fn()];
    void all.video.show('a').then(waits[0]!);
    void all.video.show('a').then(waits[1]!);
    all.configure('a', PUSH);
    all.send('a', 'K');
    await settled();
    expect(waits.map(({ mock }) => mock.calls.length)).toEqual([1, 1]);
    await all.video.show('a');
  });

  test('nobody: whoever waited waits no longer', async () => {
    const all = programVideo();
    const shown = all.video.show('a');
    await all.video.show(undefined);
    await shown;
    all.configure('a', HUB);
    all.send('a', 'K');
    expect(jobs).toHaveLength(0);
  });
});

describe('an encoder that dies', () => {
  test('is replaced at once, and given what came since the last key frame', () => {
    const all = encoding();
    all.send('a', 'ii');
    jobs[0]!.options.onEnd('killed by SIGKILL');
    expect([all.deaths, all.video.deaths]).toEqual([['picture encoder: killed by SIGKILL'], 1]);
    expect(jobs[1]!.times.map(([, hidden]) => hidden)).toEqual([true, true, true, false]);
    all.encode(jobs[0]!, 'e');
    jobs[0]!.options.onEnd('killed by SIGKILL');
    all.encode(jobs[1]!, 'E');
    all.encode(jobs[0]!, 'e');
    all.send('a', 'i');
    expect([all.letters(), jobs.length, jobs[1]!.fed.length]).toEqual(['[E]EeE', 2, 5]);
    expectMonotonic(all);
  });

  test('while its source is copied: that goes on meanwhile', () => {
    const all = copying();
    all.send('a', 'i', { keyFrameGapMs: 4_200 });
    jobs[0]!.options.onEnd('exit code 1');
    all.send('a', 'i');
    expect([all.letters(), all.video.mode, jobs.length]).toEqual(['[P]Kiiii', 'copied', 2]);
    all.encode(jobs[1]!, 'E');
    all.send('a', 'i');
    all.encode(jobs[1]!, 'E');
    expect(all.letters()).toBe('[P]Kiiii[E]E');
    expectMonotonic(all);
  });

  test('while its source hands over: nothing is copied, and the next one begins with what is news', () => {
    const all = copying();
    all.send('a', 'i', { keyFrameGapMs: 4_200 });
    all.encodeInTurn(jobs[0]!, 'E');
    all.send('a', 'ii');
    jobs[0]!.options.onEnd('exit code 1');
    expect([all.deaths, jobs.length]).toEqual([['picture encoder: exit code 1'], 2]);
    expect(jobs[1]!.times.map(([, hidden]) => hidden)).toEqual([true, true, true, true, true, false]);
    all.send('a', 'K');
    expect([all.letters(), all.video.mode]).toEqual(['[P]Kiii', 'copied']);
    all.encodeInTurn(jobs[1]!, 'Ee');
    expect([all.letters(), all.video.mode]).toEqual(['[P]Kiii[E]Ee', 'encoded']);
    expectMonotonic(all);
  });

  test('while its source hands over, before there is anything new: the next one is asked for a key frame', () => {
    const all = copying();
    all.send('a', 'i', { keyFrameGapMs: 4_200 });
    all.encodeInTurn(jobs[0]!, 'E');
    jobs[0]!.options.onEnd('exit code 1');
    all.encodeInTurn(jobs[1]!, 'E'); // of what was copied
    expect([all.letters(), jobs[1]!.keyFrameRequests]).toEqual(['[P]Kiii', 1]);
    all.send('a', 'i');
    all.encodeInTurn(jobs[1]!, 'E');
    expect(all.letters()).toBe('[P]Kiii[E]E');
    expectMonotonic(all);
  });

  test('of the one that is to come: the one before goes on meanwhile', () => {
    const all = encoding();
    void all.video.show('b');
    all.configure('b', HUB);
    all.send('b', 'K');
    jobs[1]!.options.onEnd('exit code 1');
    all.send('a', 'i');
    all.encode(jobs[0]!, 'e');
    all.encode(jobs[2]!, 'E');
    expect(all.letters()).toBe('[E]EeeE');
  });

  test('three times within a minute: it rests for 10 s, with the slate, then there is another one', async () => {
    const all = encoding();
    for (let death = 0; death < 3; death++) jobs.at(-1)!.options.onEnd('exit code 1');
    expect([jobs.length, all.video.deaths, all.video.pid]).toEqual([3, 3, 0]);
    all.send('a', 'i'.repeat(100));
    await all.slate();
    expect(all.letters()).toBe('[E]EeS');
    all.send('a', 'i'.repeat(148));
    expect(jobs).toHaveLength(3);
    all.send('a', 'iii');
    expect(jobs).toHaveLength(4);
    all.encode(jobs[3]!, 'E');
    expect(all.letters()).toMatch(/sE$|SE$/);
    expectMonotonic(all);
  });
});

describe('closed, nothing is left', () => {
  test.each<[string, () => ReturnType<typeof programVideo> | Promise<ReturnType<typeof programVideo>>]>([
    ['at the beginning', () => programVideo()],
    ['while it copies', () => copying()],
    [
      'while two encode',
      () => {
        const all = encoding();
        void all.video.show('b');
        all.configure('b', HUB);
        all.send('b', 'K');
        return all;
      },
    ],
    [
      'while the slate is shown',
      async () => {
        const all = encoding();
        await all.video.show(undefined);
        await all.slate();
        return all;
      },
    ],
    [
      'while the slate is encoded',
      async () => {
        const all = programVideo();
        await all.video.show(undefined);
        return all;
      },
    ],
    [
      'while the slate is to be tried again',
      async () => {
        const all = programVideo();
        await all.video.show(undefined);
        slateRequests[0]!.fail(new Error('exit code 1'));
        await settled();
        return all;
      },
    ],
  ])('%s', async (_, begin) => {
    const all = await begin();
    const waits = all.video.show('z');
    all.video.close();
    await waits;
    if (slateRequests.length > 0) await all.slate();
    expect(all.clock.pending).toBe(0);
    expect(jobs.every(({ stopped }) => stopped)).toBe(true);
    const before = all.units.length;
    const started = jobs.length;
    all.send('a', 'Ki');
    for (const job of jobs) if (job.fed.length > 0) all.encode(job, 'E');
    for (const job of jobs) job.options.onEnd('stopped');
    expect([all.units.length, jobs.length, all.video.deaths]).toEqual([before, started, 0]);
  });
});
