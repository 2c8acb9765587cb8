import { annexBUnitsOf } from '../../../src/media/h264/nal-units.ts';
import type { AudioDecoderOptions } from '../../../transcode/ffmpeg/audio-decoder.ts';
import type {
  EncodedFrame,
  FeedOptions,
  VideoTranscoderOptions,
} from '../../../transcode/ffmpeg/video-transcoder.ts';

/* Stand for the children that decode and encode. All that were started, the oldest first: */
export const videoJobs: FakeVideoTranscoder[] = [];
export const audioJobs: FakeAudioDecoder[] = [];

export class FakeVideoTranscoder {
  readonly pid = 4_711;
  readonly latencyMs = 40;
  readonly counters = { dropped: 0 };
  readonly options: VideoTranscoderOptions;
  readonly fed: { bytes: Buffer; timestampMs: number; options: FeedOptions }[] = [];
  keyFrameRequests = 0;
  stopped = false;

  constructor(options: VideoTranscoderOptions) {
    this.options = options;
    videoJobs.push(this);
  }

  feed(accessUnit: readonly Buffer[], timestampMs: number, options: FeedOptions): void {
    this.fed.push({ bytes: Buffer.concat(accessUnit), timestampMs, options });
  }

  requestKeyFrame(): void {
    this.keyFrameRequests++;
  }

  async stop(): Promise<void> {
    this.stopped = true;
  }

  /** A picture comes out of it. */
  give(frame: Omit<EncodedFrame, 'latencyMs'>): void {
    this.options.onFrame({ ...frame, latencyMs: this.latencyMs });
  }

  /** Of what was fed: when it is shown, and whether that is long ago. */
  get times(): [timestampMs: number, hidden: boolean][] {
    return this.fed.map(({ timestampMs, options }) => [timestampMs, options.hidden === true]);
  }

  /** NAL units of what was fed. */
  get units(): Buffer[][] {
    return this.fed.map(({ bytes }) => {
      const units: Buffer[] = [];
      annexBUnitsOf(bytes, (start, end) => units.push(bytes.subarray(start, end)));
      return units;
    });
  }
}

export class FakeAudioDecoder {
  readonly pid = 4_712;
  readonly latencyMs = 20;
  readonly counters = { dropped: 0 };
  readonly options: AudioDecoderOptions;
  readonly fed: { frame: Buffer; timestampMs: number }[] = [];
  stopped = false;

  constructor(options: AudioDecoderOptions) {
    this.options = options;
    audioJobs.push(this);
  }

  feed(frame: Buffer, timestampMs: number): void {
    this.fed.push({ frame, timestampMs });
  }

  async stop(): Promise<void> {
    this.stopped = true;
  }

  /** A frame's worth of sound comes out of it: 20 ms. */
  give(timestampMs: number): void {
    this.options.onSamples(new Int16Array(1_920).fill(1_000), timestampMs);
  }
}
