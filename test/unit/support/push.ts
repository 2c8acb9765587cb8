import { beforeEach, vi } from 'vitest';
import { PublisherFeed } from '../../../gateways/rtmp/mapping/publisher-feed.ts';
import type { AmfValue } from '../../../gateways/rtmp/protocol/amf0.ts';
import type { Logger } from '../../../src/base/log.ts';
import type { SourceUnit } from '../../../src/media/access-unit.ts';
import { Ingest } from '../../../transcode/ingest/ingest.ts';
import { FakeClock } from './fake-clock.ts';
import { audioJobs, videoJobs } from './fake-jobs.ts';
import { FakeLink } from './fake-link.ts';
import { FakeLog } from './fake-log.ts';
import { H264Depacketizer } from './h264-depacketizer.ts';

/*
 * What one encoder pushes, from the bodies of its messages to what the hub, programs and the room get of it. This is the only
 * place that tests of pushes have to know the classes in between from.
 */

vi.mock(import('../../../transcode/ffmpeg/video-transcoder.ts'), async () => {
  const { FakeVideoTranscoder } = await import('./fake-jobs.ts');
  return { VideoTranscoder: FakeVideoTranscoder } as never;
});
vi.mock(import('../../../transcode/ffmpeg/audio-decoder.ts'), async () => {
  const { FakeAudioDecoder } = await import('./fake-jobs.ts');
  return { AudioDecoder: FakeAudioDecoder } as never;
});
beforeEach(() => {
  videoJobs.splice(0);
  audioJobs.splice(0);
});

export const SSRC = { audio: 0x0a0a_0a0a, video: 0x0b0b_0b0b } as const;
const PAYLOAD_TYPES = { audio: 100, video: 103 } as const;
const RTP_HEADER_BYTES = 12;

type Kind = 'audio' | 'video';

/** What the room is told of a track. */
export interface ToldPlan {
  readonly kind: Kind;
  readonly codec: string;
  readonly outcome: string;
  readonly reason: string;
  readonly width?: number;
  readonly height?: number;
}

/** One picture as a program gets it. */
export interface ProgramPicture {
  readonly codec: string;
  readonly key: boolean;
  readonly disposable: boolean;
  /** Also empty ones. */
  readonly nals: readonly Buffer[];
  readonly parameterSets: readonly Buffer[];
  readonly width: number | undefined;
  readonly height: number | undefined;
  readonly showMs: number;
  readonly dueAt: number;
  readonly soundLateMs: number;
}

/** An RTP packet of sound. */
export interface SoundPacket {
  readonly payload: Buffer;
  readonly timestamp: number;
  readonly sequenceNumber: number;
  readonly sentAt: number;
}

export function push() {
  const clock = new FakeClock();
  const log = new FakeLog();
  const links = { audio: new TimedLink(clock), video: new TimedLink(clock) };
  const plans: ToldPlan[] = [];
  const ingest = new Ingest(
    {
      video: {
        maxKeyFrameGapMs: 3_000,
        maxHeight: 720,
        bitrateBps: 2_500_000,
        preset: 'superfast',
        maxWaitMs: 500,
      },
      audio: { bitrateBps: 96_000, maxWaitMs: 500 },
    },
    clock,
    log as unknown as Logger,
    {
      encoder: () => {},
      video: (codec, size, { outcome, reason }) =>
        plans.push({ kind: 'video', codec, outcome, reason, ...(size && sizeOf(size)) }),
      audio: (codec, { outcome, reason }) => plans.push({ kind: 'audio', codec, outcome, reason }),
    },
  );

  const feed = new PublisherFeed(ingest);

  /** How many packets of video there were whenever somebody began to watch. */
  const opened: number[] = [];
  const open = (...kinds: readonly Kind[]) => {
    if (kinds.includes('video')) opened.push(links.video.sent.length);
    for (const kind of kinds)
      ingest.open(kind, { link: links[kind], ssrc: SSRC[kind], payloadType: PAYLOAD_TYPES[kind] });
  };
  /** A program joins. @returns what it gets, those that were kept for it first */
  const program = () => {
    const pictures: ProgramPicture[] = [];
    ingest.addTap('program', {
      send: (unit) => pictures.push(programPicture(unit)),
      close: () => {},
    });
    return pictures;
  };
  /** What browsers get: of each picture, which ends with a marker, its NAL units. */
  const pictures = () => {
    clock.advance(60);
    let depacketizer = new H264Depacketizer(1_200);
    return links.video.sent.flatMap((packet, index) => {
      if (opened.includes(index)) depacketizer = new H264Depacketizer(1_200);
      const unit = depacketizer.receive(packet);
      return unit ? [{ ms: unit.timestamp / 90, nals: unit.nals }] : [];
    });
  };
  const sound = (): SoundPacket[] =>
    links.audio.sent.map((packet, index) => ({
      payload: payloadOf(packet),
      timestamp: packet.readUInt32BE(4),
      sequenceNumber: packet.readUInt16BE(2),
      sentAt: links.audio.sentAt[index]!,
    }));
  return {
    ...{ clock, log, plans, open, program, pictures, sound },
    close: (kind: Kind) => ingest.close(kind),
    video: (body: Buffer, ms: number) => feed.video(body, ms >>> 0),
    audio: (body: Buffer, ms: number) => feed.audio(body, ms >>> 0),
    metadata: (values: { readonly [key: string]: AmfValue }) => feed.metadata(values),
    /** As it is when it is looked at, also through a copy of this object. */
    statistics: {
      get audio() {
        return ingest.statistics.audio;
      },
      get video() {
        return ingest.statistics.video;
      },
      get repairs() {
        return ingest.statistics.repairs;
      },
    },
    /** The last plan for a kind. */
    plan: (kind: Kind) => plans.findLast((one) => one.kind === kind),
    encoders: videoJobs,
    decoders: audioJobs,
  };
}

export type Push = ReturnType<typeof push>;

/** What an audio decoder was fed with. @param index - of the decoders that were started; the last one by default */
export function decoderFrames(index = audioJobs.length - 1): Buffer[] {
  const job = audioJobs[index];
  return (job?.fed ?? []).map(({ frame }) => frame);
}

/** What a decoder of AAC was told that it gets. */
export function decoderConfig(index = audioJobs.length - 1): Buffer | undefined {
  return audioJobs[index]?.options.config;
}

/** A link that knows when its packets went out. */
class TimedLink extends FakeLink {
  readonly sentAt: number[] = [];
  #clock: FakeClock;

  constructor(clock: FakeClock) {
    super();
    this.#clock = clock;
  }

  override send(packet: Buffer): void {
    super.send(packet);
    this.sentAt.push(this.#clock.now());
  }
}

function sizeOf({ width, height }: { readonly width: number; readonly height: number }) {
  return { width, height };
}

/** Behind the header and its extension. */
function payloadOf(packet: Buffer): Buffer {
  const isExtended = (packet[0]! & 0x10) !== 0;
  const extension = isExtended ? 4 + 4 * packet.readUInt16BE(RTP_HEADER_BYTES + 2) : 0;
  return packet.subarray(RTP_HEADER_BYTES + extension);
}

function programPicture(unit: SourceUnit): ProgramPicture {
  const { key, disposable, ptsUs, dueAt, audioLateMs, data } = unit;
  const { codec, lengthBytes, parameterSets, width, height } = unit.format;
  const nals: Buffer[] = [];
  for (let at = 0; lengthBytes && at < data.length; ) {
    const start = at + lengthBytes;
    const end = start + data.readUIntBE(at, lengthBytes);
    nals.push(data.subarray(start, end));
    at = end;
  }
  const times = { showMs: ptsUs / 1000, dueAt, soundLateMs: audioLateMs };
  return { codec, key, disposable, nals, parameterSets, width, height, ...times };
}
