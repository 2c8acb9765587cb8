import { beforeEach, describe, expect, test, vi } from 'vitest';
import { videoJobs as jobs } from '../../support/fake-jobs.ts';
import { cardRequests } from '../../support/fake-program-jobs.ts';
import {
  copying,
  HUB,
  OTHER_PUSH,
  PERIOD_MS,
  PUSH,
  programPictures,
  settled,
} from '../../support/program-pictures.ts';

vi.mock(import('../../../../transcode/ffmpeg/video-transcoder.ts'), async () => {
  const { FakeVideoTranscoder } = await import('../../support/fake-jobs.ts');
  return { VideoTranscoder: FakeVideoTranscoder } as never;
});
vi.mock(import('../../../../transcode/ffmpeg/slate.ts'), async () => {
  const { fakeEncodeSlate } = await import('../../support/fake-program-jobs.ts');
  return { encodeSlate: fakeEncodeSlate } as never;
});
beforeEach(() => {
  jobs.splice(0);
  cardRequests.splice(0);
});

function expectMonotonic({ packets, letters }: ReturnType<typeof programPictures>): void {
  const times = packets.map(({ timestampMs }) => timestampMs);
  expect(times).toEqual([...times].sort((a, b) => a - b));
  expect(letters()).not.toContain('?');
}

/** A browser is shown, by the first encoder. */
function encoding() {
  const all = programPictures();
  void all.picture.show('a');
  all.picture.configure('a', HUB);
  all.send('a', 'Ki');
  all.encode(jobs[0]!, 'Ee');
  return all;
}

describe('nobody has a picture', () => {
  test('from the start: the card, encoded', async () => {
    const all = programPictures();
    await all.picture.show(undefined);
    expect(all.plans).toEqual(['encoded: nobody in the room has a picture']);
    expect([all.picture.mode, cardRequests.map(({ text }) => text)]).toEqual(['undecided', ['A room']]);
    await all.card();
    all.clock.advance(3 * PERIOD_MS);
    expect([all.letters(), all.picture.mode]).toEqual(['[E]CccC', 'encoded']);
    const times = all.frames().map(({ timestampMs }) => timestampMs);
    expect(times).toEqual([10_000, 10_040, 10_080, 10_120]);
  });

  test('a push that comes before the card is ready is copied', async () => {
    const all = programPictures();
    await all.picture.show(undefined);
    void all.picture.show('a');
    all.picture.configure('a', PUSH);
    all.send('a', 'Ki');
    await all.card();
    all.send('a', 'i');
    expect([all.letters(), all.picture.mode]).toEqual(['[P]Kii', 'copied']);
  });

  test('any more: the card, and who comes then is encoded', async () => {
    const all = copying();
    await all.picture.show(undefined);
    all.send('a', 'i');
    await all.card();
    all.clock.advance(PERIOD_MS);
    expect(all.letters()).toBe('[P]Kii[E]Cc');
    void all.picture.show('a');
    all.picture.configure('a', PUSH);
    all.send('a', 'K');
    expect(all.letters()).toBe('[P]Kii[E]Ccc');
    all.encode(jobs[0]!, 'E');
    all.send('a', 'ii');
    expect(all.letters()).toBe('[P]Kii[E]CccE');
    expectMonotonic(all);
  });

  test('the encoder of the one before is stopped', async () => {
    const all = encoding();
    await all.picture.show(undefined);
    expect(jobs[0]!.stopped).toBe(true);
    await all.card();
    expect([all.letters(), all.plans.length]).toEqual(['[E]EeC', 1]);
  });

  test('for long: neither plans nor configurations are told again', async () => {
    const all = programPictures();
    await all.picture.show(undefined);
    await all.card();
    all.clock.advance(60_000);
    await all.picture.show(undefined);
    expect(all.letters()).toMatch(/^\[E\](Ccc)+C?c?$/);
    expect([all.plans.length, cardRequests.length]).toEqual([1, 1]);
    expect(all.frames().length).toBeGreaterThan(1_499);
    expectMonotonic(all);
  });

  test('the card fails: that is told, and it comes later', async () => {
    const all = programPictures();
    await all.picture.show(undefined);
    cardRequests[0]!.fail(new Error('exit code 1'));
    await settled();
    expect(all.deaths).toEqual(['card: exit code 1']);
    all.clock.advance(5_000);
    await all.card();
    expect(all.letters()).toBe('[E]C');
  });
});

describe('a source that gives nothing', () => {
  test('and never did: the card after 3 s; it is still wanted', async () => {
    const all = programPictures();
    const shown = vi.fn();
    void all.picture.show('a').then(shown);
    all.clock.advance(2_900);
    expect(cardRequests).toHaveLength(0);
    all.clock.advance(600);
    await all.card();
    expect([all.letters(), shown.mock.calls.length]).toEqual(['[E]C', 0]);
    all.picture.configure('a', PUSH);
    all.send('a', 'K');
    all.encode(jobs[0]!, 'E');
    await settled();
    expect([all.letters(), shown.mock.calls.length]).toEqual(['[E]CcE', 1]);
    expect(all.plans).toEqual(['encoded: there were no pictures for a while']);
  });

  test('any more, encoded: the card after 3 s, and back again with a key frame', async () => {
    const all = encoding();
    all.clock.advance(2_800);
    expect(cardRequests).toHaveLength(1); // made in time, and not shown yet
    expect(all.letters()).toBe('[E]Ee');
    all.clock.advance(700);
    await all.card();
    expect(all.letters()).toBe('[E]EeC');
    all.send('a', 'i');
    // The same encoder goes on from before the card, which would be broken pictures.
    all.encode(jobs[0]!, 'ee');
    expect([all.letters(), jobs.length]).toEqual(['[E]EeCc', 1]);
    expect(jobs[0]!.keyFrameRequests).toBeGreaterThan(0);
    all.send('a', 'i');
    all.encode(jobs[0]!, 'E');
    all.clock.advance(1_000);
    expect(all.letters()).toBe('[E]EeCccE');
    expectMonotonic(all);
  });

  test('any more, copied: the card after 15 s, then encoded, beginning with what is new', async () => {
    const all = copying();
    all.clock.advance(14_800);
    expect([cardRequests.length, all.picture.mode]).toEqual([1, 'copied']);
    all.clock.advance(700);
    expect(all.plans.at(-1)).toBe('encoded: there were no pictures for a while');
    // The last of the old ones is none to take over from the card with.
    expect(jobs).toHaveLength(0);
    await all.card();
    expect(all.letters()).toBe('[P]Kii[E]C');
    all.send('a', 'iK');
    expect(jobs[0]!.times.map(([, hidden]) => hidden)).toEqual([true, true, true, false, false]);
    all.encode(jobs[0]!, 'E');
    all.send('a', 'i');
    expect(all.letters()).toBe('[P]Kii[E]CccE');
    expectMonotonic(all);
  });

  test('for less: it goes on being copied', () => {
    const all = copying();
    all.clock.advance(10_000);
    all.send('a', 'iK');
    expect([all.letters(), all.picture.mode, cardRequests.length]).toEqual(['[P]KiiiK', 'copied', 1]);
    const [, , before, after] = all.frames().map(({ timestampMs }) => timestampMs);
    expect(after! - before!).toBe(10_000 + PERIOD_MS);
  });

  test('while another one is wanted that gives nothing either: the card, and the first is let go', async () => {
    const all = encoding();
    void all.picture.show('b');
    all.clock.advance(3_500);
    await all.card();
    expect(jobs[0]!.stopped).toBe(true);
    all.send('a', 'Ki');
    all.encode(jobs[0]!, 'E');
    expect([all.letters(), jobs.length]).toEqual(['[E]EeCcc', 1]);
    all.picture.configure('b', OTHER_PUSH);
    all.send('b', 'K');
    all.encode(jobs[1]!, 'E');
    expect(all.letters()).toMatch(/^\[E\]EeCccC?c?E$/);
  });
});

describe('who is wanted', () => {
  test('and is not any more is let go, and whoever waited for him waits no longer', async () => {
    const all = encoding();
    const waits = [vi.fn(), vi.fn(), vi.fn()];
    void all.picture.show('b').then(waits[0]!);
    all.picture.configure('b', HUB);
    all.send('b', 'K');
    void all.picture.show('c').then(waits[1]!);
    await settled();
    expect(waits.map(({ mock }) => mock.calls.length)).toEqual([1, 0, 0]);
    expect(jobs[1]!.stopped).toBe(true);
    all.encode(jobs[1]!, 'E');
    void all.picture.show('a').then(waits[2]!);
    await settled();
    expect(waits.map(({ mock }) => mock.calls.length)).toEqual([1, 1, 1]);
    all.send('a', 'i');
    all.encode(jobs[0]!, 'e');
    expect(all.letters()).toBe('[E]Eee');
  });

  test('twice: both know in the end', async () => {
    const all = programPictures();
    const waits = [vi.fn(), vi.fn()];
    void all.picture.show('a').then(waits[0]!);
    void all.picture.show('a').then(waits[1]!);
    all.picture.configure('a', PUSH);
    all.send('a', 'K');
    await settled();
    expect(waits.map(({ mock }) => mock.calls.length)).toEqual([1, 1]);
    await all.picture.show('a');
  });

  test('nobody: whoever waited waits no longer', async () => {
    const all = programPictures();
    const shown = all.picture.show('a');
    await all.picture.show(undefined);
    await shown;
    all.picture.configure('a', HUB);
    all.send('a', 'K');
    expect(jobs).toHaveLength(0);
  });
});

describe('an encoder that dies', () => {
  test('is replaced at once, and given what came since the last key frame', () => {
    const all = encoding();
    all.send('a', 'ii');
    jobs[0]!.options.onEnd('killed by SIGKILL');
    expect([all.deaths, all.picture.deaths]).toEqual([['picture encoder: killed by SIGKILL'], 1]);
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
    expect([all.letters(), all.picture.mode, jobs.length]).toEqual(['[P]Kiiii', 'copied', 2]);
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
    expect([all.letters(), all.picture.mode]).toEqual(['[P]Kiii', 'copied']);
    all.encodeInTurn(jobs[1]!, 'Ee');
    expect([all.letters(), all.picture.mode]).toEqual(['[P]Kiii[E]Ee', 'encoded']);
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
    void all.picture.show('b');
    all.picture.configure('b', HUB);
    all.send('b', 'K');
    jobs[1]!.options.onEnd('exit code 1');
    all.send('a', 'i');
    all.encode(jobs[0]!, 'e');
    all.encode(jobs[2]!, 'E');
    expect(all.letters()).toBe('[E]EeeE');
  });

  test('three times within a minute: it rests for 10 s, with the card, then there is another one', async () => {
    const all = encoding();
    for (let death = 0; death < 3; death++) jobs.at(-1)!.options.onEnd('exit code 1');
    expect([jobs.length, all.picture.deaths, all.picture.pid]).toEqual([3, 3, 0]);
    all.send('a', 'i'.repeat(100));
    await all.card();
    expect(all.letters()).toBe('[E]EeC');
    all.send('a', 'i'.repeat(148));
    expect(jobs).toHaveLength(3);
    all.send('a', 'iii');
    expect(jobs).toHaveLength(4);
    all.encode(jobs[3]!, 'E');
    expect(all.letters()).toMatch(/cE$|CE$/);
    expectMonotonic(all);
  });
});

describe('closed, nothing is left', () => {
  test.each<[string, () => ReturnType<typeof programPictures> | Promise<ReturnType<typeof programPictures>>]>(
    [
      ['at the beginning', () => programPictures()],
      ['while it copies', () => copying()],
      [
        'while two encode',
        () => {
          const all = encoding();
          void all.picture.show('b');
          all.picture.configure('b', HUB);
          all.send('b', 'K');
          return all;
        },
      ],
      [
        'while the card is shown',
        async () => {
          const all = encoding();
          await all.picture.show(undefined);
          await all.card();
          return all;
        },
      ],
      [
        'while the card is encoded',
        async () => {
          const all = programPictures();
          await all.picture.show(undefined);
          return all;
        },
      ],
      [
        'while the card is to be tried again',
        async () => {
          const all = programPictures();
          await all.picture.show(undefined);
          cardRequests[0]!.fail(new Error('exit code 1'));
          await settled();
          return all;
        },
      ],
    ],
  )('%s', async (_, begin) => {
    const all = await begin();
    const waits = all.picture.show('z');
    all.picture.close();
    await waits;
    if (cardRequests.length > 0) await all.card();
    expect(all.clock.pending).toBe(0);
    expect(jobs.every(({ stopped }) => stopped)).toBe(true);
    const before = all.packets.length;
    const started = jobs.length;
    all.send('a', 'Ki');
    for (const job of jobs) if (job.fed.length > 0) all.encode(job, 'E');
    for (const job of jobs) job.options.onEnd('stopped');
    expect([all.packets.length, jobs.length, all.picture.deaths]).toEqual([before, started, 0]);
  });
});
