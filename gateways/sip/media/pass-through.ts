import type { MediaLink } from '../../../src/gateway.ts';
import { AUDIO_LEVEL_BYTES, AUDIO_LEVEL_ID, writeAudioLevel } from '../../../src/media/rtp/audio-level.ts';
import { RTP_HEADER_BYTES, type RtpPacket, writeRtpHeader } from '../../../src/media/rtp/rtp.ts';

const MAX_PACKET_BYTES = 1500;
/** Packets in turn, so that one which the kernel takes a moment later is still what it was. */
const PACKETS = 8;

/**
 * A phone's packets on their way to the hub: payload, payload type, timestamps and order as they came, with
 * the level of each added. Browsers have a jitter buffer of their own, so they wait in none here.
 */
export class PassThrough {
  #link: MediaLink;
  #ssrc: number;
  #payloadType: number;
  /** Packets that were left out so far (digits): nobody is to take the gap for loss. */
  #leftOut = 0;
  #packets = Array.from({ length: PACKETS }, () => Buffer.alloc(MAX_PACKET_BYTES));
  #turn = 0;
  #header = { payloadType: 0, marker: false, sequenceNumber: 0, timestamp: 0, ssrc: 0 };

  /** @param ssrc - as declared to the hub, and the payload type too */
  constructor(link: MediaLink, ssrc: number, payloadType: number) {
    this.#link = link;
    this.#ssrc = ssrc;
    this.#payloadType = payloadType;
  }

  /** @param levelDb - dBFS */
  forward(rtp: RtpPacket, levelDb: number, speaks: boolean): void {
    const start = RTP_HEADER_BYTES + AUDIO_LEVEL_BYTES;
    const { payload } = rtp;
    if (start + payload.length > MAX_PACKET_BYTES) return;
    const packet = this.#packets[this.#turn]!;
    this.#turn = (this.#turn + 1) % PACKETS;
    const header = this.#header;
    header.payloadType = this.#payloadType;
    header.marker = rtp.marker;
    header.sequenceNumber = rtp.sequenceNumber - this.#leftOut;
    header.timestamp = rtp.timestamp;
    header.ssrc = this.#ssrc;
    writeRtpHeader(packet, header);
    packet[0]! |= 0x10; // an extension follows
    writeAudioLevel(packet, RTP_HEADER_BYTES, AUDIO_LEVEL_ID, levelDb, speaks);
    payload.copy(packet, start);
    this.#link.send(packet.subarray(0, start + payload.length));
  }

  /** A packet of the same stream that browsers do not get. */
  leaveOut(): void {
    this.#leftOut = (this.#leftOut + 1) & 0xffff;
  }
}
