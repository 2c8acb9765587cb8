import { FlvDemuxer } from '../../../src/media/containers/flv/flv-demuxer.ts';
import type { Ingest } from '../../../transcode/ingest/ingest.ts';
import type { AmfValue } from '../protocol/amf0.ts';
import { RtmpError } from '../protocol/rtmp-error.ts';

const MAX_SIDE = 16_384;

/** What one publisher's RTMP messages say, as access units for its ingest. */
export class PublisherFeed {
  #ingest: Ingest;
  #demuxer: FlvDemuxer;
  #isSteady = true;

  constructor(ingest: Ingest) {
    this.#ingest = ingest;
    this.#demuxer = new FlvDemuxer({
      unit: (unit) => this.#note(ingest.receive(unit)),
      unsupported: (kind, codec, why) => this.#note(ingest.refuse(kind, codec, why)),
    });
  }

  /** Messages that could not be read. */
  get malformed(): number {
    const { audio, video } = this.#demuxer.malformed;
    return audio + video;
  }

  /** @throws RtmpError, as do the next two: it changes all the time, and its connection has to end */
  video(body: Buffer, timestamp: number): void {
    this.#demuxer.video(body, timestamp);
    this.#restrain();
  }

  audio(body: Buffer, timestamp: number): void {
    this.#demuxer.audio(body, timestamp);
    this.#restrain();
  }

  /** @param values - of onMetaData */
  metadata(values: { readonly [key: string]: AmfValue }): void {
    const { encoder, width, height } = values;
    if (isSide(width) && isSide(height)) this.#demuxer.setStatedSize(width, height);
    if (typeof encoder === 'string') this.#note(this.#ingest.rename(encoder));
    this.#restrain();
  }

  end(): void {
    this.#demuxer.end();
  }

  #note(isSteady: boolean): void {
    this.#isSteady &&= isSteady;
  }

  #restrain(): void {
    if (!this.#isSteady) throw new RtmpError('format', 'The encoder keeps changing what it sends.');
  }
}

/** Whether a value can be a frame's width or height, in samples. */
function isSide(value: AmfValue): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value > 0 && value <= MAX_SIDE;
}
