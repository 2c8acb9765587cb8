import { type AccessUnit, isVideo, type MediaFormat } from '../../access-unit.ts';

/* Bodies of FLV's audio and video tags (FLV 10.1, sections E.4.2 and E.4.3), as RTMP's messages have them. */

/** AAC: 44 kHz, 16 bits, stereo, whatever it really is (section E.4.2.1). */
const AAC = 0xaf;
/** MP3: 44 kHz, 16 bits, stereo; its own header has what is true. */
const MP3 = 0x2f;
const AVC = 7;
const KEY = 1 << 4;
const INTER = 2 << 4;
const CONFIG = 0;
const FRAME = 1;
const MIN_COMPOSITION_MS = -(2 ** 23);
const MAX_COMPOSITION_MS = 2 ** 23 - 1;

/** @param config - AudioSpecificConfig (ISO/IEC 14496-3, section 1.6.2.1) */
export function aacConfigBody(config: Buffer): Buffer {
  return Buffer.concat([Buffer.of(AAC, CONFIG), config]);
}

/** @param frame - one raw access unit */
export function aacFrameBody(frame: Buffer): Buffer {
  return Buffer.concat([Buffer.of(AAC, FRAME), frame]);
}

/** @param frame - with its own header */
export function mp3FrameBody(frame: Buffer): Buffer {
  return Buffer.concat([Buffer.of(MP3), frame]);
}

/** @param record - AVCDecoderConfigurationRecord (ISO/IEC 14496-15, section 5.3.3.1) */
export function avcConfigBody(record: Buffer): Buffer {
  return Buffer.concat([Buffer.of(KEY | AVC, CONFIG, 0, 0, 0), record]);
}

/**
 * @param frame - NAL units behind their lengths
 * @param compositionMs - from decoding to showing, whole ms; what 24 bits with a sign cannot hold becomes the nearest
 */
export function avcFrameBody(frame: Buffer, key: boolean, compositionMs: number): Buffer {
  const header = Buffer.of((key ? KEY : INTER) | AVC, FRAME, 0, 0, 0);
  header.writeIntBE(Math.max(MIN_COMPOSITION_MS, Math.min(compositionMs, MAX_COMPOSITION_MS)), 2, 3);
  return Buffer.concat([header, frame]);
}

/**
 * The body that says how to decode what follows.
 * @throws Error for a format that FLV's original tags have no place for; a program has none
 */
export function formatBody(format: MediaFormat): Buffer {
  if (format.kind === 'video' && format.codec === 'H264' && format.record)
    return avcConfigBody(format.record);
  if (format.kind === 'audio' && format.codec === 'AAC' && format.config) return aacConfigBody(format.config);
  throw new Error(`${format.codec} cannot be written as FLV.`);
}

/** Several destinations share a unit, and so its body. */
const bodies = new WeakMap<AccessUnit, Buffer>();

/** The body that holds an access unit of H.264 or AAC; it belongs to the tag's time of decoding. The same for each call: it must not change. */
export function unitBody(unit: AccessUnit): Buffer {
  const present = bodies.get(unit);
  if (present) return present;
  const body = isVideo(unit)
    ? avcFrameBody(unit.data, unit.key, wholeMs(unit.ptsUs) - wholeMs(unit.dtsUs))
    : aacFrameBody(unit.data);
  bodies.set(unit, body);
  return body;
}

/** FLV counts in whole ms. */
export function wholeMs(us: number): number {
  return Math.round(us / 1000);
}
