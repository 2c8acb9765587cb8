import { createLogger } from '../../../src/base/log.ts';
import type { AudioFormat, SourceUnit, VideoFormat } from '../../../src/media/access-unit.ts';
import { Ingest } from '../../../transcode/ingest/ingest.ts';
import { FakeClock } from './fake-clock.ts';
import { audioJobs, videoJobs } from './fake-jobs.ts';
import { FakeLink } from './fake-link.ts';
import { withLengths } from './nal-units.ts';
import { KEY } from './picture-path.ts';

export const AAC: AudioFormat = { kind: 'audio', codec: 'AAC', config: Buffer.from('1190', 'hex') };
const AAC_FRAME = Buffer.alloc(398);
export const FLAGS = { disposable: false, discontinuity: false };

/** A publisher's ingest, and what was seen of it. */
export function ingest() {
  const clock = new FakeClock();
  const link = new FakeLink();
  const told: string[] = [];
  const reasons: string[] = [];
  const one = new Ingest(
    {
      video: {
        maxKeyFrameGapMs: 3_000,
        maxHeight: 720,
        bitrateBps: 2e6,
        preset: 'superfast',
        maxWaitMs: 500,
      },
      audio: { bitrateBps: 96_000, maxWaitMs: 300 },
    },
    clock,
    createLogger('silent'),
    {
      encoder: (name) => told.push(`encoder: ${name}`),
      video: (codec, size, { outcome, reason }) => {
        told.push(`video: ${codec} ${size ? `${size.width}x${size.height} ` : ''}${outcome}`);
        reasons.push(reason);
      },
      audio: (codec, { outcome, reason }) => {
        told.push(`audio: ${codec} ${outcome}`);
        reasons.push(reason);
      },
    },
  );
  const open = (kind: 'audio' | 'video') => one.open(kind, { link, ssrc: 7, payloadType: 100 });
  const video = (format: VideoFormat, key: boolean, ms: number, compositionMs = 0) => {
    const data = withLengths([key ? KEY : Buffer.alloc(1_000, 0x61)]);
    const times = { dtsUs: ms * 1000, ptsUs: (ms + compositionMs) * 1000 };
    return one.receive({ format, data, key, ...times, ...FLAGS });
  };
  const audio = (format: AudioFormat, ms: number, data = AAC_FRAME) =>
    one.receive({ format, data, key: true, dtsUs: ms * 1000, ptsUs: ms * 1000, ...FLAGS });
  /** Audio and video, 25 a second, with a key frame each second; the encoder gives each picture after so long. */
  const play = (frames: number, format: VideoFormat, encodeMs?: number) => {
    for (let index = 0; index < frames; index++) {
      const ms = clock.now();
      video(format, index % 25 === 0, ms);
      audio(AAC, ms);
      audioJobs.at(-1)?.give(10_000 + ms);
      clock.after(20, () => audioJobs.at(-1)?.give(10_020 + ms));
      const { fed, options } = videoJobs.at(-1) ?? {};
      if (encodeMs !== undefined && fed) {
        const { timestampMs, options: frame } = fed.at(-1)!;
        const data = withLengths([KEY]);
        clock.after(encodeMs, () =>
          options!.onFrame({ data, timestampMs, key: frame.key, latencyMs: encodeMs }),
        );
      }
      clock.advance(40);
    }
  };
  /** What a program gets. */
  const tap = () => {
    const units: SourceUnit[] = [];
    one.addTap('program', { send: (unit) => units.push(unit), close: () => {} });
    return units;
  };
  return { ingest: one, clock, link, told, reasons, open, video, audio, play, tap };
}
