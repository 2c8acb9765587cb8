import { ToneMeter } from '../signals/tone-meter.ts';
import { type CodecName, createCodec, type PhoneCodec } from './phone-codec.ts';
import type { ReportBlock } from './phone-rtcp.ts';
import type { Format } from './phone-sdp.ts';

/** What a phone has counted of the RTP that came. */
export interface Received {
  packets: number;
  /** Missing sequence numbers, of all streams so far. */
  lost: number;
  duplicates: number;
  /** Came after a later one, and so was not played. */
  late: number;
  /** No RTP, or no frame of its codec. */
  malformed: number;
  /** Packets of each payload type. */
  readonly payloadTypes: Map<number, number>;
  readonly ssrcs: Set<number>;
  /** Where they came from, as `address:port`. */
  readonly sources: Set<string>;
}

interface Stream {
  readonly ssrc: number;
  readonly first: number;
  /** With the count of cycles in the upper 16 bits. */
  highest: number;
  packets: number;
  jitter: number;
  transit: number;
  lostBefore: number;
  expectedBefore: number;
}

/** Without any packet for so long, the phone plays silence. */
const PATIENCE_MS = 60;

/** The ear of a phone: decodes RTP as it comes, and keeps the sound of the last half second for measuring. */
export class PhoneReceiver {
  meter = new ToneMeter(8000);
  readonly received: Received = {
    packets: 0,
    lost: 0,
    duplicates: 0,
    late: 0,
    malformed: 0,
    payloadTypes: new Map(),
    ssrcs: new Set(),
    sources: new Set(),
  };
  #codecs = new Map<number, PhoneCodec>();
  #names = new Map<number, CodecName>();
  #stream: Stream | undefined;
  /** Sequence numbers of the current stream's last packets. */
  #seen: number[] = [];
  #lostOfEarlierStreams = 0;
  #lastReport: { readonly ntpMiddle: number; readonly at: number } | undefined;
  #nextTimestamp = 0;
  #arrivedAt = 0;
  /** Silence played since the last packet, in samples. */
  #padded = 0;

  /** Says what the payload types mean from now on. Decoders whose codec stays keep their state. */
  understand(formats: readonly Format[]): void {
    for (const { payloadType, name } of formats) {
      if (name === 'telephone-event' || this.#names.get(payloadType) === name) continue;
      this.#names.set(payloadType, name);
      this.#codecs.set(payloadType, createCodec(name));
    }
  }

  /** @param source - `address:port` */
  receive(packet: Buffer, source: string, now: number): void {
    const payloadStart = startOfPayload(packet);
    if (payloadStart === undefined) {
      this.received.malformed++;
      return;
    }
    const padding = packet[0]! & 0x20 ? packet[packet.length - 1]! : 0;
    const payload = packet.subarray(payloadStart, packet.length - padding);
    const payloadType = packet[1]! & 0x7f;
    const timestamp = packet.readUInt32BE(4);
    const { received } = this;
    received.packets++;
    received.payloadTypes.set(payloadType, (received.payloadTypes.get(payloadType) ?? 0) + 1);
    received.ssrcs.add(packet.readUInt32BE(8));
    received.sources.add(source);
    const codec = this.#codecs.get(payloadType);
    const isNew = this.#count(packet, timestamp, now, codec?.rate ?? 8000);
    if (!isNew || !codec || payload.length === 0) return;
    try {
      this.#play(codec.decode(payload), timestamp, codec.rate, now);
    } catch {
      received.malformed++;
    }
  }

  /** Called every 20 ms. */
  tick(now: number): void {
    if (now - this.#arrivedAt < PATIENCE_MS) return;
    const samples = this.meter.rate / 50;
    this.meter.pushSilence(samples);
    this.#padded += samples;
  }

  /** A sender report came: the next block quotes it, from which the other side gets the round-trip time. */
  reported(ntpMiddle: number, now: number): void {
    this.#lastReport = { ntpMiddle, at: now };
  }

  /** What RTCP says about the current stream (RFC 3550, section 6.4.1 and appendix A.3). */
  block(now: number): ReportBlock | undefined {
    const stream = this.#stream;
    if (!stream) return undefined;
    const expected = stream.highest - stream.first + 1;
    const packetsLost = expected - stream.packets;
    const lostSince = packetsLost - stream.lostBefore;
    const expectedSince = expected - stream.expectedBefore;
    stream.lostBefore = packetsLost;
    stream.expectedBefore = expected;
    return {
      ssrc: stream.ssrc,
      fractionLost: expectedSince > 0 ? Math.max(0, lostSince / expectedSince) : 0,
      packetsLost,
      highestSequenceNumber: stream.highest,
      jitter: Math.round(stream.jitter),
      lastSenderReport: this.#lastReport?.ntpMiddle ?? 0,
      delaySinceLast: this.#lastReport ? Math.round(((now - this.#lastReport.at) * 65536) / 1000) : 0,
    };
  }

  /** @returns false for a packet that was there before */
  #count(packet: Buffer, timestamp: number, now: number, rate: number): boolean {
    const ssrc = packet.readUInt32BE(8);
    const sequence = packet.readUInt16BE(2);
    const transit = Math.round((now * rate) / 1000) - timestamp;
    if (this.#stream?.ssrc !== ssrc) {
      this.#lostOfEarlierStreams = this.received.lost;
      this.#seen = [];
      const counts = { packets: 0, jitter: 0, lostBefore: 0, expectedBefore: 0 };
      this.#stream = { ssrc, first: sequence, highest: sequence, transit, ...counts };
      this.#nextTimestamp = timestamp;
    }
    const stream = this.#stream;
    // Signed distance of 16 bits.
    const extended = stream.highest + (((sequence - stream.highest) << 16) >> 16);
    if (this.#seen.includes(extended)) {
      this.received.duplicates++;
      return false;
    }
    this.#seen.push(extended);
    if (this.#seen.length > 500) this.#seen.shift();
    stream.packets++;
    stream.highest = Math.max(stream.highest, extended);
    stream.jitter += (Math.abs(transit - stream.transit) - stream.jitter) / 16;
    stream.transit = transit;
    const lost = stream.highest - stream.first + 1 - stream.packets;
    this.received.lost = this.#lostOfEarlierStreams + Math.max(0, lost);
    return true;
  }

  #play(samples: Int16Array, timestamp: number, rate: number, now: number): void {
    if (this.meter.rate !== rate) this.meter = new ToneMeter(rate);
    const gap = (timestamp - this.#nextTimestamp) | 0;
    if (gap < 0 && gap > -rate) {
      this.received.late++;
      return;
    }
    // What is missing is silence, so that the tone after it stays in phase with the tone before.
    if (gap > 0 && gap < 10 * rate) this.meter.pushSilence(gap - this.#padded);
    this.meter.push(samples);
    this.#nextTimestamp = (timestamp + samples.length) >>> 0;
    this.#arrivedAt = now;
    this.#padded = 0;
  }
}

/** @returns undefined when the bytes are no RTP packet (RFC 3550, section 5.1) */
function startOfPayload(packet: Buffer): number | undefined {
  if (packet.length < 12 || packet[0]! >> 6 !== 2) return undefined;
  let start = 12 + (packet[0]! & 0x0f) * 4;
  if (packet[0]! & 0x10) {
    if (packet.length < start + 4) return undefined;
    start += 4 + packet.readUInt16BE(start + 2) * 4;
  }
  return start <= packet.length ? start : undefined;
}
