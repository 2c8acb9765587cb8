import { NAL } from '../h264/nal-units.ts';
import { H264ParameterSets } from '../h264/parameter-sets.ts';
import { FrameAssembly, type FrameEvents, type PayloadFormat } from './frame-assembly.ts';
import type { FrameBuffer } from './frame-buffer.ts';

const STAP_A = 24;
/** The first of its NAL units, behind its header and a length. */
const AGGREGATE_UNIT_AT = 3;
const FU_A = 28;
/** Types of NAL units proper end here (RFC 6184, table 1). */
const LAST_NAL_TYPE = 23;
const FORBIDDEN_BIT = 0x80;
const FU_HEADER_BYTES = 2;
const FU_START = 0x80;
const FU_END = 0x40;
/** Of a frame; even with a slice for each row of 4K it has a quarter. */
const MAX_NALS = 1_024;

/** An access unit with a picture in it. */
export interface H264Frame {
  /** Without start codes, as they came; views that stay as they are until the next packet. */
  readonly nals: readonly Buffer[];
  /** It has an IDR picture. */
  readonly key: boolean;
  /** 32 bits, 90 kHz */
  readonly timestamp: number;
  /** The parameter sets that were sent with it or before it, of each id the last one: NAL units of their own. */
  readonly sps: readonly Buffer[];
  readonly pps: readonly Buffer[];
}

/**
 * Puts H.264 together from RTP in packetization-mode 0 or 1: NAL units alone, several in one packet (STAP-A), or in
 * fragments (FU-A): RFC 6184, sections 5.6, 5.7.1 and 5.8. Packets of nothing but parameter sets make no frame. At the
 * beginning and after a gap it begins with a frame that has a delimiter or parameter sets in front, or with the one after.
 */
export class H264Depacketizer extends FrameAssembly<H264Frame> {
  constructor(events: FrameEvents<H264Frame>) {
    super(new H264Payloads(), events);
  }
}

class H264Payloads implements PayloadFormat<H264Frame> {
  #parameterSets = new H264ParameterSets();
  /** Where the NAL units in the buffer end; each begins where the one before ends. */
  #ends: number[] = [];
  /** The header of the NAL unit whose fragments are coming. */
  #fragmented: number | undefined;
  #key = false;
  #hasSlice = false;

  /**
   * Of a picture whose first packets may be missing only what comes before its parameter sets is sure to be the beginning: a
   * key frame would be decoded with older ones otherwise, whose size may differ.
   */
  begins(payload: Buffer): boolean {
    let type = payload[0]! & 0x1f;
    if (type === STAP_A) type = (payload[AGGREGATE_UNIT_AT] ?? 0) & 0x1f;
    else if (type === FU_A) type = (payload[1] ?? 0) & FU_START ? payload[1]! & 0x1f : 0;
    return type === NAL.AUD || type === NAL.SPS;
  }

  add(payload: Buffer, buffer: FrameBuffer): boolean {
    const header = payload[0]!;
    if (header & FORBIDDEN_BIT) return false;
    const type = header & 0x1f;
    if (type === FU_A) return this.#addFragment(payload, buffer);
    if (this.#fragmented !== undefined) return false;
    if (type === STAP_A) return this.#addAggregate(payload, buffer);
    return this.#addUnit(payload, 0, payload.length, buffer);
  }

  end(buffer: FrameBuffer, timestamp: number): H264Frame | 'malformed' | undefined {
    const isCutOff = this.#fragmented !== undefined;
    const { sps, pps } = this.#parameterSets;
    let frame: H264Frame | undefined;
    if (!isCutOff && this.#hasSlice) {
      const nals = this.#ends.map((end, index) => buffer.view(this.#startOf(index), end));
      frame = { nals, key: this.#key, timestamp, sps, pps };
    }
    this.reset();
    return isCutOff ? 'malformed' : frame;
  }

  reset(): void {
    this.#ends.length = 0;
    this.#fragmented = undefined;
    this.#key = false;
    this.#hasSlice = false;
  }

  #addUnit(payload: Buffer, start: number, end: number, buffer: FrameBuffer): boolean {
    const header = payload[start]!;
    const type = header & 0x1f;
    if (type === 0 || type > LAST_NAL_TYPE || header & FORBIDDEN_BIT) return false;
    return buffer.append(payload, start, end) && this.#endUnit(type, buffer);
  }

  #addAggregate(payload: Buffer, buffer: FrameBuffer): boolean {
    if (payload.length === 1) return false;
    for (let at = 1; at < payload.length; ) {
      const start = at + 2;
      if (start > payload.length) return false;
      const end = start + payload.readUInt16BE(at);
      if (end === start || end > payload.length) return false;
      if (!this.#addUnit(payload, start, end, buffer)) return false;
      at = end;
    }
    return true;
  }

  /** Its first two bytes have the header of the NAL unit; the rest may be empty (section 5.8). */
  #addFragment(payload: Buffer, buffer: FrameBuffer): boolean {
    if (payload.length < FU_HEADER_BYTES) return false;
    const type = payload[1]! & 0x1f;
    const header = (payload[0]! & 0xe0) | type;
    if (payload[1]! & FU_START) {
      if (this.#fragmented !== undefined || type === 0 || type > LAST_NAL_TYPE) return false;
      if (!buffer.appendByte(header)) return false;
      this.#fragmented = header;
    } else if (this.#fragmented !== header) return false;
    if (!buffer.append(payload, FU_HEADER_BYTES, payload.length)) return false;
    if (!(payload[1]! & FU_END)) return true;
    this.#fragmented = undefined;
    return this.#endUnit(type, buffer);
  }

  #endUnit(type: number, buffer: FrameBuffer): boolean {
    if (this.#ends.length === MAX_NALS) return false;
    this.#ends.push(buffer.length);
    if (type === NAL.IDR) this.#key = true;
    if (isSlice(type)) this.#hasSlice = true;
    // Kept even if the frame is left out later: they may be sent only once.
    else if (type === NAL.SPS || type === NAL.PPS) {
      this.#parameterSets.add(buffer.view(this.#startOf(this.#ends.length - 1), buffer.length));
    }
    return true;
  }

  #startOf(index: number): number {
    return index === 0 ? 0 : this.#ends[index - 1]!;
  }
}

function isSlice(type: number): boolean {
  return type >= NAL.SLICE && type <= NAL.IDR;
}
