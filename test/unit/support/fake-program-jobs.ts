import type { AacEncoderOptions } from '../../../transcode/ffmpeg/aac-encoder.ts';
import type { Slate } from '../../../transcode/ffmpeg/slate.ts';
import { formatOf, sps } from './picture-path.ts';

/* Stand for the children that encode a program's audio and its slate. All that were started, the oldest first: */
export const aacJobs: FakeAacEncoder[] = [];
export const slateRequests: FakeSlateRequest[] = [];

const FRAME_SAMPLES = 1024;
const TICK_SAMPLES = 960;

export class FakeAacEncoder {
  readonly pid = 4_713;
  readonly options: AacEncoderOptions;
  /** Each tick's first byte. */
  readonly fed: number[] = [];
  stopped = false;
  /** It is found dead at the next tick, as one that hangs is. */
  hangs = false;
  #frames = 0;

  constructor(options: AacEncoderOptions) {
    this.options = options;
    aacJobs.push(this);
  }

  feed(pcm: Buffer): boolean {
    if (this.hangs) {
      this.options.onEnd('no sound came out of it for 3 s');
      return false;
    }
    this.fed.push(pcm[0]!);
    return true;
  }

  async stop(): Promise<void> {
    this.stopped = true;
  }

  /** Whether it was fed what the next frame is made of. */
  get canGive(): boolean {
    return this.fed.length * TICK_SAMPLES >= (this.#frames + 1) * FRAME_SAMPLES;
  }

  /** The next frame comes out of it; the first of all is what the encoder puts in front. @returns its body */
  give(): Buffer {
    const frame = Buffer.of(0xaa, this.#frames);
    this.options.onFrame(frame, (this.#frames++ - 1) * FRAME_SAMPLES);
    return frame;
  }
}

/** Of everything that is encoded. */
export const ENCODED_RECORD = formatOf(sps('Baseline without B-frames')).record!;

/** Three pictures, the first of them a key frame. */
export const SLATE: Slate = {
  config: ENCODED_RECORD,
  frames: ['c0', 'c1', 'c2'].map((hex, index) => ({ data: Buffer.from(hex, 'hex'), key: index === 0 })),
  textFailure: undefined,
};

export class FakeSlateRequest {
  readonly text: string;
  succeed: (slate: Slate) => void = () => {};
  fail: (error: Error) => void = () => {};
  readonly slate: Promise<Slate>;

  constructor(text: string) {
    this.text = text;
    this.slate = new Promise((resolve, reject) => {
      this.succeed = resolve;
      this.fail = reject;
    });
    slateRequests.push(this);
  }
}

export function fakeEncodeSlate(text: string): Promise<Slate> {
  return new FakeSlateRequest(text).slate;
}
