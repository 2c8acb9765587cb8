/** RTCP of a test phone (RFC 3550, section 6). */

export interface ReportBlock {
  readonly ssrc: number;
  /** 0 to 1 */
  readonly fractionLost: number;
  readonly packetsLost: number;
  /** With the count of cycles in the upper 16 bits. */
  readonly highestSequenceNumber: number;
  /** In units of the RTP clock. */
  readonly jitter: number;
  /** Middle 32 bits of the NTP time of the last sender report. */
  readonly lastSenderReport: number;
  /** Since then, in 1/65536 s. */
  readonly delaySinceLast: number;
}

export type RtcpReport =
  | {
      readonly type: 'sender';
      readonly ssrc: number;
      /** Milliseconds since 1970. */
      readonly wallClockMs: number;
      /** Middle 32 bits of the NTP time, as report blocks quote it. */
      readonly ntpMiddle: number;
      readonly rtpTimestamp: number;
      readonly packets: number;
      readonly octets: number;
      readonly blocks: readonly ReportBlock[];
    }
  | { readonly type: 'receiver'; readonly ssrc: number; readonly blocks: readonly ReportBlock[] }
  | { readonly type: 'description'; readonly ssrc: number; readonly cname: string }
  | { readonly type: 'goodbye'; readonly ssrc: number }
  | { readonly type: 'other'; readonly packetType: number };

const SENDER = 200;
const RECEIVER = 201;
const DESCRIPTION = 202;
const GOODBYE = 203;
const CNAME = 1;
/** Seconds from 1900 to 1970. */
const NTP_EPOCH = 2_208_988_800;

/** @returns the parts of a compound packet, or undefined when its bytes do not add up */
export function parseRtcp(packet: Buffer): RtcpReport[] | undefined {
  const reports: RtcpReport[] = [];
  for (let at = 0; at < packet.length; ) {
    if (packet.length - at < 8 || packet[at]! >> 6 !== 2) return undefined;
    const length = (packet.readUInt16BE(at + 2) + 1) * 4;
    if (at + length > packet.length) return undefined;
    const report = parsePart(packet.subarray(at, at + length));
    if (!report) return undefined;
    reports.push(report);
    at += length;
  }
  return reports;
}

function parsePart(part: Buffer): RtcpReport | undefined {
  const count = part[0]! & 0x1f;
  const packetType = part[1]!;
  const ssrc = part.readUInt32BE(4);
  switch (packetType) {
    case SENDER: {
      const blocks = parseBlocks(part, 28, count);
      if (!blocks) return undefined;
      const seconds = part.readUInt32BE(8) - NTP_EPOCH;
      const wallClockMs = (seconds + part.readUInt32BE(12) / 2 ** 32) * 1000;
      const rtpTimestamp = part.readUInt32BE(16);
      const [packets, octets] = [part.readUInt32BE(20), part.readUInt32BE(24)];
      const ntpMiddle = part.readUInt32BE(10);
      return { type: 'sender', ssrc, wallClockMs, ntpMiddle, rtpTimestamp, packets, octets, blocks };
    }
    case RECEIVER: {
      const blocks = parseBlocks(part, 8, count);
      return blocks && { type: 'receiver', ssrc, blocks };
    }
    case DESCRIPTION: {
      const text = part[8] === CNAME ? part.subarray(10, 10 + part[9]!).toString() : '';
      return { type: 'description', ssrc, cname: text };
    }
    case GOODBYE:
      return { type: 'goodbye', ssrc };
    default:
      return { type: 'other', packetType };
  }
}

function parseBlocks(part: Buffer, start: number, count: number): ReportBlock[] | undefined {
  if (part.length < start + count * 24) return undefined;
  return Array.from({ length: count }, (_, index) => {
    const at = start + index * 24;
    return {
      ssrc: part.readUInt32BE(at),
      fractionLost: part[at + 4]! / 256,
      packetsLost: part.readIntBE(at + 5, 3),
      highestSequenceNumber: part.readUInt32BE(at + 8),
      jitter: part.readUInt32BE(at + 12),
      lastSenderReport: part.readUInt32BE(at + 16),
      delaySinceLast: part.readUInt32BE(at + 20),
    };
  });
}

export interface OutgoingReport {
  readonly ssrc: number;
  readonly wallClockMs: number;
  readonly rtpTimestamp: number;
  readonly packets: number;
  readonly octets: number;
  readonly block?: ReportBlock;
}

/** A sender report with the phone's name behind it (sections 6.4.1 and 6.5). */
export function buildSenderReport(report: OutgoingReport, cname: string): Buffer {
  const { block } = report;
  const sender = Buffer.alloc(28 + (block ? 24 : 0));
  writeHeader(sender, SENDER, block ? 1 : 0, report.ssrc);
  const seconds = report.wallClockMs / 1000 + NTP_EPOCH;
  sender.writeUInt32BE(Math.floor(seconds) >>> 0, 8);
  sender.writeUInt32BE(Math.floor((seconds % 1) * 2 ** 32) >>> 0, 12);
  sender.writeUInt32BE(report.rtpTimestamp >>> 0, 16);
  sender.writeUInt32BE(report.packets, 20);
  sender.writeUInt32BE(report.octets, 24);
  if (block) {
    sender.writeUInt32BE(block.ssrc, 28);
    sender[32] = Math.min(255, Math.floor(block.fractionLost * 256));
    sender.writeIntBE(block.packetsLost, 33, 3);
    sender.writeUInt32BE(block.highestSequenceNumber, 36);
    sender.writeUInt32BE(block.jitter, 40);
    sender.writeUInt32BE(block.lastSenderReport, 44);
    sender.writeUInt32BE(block.delaySinceLast, 48);
  }
  const name = Buffer.from(cname);
  // A null octet ends the list of items, and more fill up to 32 bits.
  const description = Buffer.alloc(Math.ceil((10 + name.length + 1) / 4) * 4);
  writeHeader(description, DESCRIPTION, 1, report.ssrc);
  description[8] = CNAME;
  description[9] = name.length;
  name.copy(description, 10);
  return Buffer.concat([sender, description]);
}

function writeHeader(part: Buffer, packetType: number, count: number, ssrc: number): void {
  part[0] = 0x80 | count;
  part[1] = packetType;
  part.writeUInt16BE(part.length / 4 - 1, 2);
  part.writeUInt32BE(ssrc, 4);
}
