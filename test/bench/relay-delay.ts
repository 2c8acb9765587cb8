import { setTimeout as delay } from 'node:timers/promises';
import { OBS_CLIP, OBS_GOP_MS, plainClip } from './encoder-clips.ts';
import { median } from './median.ts';
import { percentile } from './phone-load-percentile.ts';
import { withPriority } from './phone-load-priority.ts';
import type { RelayFrame } from './relay-frame.ts';
import { MARK_PERIOD_MS, markedFrames } from './relay-mark.ts';
import { pairByTime, TOLERANCE_MS } from './relay-pairs.ts';
import { RelaySink } from './relay-sink.ts';
import type { SourceClip } from './relay-source.ts';
import { type PictureMode, programOf, RelayStage } from './relay-stage.ts';

const RUNS = 3;
const SETTLE_MS = 4_000;
const WINDOW_MS = 15_000;
/** What did not come out after so long is lost. */
const LONGEST_MS = 1_500;

interface Delays {
  readonly all: readonly number[];
  readonly lost: number;
  readonly encoderMs: number;
}

/** When a picture came that was sent; undefined: it did not. */
type ArrivalOf = (picture: RelayFrame) => number | undefined;
/** @param came - from a key frame on @param config - how to decode them */
type Match = (
  sent: readonly RelayFrame[],
  came: readonly RelayFrame[],
  config: Buffer,
) => ArrivalOf | Promise<ArrivalOf>;

/**
 * From when an encoder writes a picture (720p30, 2.5 Mbit/s) to its connection to when the same picture is read
 * from the CDN's, ms. Encoder, product and CDN are processes of their own on one machine, and so have one clock. The
 * copied picture is told by its bytes; the encoded one by its time, and the times by marks in the picture.
 */
export async function relayDelay(): Promise<Record<string, number>> {
  const plain = { clip: plainClip(2), marked: false };
  const obs = { clip: OBS_CLIP, marked: true };
  const copied = await runs(() => measure(plain, 'copied', 0, matchBytes));
  // Only once it is known how far key frames are apart it is known from the beginning that it cannot be copied.
  const encoded = await runs(() => measure(obs, 'encoded', 2 * OBS_GOP_MS, matchTimes));
  return {
    ...figures('copied', copied),
    ...figures('encoded', encoded),
    'encoded: of it in the encoder, ms': median(encoded.map(({ encoderMs }) => encoderMs)),
  };
}

async function runs(action: () => Promise<Delays>): Promise<Delays[]> {
  const done: Delays[] = [];
  for (let run = 0; run < RUNS; run++) done.push(await withPriority(action));
  return done;
}

function figures(name: string, all: readonly Delays[]): Record<string, number> {
  const of = (figure: (run: Delays) => number) => median(all.map(figure));
  return {
    [`${name}: picture in to picture at the CDN p50, ms`]: of(({ all }) => percentile(all, 50)),
    [`${name}: picture in to picture at the CDN p95, ms`]: of(({ all }) => percentile(all, 95)),
    [`${name}: pictures looked at`]: of(({ all }) => all.length),
    [`${name}: pictures not found`]: of(({ lost }) => lost),
  };
}

/** @param warmUpMs - from when the encoder sends to when the room goes out */
async function measure(clip: SourceClip, mode: PictureMode, warmUpMs: number, match: Match): Promise<Delays> {
  const sink = await RelaySink.start({ bodies: true });
  const stage = await RelayStage.open(clip);
  try {
    await delay(warmUpMs);
    await stage.live(await stage.send(`${sink.url}/key`));
    await delay(SETTLE_MS);
    await sink.take();
    await delay(WINDOW_MS);
    const sent = await stage.source!.take();
    await delay(LONGEST_MS);
    const { encoderDelayMs } = await programOf(stage.server, mode);
    const { frames, videoConfig } = await sink.take();
    const pictures = frames.filter(({ kind }) => kind === 'video');
    const came = pictures.slice(pictures.findIndex(({ isKey }) => isKey));
    const arrivalOf = await match(sent, came, videoConfig!);
    // Those that can only have come since it was looked at what came.
    const looked = sent.filter(({ atMs }) => atMs >= came[0]!.atMs);
    const all = looked.flatMap((picture) => {
      const atMs = arrivalOf(picture);
      return atMs === undefined ? [] : [atMs - picture.atMs];
    });
    return { all, lost: looked.length - all.length, encoderMs: encoderDelayMs };
  } finally {
    await stage.close();
    sink.close();
  }
}

/** The clip goes round: the same bytes come again with the next lap, which begins later than anything is waited for. */
const matchBytes: Match = (_, came) => {
  const times = new Map<string, number[]>();
  for (const { tail, atMs } of came) times.set(tail, [...(times.get(tail) ?? []), atMs]);
  return ({ tail, atMs }) => times.get(tail)?.find((at) => at >= atMs && at < atMs + MARK_PERIOD_MS);
};

const matchTimes: Match = async (sent, came, config) => {
  const marks = await markedFrames(config, came);
  const marksSent = sent.filter(({ shownMs }) => {
    const sinceMark = shownMs % MARK_PERIOD_MS;
    return Math.min(sinceMark, MARK_PERIOD_MS - sinceMark) <= TOLERANCE_MS;
  });
  const pairs = marks.flatMap((mark): [RelayFrame, RelayFrame][] => {
    const same = marksSent.findLast(({ atMs }) => atMs <= mark.atMs);
    return same ? [[same, mark]] : [];
  });
  if (pairs.length < 2) throw new Error(`Of the marks in the picture ${pairs.length} were seen.`);
  const found = pairByTime(sent, came, pairs[0]!);
  if (pairs.some(([one, other]) => found.get(one) !== other)) {
    throw new Error('From one mark to the next not as much time passes at the CDN as at the encoder.');
  }
  return (picture) => found.get(picture)?.atMs;
};
