import { beforeEach, describe, expect, test, vi } from 'vitest';
import { DEFAULT_ENCODING } from '../../../../transcode/ffmpeg/program-arguments.ts';
import { SlatePlayer } from '../../../../transcode/program/slate-player.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { SLATE, slateRequests } from '../../support/fake-program-jobs.ts';

vi.mock(import('../../../../transcode/ffmpeg/slate.ts'), async () => {
  const { fakeEncodeSlate } = await import('../../support/fake-program-jobs.ts');
  return { encodeSlate: fakeEncodeSlate } as never;
});
beforeEach(() => void slateRequests.splice(0));

/** The promises that are settled already have been looked at. */
const settled = () => new Promise<void>((resolve) => setImmediate(resolve));

/** 25 pictures a second. */
function player() {
  const clock = new FakeClock();
  const shown: string[] = [];
  const failures: string[] = [];
  const slate = new SlatePlayer({
    text: 'A room',
    encoding: { ...DEFAULT_ENCODING, frameRate: 25 },
    clock,
    onFrame: (data, key, record) => {
      expect(record).toBe(SLATE.config);
      shown.push(`${clock.now()}:${data.toString('hex')}${key ? '!' : ''}`);
    },
    onFailed: (cause) => failures.push(cause),
  });
  const playing = async () => {
    slate.play();
    slateRequests.at(-1)!.succeed(SLATE);
    await settled();
  };
  return { clock, shown, failures, slate, playing };
}

test('its pictures come round and round at an even pace, the first at once', async () => {
  const { clock, shown, playing, slate } = player();
  await playing();
  clock.advance(160);
  expect(shown).toEqual(['0:c0!', '40:c1', '80:c2', '120:c0!', '160:c1']);
  expect(slate.plays).toBe(true);
  expect(slateRequests.map(({ text }) => text)).toEqual(['A room']);
});

test('it is encoded once, and begins with its key frame each time', async () => {
  const { clock, shown, slate, playing } = player();
  await playing();
  clock.advance(50);
  slate.stop();
  expect([slate.plays, clock.pending]).toEqual([false, 0]);
  clock.advance(1_000);
  slate.play();
  slate.play();
  await settled();
  clock.advance(40);
  expect(shown).toEqual(['0:c0!', '40:c1', '1050:c0!', '1090:c1']);
  expect(slateRequests).toHaveLength(1);
});

test('after a standstill it goes on with half a second of what was to be, not with all of it', async () => {
  const { clock, shown, playing } = player();
  await playing();
  const now = clock.now.bind(clock);
  vi.spyOn(clock, 'now').mockImplementation(() => now() + 10_000);
  shown.splice(0);
  clock.advance(2_000);
  expect(shown.length).toBeLessThanOrEqual(2_000 / 40 + 500 / 40 + 1);
});

describe('stopped while it is encoded', () => {
  test('nothing is shown', async () => {
    const { clock, shown, slate } = player();
    slate.play();
    slate.stop();
    slateRequests[0]!.succeed(SLATE);
    await settled();
    expect([shown, clock.pending]).toEqual([[], 0]);
  });

  test('and wanted again: it is shown once', async () => {
    const { clock, shown, slate } = player();
    slate.play();
    slate.stop();
    slate.play();
    slateRequests[0]!.succeed(SLATE);
    await settled();
    expect([shown, clock.pending, slateRequests.length]).toEqual([['0:c0!'], 1, 1]);
  });

  test('and it fails: nobody is told', async () => {
    const { clock, failures, slate } = player();
    slate.play();
    slate.stop();
    slateRequests[0]!.fail(new Error('exit code 1'));
    await settled();
    expect([failures, clock.pending]).toEqual([[], 0]);
  });
});

test('a failure is told, and it is tried again after 5 s', async () => {
  const { clock, shown, failures, slate } = player();
  slate.play();
  slateRequests[0]!.fail(new Error('exit code 1'));
  await settled();
  expect([failures, slate.plays]).toEqual([['exit code 1'], true]);
  clock.advance(4_999);
  expect(slateRequests).toHaveLength(1);
  clock.advance(1);
  slateRequests[1]!.succeed(SLATE);
  await settled();
  expect(shown).toEqual(['5000:c0!']);
});

test('a failed one that is not wanted any more is not tried again', async () => {
  const { clock, slate } = player();
  slate.play();
  slateRequests[0]!.fail(new Error('exit code 1'));
  await settled();
  slate.stop();
  clock.advance(60_000);
  expect([slateRequests.length, clock.pending]).toEqual([1, 0]);
});

test('one without its text is shown, and why is told', async () => {
  const { shown, failures, slate } = player();
  slate.play();
  slateRequests[0]!.succeed({ ...SLATE, textFailure: 'no font' });
  await settled();
  expect([shown, failures]).toEqual([['0:c0!'], ['no font']]);
});
