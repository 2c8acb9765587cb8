import { isDeepStrictEqual } from 'node:util';
import { parseAacConfig, parseMp3Header } from '../../src/media/aac/aac-config.ts';
import { type AccessUnit, isVideo } from '../../src/media/access-unit.ts';
import { parseFlvAudio, parseFlvVideo } from '../../src/media/containers/flv/flv.ts';
import { FlvDemuxer } from '../../src/media/containers/flv/flv-demuxer.ts';
import { FlvReader, type FlvTag, flvHeader, flvTag } from '../../src/media/containers/flv/flv-tags.ts';
import { parseAvcConfig, serializeAvcConfig } from '../../src/media/h264/avc-config.ts';
import { parseHevcConfig } from '../../src/media/h264/hevc-config.ts';
import {
  annexBUnitsOf,
  type LengthBytes,
  NAL,
  nalUnitsOf,
  toAnnexB,
} from '../../src/media/h264/nal-units.ts';
import { parseSps, profileName } from '../../src/media/h264/sps.ts';
import { seededRandom } from '../signals/random.ts';
import { FuzzFailure, type FuzzReport } from './failure.ts';
import { Mutator } from './mutator.ts';

const hex = (text: string) => Buffer.from(text, 'hex');

/** Of x264 and x265 at 320x240, the latter without its message of settings. */
const AVC_CONFIG = hex(
  '01f4000dffe1001867f4000d91968141fb0110000003001000000303c0f142aa01000568ce0f1920fff8f80000',
);
const SPS = AVC_CONFIG.subarray(8, 32);
const HEVC_CONFIG = hex(
  '0104080000009e08000000003cf000fcfff8f800000f03a00001001740010c01ffff0408000003009e0800000300003c959809' +
    'a10001002b4201010408000003009e0800000300003c90014101e2cb2b349265780b7020200040000003004000000782' +
    'a2000100084401c172860c4624',
);
/** LC at 44.1 kHz, HE told in front, HE told behind, PS, and a channel layout of its own. */
const AAC_CONFIGS = ['120856e500', '2b92080000', '131056e598', 'eb8a0800', '1200040000000000'].map(hex);
const MAX_TAG_BYTES = 3000;

/** @returns whether it was refused; `mutator` decides on everything */
type Target = (mutator: Mutator) => boolean;

const TARGETS: Record<string, Target> = {
  'video message': (mutator) => {
    const head = mutator.pick([
      '1700000000',
      '2701000021',
      '9061766331',
      '9168766331000000',
      '57',
      '9561766331',
    ]);
    return parses(mutator.mutate(hex(head)), parseFlvVideo, ({ compositionMs, data }, bytes) => {
      return Math.abs(compositionMs) <= 2 ** 23 && data.length < bytes.length;
    });
  },
  'audio message': (mutator) =>
    parses(
      mutator.mutate(hex(mutator.pick(['af0012', 'af0121', '2f', '7e', 'b6']))),
      parseFlvAudio,
      (audio, bytes) => {
        return audio.rate > 0 && audio.data.length < bytes.length;
      },
    ),
  avcC: (mutator) =>
    parses(mutator.mutate(AVC_CONFIG), parseAvcConfig, (config) => {
      const again = parseAvcConfig(serializeAvcConfig(config));
      return isDeepStrictEqual(again?.sps, config.sps) && isDeepStrictEqual(again?.pps, config.pps);
    }),
  hvcC: (mutator) =>
    parses(mutator.mutate(HEVC_CONFIG), parseHevcConfig, ({ parameterSets, bitDepth }, bytes) => {
      const size = parameterSets.reduce((sum, unit) => sum + unit.length, 0);
      return size < bytes.length && bitDepth >= 8 && bitDepth <= 15;
    }),
  SPS: (mutator) =>
    parses(mutator.mutate(SPS), parseSps, (sps) => {
      const { width, height, frameRate = 1, reorderFrames = 0 } = sps;
      const sizes = [width, height].every((size) => Number.isInteger(size) && size >= 1 && size <= 16_384);
      const rates = frameRate > 0 && frameRate <= 1000 && reorderFrames >= 0 && reorderFrames <= 16;
      return sizes && rates && profileName(sps).length > 0;
    }),
  'AAC config': (mutator) =>
    parses(mutator.mutate(mutator.pick(AAC_CONFIGS)), parseAacConfig, ({ rate, channels }) => {
      return rate >= 7350 && rate <= 192_000 && channels >= 1 && channels <= 64;
    }),
  'MP3 header': (mutator) =>
    parses(mutator.mutate(hex('fffb90c4')), parseMp3Header, ({ rate }) => rate >= 8000 && rate <= 48_000),
  'access unit': fuzzAccessUnit,
  'FLV stream': fuzzFlv,
  'FLV bodies': fuzzBodies,
};

/**
 * Feeds what encoders and FFmpeg send to all that reads it, nearly right or not at all.
 * @throws FuzzFailure when anything is thrown, results are out of their ranges, or it matters where a stream is split
 */
export function fuzzMedia(seed: number, rounds: number): FuzzReport {
  const mutator = new Mutator(seededRandom(seed));
  const report: FuzzReport = { rounds, refused: {} };
  const names = Object.keys(TARGETS);
  for (let round = 0; round < rounds; round++) {
    const name = mutator.pick(names);
    if (TARGETS[name]!(mutator)) report.refused[name] = (report.refused[name] ?? 0) + 1;
  }
  return report;
}

/** @returns whether it was refused */
function parses<Parsed>(
  bytes: Buffer,
  parse: (bytes: Buffer) => Parsed | undefined,
  isInRange: (parsed: Parsed, bytes: Buffer) => boolean,
): boolean {
  try {
    const parsed = parse(bytes);
    if (parsed === undefined) return true;
    if (isInRange(parsed, bytes)) return false;
  } catch (error) {
    throw new FuzzFailure(`${parse.name} throws`, bytes, error);
  }
  throw new FuzzFailure(`${parse.name} gives what is out of range`, bytes);
}

/** Length-prefixed NAL units and the same with start codes. */
function fuzzAccessUnit(mutator: Mutator): boolean {
  const units = Array.from({ length: mutator.below(4) }, () => {
    const unit = mutator.pick([SPS, Buffer.of(0x65, 0, 0, 1), Buffer.of(0x41), Buffer.alloc(0)]);
    return Buffer.concat([Buffer.of(0, 0, 0, unit.length), unit]);
  });
  const bytes = mutator.mutate(Buffer.concat(units));
  const lengthBytes = mutator.pick<LengthBytes>([1, 2, 3, 4, 4, 4]);
  const isWithin = (start: number, end: number) => start >= 0 && start < end && end <= bytes.length;
  let within = true;
  const onNal = (start: number, end: number) => {
    within &&= isWithin(start, end);
  };
  return parses(
    bytes,
    function splitAccessUnit() {
      annexBUnitsOf(bytes, onNal);
      const whole = nalUnitsOf(bytes, lengthBytes, onNal);
      if (whole !== (toAnnexB(bytes, lengthBytes, [SPS]) !== undefined)) within = false;
      return whole || !within ? { within } : undefined;
    },
    (result) => result.within,
  );
}

function fuzzFlv(mutator: Mutator): boolean {
  const tags = Array.from({ length: mutator.below(5) }, (_, at) =>
    flvTag(
      mutator.pick(['audio', 'video', 'script']),
      at * 33,
      Buffer.alloc(mutator.pick([0, 1, 50, 2999, 3001])),
    ),
  );
  const bytes = mutator.mutate(Buffer.concat([flvHeader(true, true), ...tags]));
  const whole = readFlv(bytes, [bytes]);
  if (!isDeepStrictEqual(whole, readFlv(bytes, mutator.pieces(bytes))))
    throw new FuzzFailure('It matters where FLV is split', bytes);
  return whole.refused !== undefined;
}

function readFlv(bytes: Buffer, pieces: readonly Buffer[]): { tags: FlvTag[]; refused: string | undefined } {
  const reader = new FlvReader(MAX_TAG_BYTES);
  const tags: FlvTag[] = [];
  try {
    for (const piece of pieces) reader.read(piece, (tag) => tags.push(tag));
  } catch (error) {
    if (error instanceof Error && error.message.startsWith('What was read as FLV'))
      return { tags, refused: error.message };
    throw new FuzzFailure('FlvReader throws something else', bytes, error);
  }
  if (tags.some(({ body }) => body.length > MAX_TAG_BYTES)) throw new FuzzFailure('A tag is too long', bytes);
  return { tags, refused: undefined };
}

/** AAC of one frame, behind a header of ADTS. */
const ADTS = hex('fff150800180000121ff');
const START_CODE = hex('00000001');
const SLICES = ['6588aa', '6508aa', '4188bb', '0188cc', '0605018000', '09f0', '0cff80'].map(hex);

/** What an encoder sends from one message to the next, in all the ways that there are. Nothing of it is refused as a whole. */
function fuzzBodies(mutator: Mutator): boolean {
  const units: AccessUnit[] = [];
  const demuxer = new FlvDemuxer({ unit: (unit) => units.push(unit), unsupported: () => {} });
  const bodies: Buffer[] = [];
  let time = mutator.pick([0, 0, 2 ** 32 - 100]);
  for (let left = 1 + mutator.below(12); left > 0; left--) {
    const body = mutator.below(3) === 0 ? mutator.mutate(flvBody(mutator)) : flvBody(mutator);
    bodies.push(body);
    time = (time + mutator.pick([0, 0, 20, 40])) >>> 0;
    try {
      if (((body[0] ?? 0) & 0x70) <= 0x20) demuxer.video(body, time);
      else demuxer.audio(body, time);
    } catch (error) {
      throw new FuzzFailure('FlvDemuxer throws', Buffer.concat(bodies), error);
    }
  }
  demuxer.end();
  const size = bodies.reduce((sum, { length }) => sum + length, 0);
  const given = units.reduce((sum, { data }) => sum + data.length, 0);
  // Start codes of three bytes become lengths of four.
  if (given > 2 * size) throw new FuzzFailure('More comes out than went in', Buffer.concat(bodies));
  for (const unit of units) requireWhole(unit, Buffer.concat(bodies));
  return false;
}

function flvBody(mutator: Mutator): Buffer {
  const slices = Array.from({ length: 1 + mutator.below(3) }, () => mutator.pick([...SLICES, SPS]));
  const frame = Buffer.concat([
    hex(mutator.pick(['1701000000', '2701000028'])),
    ...strungTogether(mutator, slices),
  ]);
  switch (mutator.below(9)) {
    case 0:
      return Buffer.concat([hex('1700000000'), withLengthBytes(AVC_CONFIG, mutator.pick([2, 4]))]);
    case 1:
      return Buffer.concat([hex(mutator.pick(['1c00000000', '9068766331'])), HEVC_CONFIG]);
    case 2:
      return Buffer.concat([hex(mutator.pick(['1c01000000', '9168766331000000', '9176703039'])), ...slices]);
    case 3:
      return Buffer.concat([hex('af00'), mutator.pick(AAC_CONFIGS)]);
    case 4:
      return Buffer.concat([hex('af01'), mutator.pick([ADTS, Buffer.concat([ADTS, ADTS]), hex('2100')])]);
    case 5:
      return hex(mutator.pick(['2ffffb9064', '72d5d5', '82ffff', '914f707573fcffff', 'b600', '1400']));
    default:
      return frame;
  }
}

/** Behind lengths, or behind start codes where lengths are promised. */
function strungTogether(mutator: Mutator, units: readonly Buffer[]): Buffer[] {
  const way = mutator.pick(['lengths', 'lengths', 'short lengths', 'start codes']);
  return units.flatMap((unit) => {
    if (way === 'start codes') return [START_CODE, unit];
    return [way === 'lengths' ? Buffer.of(0, 0, 0, unit.length) : Buffer.of(0, unit.length), unit];
  });
}

/** The record with lengths of so many bytes (ISO/IEC 14496-15, section 5.3.3.1). */
function withLengthBytes(record: Buffer, lengthBytes: LengthBytes): Buffer {
  const changed = Buffer.from(record);
  changed[4] = 0xfc | (lengthBytes - 1);
  return changed;
}

/** A unit of H.264 is of whole NAL units behind lengths, and of no parameter sets. */
function requireWhole(unit: AccessUnit, bytes: Buffer): void {
  const { data, dtsUs, ptsUs } = unit;
  if (![dtsUs, ptsUs].every(Number.isInteger) || dtsUs < 0) throw new FuzzFailure('A time is broken', bytes);
  if (!isVideo(unit) || unit.format.codec !== 'H264') return;
  const types: number[] = [];
  const isWhole = nalUnitsOf(data, unit.format.lengthBytes!, (start) => types.push(data[start]! & 0x1f));
  if (!isWhole || types.length === 0) throw new FuzzFailure('A unit is no access unit', bytes);
  if (types.some((type) => type === NAL.SPS || type === NAL.PPS))
    throw new FuzzFailure('Parameter sets are left in a unit', bytes);
}
