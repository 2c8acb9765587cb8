import { NAL } from '../h264/nal-units.ts';
import { H264Depacketizer, type H264Frame } from './h264-depacketizer.ts';
import { PacketOrder } from './packet-order.ts';
import { parseRtp, type RtpPacket } from './rtp.ts';
import { RtpTimeline } from './rtp-timeline.ts';
import { Vp8Depacketizer, type Vp8Frame } from './vp8-depacketizer.ts';

/** Between two requests: a key frame takes a round trip, and to be sent. */
const REQUEST_INTERVAL_MS = 500;
const START_CODE_BYTES = 4;
/** Say nothing to a decoder that gets one access unit at a time; parameter sets are put in front instead. */
const LEFT_OUT: ReadonlySet<number> = new Set([NAL.AUD, NAL.FILLER, NAL.SPS, NAL.PPS]);

/** A picture that can be decoded after the ones before it. */
export interface ReceivedPicture {
  /**
   * A buffer of its own. VP8: the frame. H.264: Annex B, with the parameter sets seen so far in front of key frames, and of
   * what comes first after they have changed.
   */
  readonly data: Buffer;
  readonly key: boolean;
  /** Whole ms by the RTP timestamps, from 0 on; never goes back, even if the source starts anew. */
  readonly timestampMs: number;
}

export interface VideoReceiverEvents {
  picture(picture: ReceivedPicture): void;
  /** Pictures are missing: a whole one is needed. At most every 500 ms, as long as packets come and it is needed. */
  needsKeyFrame(): void;
}

export interface VideoReceiverCounters {
  packets: number;
  /** Packets that never came, or too late. */
  lost: number;
  /** Frames that were incomplete, or couldn't be decoded without others that were. */
  framesDropped: number;
  /** Packets that are no RTP, and frames that were malformed or had over 2 MB. */
  malformed: number;
}

/**
 * Makes pictures for a decoder out of the RTP packets of one stream. At the beginning, and after a loss, it leaves out
 * those before the next key frame, and asks for one.
 *
 * Holds packets given to it for 150 ms and longer: they must not change.
 */
export class VideoReceiver {
  #events: VideoReceiverEvents;
  #order: PacketOrder<RtpPacket>;
  #frames: H264Depacketizer | Vp8Depacketizer;
  #timeline = new RtpTimeline();
  /** At the beginning, a hub sends a key frame without being asked. */
  #state: 'beginning' | 'decoding' | 'missing' = 'beginning';
  /** When the packet came that is being received, the first one, and the one at which was asked last. */
  #now = 0;
  #firstAt: number | undefined;
  #askedAt = Number.NEGATIVE_INFINITY;
  /** The parameter sets that pictures have shown the decoder. */
  #sps: readonly Buffer[] = [];
  #pps: readonly Buffer[] = [];
  #packets = 0;
  #notRtp = 0;
  #framesDropped = 0;

  constructor(codec: 'H264' | 'VP8', events: VideoReceiverEvents) {
    this.#events = events;
    const dropped = () => this.#drop();
    this.#frames =
      codec === 'H264'
        ? new H264Depacketizer({ frame: this.#onH264, dropped })
        : new Vp8Depacketizer({ frame: this.#onVp8, dropped });
    this.#order = new PacketOrder({
      packet: (packet) => this.#frames.receive(packet),
      gap: () => {
        this.#state = 'missing';
        this.#frames.gap();
      },
    });
  }

  get counters(): Readonly<VideoReceiverCounters> {
    return {
      packets: this.#packets,
      lost: this.#order.lost,
      framesDropped: this.#framesDropped,
      malformed: this.#notRtp + this.#frames.malformed,
    };
  }

  /**
   * Never throws but what the events throw.
   * @param packet - RTP; RTCP of the same socket is to be kept away
   * @param now - ms of a monotonic clock
   */
  receive(packet: Buffer, now: number): void {
    this.#packets++;
    this.#now = now;
    this.#firstAt ??= now;
    const rtp = parseRtp(packet);
    if (rtp) this.#order.push(rtp.sequenceNumber, rtp, now);
    else this.#notRtp++;
    // Not before all that came with it is seen: a key frame may be among it.
    const isDue = this.#state === 'missing' || now - this.#firstAt >= REQUEST_INTERVAL_MS;
    if (this.#state === 'decoding' || !isDue || now - this.#askedAt < REQUEST_INTERVAL_MS) return;
    this.#askedAt = now;
    this.#events.needsKeyFrame();
  }

  #drop(): void {
    this.#framesDropped++;
    this.#state = 'missing';
  }

  #onVp8 = ({ data, key, timestamp }: Vp8Frame): void => {
    if (key || this.#state === 'decoding') this.#show(Buffer.from(data), key, timestamp);
    else this.#drop();
  };

  #onH264 = (frame: H264Frame): void => {
    const { key, sps, pps } = frame;
    const isDecodable = key ? sps.length > 0 && pps.length > 0 : this.#state === 'decoding';
    if (!isDecodable) {
      this.#drop();
      return;
    }
    const areSent = !key && sps === this.#sps && pps === this.#pps;
    this.#sps = sps;
    this.#pps = pps;
    this.#show(annexBOf(frame, areSent ? [] : [...sps, ...pps]), key, frame.timestamp);
  };

  #show(data: Buffer, key: boolean, timestamp: number): void {
    this.#state = 'decoding';
    this.#events.picture({ data, key, timestampMs: this.#timeline.timeOf(timestamp, this.#now) });
  }
}

function annexBOf({ nals }: H264Frame, parameterSets: readonly Buffer[]): Buffer {
  const units = [...parameterSets, ...nals.filter((nal) => !LEFT_OUT.has(nal[0]! & 0x1f))];
  const size = units.reduce((sum, { length }) => sum + START_CODE_BYTES + length, 0);
  const stream = Buffer.allocUnsafe(size);
  let at = 0;
  for (const unit of units) {
    at = stream.writeUInt32BE(1, at);
    at += unit.copy(stream, at);
  }
  return stream;
}
