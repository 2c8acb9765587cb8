import type { Clock } from '../../src/base/clock.ts';
import { H264Packetizer } from '../../src/media/rtp/h264-packetizer.ts';
import { PacketPacer } from '../../src/media/rtp/packet-pacer.ts';
import { asksForKeyFrame, readNack } from '../../src/media/rtp/rtcp-feedback.ts';
import type { HubTarget } from './hub-stream.ts';

/** RTP clock ticks a millisecond (RFC 6184, section 5.1). */
const TICKS_PER_MS = 90;
/** Packets that are kept in case the hub misses them: seconds of a usual stream, and the largest key frames. */
const KEPT_PACKETS = 2048;

/** Sends H.264 access units to the hub as RTP: paced, and again where the hub asks for packets that it missed. */
export class VideoSender {
  packetsSent = 0;
  /** That were asked for again. */
  packetsRepeated = 0;
  #target: HubTarget;
  #packetizer: H264Packetizer;
  #pacer: PacketPacer;
  #onKeyFrameRequest: () => void;
  #endings: (() => void)[] = [];
  #emit = (packet: Buffer): void => this.#pacer.push(packet);

  /** @param onClose - the link is gone */
  constructor(target: HubTarget, clock: Clock, onKeyFrameRequest: () => void, onClose: () => void) {
    this.#target = target;
    this.#onKeyFrameRequest = onKeyFrameRequest;
    const { ssrc, payloadType, link } = target;
    this.#packetizer = new H264Packetizer({ ssrc, payloadType, ringPackets: KEPT_PACKETS });
    this.#pacer = new PacketPacer(clock, KEPT_PACKETS / 2, (packet) => link.send(packet));
    this.#endings.push(link.onFeedback(ssrc, this.#onFeedback), link.onClose(onClose));
  }

  /**
   * @param accessUnit - length-prefixed NAL units
   * @param parameterSets - put before it
   * @returns false when it cannot be sent: malformed, or too large
   */
  send(
    accessUnit: Buffer,
    lengthBytes: 1 | 2 | 3 | 4,
    showMs: number,
    parameterSets: readonly Buffer[],
  ): boolean {
    const timestamp = Math.round(showMs * TICKS_PER_MS) % 2 ** 32;
    const packets = this.#packetizer.packetize(accessUnit, lengthBytes, timestamp, parameterSets, this.#emit);
    this.packetsSent += packets;
    return packets > 0;
  }

  close(): void {
    for (const end of this.#endings.splice(0)) end();
    this.#pacer.close();
  }

  #onFeedback = (packet: Buffer): void => {
    if (asksForKeyFrame(packet)) this.#onKeyFrameRequest();
    else readNack(packet, this.#repeat);
  };

  #repeat = (sequenceNumber: number): void => {
    const packet = this.#packetizer.packet(sequenceNumber);
    if (!packet) return;
    this.packetsRepeated++;
    this.#target.link.send(packet);
  };
}
