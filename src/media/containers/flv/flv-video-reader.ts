import { VIDEO_CODECS, type VideoCodec, type VideoFormat, type VideoUnit } from '../../access-unit.ts';
import { type AvcConfig, parseAvcConfig, serializeAvcConfig } from '../../h264/avc-config.ts';
import { hasVps, parseHevcConfig } from '../../h264/hevc-config.ts';
import { annexBUnitsOf, type LengthBytes, NAL } from '../../h264/nal-units.ts';
import { H264ParameterSets } from '../../h264/parameter-sets.ts';
import { type JoinedPicture, PictureJoiner } from '../../h264/picture-joiner.ts';
import { parseSps } from '../../h264/sps.ts';
import { frameH264 } from '../../h264/unit-framing.ts';
import type { FlvVideo } from './flv.ts';

export interface FlvVideoReaderEvents {
  unit(unit: VideoUnit): void;
  unsupported(codec: string, why?: string): void;
  malformed(): void;
}

const US_PER_MS = 1_000;
/** So many frames without what says how to decode them, and none will come. */
const PATIENCE_FRAMES = 50;
const LENGTH_BYTES: LengthBytes = 4;

/** Makes access units of FLV's video messages. */
export class FlvVideoReader {
  #events: FlvVideoReaderEvents;
  #format: VideoFormat | undefined;
  /** The configuration as it came, in the sequence header or in band. */
  #config: AvcConfig | undefined;
  #header: Buffer | undefined;
  #sets = new H264ParameterSets();
  #joiner = new PictureJoiner((picture) => this.#onPicture(picture));
  #statedSize: { readonly width: number; readonly height: number } | undefined;
  #undecodable = 0;
  #unreadable = 0;
  /** The stream is H.265 that comes by the number of H.264. */
  #isHevc = false;
  /** Whether nothing can be decoded up to the next key frame. */
  #awaitsKey = false;

  constructor(events: FlvVideoReaderEvents) {
    this.#events = events;
  }

  setStatedSize(width: number, height: number): void {
    this.#statedSize = { width, height };
  }

  receive(video: FlvVideo, timestampMs: number): void {
    if (video.packet === 'config') this.#configure(video);
    else if (video.packet === 'frame' && video.frame !== 'info') this.#receiveFrame(video, timestampMs);
  }

  /** Something else of that time came. */
  passed(timestampMs: number): void {
    this.#joiner.passed(timestampMs);
  }

  end(): void {
    this.#joiner.flush();
  }

  #configure({ codec, data }: FlvVideo): void {
    // Some encoders repeat it before each key frame: only another one begins something new.
    this.#joiner.flush();
    if (this.#header?.equals(data) && this.#format) return;
    this.#joiner.clear(); // its lengths may be of other sizes
    const avc = codec === 'H264' ? (parseAvcConfig(data) ?? readAnnexB(data)) : undefined;
    // Some encoders send H.265 by the number of H.264.
    const hevc = avc || (codec !== 'H264' && codec !== 'H265') ? undefined : parseHevcConfig(data);
    this.#isHevc = hevc !== undefined;
    if (avc) this.#adoptAvc(avc, data[0] === 1 ? Buffer.from(data) : serializeAvcConfig(avc));
    else if (hevc) {
      const { lengthBytes, parameterSets } = hevc;
      this.#adopt('H265', { record: Buffer.from(data), lengthBytes, parameterSets });
    } else if (codec === 'H264' || codec === 'H265') {
      this.#events.malformed();
      return;
    } else if (isVideoCodec(codec)) this.#adopt(codec, {});
    this.#header = Buffer.from(data);
  }

  #receiveFrame(video: FlvVideo, timestampMs: number): void {
    const { codec, data } = video;
    if (!isVideoCodec(codec)) {
      this.#events.unsupported(codec);
      return;
    }
    if (data.length === 0) {
      this.#missNals(codec, 'without any data in its pictures');
      return;
    }
    if (codec === 'H264' && !this.#isHevc && this.#format?.codec !== 'H265')
      this.#receiveH264(video, timestampMs);
    else if (codec === 'H265' || this.#isHevc || this.#format?.codec === 'H265')
      this.#receiveH265(video, timestampMs);
    else {
      if (this.#format?.codec !== codec) {
        if (video.frame !== 'key') return;
        this.#joiner.flush();
        this.#joiner.clear();
        this.#adopt(codec, {});
      }
      this.#emit(data, video, timestampMs, video.frame === 'disposable');
    }
  }

  #receiveH264({ data, frame, compositionMs }: FlvVideo, timestampMs: number): void {
    const framed = frameH264(data, this.#config?.lengthBytes ?? LENGTH_BYTES);
    if (!framed) {
      this.#events.malformed();
      if (hasVps(data)) this.#isHevc = true;
      else if (frame === 'key') this.#awaitsKey = true; // what follows refers to it
      if (!this.#isHevc)
        this.#missNals('H264', 'whose NAL units cannot be read (neither behind lengths nor start codes)');
      return;
    }
    const { hasSlice, sps, pps } = framed;
    if (!hasSlice && sps.length + pps.length + framed.data.length === 0) return; // delimiters, or nothing at all
    this.#joiner.add({ framed, timestampMs, compositionMs, key: frame === 'key' });
  }

  #receiveH265(video: FlvVideo, timestampMs: number): void {
    if (this.#format?.codec === 'H265')
      this.#emit(video.data, video, timestampMs, video.frame === 'disposable');
    else this.#miss('H265');
  }

  #onPicture({ framed, timestampMs, compositionMs, key }: JoinedPicture): void {
    const { sps, pps, data, isDisposable, isIdr, isRecoveryPoint } = framed;
    if (sps.length > 0 || pps.length > 0) this.#adoptInBand(sps, pps);
    if (this.#format?.codec !== 'H264') {
      this.#miss('H264');
      return;
    }
    // A container that calls a picture a key frame which is none would have decoders begin inside a group of pictures.
    const isKey = isIdr || (key && (isRecoveryPoint || sps.length > 0));
    const disposable = isDisposable && !isIdr;
    this.#emit(data, { frame: isKey ? 'key' : 'inter', compositionMs }, timestampMs, disposable);
  }

  #emit(
    data: Buffer,
    { frame, compositionMs }: Pick<FlvVideo, 'frame' | 'compositionMs'>,
    timestampMs: number,
    disposable: boolean,
  ): void {
    this.#undecodable = 0;
    this.#unreadable = 0;
    if (frame === 'key') this.#awaitsKey = false;
    if (this.#awaitsKey) return;
    this.#events.unit({
      format: this.#format!,
      data,
      dtsUs: timestampMs * US_PER_MS,
      ptsUs: (timestampMs + compositionMs) * US_PER_MS,
      key: frame === 'key',
      disposable,
      discontinuity: false,
    });
  }

  /** A picture that brings its own parameter sets is decoded with those. */
  #adoptInBand(sps: readonly Buffer[], pps: readonly Buffer[]): void {
    const present = this.#config;
    const isKnown = (units: readonly Buffer[], known: readonly Buffer[] = []) =>
      units.every((unit) => known.some((one) => one.equals(unit)));
    if (isKnown(sps, present?.sps) && isKnown(pps, present?.pps)) return;
    for (const unit of [...sps, ...pps]) this.#sets.add(unit);
    const ownSps = sps.length > 0 ? sps : this.#sets.sps;
    const ownPps = pps.length > 0 ? pps : this.#sets.pps;
    const config = configOf(ownSps, ownPps, present?.lengthBytes ?? LENGTH_BYTES);
    if (!config) return;
    this.#header = undefined; // a sequence header that comes again means something
    this.#adoptAvc(config, serializeAvcConfig(config));
  }

  #adoptAvc(config: AvcConfig, record: Buffer): void {
    const { lengthBytes, sps, pps } = config;
    this.#config = config;
    for (const unit of [...sps, ...pps]) this.#sets.add(unit);
    const read = parseSps(sps[0]!);
    const size = read ? { width: read.width, height: read.height } : {};
    this.#adopt('H264', { record, lengthBytes, parameterSets: [...sps, ...pps], ...size });
  }

  #adopt(codec: VideoCodec, parts: Partial<VideoFormat>): void {
    if (codec !== 'H264') {
      this.#config = undefined;
      this.#header = undefined;
    }
    this.#format = { kind: 'video', codec, parameterSets: [], ...this.#statedSize, ...parts };
  }

  #miss(codec: 'H264' | 'H265'): void {
    if (++this.#undecodable !== PATIENCE_FRAMES) return;
    this.#events.unsupported(codec, 'without its parameter sets (no sequence header, and none in band)');
  }

  #missNals(codec: string, why: string): void {
    if (++this.#unreadable === PATIENCE_FRAMES) this.#events.unsupported(codec, why);
  }
}

/** Some encoders put parameter sets behind start codes where a record belongs. */
function readAnnexB(header: Buffer): AvcConfig | undefined {
  const sets = new H264ParameterSets();
  annexBUnitsOf(header, (start, end) => {
    const type = header[start]! & 0x1f;
    if (type === NAL.SPS || type === NAL.PPS) sets.add(header.subarray(start, end));
  });
  return configOf(sets.sps, sets.pps, LENGTH_BYTES);
}

function configOf(
  sps: readonly Buffer[],
  pps: readonly Buffer[],
  lengthBytes: LengthBytes,
): AvcConfig | undefined {
  const [first] = sps;
  if (!first || pps.length === 0 || first.length < 4) return undefined;
  const [, profile, compatibility, level] = first as unknown as [number, number, number, number];
  return { profile, compatibility, level, lengthBytes, sps, pps };
}

function isVideoCodec(codec: string): codec is VideoCodec {
  return (VIDEO_CODECS as readonly string[]).includes(codec);
}
