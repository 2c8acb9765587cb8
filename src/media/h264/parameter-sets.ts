import { BitReader } from './bit-reader.ts';
import { NAL } from './nal-units.ts';

/** Real ones have 4 to 300 bytes. */
const MAX_BYTES = 4_096;
/** Of each kind; streams have one or two. */
const MAX_SETS = 8;
/** ITU-T H.264, sections 7.4.2.1.1 and 7.4.2.2. */
const MAX_SPS_ID = 31;
const MAX_PPS_ID = 255;
/** The id of an SPS is behind its header, profile, constraints and level; that of a PPS behind its header (section 7.3.2). */
const SPS_ID_AT = 4;
const PPS_ID_AT = 1;

/** The parameter sets that a stream has sent so far: of each id the last one. With more than eight of a kind, the oldest go. */
export class H264ParameterSets {
  #spsById = new Map<number, Buffer>();
  #ppsById = new Map<number, Buffer>();
  #sps: readonly Buffer[] = [];
  #pps: readonly Buffer[] = [];

  /** Whole NAL units. The array is another one once it has changed. */
  get sps(): readonly Buffer[] {
    return this.#sps;
  }

  get pps(): readonly Buffer[] {
    return this.#pps;
  }

  /** @param nal - a whole NAL unit; copied when it is a parameter set, and passed over when it is none or a malformed one */
  add(nal: Buffer): void {
    const type = nal[0]! & 0x1f;
    if (type === NAL.SPS && put(this.#spsById, nal, SPS_ID_AT, MAX_SPS_ID)) {
      this.#sps = [...this.#spsById.values()];
    } else if (type === NAL.PPS && put(this.#ppsById, nal, PPS_ID_AT, MAX_PPS_ID)) {
      this.#pps = [...this.#ppsById.values()];
    }
  }
}

/** @returns whether anything has changed */
function put(sets: Map<number, Buffer>, nal: Buffer, idAt: number, maxId: number): boolean {
  if (nal.length > MAX_BYTES) return false;
  const bits = new BitReader(nal.subarray(idAt));
  const id = bits.ue();
  if (bits.overrun || id > maxId || sets.get(id)?.equals(nal)) return false;
  sets.delete(id);
  sets.set(id, Buffer.from(nal));
  if (sets.size > MAX_SETS) sets.delete(sets.keys().next().value!);
  return true;
}
