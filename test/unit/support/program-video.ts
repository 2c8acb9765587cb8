import { beforeEach, vi } from 'vitest';
import type { SourceUnit, VideoFormat, VideoUnit } from '../../../src/media/access-unit.ts';
import { DEFAULT_ENCODING } from '../../../transcode/ffmpeg/program-arguments.ts';
import { ProgramVideo } from '../../../transcode/program/program-video.ts';
import { FakeClock } from './fake-clock.ts';
import { type FakeVideoTranscoder, videoJobs } from './fake-jobs.ts';
import { ENCODED_RECORD, SLATE, slateRequests } from './fake-program-jobs.ts';
import { withLengths } from './nal-units.ts';
import { ENCODED, ENCODED_KEY, formatOf, INTER, KEY, PLAIN, WITH_B } from './picture-path.ts';

// Whoever imports this has no child processes.
vi.mock(import('../../../transcode/ffmpeg/video-transcoder.ts'), async () => {
  const { FakeVideoTranscoder } = await import('./fake-jobs.ts');
  return { VideoTranscoder: FakeVideoTranscoder } as never;
});
vi.mock(import('../../../transcode/ffmpeg/slate.ts'), async () => {
  const { fakeEncodeSlate } = await import('./fake-program-jobs.ts');
  return { encodeSlate: fakeEncodeSlate } as never;
});
beforeEach(() => {
  videoJobs.splice(0);
  slateRequests.splice(0);
});

export const ORIGIN_MS = 10_000;
export const PERIOD_MS = 40;
/** How long sound waits in the mix. */
export const MIX_DELAY_MS = 50;
/** Where a source's time is when the clock is at 0. */
const SOURCE_MS = 700_000;

/** Can be copied, as can the other one. */
export const PUSH = formatOf(PLAIN);
export const OTHER_PUSH = formatOf(WITH_B);
export const HUB: VideoFormat = { kind: 'video', codec: 'VP8', parameterSets: [] };

/** What a test says of a source's frame, in ms of the source's time. */
export interface SourceFrame extends Partial<SourceUnit> {
  readonly decodeMs?: number;
  readonly showMs?: number;
}

/** A program's video, and what was seen of it. */
export function programVideo() {
  const clock = new FakeClock();
  const units: VideoUnit[] = [];
  const plans: string[] = [];
  const deaths: string[] = [];
  const video = new ProgramVideo({
    clock,
    encoding: { ...DEFAULT_ENCODING, frameRate: 25 },
    title: 'A room',
    toProgramMs: (localMs) => localMs + ORIGIN_MS,
    mixDelayMs: () => MIX_DELAY_MS,
    emit: (unit) => units.push(unit),
    onDeath: (what, cause) => deaths.push(`${what}: ${cause}`),
    onPlan: (plan, reason) => plans.push(reason ? `${plan}: ${reason}` : plan),
  });

  const formats = new Map<string, VideoFormat>();
  /** What comes of a source from now on is of that format. */
  const configure = (id: string, format: VideoFormat) => void formats.set(id, format);
  /** One frame that is due now. */
  const receive = (id: string, key: boolean, frame: SourceFrame = {}) => {
    const { showMs = SOURCE_MS + clock.now(), decodeMs = showMs, ...change } = frame;
    const common = { disposable: false, discontinuity: false, keyFrameGapMs: 2_000, audioLateMs: 0 };
    video.receive(id, {
      ...{ format: formats.get(id)!, data: withLengths([key ? KEY : INTER]), key, ...common },
      ...{ dtsUs: decodeMs * 1000, ptsUs: showMs * 1000, dueAt: clock.now(), ...change },
    });
  };
  /** A key frame and others, in real time. @param letters - K and i */
  const send = (id: string, letters: string, frame: SourceFrame = {}) => {
    for (const letter of letters) {
      receive(id, letter === 'K', frame);
      clock.advance(PERIOD_MS);
    }
  };
  /** As `send`, of a source with B-frames. @param frames - K or i, and how long after it is decoded it is shown, ms */
  const sendReordered = (
    id: string,
    frames: readonly (readonly ['K' | 'i', compositionMs: number])[],
    frame: SourceFrame = {},
  ) => {
    for (const [letter, compositionMs] of frames) {
      const decodeMs = SOURCE_MS + clock.now();
      const dueAt = clock.now() + compositionMs;
      send(id, letter, { decodeMs, showMs: decodeMs + compositionMs, dueAt, ...frame });
    }
  };
  /** All that whoever joins gets at once: frames up to now, each as it was when it came. */
  const sendBacklog = (id: string, letters: string, frame: (index: number) => SourceFrame = () => ({})) => {
    for (const [index, letter] of [...letters].entries()) {
      const dueAt = clock.now() - (letters.length - 1 - index) * PERIOD_MS;
      receive(id, letter === 'K', { dueAt, showMs: SOURCE_MS + dueAt, ...frame(index) });
    }
  };
  const giveEncoded = (job: FakeVideoTranscoder, letter: string, timestampMs: number) => {
    job.options.onConfig(Buffer.from(ENCODED_RECORD));
    const key = letter === 'E';
    job.give({ data: withLengths([key ? ENCODED_KEY : ENCODED]), timestampMs, key });
  };
  /** Frames come out of an encoder that is up to date: of what it was fed with last. @param letters - E and e */
  const encode = (job: FakeVideoTranscoder, letters: string) => {
    for (const letter of letters) giveEncoded(job, letter, job.fed.at(-1)!.timestampMs);
  };
  const encodedUpToMs = new Map<FakeVideoTranscoder, number>();
  /** As of a real one: each that it was fed with to be shown, in the order in which they are. @param letters - E and e */
  const encodeInTurn = (job: FakeVideoTranscoder, letters: string) => {
    for (const letter of letters) {
      const before = encodedUpToMs.get(job) ?? Number.NEGATIVE_INFINITY;
      const waiting = job.times.filter(([ms, hidden]) => !hidden && ms > before);
      if (waiting.length === 0)
        throw new Error('the encoder was fed with no more pictures than came out of it');
      const timestampMs = Math.min(...waiting.map(([ms]) => ms));
      encodedUpToMs.set(job, timestampMs);
      giveEncoded(job, letter, timestampMs);
    }
  };
  /** Lets the slate be ready. */
  const slate = async () => {
    slateRequests.at(-1)!.succeed(SLATE);
    await settled();
  };

  /** In short: K i copied, E e encoded, S s the slate; [P] [O] [E] where a format begins. */
  const letters = () => units.map((unit, index) => beginOf(unit, units[index - 1]) + letterOf(unit)).join('');
  return {
    ...{ clock, video, units, plans, deaths, letters, configure },
    ...{ receive, send, sendReordered, sendBacklog, encode, encodeInTurn, slate },
  };
}

/** When each is decoded, ms of program time. */
export function decodeTimes(units: readonly VideoUnit[]): number[] {
  return units.map(({ dtsUs }) => dtsUs / 1000);
}

/** What promises that are settled already lead to has been done. */
export function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** It is copied: the first push, three frames so far. */
export function copying() {
  const all = programVideo();
  void all.video.show('a');
  all.configure('a', PUSH);
  all.send('a', 'Kii');
  return all;
}

/** Whoever gets the units is told how to decode them by another object of a format. */
function beginOf({ format, key }: VideoUnit, before: VideoUnit | undefined): string {
  if (format === before?.format) return '';
  const records = [PUSH.record!, OTHER_PUSH.record!, ENCODED_RECORD];
  const letter = 'POE'[records.findIndex((record) => format.record?.equals(record))];
  return `[${(key && letter) || '?'}]`;
}

function letterOf({ data, key }: VideoUnit): string {
  const sources: [Buffer, string][] = [
    [withLengths([KEY]), 'K'],
    [withLengths([INTER]), 'i'],
    [withLengths([ENCODED_KEY]), 'E'],
    [withLengths([ENCODED]), 'e'],
    ...SLATE.frames.map((frame, index): [Buffer, string] => [frame.data, index === 0 ? 'S' : 's']),
  ];
  const letter = sources.find(([known]) => known.equals(data))?.[1] ?? '?';
  return /[A-Z]/.test(letter) === key ? letter : '?';
}
