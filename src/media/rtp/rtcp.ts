/** RTCP (RFC 3550, section 6): the reports of two parties to each other, as bytes. Pure. */

const SENDER_REPORT = 200;
const RECEIVER_REPORT = 201;
const SOURCE_DESCRIPTION = 202;
const BYE = 203;
/** The item of a source description that has to be there. */
const CNAME = 1;

const HEADER_BYTES = 4;
const SENDER_INFO_BYTES = 20;
const REPORT_BLOCK_BYTES = 24;
/** The counts in headers have five bits. */
const MAX_COUNT = 31;
const MAX_CNAME_BYTES = 255;
/** What comes after so many parts is not read; two to five are usual. */
const MAX_PARTS = 32;

/** What a sender tells of what it sent (section 6.4.1). All are 32 bits. */
export interface SenderInfo {
  /** The time of the report, see ntp.ts. */
  ntpSeconds: number;
  ntpFraction: number;
  /** The same time in units of the RTP timestamp. */
  rtpTimestamp: number;
  packets: number;
  /** Of payload. */
  octets: number;
}

/** What a receiver tells of one source (section 6.4.1). */
export interface ReportBlock {
  ssrc: number;
  /** Of the packets since the report before, in 1/256. */
  fractionLost: number;
  /** In all; 24 bits with a sign, negative when more packets were doubled than lost. */
  packetsLost: number;
  /** The upper 16 bits count how often sequence numbers started over. */
  highestSequenceNumber: number;
  /** In units of the RTP timestamp. */
  jitter: number;
  /** The middle bits of the time in the last sender report, 0 for none. */
  lastSenderReport: number;
  /** Since that one came, in 1/65536 s. */
  delaySinceLastSenderReport: number;
}

export interface Report {
  /** Whose report it is. */
  ssrc: number;
  /** Makes it a sender report; undefined when nothing was sent since the one before the last. */
  sender: SenderInfo | undefined;
  /** At most 31. */
  blocks: readonly ReportBlock[];
  /** The sender's lasting name (section 6.5.1), 1 to 255 bytes of UTF-8. */
  cname: Uint8Array;
  /** Whether it is the last one: the source leaves (section 6.6). */
  bye: boolean;
}

/** One packet of a compound one. Source descriptions, feedback and what else there is are left out. */
export type RtcpPart =
  | {
      readonly type: 'report';
      readonly ssrc: number;
      readonly sender: SenderInfo | undefined;
      readonly blocks: ReportBlock[];
    }
  | { readonly type: 'bye'; readonly ssrcs: number[] };

/** The bytes that a report needs at most. */
export function reportBytes(blocks: number): number {
  const report = HEADER_BYTES + 4 + SENDER_INFO_BYTES + blocks * REPORT_BLOCK_BYTES;
  return report + descriptionBytes(MAX_CNAME_BYTES) + HEADER_BYTES + 4;
}

/**
 * Writes a compound packet: the report, the source's name, and its BYE if it leaves. Nothing is allocated.
 * @returns the number of bytes written at the start of `target`
 * @throws RangeError when it does not fit into `target`, or for more blocks or a longer name than there can be
 */
export function writeReport(target: Buffer, { ssrc, sender, blocks, cname, bye }: Report): number {
  if (blocks.length > MAX_COUNT) throw new RangeError(`${blocks.length} report blocks`);
  if (cname.length === 0 || cname.length > MAX_CNAME_BYTES)
    throw new RangeError(`A name of ${cname.length} bytes`);
  let at = HEADER_BYTES + 4;
  if (sender) at = writeSenderInfo(target, at, sender);
  for (const block of blocks) at = writeBlock(target, at, block);
  writeHeader(target, 0, blocks.length, sender ? SENDER_REPORT : RECEIVER_REPORT, at, ssrc);
  at = writeDescription(target, at, ssrc, cname);
  if (!bye) return at;
  writeHeader(target, at, 1, BYE, HEADER_BYTES + 4, ssrc);
  return at + HEADER_BYTES + 4;
}

/** Writes the header and the SSRC that follows it in each packet that is written here. */
function writeHeader(
  target: Buffer,
  at: number,
  count: number,
  type: number,
  bytes: number,
  ssrc: number,
): void {
  target.writeUInt8(0x80 | count, at);
  target.writeUInt8(type, at + 1);
  // In words, without the header's own.
  target.writeUInt16BE(bytes / 4 - 1, at + 2);
  target.writeUInt32BE(ssrc >>> 0, at + HEADER_BYTES);
}

function writeSenderInfo(target: Buffer, at: number, info: SenderInfo): number {
  target.writeUInt32BE(info.ntpSeconds >>> 0, at);
  target.writeUInt32BE(info.ntpFraction >>> 0, at + 4);
  target.writeUInt32BE(info.rtpTimestamp >>> 0, at + 8);
  target.writeUInt32BE(info.packets >>> 0, at + 12);
  target.writeUInt32BE(info.octets >>> 0, at + 16);
  return at + SENDER_INFO_BYTES;
}

function writeBlock(target: Buffer, at: number, block: ReportBlock): number {
  target.writeUInt32BE(block.ssrc >>> 0, at);
  target.writeUInt8(block.fractionLost & 0xff, at + 4);
  target.writeUIntBE(block.packetsLost & 0xffffff, at + 5, 3);
  target.writeUInt32BE(block.highestSequenceNumber >>> 0, at + 8);
  target.writeUInt32BE(block.jitter >>> 0, at + 12);
  target.writeUInt32BE(block.lastSenderReport >>> 0, at + 16);
  target.writeUInt32BE(block.delaySinceLastSenderReport >>> 0, at + 20);
  return at + REPORT_BLOCK_BYTES;
}

/** One chunk with one item; a zero ends the list, and fills up to a whole word (section 6.5). */
function descriptionBytes(cnameBytes: number): number {
  return HEADER_BYTES + Math.ceil((4 + 2 + cnameBytes + 1) / 4) * 4;
}

function writeDescription(target: Buffer, at: number, ssrc: number, cname: Uint8Array): number {
  const bytes = descriptionBytes(cname.length);
  writeHeader(target, at, 1, SOURCE_DESCRIPTION, bytes, ssrc);
  target.writeUInt8(CNAME, at + 8);
  target.writeUInt8(cname.length, at + 9);
  target.set(cname, at + 10);
  target.fill(0, at + 10 + cname.length, at + bytes);
  return at + bytes;
}

/**
 * Reads a compound packet, or a single one (RFC 5506). What was read before something malformed counts.
 * @returns undefined when not even its first packet is one
 */
export function parseRtcp(packet: Buffer): RtcpPart[] | undefined {
  const parts: RtcpPart[] = [];
  let at = 0;
  for (let read = 0; read < MAX_PARTS && at < packet.length; read++) {
    const end = partEnd(packet, at);
    if (end === undefined) return at === 0 ? undefined : parts;
    const part = parsePart(packet, at, end);
    if (part === 'malformed') return at === 0 ? undefined : parts;
    if (part) parts.push(part);
    at = end;
  }
  return at === 0 ? undefined : parts;
}

function partEnd(packet: Buffer, at: number): number | undefined {
  if (packet.length < at + HEADER_BYTES || packet[at]! >> 6 !== 2) return undefined;
  const type = packet[at + 1]!;
  const end = at + HEADER_BYTES + packet.readUInt16BE(at + 2) * 4;
  return type < 192 || type > 223 || end > packet.length ? undefined : end;
}

function parsePart(packet: Buffer, at: number, end: number): RtcpPart | 'malformed' | undefined {
  const count = packet[at]! & 0x1f;
  const type = packet[at + 1]!;
  let next = at + HEADER_BYTES;
  if (type === BYE) {
    if (next + count * 4 > end) return 'malformed';
    return {
      type: 'bye',
      ssrcs: Array.from({ length: count }, (_, index) => packet.readUInt32BE(next + index * 4)),
    };
  }
  if (type !== SENDER_REPORT && type !== RECEIVER_REPORT) return undefined;
  const infoBytes = type === SENDER_REPORT ? SENDER_INFO_BYTES : 0;
  if (next + 4 + infoBytes + count * REPORT_BLOCK_BYTES > end) return 'malformed';
  const ssrc = packet.readUInt32BE(next);
  next += 4;
  const sender = infoBytes > 0 ? parseSenderInfo(packet, next) : undefined;
  next += infoBytes;
  const blocks = Array.from({ length: count }, (_, index) =>
    parseBlock(packet, next + index * REPORT_BLOCK_BYTES),
  );
  return { type: 'report', ssrc, sender, blocks };
}

function parseSenderInfo(packet: Buffer, at: number): SenderInfo {
  return {
    ntpSeconds: packet.readUInt32BE(at),
    ntpFraction: packet.readUInt32BE(at + 4),
    rtpTimestamp: packet.readUInt32BE(at + 8),
    packets: packet.readUInt32BE(at + 12),
    octets: packet.readUInt32BE(at + 16),
  };
}

function parseBlock(packet: Buffer, at: number): ReportBlock {
  return {
    ssrc: packet.readUInt32BE(at),
    fractionLost: packet[at + 4]!,
    packetsLost: packet.readIntBE(at + 5, 3),
    highestSequenceNumber: packet.readUInt32BE(at + 8),
    jitter: packet.readUInt32BE(at + 12),
    lastSenderReport: packet.readUInt32BE(at + 16),
    delaySinceLastSenderReport: packet.readUInt32BE(at + 20),
  };
}

/** RFC 3550, section 6.2: with two parties, the smallest interval is the one that holds. */
const INTERVAL_MS = 5000;

/**
 * How long to wait until the next report: 2500 to 7500 ms, so that parties that started together do not stay so
 * (section 6.3.1; the bandwidth of two is never what limits them).
 * @param random - 0 to below 1
 */
export function reportIntervalMs(random: () => number): number {
  return INTERVAL_MS * (0.5 + random());
}
