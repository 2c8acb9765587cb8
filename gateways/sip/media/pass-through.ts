import { type Clock, systemClock } from '../../../src/base/clock.ts';
import type { MediaLink } from '../../../src/media/media-link.ts';
import { AUDIO_LEVEL_BYTES, AUDIO_LEVEL_ID, writeAudioLevel } from '../../../src/media/rtp/audio-level.ts';
import { RTP_HEADER_BYTES, type RtpPacket, writeRtpHeader } from '../../../src/media/rtp/rtp.ts';
import { sequenceDistance, timestampDistance } from '../../../src/media/rtp/sequence.ts';

const MAX_PACKET_BYTES = 1500;
/** Packets in turn, so that one which the kernel takes a moment later is still what it was. */
const PACKETS = 8;
/** Sequence numbers further apart than this do not go on from one another: no network loses or delays so many. */
const MAX_STEP = 100;
/** A timestamp that is further than this from where the time that went by puts it does not go on either. */
const MAX_DRIFT_MS = 10_000;
const FRAME_MS = 20;
const DEFAULT_CLOCK_RATE = 8000;

/**
 * A phone's packets on their way to the hub: payload, payload type and order as they came, with the level of each added.
 * Sequence numbers and timestamps go on whatever the phone does: a stream that starts anew would fall into SRTP's replay
 * window (RFC 3711, section 3.3.2), and browsers would hear nothing. Browsers have a jitter buffer of their own, so packets
 * wait in none here.
 */
export class PassThrough {
  #link: MediaLink;
  #ssrc: number;
  #payloadType: number;
  #clock: Clock;
  #clockRate: number;
  /** What is added to the phone's numbers. */
  #sequenceOffset = 0;
  #timestampOffset = 0;
  /** Of the latest packet of the present stream, as the phone numbers it; undefined before the first. */
  #source: { ssrc: number; sequenceNumber: number; timestamp: number; at: number } | undefined;
  /** The latest numbers that went out. */
  #lastSequence = 0;
  #lastTimestamp = 0;
  #packets = Array.from({ length: PACKETS }, () => Buffer.alloc(MAX_PACKET_BYTES));
  #turn = 0;
  #header = { payloadType: 0, marker: false, sequenceNumber: 0, timestamp: 0, ssrc: 0 };

  /** @param ssrc - as declared to the hub, and the payload type too @param clockRate - of the timestamps, Hz */
  constructor(
    link: MediaLink,
    ssrc: number,
    payloadType: number,
    clock: Clock = systemClock,
    clockRate: number = DEFAULT_CLOCK_RATE,
  ) {
    this.#link = link;
    this.#ssrc = ssrc;
    this.#payloadType = payloadType;
    this.#clock = clock;
    this.#clockRate = clockRate;
  }

  /** @param levelDb - dBFS */
  forward(rtp: RtpPacket, levelDb: number, speaks: boolean): void {
    const start = RTP_HEADER_BYTES + AUDIO_LEVEL_BYTES;
    const { payload } = rtp;
    if (start + payload.length > MAX_PACKET_BYTES) return;
    this.#follow(rtp);
    const packet = this.#packets[this.#turn]!;
    this.#turn = (this.#turn + 1) % PACKETS;
    const header = this.#header;
    header.payloadType = this.#payloadType;
    header.marker = rtp.marker;
    header.sequenceNumber = (rtp.sequenceNumber + this.#sequenceOffset) & 0xffff;
    header.timestamp = (rtp.timestamp + this.#timestampOffset) >>> 0;
    header.ssrc = this.#ssrc;
    if (sequenceDistance(header.sequenceNumber, this.#lastSequence) > 0) {
      this.#lastSequence = header.sequenceNumber;
      this.#lastTimestamp = header.timestamp;
    }
    writeRtpHeader(packet, header);
    packet[0]! |= 0x10; // an extension follows
    writeAudioLevel(packet, RTP_HEADER_BYTES, AUDIO_LEVEL_ID, levelDb, speaks);
    payload.copy(packet, start);
    this.#link.send(packet.subarray(0, start + payload.length));
  }

  /** A packet of the phone's that browsers do not get: nobody is to take the gap for loss. */
  leaveOut(_rtp?: RtpPacket): void {
    this.#sequenceOffset = (this.#sequenceOffset - 1) & 0xffff;
  }

  /** Puts the offsets right where the phone's numbers do not go on. */
  #follow({ ssrc, sequenceNumber, timestamp }: RtpPacket): void {
    const now = this.#clock.now();
    const before = this.#source;
    if (!before) {
      // Its first numbers are as good as any.
      this.#lastSequence = (sequenceNumber + this.#sequenceOffset - 1) & 0xffff;
      this.#lastTimestamp = timestamp;
      this.#source = { ssrc, sequenceNumber, timestamp, at: now };
      return;
    }
    const out = (sequenceNumber + this.#sequenceOffset) & 0xffff;
    const isRestart = ssrc !== before.ssrc || Math.abs(sequenceDistance(out, this.#lastSequence)) > MAX_STEP;
    const elapsed = Math.round(((now - before.at) * this.#clockRate) / 1000);
    const step = timestampDistance(timestamp, before.timestamp);
    const drifts = Math.abs(step - elapsed) > (MAX_DRIFT_MS * this.#clockRate) / 1000;
    if (isRestart) this.#sequenceOffset = (this.#lastSequence + 1 - sequenceNumber) & 0xffff;
    if (isRestart || drifts) {
      const frame = (FRAME_MS * this.#clockRate) / 1000;
      this.#timestampOffset = (this.#lastTimestamp + Math.max(frame, elapsed) - timestamp) >>> 0;
    }
    if (!isRestart && sequenceDistance(sequenceNumber, before.sequenceNumber) < 0) return;
    before.ssrc = ssrc;
    before.sequenceNumber = sequenceNumber;
    before.timestamp = timestamp;
    before.at = now;
  }
}
