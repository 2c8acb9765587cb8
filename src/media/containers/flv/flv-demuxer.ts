import { parseAacConfig } from '../../aac/aac-config.ts';
import { parseAdts } from '../../aac/adts.ts';
import type { AccessUnit, AudioFormat, UnitAudioCodec } from '../../access-unit.ts';
import type { MediaKind } from '../../codec.ts';
import { type FlvAudio, parseFlvAudio, parseFlvVideo } from './flv.ts';
import { FlvVideoReader } from './flv-video-reader.ts';

export interface FlvDemuxerEvents {
  unit(unit: AccessUnit): void;
  /** Something came that no unit can be made of. @param why - what is the matter with it, for people; undefined: nobody takes that codec */
  unsupported(kind: MediaKind, codec: string, why?: string): void;
}

const US_PER_MS = 1_000;
/** So many frames without what says how to decode them, and none will come. */
const PATIENCE_FRAMES = 50;
const MIN_AAC_CONFIG_BYTES = 2;
const UNIT_CODECS: ReadonlySet<string> = new Set<UnitAudioCodec>(['AAC', 'MP3', 'opus', 'PCMU', 'PCMA']);

/**
 * Makes access units of the bodies of FLV's tags, which RTMP's messages have too. Takes what encoders really send:
 * parameter sets in band, start codes behind a header that promises lengths, ADTS, slices in messages of their own.
 * Times are those of the messages, 32 bits that may turn.
 */
export class FlvDemuxer {
  /** Bodies that could not be read. */
  readonly malformed: Record<MediaKind, number> = { audio: 0, video: 0 };
  #events: FlvDemuxerEvents;
  #video: FlvVideoReader;
  #audio: AudioFormat | undefined;
  #undecodable = 0;
  #told: Partial<Record<MediaKind, string>> = {};
  /** The first track of each kind that came; the others are left out. */
  #tracks: Partial<Record<MediaKind, number>> = {};

  constructor(events: FlvDemuxerEvents) {
    this.#events = events;
    this.#video = new FlvVideoReader({
      unit: (unit) => {
        delete this.#told.video;
        events.unit(unit);
      },
      unsupported: (codec, why) => this.#tell('video', codec, why),
      malformed: () => this.malformed.video++,
    });
  }

  /** What the stream's metadata says of the size, for codecs whose parameter sets are not read; in samples. */
  setStatedSize(width: number, height: number): void {
    this.#video.setStatedSize(width, height);
  }

  /** @param timestampMs - 32 bit unsigned */
  video(body: Buffer, timestampMs: number): void {
    const video = parseFlvVideo(body, this.#tracks.video);
    if (video) {
      this.#tracks.video ??= video.track ?? 0;
      this.#video.receive(video, timestampMs);
    } else if (body.length > 0) this.malformed.video++;
  }

  /** @param timestampMs - 32 bit unsigned */
  audio(body: Buffer, timestampMs: number): void {
    const audio = parseFlvAudio(body, this.#tracks.audio);
    if (!audio) {
      if (body.length > 0) this.malformed.audio++;
      return;
    }
    this.#tracks.audio ??= audio.track ?? 0;
    this.#video.passed(timestampMs);
    if (audio.packet === 'end') return;
    if (!UNIT_CODECS.has(audio.codec)) this.#tell('audio', audio.codec);
    else if (audio.packet === 'config') this.#configure(audio);
    else if (audio.data.length > 0) this.#receive(audio, timestampMs);
  }

  /** Nothing more comes: what waits is given out. */
  end(): void {
    this.#video.end();
  }

  #configure({ codec, data }: FlvAudio): void {
    if (codec !== 'AAC') return; // what begins a stream of Opus says nothing that its packets do not
    if (this.#audio?.codec === 'AAC' && this.#audio.config?.equals(data)) return;
    if (data.length < MIN_AAC_CONFIG_BYTES || data[0]! >> 3 === 0) {
      this.malformed.audio++;
      return; // a right one may come
    }
    this.#audio = aacFormat(Buffer.from(data));
  }

  #receive(audio: FlvAudio, timestampMs: number): void {
    const codec = audio.codec as UnitAudioCodec;
    const adts = codec === 'AAC' ? parseAdts(audio.data) : undefined;
    if (adts) {
      this.#receiveAdts(adts, timestampMs);
      return;
    }
    if (codec === 'AAC' && this.#audio?.codec !== 'AAC') {
      if (++this.#undecodable === PATIENCE_FRAMES)
        this.#tell('audio', 'AAC', 'without its configuration (the AAC sequence header)');
      return;
    }
    if (this.#audio?.codec !== codec) this.#audio = plainFormat(codec, audio);
    this.#emit(audio.data, timestampMs * US_PER_MS);
  }

  #receiveAdts(frames: NonNullable<ReturnType<typeof parseAdts>>, timestampMs: number): void {
    for (const [index, { config, data }] of frames.entries()) {
      if (!this.#audio?.config?.equals(config)) this.#audio = aacFormat(config);
      const read = parseAacConfig(config);
      const frameUs = read ? (read.samplesPerFrame * 1e6) / read.rate : 0;
      this.#emit(data, timestampMs * US_PER_MS + Math.round(index * frameUs));
    }
  }

  #emit(data: Buffer, timeUs: number): void {
    delete this.#told.audio;
    this.#undecodable = 0;
    const flags = { key: true, disposable: false, discontinuity: false };
    this.#events.unit({ format: this.#audio!, data, dtsUs: timeUs, ptsUs: timeUs, ...flags });
  }

  /** Each thing once, not with every message. */
  #tell(kind: MediaKind, codec: string, why?: string): void {
    const what = `${codec} ${why ?? ''}`;
    if (this.#told[kind] === what) return;
    this.#told[kind] = what;
    this.#events.unsupported(kind, codec, why);
  }
}

function aacFormat(config: Buffer): AudioFormat {
  const read = parseAacConfig(config);
  return {
    kind: 'audio',
    codec: 'AAC',
    config,
    ...(read ? { sampleRate: read.rate, channels: read.channels } : {}),
  };
}

function plainFormat(codec: UnitAudioCodec, { rate, channels }: FlvAudio): AudioFormat {
  // MP3's own header has the true ones.
  return codec === 'MP3'
    ? { kind: 'audio', codec }
    : { kind: 'audio', codec, sampleRate: codec === 'opus' ? 48_000 : rate, channels };
}
