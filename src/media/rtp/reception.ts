import { ntpDelay, ntpMiddle } from './ntp.ts';
import type { ReportBlock } from './rtcp.ts';
import { timestampDistance } from './sequence.ts';

/** So many packets in a row make a source valid (RFC 3550, appendix A.1). */
const MIN_SEQUENTIAL = 2;
/** A jump ahead by this many packets, or back by fewer than the next, is loss and reordering; any other is a new start. */
const MAX_DROPOUT = 3000;
const MAX_MISORDER = 100;
const SEQUENCE_NUMBERS = 1 << 16;
/** Bounds of the 24-bit number of lost packets. */
const MAX_LOST = 0x7fffff;
const MIN_LOST = -0x800000;

/** What arrives of one source (SSRC), for the receiver reports about it (RFC 3550, appendices A.1, A.3 and A.8). */
export class Reception {
  #ssrc: number;
  /** How many packets in a row are missing until the source is valid. */
  #probation = MIN_SEQUENTIAL;
  #highest = -1;
  /** The number of times that sequence numbers started over, times 65536. */
  #cycles = 0;
  #base = 0;
  /** The number after that of a packet far off: if it comes next, the source has started anew. -1 for none. */
  #restartAt = -1;
  #received = 0;
  #expectedBefore = 0;
  #receivedBefore = 0;
  #transit = 0;
  #hasTransit = false;
  /** Sixteen times the jitter, so that its mean is taken in whole numbers. */
  #scaledJitter = 0;
  #lastSenderReport = 0;
  #lastSenderReportAtMs = 0;

  constructor(ssrc: number) {
    this.#ssrc = ssrc;
  }

  /** How many packets are missing since the source became valid; negative when more were doubled than lost. */
  get lost(): number {
    return this.#expected - this.#received;
  }

  /** Packets that arrived since the source became valid, with the first of the new count. */
  get received(): number {
    return this.#received;
  }

  /** The interarrival jitter in units of the timestamp. */
  get jitter(): number {
    return Math.floor(this.#scaledJitter / 16);
  }

  /** The last sequence number in order with how often they started over in its upper bits. */
  get highestSequenceNumber(): number {
    return this.#cycles + Math.max(this.#highest, 0);
  }

  get #expected(): number {
    return this.#probation > 0 ? 0 : this.highestSequenceNumber - this.#base + 1;
  }

  /**
   * Counts a packet.
   * @param sequenceNumber - 16 bits
   * @param timestamp - 32 bits
   * @param arrival - when it came, by any clock in units of the timestamp. For packets that share a timestamp for longer
   * (telephone events), both are those of the packet before: they say nothing about jitter, but must not count as lost.
   * @returns whether it belongs to a valid source; false for the first one, and for one far off that may be a stray
   */
  onPacket(sequenceNumber: number, timestamp: number, arrival: number): boolean {
    if (!this.#updateSequence(sequenceNumber)) return false;
    const transit = timestampDistance(arrival, timestamp);
    if (this.#hasTransit) {
      const difference = Math.abs(timestampDistance(transit, this.#transit));
      this.#scaledJitter += difference - Math.floor((this.#scaledJitter + 8) / 16);
    }
    this.#transit = transit;
    this.#hasTransit = true;
    return true;
  }

  /** Notes a sender report of the source, which the next report block names. @param nowMs - of a monotonic clock */
  onSenderReport(ntpSeconds: number, ntpFraction: number, nowMs: number): void {
    this.#lastSenderReport = ntpMiddle(ntpSeconds, ntpFraction);
    this.#lastSenderReportAtMs = nowMs;
  }

  /**
   * The report block about the source. What was lost since the block before is in `fractionLost`.
   * @returns undefined as long as the source is not valid
   */
  takeReport(nowMs: number): ReportBlock | undefined {
    if (this.#probation > 0) return undefined;
    const expected = this.#expected - this.#expectedBefore;
    const lost = expected - (this.#received - this.#receivedBefore);
    this.#expectedBefore = this.#expected;
    this.#receivedBefore = this.#received;
    return {
      ssrc: this.#ssrc,
      fractionLost: expected <= 0 || lost <= 0 ? 0 : Math.floor((lost * 256) / expected),
      packetsLost: Math.max(MIN_LOST, Math.min(this.lost, MAX_LOST)),
      highestSequenceNumber: this.highestSequenceNumber >>> 0,
      jitter: this.jitter,
      lastSenderReport: this.#lastSenderReport,
      delaySinceLastSenderReport:
        this.#lastSenderReport === 0 ? 0 : ntpDelay(nowMs - this.#lastSenderReportAtMs),
    };
  }

  /** Appendix A.1's update_seq(). */
  #updateSequence(sequenceNumber: number): boolean {
    if (this.#probation > 0) return this.#probe(sequenceNumber);
    const ahead = (sequenceNumber - this.#highest) & 0xffff;
    if (ahead < MAX_DROPOUT) {
      if (sequenceNumber < this.#highest) this.#cycles += SEQUENCE_NUMBERS;
      this.#highest = sequenceNumber;
    } else if (ahead <= SEQUENCE_NUMBERS - MAX_MISORDER) {
      if (sequenceNumber !== this.#restartAt) {
        this.#restartAt = (sequenceNumber + 1) & 0xffff;
        return false;
      }
      this.#start(sequenceNumber);
    }
    this.#received++;
    return true;
  }

  #probe(sequenceNumber: number): boolean {
    const isNext = sequenceNumber === ((this.#highest + 1) & 0xffff);
    this.#probation = isNext ? this.#probation - 1 : MIN_SEQUENTIAL - 1;
    this.#highest = sequenceNumber;
    if (this.#probation > 0) return false;
    this.#start(sequenceNumber);
    this.#received++;
    return true;
  }

  #start(sequenceNumber: number): void {
    this.#base = sequenceNumber;
    this.#highest = sequenceNumber;
    this.#cycles = 0;
    this.#restartAt = -1;
    this.#received = 0;
    this.#expectedBefore = 0;
    this.#receivedBefore = 0;
    // A source that starts anew does so with its timestamps too.
    this.#hasTransit = false;
  }
}
