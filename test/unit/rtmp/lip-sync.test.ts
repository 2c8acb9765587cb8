import { beforeEach, expect, test, vi } from 'vitest';
import { PublisherFeed } from '../../../gateways/rtmp/mapping/publisher-feed.ts';
import { createLogger } from '../../../src/base/log.ts';
import type { MediaLink } from '../../../src/gateway.ts';
import {
  aacConfigBody,
  aacFrameBody,
  avcConfigBody,
  avcFrameBody,
} from '../../../src/media/containers/flv/flv-body.ts';
import { parseRtp } from '../../../src/media/rtp/rtp.ts';
import { SampleClock } from '../../../transcode/ffmpeg/sample-clock.ts';
import { Ingest } from '../../../transcode/ingest/ingest.ts';
import { seededRandom } from '../../signals/random.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { audioJobs, videoJobs } from '../support/fake-jobs.ts';
import { withLengths } from '../support/nal-units.ts';
import { formatOf, PLAIN, WITH_B } from '../support/picture-path.ts';

/* An hour of sound and pictures that say when they were taken, and when these come to the hub. */

vi.mock(import('../../../transcode/ffmpeg/video-transcoder.ts'), async () => {
  const { FakeVideoTranscoder } = await import('../support/fake-jobs.ts');
  return { VideoTranscoder: FakeVideoTranscoder } as never;
});
vi.mock(import('../../../transcode/ffmpeg/audio-decoder.ts'), async () => {
  const { FakeAudioDecoder } = await import('../support/fake-jobs.ts');
  return { AudioDecoder: FakeAudioDecoder } as never;
});
/** Looks at each sample, which takes long for an hour of them. */
vi.mock(import('../../../transcode/ingest/sample-level.ts'), () => ({ levelOf: () => -20 }));
/** "Encodes" the first sample. */
vi.mock(import('../../../transcode/audio/opus-codec.ts'), () => {
  class OpusStereoEncoder {
    encode(samples: Int16Array, packet: Buffer, at: number): number {
      packet.writeInt16BE(samples[0]!, at);
      return 2;
    }
  }
  return { OpusStereoEncoder } as never;
});
beforeEach(() => {
  videoJobs.splice(0);
  audioJobs.splice(0);
});

const HOUR_MS = 3_600_000;
const SETTLE_MS = 30_000;
const SLICE_MS = 10_000;
const PICTURE_MS = 40;
const PICTURES_TO_KEY = 25;
const TAG_SAMPLES = 1024;
const TAG_MS = TAG_SAMPLES / 48;
const AAC_FRAME = aacFrameBody(Buffer.alloc(300));
/** What says when sound was taken does so modulo this. */
const SAMPLE_PERIOD_MS = 2 ** 15;
/** Where a slice says when it was taken: behind its header and the first byte of its own. */
const TAKEN_AT = 2;
const AUDIO = 1;
const VIDEO = 2;

interface Passed {
  /** When it was taken, came to the hub, and is on its RTP clock; all in ms. */
  readonly takenMs: number;
  readonly at: number;
  readonly rtpMs: number;
}

/** Writes down what comes to the hub. */
function hub(clock: FakeClock) {
  const sounds: Passed[] = [];
  const pictures: Passed[] = [];
  let lastTimestamp: number | undefined;
  const link = {
    send: (packet: Buffer) => {
      const { ssrc, payload, timestamp } = parseRtp(packet)!;
      const at = clock.now();
      if (ssrc === VIDEO) {
        if ((payload[0]! & 0x1f) > 5) return; // parameter sets
        pictures.push({ takenMs: payload.readUInt32BE(TAKEN_AT), at, rtpMs: timestamp / 90 });
        return;
      }
      const before = sounds.at(-1) ?? { takenMs: 0, rtpMs: 0 };
      const rtpMs = before.rtpMs + ((timestamp - (lastTimestamp ?? timestamp)) | 0) / 48;
      lastTimestamp = timestamp;
      sounds.push({ takenMs: nearest(payload.readInt16BE(0), before.takenMs), at, rtpMs });
    },
    onFeedback: () => () => {},
    onClose: () => () => {},
  } as unknown as MediaLink;
  return { link, sounds, pictures };
}

function nearest(residue: number, about: number): number {
  return residue + SAMPLE_PERIOD_MS * Math.round((about - residue) / SAMPLE_PERIOD_MS);
}

interface Source {
  /** By how much its clock is fast, and that by which its sound is sampled; millionths. */
  readonly ppm: number;
  readonly samplePpm: number;
  /** How long pictures take through the encoder of the server; undefined: they pass through. */
  readonly encodeMs: number | undefined;
}

/** Publishes for an hour over a network that holds things up for up to 40 ms, and once a minute for a second. */
function publish({ ppm, samplePpm, encodeMs }: Source) {
  const clock = new FakeClock();
  const { link, sounds, pictures } = hub(clock);
  const wait = { maxWaitMs: 500 };
  const ingest = new Ingest(
    {
      video: { maxKeyFrameGapMs: 3_000, maxHeight: 720, bitrateBps: 2e6, preset: 'superfast', ...wait },
      audio: { bitrateBps: 96_000, ...wait },
    },
    clock,
    createLogger('silent'),
    { encoder: () => {}, video: () => {}, audio: () => {} },
  );
  ingest.open('video', { link, ssrc: VIDEO, payloadType: 103 });
  ingest.open('audio', { link, ssrc: AUDIO, payloadType: 100 });
  const feed = new PublisherFeed(ingest);
  const { record } = formatOf(encodeMs === undefined ? PLAIN : WITH_B);
  feed.video(avcConfigBody(record!), 0);
  feed.audio(aacConfigBody(Buffer.from('1190', 'hex')), 0);
  const random = seededRandom(7);
  const sampleClock = new SampleClock(48_000);
  let arrival = 0;
  let picture = 0;
  let tag = 0;
  const samples = new Int16Array(2 * TAG_SAMPLES);
  const tagMs = TAG_MS / (1 + samplePpm / 1e6);
  for (;;) {
    // What is next, by true time.
    const isPicture = picture * PICTURE_MS <= tag * tagMs;
    const takenMs = isPicture ? picture * PICTURE_MS : tag * tagMs;
    if (takenMs > HOUR_MS) break;
    const held = takenMs % 60_000 < 1_000 ? 1_000 - (takenMs % 60_000) : random() * 40;
    arrival = Math.max(arrival, takenMs + held);
    clock.advance(arrival - clock.now());
    const stamp = Math.floor(takenMs * (1 + ppm / 1e6));
    if (isPicture) {
      feed.video(pictureBody(picture % PICTURES_TO_KEY === 0, takenMs), stamp);
      picture++;
    } else {
      feed.audio(AAC_FRAME, stamp);
      for (let ms = 0; ms < TAG_MS; ms++) {
        samples.fill((takenMs + ms) % SAMPLE_PERIOD_MS, 2 * 48 * ms, 2 * 48 * (ms + 1));
      }
      const { timestampMs } = audioJobs[0]!.fed.pop()!;
      audioJobs[0]!.options.onSamples(samples, sampleClock.advance(timestampMs, TAG_SAMPLES));
      tag++;
    }
    if (encodeMs !== undefined) encode(clock, encodeMs);
  }
  return { sounds, pictures };
}

function pictureBody(key: boolean, takenMs: number): Buffer {
  const nal = Buffer.alloc(100, 0x80);
  nal[0] = key ? 0x65 : 0x61;
  nal.writeUInt32BE(takenMs, TAKEN_AT);
  return avcFrameBody(withLengths([nal]), key, 0);
}

/** The pictures that were fed lately come out after a while. */
function encode(clock: FakeClock, encodeMs: number): void {
  const [job] = videoJobs;
  for (const { bytes, timestampMs, options } of job?.fed.splice(0) ?? []) {
    job!.options.onConfig(formatOf(PLAIN).record!);
    // Behind the start code, and behind the parameter sets.
    const data = withLengths([bytes.subarray(-100)]);
    clock.after(encodeMs, () => job!.give({ data, timestampMs, key: options.key }));
  }
}

function medianOf(values: number[]): number {
  return values.sort((one, other) => one - other)[values.length >> 1]!;
}

/** @returns of each 10 s what is in the middle */
function medians(all: readonly Passed[], value: (one: Passed) => number): number[] {
  const slices: number[][] = [];
  for (const one of all) {
    if (one.takenMs < SETTLE_MS) continue;
    const index = Math.floor((one.takenMs - SETTLE_MS) / SLICE_MS);
    const slice = slices[index] ?? [];
    slice.push(value(one));
    slices[index] = slice;
  }
  return slices.filter((slice) => slice.length > 100).map(medianOf);
}

test.each<[string, Source]>([
  ['whose clock is 200 ppm fast', { ppm: 200, samplePpm: 0, encodeMs: undefined }],
  ['whose clock is 200 ppm slow', { ppm: -200, samplePpm: 0, encodeMs: undefined }],
  ['whose sound is sampled 200 ppm fast', { ppm: 0, samplePpm: 200, encodeMs: undefined }],
  ['whose sound is sampled 200 ppm slow', { ppm: 0, samplePpm: -200, encodeMs: undefined }],
  ['whose clocks differ, re-encoded', { ppm: -200, samplePpm: 200, encodeMs: 150 }],
])('for an hour, sound and pictures of a source %s pass within 40 ms', { timeout: 60_000 }, (_, source) => {
  const { sounds, pictures } = publish(source);
  const passing = (all: readonly Passed[]) => medians(all, ({ at, takenMs }) => at - takenMs);
  const pictureDelays = passing(pictures);
  const offsets = passing(sounds).map((delayMs, index) => pictureDelays[index]! - delayMs);
  expect(offsets.length).toBeGreaterThan(340);
  expect(Math.min(...offsets)).toBeGreaterThan(-40);
  expect(Math.max(...offsets)).toBeLessThan(40);
  // Nor do their times in RTP drift apart from what they carry.
  const rate = 1 + source.ppm / 1e6;
  for (const all of [sounds, pictures]) {
    const times = medians(all, ({ rtpMs, takenMs }) => rtpMs - takenMs * rate);
    expect(Math.max(...times) - Math.min(...times)).toBeLessThan(5);
  }
});
