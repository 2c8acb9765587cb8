import { Decoder, Encoder } from '@evan/opus';
import { AUDIO_CODECS } from '../../src/media/codec.ts';
import { AUDIO_LEVEL_BYTES, AUDIO_LEVEL_ID, writeAudioLevel } from '../../src/media/rtp/audio-level.ts';
import { RTP_HEADER_BYTES, writeRtpHeader } from '../../src/media/rtp/rtp.ts';
import { FRAME_MS, FRAME_SAMPLES, findMarksIn, MARK_SAMPLES, markSample } from './phone-load-sound.ts';

const RATE = 48_000;
const STEP = (RATE * FRAME_MS) / 1000;
const MARK_FRAME = 2;
const LOUD_DB = -15;
const SILENT_DB = -127;

interface OpusFrame {
  readonly payload: Buffer;
  readonly levelDb: number;
}

/** A mark in Opus packets, with silence before and after. */
export interface OpusMark {
  readonly frames: readonly OpusFrame[];
  /** Where it begins in what a decoder makes of the packets, in samples at 8000 Hz. */
  readonly begins: number;
}

/** @param offset - of the mark in its first packet, in samples at 8000 Hz, 0 to 159 @param count - of packets */
export function opusMark(offset: number, count: number): OpusMark {
  const encoder = new Encoder({ channels: 1, sample_rate: RATE, application: 'voip' });
  const decoder = new Decoder({ channels: 1, sample_rate: 8000 });
  const start = MARK_FRAME * FRAME_SAMPLES + offset;
  const decoded = new Int16Array(count * FRAME_SAMPLES);
  const frames = Array.from({ length: count }, (_, frame): OpusFrame => {
    const samples = Int16Array.from({ length: STEP }, (_, at) => {
      const sample = frame * STEP + at - start * (RATE / 8000);
      return sample < 0 ? 0 : markSample(sample, RATE);
    });
    const payload = Buffer.from(encoder.encode(samples));
    const bytes = decoder.decode(payload).slice();
    decoded.set(new Int16Array(bytes.buffer, 0, FRAME_SAMPLES), frame * FRAME_SAMPLES);
    const first = frame * FRAME_SAMPLES;
    const isLoud = first + FRAME_SAMPLES > start && first < start + MARK_SAMPLES;
    return { payload, levelDb: isLoud ? LOUD_DB : SILENT_DB };
  });
  return { frames, begins: findMarksIn(decoded)[0]! };
}

/** Makes the packets of one speaker, as a browser's reach a media worker: with the level of each. */
export class OpusSpeaker {
  #header;
  #packet = Buffer.alloc(1500);

  constructor(ssrc: number) {
    const { payloadType } = AUDIO_CODECS.opus;
    this.#header = { payloadType, marker: false, sequenceNumber: 0, timestamp: 0, ssrc };
  }

  /** @returns the next packet, valid until the one after it is made */
  packet({ payload, levelDb }: OpusFrame): Buffer {
    const start = RTP_HEADER_BYTES + AUDIO_LEVEL_BYTES;
    writeRtpHeader(this.#packet, this.#header);
    this.#packet[0]! |= 0x10; // an extension follows
    writeAudioLevel(this.#packet, RTP_HEADER_BYTES, AUDIO_LEVEL_ID, levelDb, levelDb > SILENT_DB);
    payload.copy(this.#packet, start);
    this.#header.sequenceNumber = (this.#header.sequenceNumber + 1) & 0xffff;
    this.#header.timestamp = (this.#header.timestamp + STEP) >>> 0;
    return this.#packet.subarray(0, start + payload.length);
  }
}
