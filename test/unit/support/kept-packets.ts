import type { MediaLink } from '../../../src/media/media-link.ts';
import { parseRtp, type RtpPacket } from '../../../src/media/rtp/rtp.ts';

/** A link to a hub that keeps the packets which it should send. */
export function keepingLink(): { link: MediaLink; sent: () => RtpPacket[] } {
  const packets: Buffer[] = [];
  const link: MediaLink = {
    send: (packet) => void packets.push(Buffer.from(packet)),
    receive: () => () => {},
    onFeedback: () => () => {},
    onClose: () => () => {},
  };
  return { link, sent: () => packets.map((packet) => parseRtp(packet)!) };
}
