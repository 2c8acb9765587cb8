import { createLogger } from '../../../src/base/log.ts';
import type { SourceUnit, VideoFormat } from '../../../src/media/access-unit.ts';
import { serializeAvcConfig } from '../../../src/media/h264/avc-config.ts';
import { parseSps } from '../../../src/media/h264/sps.ts';
import { VideoPath } from '../../../transcode/ingest/video-path.ts';
import { FakeClock } from './fake-clock.ts';
import { FakeLink } from './fake-link.ts';
import { H264Depacketizer } from './h264-depacketizer.ts';
import { withLengths } from './nal-units.ts';
import { SPS_SAMPLES } from './sps-samples.ts';

export const SSRC = 0x0102_0304;
export const FRAME_MS = 40;
export const KEY = Buffer.from('65aaaa', 'hex');
export const INTER = Buffer.from('61bbbb', 'hex');
export const DISPOSABLE = Buffer.from('01cccc', 'hex');
export const ENCODED_KEY = Buffer.from('65eeee', 'hex');
export const ENCODED = Buffer.from('61ffff', 'hex');
export const PPS = Buffer.from('68ee3c80', 'hex');

export function sps(name: string): Buffer {
  return Buffer.from(SPS_SAMPLES.find(([what]) => what === name)![1], 'hex');
}

export const PLAIN = sps('Main without B-frames');
export const LARGE = sps('1080 lines of 1088');
export const WITH_B = sps('High with B-frames');

/** How to decode pictures of an H.264 stream with that SPS, as a container's header says it. */
export function formatOf(own: Buffer, lengthBytes: 2 | 4 = 4): VideoFormat {
  const record = serializeAvcConfig({
    profile: own[1]!,
    compatibility: own[2]!,
    level: own[3]!,
    lengthBytes,
    sps: [own],
    pps: [PPS],
  });
  const { width, height } = parseSps(own)!;
  return { kind: 'video', codec: 'H264', record, lengthBytes, parameterSets: [own, PPS], width, height };
}

/** A picture without its times: those are of the moment when it comes. */
export interface Picture {
  readonly data: Buffer;
  readonly key: boolean;
  readonly disposable: boolean;
  /** How long after it is decoded it is shown. */
  readonly compositionMs: number;
}

export function picture(letter: 'K' | 'i', compositionMs = 0, change: Partial<Picture> = {}): Picture {
  const key = letter === 'K';
  return { data: withLengths([key ? KEY : INTER]), key, disposable: false, compositionMs, ...change };
}

export function path() {
  const clock = new FakeClock();
  const link = new FakeLink();
  const plans: string[] = [];
  const sent: number[] = [];
  const came: SourceUnit[] = [];
  const video = new VideoPath(
    { maxKeyFrameGapMs: 3_000, maxHeight: 720, bitrateBps: 2_500_000, preset: 'superfast', maxWaitMs: 500 },
    clock,
    createLogger('silent'),
    {
      planned: ({ outcome, reason }) => plans.push(`${outcome}: ${reason}`),
      sent: (ms) => sent.push(ms),
      came: (unit) => came.push(unit),
    },
  );
  const target = { link, ssrc: SSRC, payloadType: 103 };
  let nextMs = 10_000;
  let format = formatOf(PLAIN);
  /** What comes from now on is of that format. */
  const configure = (next: VideoFormat) => {
    format = next;
  };
  /** @returns when it is decoded */
  const receive = ({ compositionMs, ...rest }: Picture) => {
    const decodeMs = nextMs;
    const times = { dtsUs: decodeMs * 1000, ptsUs: (decodeMs + compositionMs) * 1000 };
    const moment = { dueAt: clock.now(), keyFrameGapMs: 0, audioLateMs: 0 };
    video.receive({ format, ...rest, ...times, ...moment, discontinuity: false }, clock.now());
    clock.advance(FRAME_MS);
    nextMs += FRAME_MS;
    return decodeMs;
  };
  /** A key frame, and others up to the next one. */
  const group = (count = 10) => {
    for (let index = 0; index < count; index++) receive(picture(index === 0 ? 'K' : 'i'));
  };
  /** What browsers see: of each picture its NAL units. */
  const shown = () => {
    clock.advance(5);
    const depacketizer = new H264Depacketizer(1_200);
    return link.sent.flatMap((packet) => {
      const unit = depacketizer.receive(packet);
      return unit ? [{ ms: unit.timestamp / 90, nals: unit.nals }] : [];
    });
  };
  /** In short: K and i as they came, E and e of the encoder. */
  const letters = () =>
    shown()
      .map(({ nals }) => {
        const [last] = nals.slice(-1);
        const found = [KEY, INTER, ENCODED_KEY, ENCODED].findIndex((nal) => nal.equals(last!));
        return 'KiEe'[found] ?? '?';
      })
      .join('');
  return { video, clock, link, target, plans, sent, came, configure, receive, group, shown, letters };
}

/** It passes through, and somebody watches. */
export function passing() {
  const all = path();
  all.video.open(all.target);
  return all;
}
