import { BitReader } from './bit-reader.ts';
import { NAL, withoutEmulationPrevention } from './nal-units.ts';

/** What a sequence parameter set tells of a stream (ITU-T H.264, section 7.3.2.1.1). */
export interface Sps {
  /** profile_idc */
  profile: number;
  /** The six constraint_set flags and two reserved bits, the first flag as the highest bit. */
  constraints: number;
  /** level_idc: ten times the level */
  level: number;
  /** 0: no colour, 1: 4:2:0, 2: 4:2:2, 3: 4:4:4 */
  chromaFormat: 0 | 1 | 2 | 3;
  /** Bits of a sample, 8 to 14; the larger one where luma and chroma differ. */
  bitDepth: number;
  /** Of what is to be shown, in samples: 1 to 16384. */
  width: number;
  height: number;
  /** Pictures that may come before one that is shown before them, 0 to 16; undefined when it does not say. */
  reorderFrames: number | undefined;
  /** Frames a second; undefined when it does not say. */
  frameRate: number | undefined;
  /** Whether pictures may be coded as fields. */
  interlaced: boolean;
}

const MAX_SIZE = 16_384;
/** Real ones have 20 to 300 bytes. */
const MAX_BYTES = 4_096;
const MAX_FRAME_RATE = 1_000;
/** Those that tell their chroma format and bit depth, and may have scaling lists. */
const HIGH_PROFILES = new Set([100, 110, 122, 244, 44, 83, 86, 118, 128, 138, 139, 134, 135]);
/** Those that constraint_set3 makes ones of key frames alone (section E.2.1, on max_num_reorder_frames). */
const INTRA_PROFILES = new Set([44, 86, 100, 110, 122, 244]);
const BASELINE = 66;
const EXTENDED_SAR = 255;

const PROFILE_NAMES = new Map([
  [BASELINE, 'Baseline'],
  [77, 'Main'],
  [88, 'Extended'],
  [100, 'High'],
  [110, 'High 10'],
  [122, 'High 4:2:2'],
  [244, 'High 4:4:4'],
]);

/** @returns as in annex A of ITU-T H.264, in short, or `profile 123` */
export function profileName(sps: Pick<Sps, 'profile' | 'constraints'>): string {
  if (sps.profile === BASELINE && sps.constraints & 0x40) return 'Constrained Baseline';
  return PROFILE_NAMES.get(sps.profile) ?? `profile ${sps.profile}`;
}

/**
 * @param nal - a whole NAL unit of type 7 with its header byte, without start code or length
 * @returns undefined when it is none, is cut off, or has values that the standard or our bounds rule out. Where only
 *   the usability information (VUI) is cut off, it counts as one that does not say
 */
export function parseSps(nal: Uint8Array): Sps | undefined {
  if (nal.length < 5 || nal.length > MAX_BYTES || (nal[0]! & 0x9f) !== NAL.SPS) return undefined;
  const reader = new BitReader(withoutEmulationPrevention(nal));
  reader.skip(8);
  const profile = reader.bits(8);
  const constraints = reader.bits(8);
  const level = reader.bits(8);
  if (reader.ue() > 31) return undefined; // seq_parameter_set_id
  const samples = readSampleFormat(reader, profile);
  if (!samples) return undefined;
  if (reader.ue() > 12) return undefined; // log2_max_frame_num_minus4
  const orderType = reader.ue();
  if (!skipPictureOrder(reader, orderType)) return undefined;
  if (reader.ue() > 16) return undefined; // max_num_ref_frames
  reader.skip(1); // gaps_in_frame_num_value_allowed_flag
  const size = readSize(reader, samples);
  if (!size) return undefined;
  const hasVui = reader.bit() === 1;
  if (reader.overrun) return undefined;
  const vui = hasVui ? readVui(reader) : undefined;
  const neverReorders =
    profile === BASELINE || (INTRA_PROFILES.has(profile) && (constraints & 0x10) !== 0) ? 0 : undefined;
  return {
    profile,
    constraints,
    level,
    chromaFormat: samples.chromaFormat,
    bitDepth: samples.bitDepth,
    ...size,
    // Pictures are shown in the order they come in with type 2 (section 8.2.1.3), whatever else is said.
    reorderFrames: orderType === 2 ? 0 : (vui?.reorderFrames ?? neverReorders),
    frameRate: vui?.frameRate,
  };
}

interface SampleFormat {
  chromaFormat: 0 | 1 | 2 | 3;
  /** ChromaArrayType: 0 also for three colour planes that are coded apart. */
  chromaArray: 0 | 1 | 2 | 3;
  bitDepth: number;
}

function readSampleFormat(reader: BitReader, profile: number): SampleFormat | undefined {
  if (!HIGH_PROFILES.has(profile)) return { chromaFormat: 1, chromaArray: 1, bitDepth: 8 };
  const chromaFormat = reader.ue();
  if (chromaFormat !== 0 && chromaFormat !== 1 && chromaFormat !== 2 && chromaFormat !== 3) return undefined;
  const separatePlanes = chromaFormat === 3 && reader.bit() === 1;
  const luma = reader.ue();
  const chroma = reader.ue();
  if (luma > 6 || chroma > 6) return undefined;
  reader.skip(1); // qpprime_y_zero_transform_bypass_flag
  if (reader.bit()) skipScalingLists(reader, chromaFormat === 3 ? 12 : 8);
  return {
    chromaFormat,
    chromaArray: separatePlanes ? 0 : chromaFormat,
    bitDepth: 8 + Math.max(luma, chroma),
  };
}

/** Section 7.3.2.1.1.1: six lists of 16 values, then those of 64. */
function skipScalingLists(reader: BitReader, lists: number): void {
  for (let list = 0; list < lists; list++) {
    if (!reader.bit()) continue;
    let last = 8;
    for (let left = list < 6 ? 16 : 64; left > 0; left--) {
      last = (last + reader.se() + 256) & 0xff;
      // The rest is what this one was.
      if (last === 0) break;
    }
  }
}

function skipPictureOrder(reader: BitReader, type: number): boolean {
  if (type === 0) return reader.ue() <= 12; // log2_max_pic_order_cnt_lsb_minus4
  if (type !== 1) return type === 2;
  reader.skip(1); // delta_pic_order_always_zero_flag
  reader.se();
  reader.se();
  const cycle = reader.ue();
  if (cycle > 255) return false;
  for (let frame = 0; frame < cycle; frame++) reader.se();
  return true;
}

function readSize(
  reader: BitReader,
  { chromaArray }: SampleFormat,
): Pick<Sps, 'width' | 'height' | 'interlaced'> | undefined {
  const columns = reader.ue() + 1;
  const rows = reader.ue() + 1; // of macroblocks, or of pairs of them
  const interlaced = reader.bit() === 0;
  if (interlaced) reader.skip(1); // mb_adaptive_frame_field_flag
  reader.skip(1); // direct_8x8_inference_flag
  const fields = interlaced ? 2 : 1;
  let width = columns * 16;
  let height = rows * 16 * fields;
  if (width > MAX_SIZE || height > MAX_SIZE) return undefined;
  if (reader.bit()) {
    // Equations 7-19 to 7-22: cropping counts in samples of chroma, and in pairs of lines when there are fields.
    const unitX = chromaArray === 1 || chromaArray === 2 ? 2 : 1;
    const unitY = (chromaArray === 1 ? 2 : 1) * fields;
    width -= unitX * (reader.ue() + reader.ue());
    height -= unitY * (reader.ue() + reader.ue());
  }
  return width > 0 && height > 0 ? { width, height, interlaced } : undefined;
}

/** Annex E.1.1, up to what is asked for. */
function readVui(reader: BitReader): Pick<Sps, 'reorderFrames' | 'frameRate'> {
  if (reader.bit() && reader.bits(8) === EXTENDED_SAR) reader.skip(32);
  if (reader.bit()) reader.skip(1); // overscan
  if (reader.bit()) {
    reader.skip(4); // video_format, video_full_range_flag
    if (reader.bit()) reader.skip(24); // colour_primaries and the like
  }
  if (reader.bit()) {
    reader.ue(); // chroma_sample_loc_type
    reader.ue();
  }
  let frameRate: number | undefined;
  if (reader.bit()) {
    const tick = reader.bits(32);
    const scale = reader.bits(32);
    // A tick is a field's time (equation D-1 and table E-6).
    const rate = scale / (2 * tick);
    if (!reader.overrun && rate > 0 && rate <= MAX_FRAME_RATE) frameRate = rate;
    reader.skip(1); // fixed_frame_rate_flag
  }
  const nal = reader.bit() === 1;
  if (nal) skipHrd(reader);
  const vcl = reader.bit() === 1;
  if (vcl) skipHrd(reader);
  if (nal || vcl) reader.skip(1); // low_delay_hrd_flag
  reader.skip(1); // pic_struct_present_flag
  let reorderFrames: number | undefined;
  if (reader.bit()) {
    reader.skip(1); // motion_vectors_over_pic_boundaries_flag
    for (let limit = 0; limit < 4; limit++) reader.ue(); // of bytes, bits, and lengths of vectors
    const reorder = reader.ue();
    if (!reader.overrun && reorder <= 16) reorderFrames = reorder;
  }
  return { reorderFrames, frameRate };
}

/** Annex E.1.2. */
function skipHrd(reader: BitReader): void {
  const count = reader.ue() + 1;
  reader.skip(8); // bit_rate_scale, cpb_size_scale
  // At most 32 are permitted; with more, what follows makes no sense either.
  for (let buffer = 0; buffer < Math.min(count, 32); buffer++) {
    reader.ue();
    reader.ue();
    reader.skip(1);
  }
  reader.skip(20); // lengths of delays and times
}
