import { setTimeout as delay } from 'node:timers/promises';
import { toMachineTime } from '../../src/base/machine-time.ts';
import { OBS_CLIP, OBS_GOP_MS, plainClip } from './encoder-clips.ts';
import { percentile } from './phone-load-percentile.ts';
import { withPriority } from './phone-load-priority.ts';
import { RelaySink } from './relay-sink.ts';
import type { SourceClip } from './relay-source.ts';
import { type PictureMode, programOf, RelayStage } from './relay-stage.ts';

const STARTS = 20;
const LOOK_MS = 50;
const PATIENCE_MS = 30_000;
/** Between two starts; not a part of any time between key frames, so that each is at another place there. */
const PAUSE_MS = 1_370;

/**
 * From asking that a room goes out to what the CDN gets: the first media message (how to decode), and the first key
 * frame. Each time with a program that nobody had before.
 */
export async function relayStart(): Promise<Record<string, number>> {
  return {
    ...(await withPriority(() =>
      measure('copied, 2 s GOP', { clip: plainClip(2), marked: false }, 'copied', 5_000),
    )),
    ...(await withPriority(() =>
      measure('encoded, 8.3 s GOP', { clip: OBS_CLIP, marked: false }, 'encoded', 2 * OBS_GOP_MS),
    )),
    ...(await withPriority(() => measure('card', undefined, 'encoded', 0))),
  };
}

/** @param warmUpMs - from when the encoder sends to the first start */
async function measure(
  name: string,
  clip: SourceClip | undefined,
  mode: PictureMode,
  warmUpMs: number,
): Promise<Record<string, number>> {
  const sink = await RelaySink.start();
  const stage = await RelayStage.open(clip);
  const media: number[] = [];
  const keyFrames: number[] = [];
  try {
    await delay(warmUpMs);
    for (let start = 0; start < STARTS; start++) {
      const startedAt = toMachineTime(performance.now());
      const output = await stage.send(`${sink.url}/start-${start}`);
      const first = await firstOf(sink, `start-${start}`);
      await programOf(stage.server, mode);
      media.push(first.mediaAt - startedAt);
      keyFrames.push(first.keyFrameAt - startedAt);
      await stage.server.outputs.stop(output.id);
      await delay(PAUSE_MS);
    }
  } finally {
    await stage.close();
    sink.close();
  }
  return {
    [`${name}: to the first media p50, ms`]: percentile(media, 50),
    [`${name}: to the first media p95, ms`]: percentile(media, 95),
    [`${name}: to the first key frame p50, ms`]: percentile(keyFrames, 50),
    [`${name}: to the first key frame p95, ms`]: percentile(keyFrames, 95),
  };
}

/** @throws Error when no key frame comes */
async function firstOf(sink: RelaySink, key: string): Promise<{ mediaAt: number; keyFrameAt: number }> {
  const until = performance.now() + PATIENCE_MS;
  let mediaAt: number | undefined;
  while (performance.now() < until) {
    const { began, frames } = await sink.take();
    mediaAt ??= began.get(key);
    const keyFrame = frames.find((one) => one.key === key && one.kind === 'video' && one.isKey);
    if (keyFrame && mediaAt !== undefined) return { mediaAt, keyFrameAt: keyFrame.atMs };
    await delay(LOOK_MS);
  }
  throw new Error(`No key frame came to ${key} within ${PATIENCE_MS / 1000} s.`);
}
