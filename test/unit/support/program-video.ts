import { parseFlvVideo } from '../../../src/media/containers/flv/flv.ts';
import type { SourceConfig, SourcePicture } from '../../../src/media/picture-source.ts';
import type { ProgramPacket } from '../../../src/media/program.ts';
import { DEFAULT_ENCODING } from '../../../transcode/ffmpeg/program-arguments.ts';
import { ProgramVideo } from '../../../transcode/program/program-video.ts';
import { FakeClock } from './fake-clock.ts';
import type { FakeVideoTranscoder } from './fake-jobs.ts';
import { CARD, cardRequests, ENCODED_RECORD } from './fake-program-jobs.ts';
import { withLengths } from './nal-units.ts';
import { config, ENCODED, ENCODED_KEY, INTER, KEY, PLAIN, PPS, WITH_B } from './picture-path.ts';

export const ORIGIN_MS = 10_000;
export const PERIOD_MS = 40;
/** How long sound waits in the mix. */
export const MIX_DELAY_MS = 50;
/** Where a source's time is when the clock is at 0. */
const SOURCE_MS = 700_000;

export function pushed(sps: Buffer): SourceConfig {
  return {
    ...{ codec: 'H264', record: config(sps).data, lengthBytes: 4, parameterSets: [sps, PPS] },
    ...{ width: 640, height: 360 },
  };
}

/** Can be copied, as can the other one. */
export const PUSH = pushed(PLAIN);
export const OTHER_PUSH = pushed(WITH_B);
export const HUB: SourceConfig = { codec: 'VP8', parameterSets: [] };

/** A program's pictures, and what was seen of them. */
export function programPictures() {
  const clock = new FakeClock();
  const packets: ProgramPacket[] = [];
  const plans: string[] = [];
  const deaths: string[] = [];
  const picture = new ProgramVideo({
    clock,
    shape: { ...DEFAULT_ENCODING, frameRate: 25 },
    title: 'A room',
    toProgramMs: (localMs) => localMs + ORIGIN_MS,
    mixDelayMs: () => MIX_DELAY_MS,
    emit: (packet) => packets.push(packet),
    onDeath: (what, cause) => deaths.push(`${what}: ${cause}`),
    onPlan: (plan, reason) => plans.push(reason ? `${plan}: ${reason}` : plan),
  });

  /** One that is due now. */
  const sourcePicture = (key: boolean, change: Partial<SourcePicture> = {}): SourcePicture => {
    const showMs = SOURCE_MS + clock.now();
    const data = withLengths([key ? KEY : INTER]);
    const common = { disposable: false, keyFrameGapMs: 2_000, soundLateMs: 0 };
    return { data, decodeMs: showMs, showMs, key, dueAt: clock.now(), ...common, ...change };
  };
  /** A key frame and others, in real time. @param letters - K and i */
  const send = (id: string, letters: string, change: Partial<SourcePicture> = {}) => {
    for (const letter of letters) {
      picture.receive(id, sourcePicture(letter === 'K', change));
      clock.advance(PERIOD_MS);
    }
  };
  /** As `send`, of a source with B-frames. @param pictures - K or i, and how long after it is decoded it is shown, ms */
  const sendReordered = (
    id: string,
    pictures: readonly (readonly ['K' | 'i', compositionMs: number])[],
    change: Partial<SourcePicture> = {},
  ) => {
    for (const [letter, compositionMs] of pictures) {
      const decodeMs = SOURCE_MS + clock.now();
      const dueAt = clock.now() + compositionMs;
      send(id, letter, { decodeMs, showMs: decodeMs + compositionMs, dueAt, ...change });
    }
  };
  /** All that an inlet gives at once: pictures up to now, each as it was when it came. */
  const sendBacklog = (
    id: string,
    letters: string,
    change: (index: number) => Partial<SourcePicture> = () => ({}),
  ) => {
    for (const [index, letter] of [...letters].entries()) {
      const dueAt = clock.now() - (letters.length - 1 - index) * PERIOD_MS;
      const showMs = SOURCE_MS + dueAt;
      picture.receive(
        id,
        sourcePicture(letter === 'K', { dueAt, showMs, decodeMs: showMs, ...change(index) }),
      );
    }
  };
  const giveEncoded = (job: FakeVideoTranscoder, letter: string, timestampMs: number) => {
    job.options.onConfig(Buffer.from(ENCODED_RECORD));
    const key = letter === 'E';
    job.give({ data: withLengths([key ? ENCODED_KEY : ENCODED]), timestampMs, key });
  };
  /** Pictures come out of an encoder that is up to date: of what it was fed with last. @param letters - E and e */
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
  /** Lets the card be ready. */
  const card = async () => {
    cardRequests.at(-1)!.succeed(CARD);
    await settled();
  };

  /** In short: K i copied, E e encoded, C c the card, [P] [O] [E] configurations. */
  const letters = () => packets.map(letterOf).join('');
  const frames = () => packets.filter(({ packet }) => packet === 'frame');
  return {
    ...{ clock, picture, packets, plans, deaths, letters, frames },
    ...{ sourcePicture, send, sendReordered, sendBacklog, encode, encodeInTurn, card },
  };
}

/** What promises that are settled already lead to has been done. */
export function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** It is copied: the first push, three pictures so far. */
export function copying() {
  const all = programPictures();
  void all.picture.show('a');
  all.picture.configure('a', PUSH);
  all.send('a', 'Kii');
  return all;
}

function letterOf({ kind, packet, key, body }: ProgramPacket): string {
  const video = kind === 'video' ? parseFlvVideo(body) : undefined;
  if (!video) return '?';
  if (packet === 'config') {
    const records = [PUSH.record!, OTHER_PUSH.record!, ENCODED_RECORD];
    return `[${'POE'[records.findIndex((record) => record.equals(video.data))] ?? '?'}]`;
  }
  if ((video.frame === 'key') !== key) return '?';
  const sources: [Buffer, string][] = [
    [withLengths([KEY]), 'K'],
    [withLengths([INTER]), 'i'],
    [withLengths([ENCODED_KEY]), 'E'],
    [withLengths([ENCODED]), 'e'],
    ...CARD.frames.map(({ data }, index): [Buffer, string] => [data, index === 0 ? 'C' : 'c']),
  ];
  const letter = sources.find(([data]) => data.equals(video.data))?.[1] ?? '?';
  return /[A-Z]/.test(letter) === key ? letter : '?';
}
