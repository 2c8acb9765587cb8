import { createLogger } from '../../../src/base/log.ts';
import type { FlvVideo } from '../../../src/media/containers/flv/flv.ts';
import { serializeAvcConfig } from '../../../src/media/h264/avc-config.ts';
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

export function config(of: Buffer, lengthBytes: 2 | 4 = 4): FlvVideo {
  const record = serializeAvcConfig({
    profile: of[1]!,
    compatibility: of[2]!,
    level: of[3]!,
    lengthBytes,
    sps: [of],
    pps: [PPS],
  });
  return { codec: 'H264', frame: 'key', packet: 'config', compositionMs: 0, data: record };
}

export function picture(
  frame: FlvVideo['frame'],
  compositionMs = 0,
  change: Partial<FlvVideo> = {},
): FlvVideo {
  const data = withLengths([frame === 'key' ? KEY : INTER]);
  return { codec: 'H264', frame, packet: 'frame', compositionMs, data, ...change };
}

export function path() {
  const clock = new FakeClock();
  const link = new FakeLink();
  const plans: string[] = [];
  const sent: number[] = [];
  const video = new VideoPath(
    { maxKeyFrameGapMs: 3_000, maxHeight: 720, bitrateBps: 2_500_000, preset: 'superfast', maxWaitMs: 500 },
    clock,
    createLogger('silent'),
    {
      planned: ({ outcome, reason }) => plans.push(`${outcome}: ${reason}`),
      sent: (ms) => sent.push(ms),
      configured: () => {},
      came: () => {},
    },
  );
  const target = { link, ssrc: SSRC, payloadType: 103 };
  let nextMs = 10_000;
  /** @returns when it is decoded */
  const receive = (one: FlvVideo) => {
    video.receive(one, nextMs, clock.now());
    if (one.packet !== 'frame') return nextMs;
    clock.advance(FRAME_MS);
    nextMs += FRAME_MS;
    return nextMs - FRAME_MS;
  };
  /** A key frame, and others up to the next one. */
  const group = (count = 10) => {
    for (let index = 0; index < count; index++) receive(picture(index === 0 ? 'key' : 'inter'));
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
  return { video, clock, link, target, plans, sent, receive, group, shown, letters };
}

/** It passes through, and somebody watches. */
export function passing() {
  const all = path();
  all.video.open(all.target);
  all.receive(config(PLAIN));
  return all;
}
