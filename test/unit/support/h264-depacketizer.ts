import { parseRtp } from '../../../src/media/rtp/rtp.ts';

/** One access unit as it was received. */
export interface ReceivedUnit {
  timestamp: number;
  nals: Buffer[];
}

/**
 * Puts RTP packets together again (RFC 6184, sections 5.6, 5.7.1 and 5.8), and throws at whatever a sender must not do:
 * gaps, fragments out of place, a changing timestamp within an access unit, an empty or too large packet.
 */
export class H264Depacketizer {
  #maxPayloadBytes: number;
  #sequenceNumber: number | undefined;
  #timestamp: number | undefined;
  #nals: Buffer[] = [];
  #fragments: Buffer[] | undefined;

  constructor(maxPayloadBytes: number) {
    this.#maxPayloadBytes = maxPayloadBytes;
  }

  /** @returns an access unit with the packet that has the marker bit */
  receive(bytes: Buffer): ReceivedUnit | undefined {
    const packet = parseRtp(bytes);
    if (!packet || packet.payload.length === 0) throw new Error('no RTP packet with a payload');
    const { payload, sequenceNumber, timestamp, marker } = packet;
    if (payload.length > this.#maxPayloadBytes) throw new Error(`a payload of ${payload.length} bytes`);
    if (this.#sequenceNumber !== undefined && sequenceNumber !== ((this.#sequenceNumber + 1) & 0xffff)) {
      throw new Error(`packet ${sequenceNumber} after ${this.#sequenceNumber}`);
    }
    this.#sequenceNumber = sequenceNumber;
    if (this.#timestamp !== undefined && timestamp !== this.#timestamp) {
      throw new Error('another timestamp before the marker');
    }
    this.#timestamp = timestamp;
    this.#readPayload(payload);
    if (!marker) return undefined;
    if (this.#fragments) throw new Error('the marker within a fragmented unit');
    const unit = { timestamp, nals: this.#nals };
    this.#nals = [];
    this.#timestamp = undefined;
    return unit;
  }

  #readPayload(payload: Buffer): void {
    const type = payload[0]! & 0x1f;
    if (type === 28) {
      this.#readFragment(payload);
      return;
    }
    if (this.#fragments) throw new Error('a fragmented unit has no end');
    if (type === 24) this.#readAggregate(payload);
    else if (type >= 1 && type <= 23) this.#nals.push(Buffer.from(payload));
    else throw new Error(`a payload of type ${type}`);
  }

  #readAggregate(payload: Buffer): void {
    let importance = 0;
    let forbidden = 0;
    let at = 1;
    while (at < payload.length) {
      const end = at + 2 + payload.readUInt16BE(at);
      if (end > payload.length || end === at + 2) throw new Error('an aggregate of wrong lengths');
      const nal = Buffer.from(payload.subarray(at + 2, end));
      importance = Math.max(importance, nal[0]! & 0x60);
      forbidden |= nal[0]! & 0x80;
      this.#nals.push(nal);
      at = end;
    }
    if ((payload[0]! & 0xe0) !== (forbidden | importance)) throw new Error("an aggregate's header differs");
  }

  #readFragment(payload: Buffer): void {
    if (payload.length < 3) throw new Error('an empty fragment');
    const isStart = (payload[1]! & 0x80) !== 0;
    const isEnd = (payload[1]! & 0x40) !== 0;
    if (isStart && isEnd) throw new Error('a fragment that is the whole');
    if (payload[1]! & 0x20) throw new Error('the reserved bit');
    if (isStart === (this.#fragments !== undefined)) throw new Error('a fragment out of place');
    const header = (payload[0]! & 0xe0) | (payload[1]! & 0x1f);
    const fragments = this.#fragments ?? [Buffer.of(header)];
    if (fragments[0]![0] !== header) throw new Error('fragments with different headers');
    fragments.push(Buffer.from(payload.subarray(2)));
    this.#fragments = isEnd ? undefined : fragments;
    if (isEnd) this.#nals.push(Buffer.concat(fragments));
  }
}
