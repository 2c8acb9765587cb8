import { describe, expect, test, vi } from 'vitest';
import { programArguments } from '../../../../transcode/ffmpeg/program-arguments.ts';
import { videoJobs as jobs } from '../../support/fake-jobs.ts';
import { ENCODED_RECORD, slateRequests } from '../../support/fake-program-jobs.ts';
import { unitsOf, withLengths } from '../../support/nal-units.ts';
import { ENCODED_KEY, formatOf, INTER, KEY, PLAIN, PPS, WITH_B } from '../../support/picture-path.ts';
import {
  copying,
  decodeTimes,
  HUB,
  MIX_DELAY_MS,
  ORIGIN_MS,
  OTHER_PUSH,
  PERIOD_MS,
  PUSH,
  programVideo,
  settled,
} from '../../support/program-video.ts';

const TOO_FAR = { keyFrameGapMs: 4_200 };

/** Times never go back, and one format is followed by another one at the most. */
function expectSound({ units, letters }: ReturnType<typeof programVideo>): void {
  const times = units.map(({ dtsUs }) => dtsUs);
  expect(times).toEqual([...times].sort((a, b) => a - b));
  expect(
    units.flatMap(({ dtsUs, ptsUs }) => [dtsUs, ptsUs]).every((us) => Number.isInteger(us) && us >= 0),
  ).toBe(true);
  expect(units.every(({ dtsUs, ptsUs }) => dtsUs <= ptsUs)).toBe(true);
  expect(letters().match(/\[/g)?.length ?? 0).toBeLessThanOrEqual(2);
  expect(letters()).not.toContain('?');
}

describe('copying', () => {
  test('access units go out as they came, with the parameter sets that they came with', () => {
    const { letters, plans, units, video } = copying();
    expect(letters()).toBe('[P]Kii');
    expect([plans, video.mode, jobs.length, slateRequests.length]).toEqual([['copied'], 'copied', 0, 0]);
    expect(units.map(({ data }) => unitsOf(data))).toEqual([[KEY], [INTER], [INTER]]);
    expect(units.map(({ format }) => format === video.format)).toEqual([true, true, true]);
    expect(video.format!.record).toEqual(PUSH.record);
    expect([video.frames, video.bytes]).toEqual([3, 3 * (4 + KEY.length)]);
  });

  test('the format of what goes out says all that there is to say of how to decode it', () => {
    const { video } = copying();
    expect(video.format).toEqual(PUSH);
  });

  test('units that nothing refers to are told apart, and none is called the beginning of something else', () => {
    const all = copying();
    all.send('a', 'i', { disposable: true });
    all.send('a', 'iK');
    expect(all.units.map(({ disposable }) => disposable)).toEqual([
      ...[false, false, false, true, false, false],
    ]);
    expect(all.units.some(({ discontinuity }) => discontinuity)).toBe(false);
  });

  test('each is shown with its sound: when it was due, and as much later as that is', () => {
    const all = programVideo();
    void all.video.show('a');
    all.configure('a', PUSH);
    all.clock.advance(1_000);
    all.send('a', 'Ki', { audioLateMs: 30 });
    const first = ORIGIN_MS + 1_000 + 30 + MIX_DELAY_MS;
    expect(decodeTimes(all.units)).toEqual([first, first + PERIOD_MS]);
  });

  test('B-frames keep their order and their composition times', () => {
    const all = programVideo();
    void all.video.show('a');
    all.configure('a', PUSH);
    const pictures = [
      [0, 80],
      [40, 200],
      [80, 120],
      [120, 160],
    ] as const;
    for (const [decodeMs, showMs] of pictures)
      all.receive('a', decodeMs === 0, { decodeMs, showMs, dueAt: showMs });
    const begin = ORIGIN_MS + MIX_DELAY_MS;
    expect(decodeTimes(all.units)).toEqual([0, 40, 80, 120].map((ms) => begin + ms));
    expect(all.units.map(({ dtsUs, ptsUs }) => (ptsUs - dtsUs) / 1000)).toEqual([80, 160, 40, 40]);
  });

  test('begins with what came since the last key frame, all of it where it belongs', () => {
    const all = programVideo();
    void all.video.show('a');
    all.configure('a', PUSH);
    all.clock.advance(60_000);
    all.sendBacklog('a', `K${'i'.repeat(50)}`);
    expect(all.letters()).toBe(`[P]K${'i'.repeat(50)}`);
    const last = ORIGIN_MS + 60_000 + MIX_DELAY_MS;
    expect(decodeTimes(all.units)).toEqual(
      Array.from({ length: 51 }, (_, index) => last - (50 - index) * PERIOD_MS),
    );
    expectSound(all);
  });

  test('which it does not know to be too long before all of it has come', () => {
    const all = programVideo();
    void all.video.show('a');
    all.configure('a', PUSH);
    // 12 s since the first key frame ever: the distance to the next one is known only as far as it has come.
    all.sendBacklog('a', `K${'i'.repeat(300)}`, (index) => ({ keyFrameGapMs: index * PERIOD_MS }));
    expect(all.letters()).toBe('');
    expect(all.plans).toEqual([expect.stringMatching(/^encoded: key frames are \d+(\.\d)? s apart/)]);
    all.encode(jobs[0]!, 'E');
    expect(all.letters()).toBe('[E]E');
    expectSound(all);
  });

  test('waits for a key frame', () => {
    const all = programVideo();
    void all.video.show('a');
    all.configure('a', PUSH);
    all.send('a', 'iiKi');
    expect(all.letters()).toBe('[P]Ki');
  });

  test('a new format with the same parameter sets changes nothing for players', () => {
    const all = copying();
    all.send('a', 'i');
    all.configure('a', formatOf(PLAIN));
    all.send('a', 'Ki');
    all.configure('a', { ...PUSH });
    all.send('a', 'Ki');
    expect([all.letters(), all.plans, jobs.length]).toEqual(['[P]KiiiKiKi', ['copied'], 0]);
  });

  test('sources that are not to be shown are not', () => {
    const all = copying();
    all.configure('b', OTHER_PUSH);
    all.send('b', 'Kii');
    expect(all.letters()).toBe('[P]Kii');
  });
});

describe('copied no more', () => {
  test('when key frames are too far apart: it is copied until the encoder takes over', async () => {
    const all = copying();
    all.send('a', 'ii', TOO_FAR);
    expect(all.plans).toEqual(['copied', expect.stringMatching(/^encoded: key frames are 4.2 s apart/)]);
    expect([all.video.mode, all.letters()]).toEqual(['copied', '[P]Kiiii']);
    const [job] = jobs;
    expect(job!.options).toMatchObject({ fourCc: 'H264', width: 640, height: 360, maxWaitMs: 1_000 });
    expect(job!.options.arguments).toEqual(
      programArguments(PUSH, {
        ...{ width: 1280, height: 720, frameRate: 25 },
        bitrateBps: 2_500_000,
        keyFrameSeconds: 2,
        preset: 'superfast',
      }),
    );
    // All since the key frame is decoded, and what is old not shown.
    expect(job!.units).toEqual([[PLAIN, PPS, KEY], [INTER], [INTER], [INTER], [INTER]]);
    expect(job!.times.map(([, hidden]) => hidden)).toEqual([true, true, true, false, false]);
    all.encodeInTurn(job!, 'Ee');
    all.send('a', 'iK', TOO_FAR);
    all.encodeInTurn(job!, 'Ee');
    expect([all.video.mode, all.letters(), jobs.length]).toEqual(['encoded', '[P]Kiiii[E]Ee', 1]);
    expectSound(all);
  });

  test('nor again, whatever it becomes', () => {
    const all = copying();
    all.send('a', 'i', TOO_FAR);
    all.encode(jobs[0]!, 'E');
    all.send('a', 'KiiKii');
    all.encode(jobs[0]!, 'E');
    all.send('a', 'KiiKii');
    expect(all.letters()).toBe('[P]Kiii[E]E');
    all.encode(jobs[0]!, 'ee');
    expect(all.letters()).toBe('[P]Kiii[E]Eee');
    expect(all.plans).toHaveLength(2);
  });

  test('when the format changes: nothing of the new one goes out as it is', () => {
    const all = copying();
    all.configure('a', OTHER_PUSH);
    all.send('a', 'i');
    expect(all.plans).toEqual(['copied', 'encoded: its format changed']);
    expect(jobs).toHaveLength(0); // it waits for a key frame
    all.send('a', 'Kii');
    expect([all.letters(), all.plans.length]).toEqual(['[P]Kii', 2]);
    expect(jobs[0]!.units).toEqual([[WITH_B, PPS, KEY], [INTER], [INTER]]);
    all.encode(jobs[0]!, 'E');
    expect([all.letters(), all.video.mode]).toEqual(['[P]Kii[E]E', 'encoded']);
    expectSound(all);
  });

  test('when the codec changes, as with any other format', () => {
    const all = copying();
    all.configure('a', { kind: 'video', codec: 'H265', lengthBytes: 4, parameterSets: [PPS] });
    all.send('a', 'Ki');
    expect(all.letters()).toBe('[P]Kii');
    expect(jobs[0]!.options.fourCc).toBe('HEVC');
  });

  test('another source: the one before goes on until there is a picture of it', async () => {
    const all = copying();
    const shown = vi.fn();
    void all.video.show('b').then(shown);
    all.configure('b', HUB);
    all.send('a', 'i');
    all.send('b', 'Ki');
    all.send('a', 'iK');
    expect(all.letters()).toBe('[P]KiiiiK');
    await settled();
    expect(shown).not.toHaveBeenCalled();
    all.encode(jobs[0]!, 'E');
    await settled();
    expect(shown).toHaveBeenCalledOnce();
    all.send('a', 'ii');
    all.send('b', 'i');
    all.encode(jobs[0]!, 'e');
    expect([all.letters(), jobs.length]).toEqual(['[P]KiiiiK[E]Ee', 1]);
    expectSound(all);
  });

  test('another push, too, for its parameter sets are others', () => {
    const all = copying();
    void all.video.show('b');
    all.configure('b', OTHER_PUSH);
    all.send('b', 'Kii');
    expect(all.letters()).toBe('[P]Kii');
    expect(jobs[0]!.times.map(([, hidden]) => hidden)).toEqual([false, false, false]);
  });
});

describe('what cannot be copied is encoded from the start', () => {
  test.each([
    ['VP8', HUB, {}],
    ['H.264 of the hub', { ...HUB, codec: 'H264' } as const, {}],
    ['a push with key frames too far apart', PUSH, TOO_FAR],
  ])('%s', (_, format, change) => {
    const all = programVideo();
    void all.video.show('a');
    all.configure('a', format);
    all.send('a', 'Kii', change);
    expect([all.letters(), all.video.mode, jobs.length]).toEqual(['', 'undecided', 1]);
    expect(all.plans).toHaveLength(1);
    all.encode(jobs[0]!, 'Ee');
    expect([all.letters(), all.video.mode]).toEqual(['[E]Ee', 'encoded']);
    expect(all.video.pid).toBe(jobs[0]!.pid);
    expect(all.video.encoderDelayMs).toBe(jobs[0]!.latencyMs);
  });

  test('without a configuration of the encoder nothing is shown', () => {
    const all = programVideo();
    void all.video.show('a');
    all.configure('a', HUB);
    all.send('a', 'K');
    jobs[0]!.give({ data: Buffer.of(1), timestampMs: 0, key: true });
    expect(all.letters()).toBe('');
  });

  test('a malformed picture costs no more than itself', () => {
    const all = copying();
    all.send('a', 'i', TOO_FAR);
    const fed = jobs[0]!.fed.length;
    all.receive('a', false, { data: Buffer.from('000000ff61', 'hex') });
    expect(jobs[0]!.fed).toHaveLength(fed);
    all.send('a', 'i');
    expect(jobs[0]!.fed).toHaveLength(fed + 1);
  });
});

describe('from one encoded source to the next', () => {
  function encoding() {
    const all = programVideo();
    void all.video.show('a');
    all.configure('a', HUB);
    all.send('a', 'Ki');
    all.encode(jobs[0]!, 'Ee');
    return all;
  }

  test('players are told of the parameter sets once, as they are the same', () => {
    const all = encoding();
    void all.video.show('b');
    all.configure('b', PUSH);
    all.send('b', 'Ki');
    expect(jobs.map(({ stopped }) => stopped)).toEqual([false, false]);
    all.encode(jobs[0]!, 'e');
    all.encode(jobs[1]!, 'Ee');
    all.encode(jobs[0]!, 'e');
    expect(all.letters()).toBe('[E]EeeEe');
    expect(jobs.map(({ stopped }) => stopped)).toEqual([true, false]);
    expectSound(all);
  });

  test('of what came before it was wanted only the last is shown', () => {
    const all = encoding();
    all.clock.advance(20_000);
    all.send('a', 'i');
    void all.video.show('b');
    all.configure('b', PUSH);
    all.sendBacklog('b', `K${'i'.repeat(99)}`);
    const shown = jobs[1]!.times.filter(([, hidden]) => !hidden).map(([ms]) => ms);
    const latest = jobs[1]!.times.at(-1)![0];
    expect(jobs[1]!.fed).toHaveLength(100);
    expect(shown.every((ms) => ms >= latest - 1_000)).toBe(true);
    expect(shown.length).toBeLessThanOrEqual(7);
    all.encode(jobs[1]!, 'E');
    expectSound(all);
  });

  /** Another one is wanted, whose encoder gives pictures that are so old. */
  function behind(ms: number) {
    const all = encoding();
    void all.video.show('b');
    all.configure('b', HUB);
    all.send('b', 'K');
    const [first, job] = jobs;
    const data = withLengths([ENCODED_KEY]);
    const giveOld = () => job!.give({ data, timestampMs: job!.fed.at(-1)!.timestampMs - ms, key: true });
    job!.options.onConfig(ENCODED_RECORD);
    all.send('a', 'i');
    all.encode(first!, 'e');
    return { all, job: job!, giveOld };
  }

  test.each([0, 50, 100])('its encoder is %i ms behind: it takes over', (ms) => {
    const { all, giveOld } = behind(ms);
    giveOld();
    expect(all.letters()).toBe('[E]EeeE');
    expectSound(all);
  });

  test.each([200, 2_000])('its encoder is %i ms behind: it has to come nearer, with a key frame', (ms) => {
    const { all, job, giveOld } = behind(ms);
    giveOld();
    expect([all.letters(), job.keyFrameRequests]).toEqual(['[E]Eee', 1]);
    all.encode(job, 'E');
    expect(all.letters()).toBe('[E]EeeE');
    expectSound(all);
  });

  test('its encoder does not come nearer within 3 s: it takes over all the same', () => {
    const { all, giveOld } = behind(500);
    giveOld();
    all.clock.advance(2_900);
    giveOld();
    expect(all.letters()).toBe('[E]Eee');
    all.clock.advance(100);
    giveOld();
    expect(all.letters()).toBe('[E]EeeE');
    expectSound(all);
  });

  test('its format changes: another encoder, the same parameter sets', () => {
    const all = encoding();
    void all.video.show('b');
    all.configure('b', PUSH);
    all.send('b', 'Ki');
    all.encode(jobs[1]!, 'E');
    all.configure('b', OTHER_PUSH);
    all.send('b', 'i');
    expect(jobs[1]!.stopped).toBe(true);
    all.send('b', 'Ki');
    expect(jobs[2]!.units).toEqual([[WITH_B, PPS, KEY], [INTER]]);
    all.encode(jobs[1]!, 'e'); // too late
    all.encode(jobs[2]!, 'E');
    expect(all.letters()).toBe('[E]EeEE');
    expectSound(all);
  });

  test('a new format with the same parameter sets has another encoder, too, and players are told nothing', () => {
    const all = encoding();
    void all.video.show('b');
    all.configure('b', PUSH);
    all.send('b', 'Ki');
    all.encode(jobs[1]!, 'E');
    all.configure('b', formatOf(PLAIN));
    all.send('b', 'Ki');
    expect([jobs.length, jobs[1]!.stopped, jobs[2]!.fed.length]).toEqual([3, true, 2]);
    all.encode(jobs[2]!, 'E');
    expect(all.letters()).toBe('[E]EeEE');
    expectSound(all);
  });
});
