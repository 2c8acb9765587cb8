import { G711Decoder, G711Encoder } from './g711-codec.ts';
import { L16Encoder } from './l16-codec.ts';
import {
  type AudioCodecName,
  channelsOf,
  type MixCodecName,
  type MixDecoder,
  type MixEncoder,
  type MixFormat,
  rateOf,
} from './mix-format.ts';
import { OpusDecoder, OpusEncoder } from './opus-codec.ts';

/** What a codec is best decoded to for a mix of `format`: G.711 always mono at 8000 Hz, Opus the mix's own format. */
export function decodingRate(codec: AudioCodecName, format: MixFormat): MixFormat {
  return codec === 'opus' ? format : 8000;
}

/** @param format - as `decodingRate` says */
export function createDecoder(codec: AudioCodecName, format: MixFormat): MixDecoder {
  return codec === 'opus' ? new OpusDecoder(rateOf(format), channelsOf(format)) : new G711Decoder(codec);
}

/** @param format - of the samples; 8000 for G.711. Throws a RangeError for stereo in anything but L16 @param maxBitrateBps - for Opus */
export function createEncoder(codec: MixCodecName, format: MixFormat, maxBitrateBps?: number): MixEncoder {
  if (codec === 'L16') return new L16Encoder(rateOf(format));
  if (format === 'stereo') throw new RangeError(`Stereo mixes are delivered as L16, not as ${codec}.`);
  return codec === 'opus' ? new OpusEncoder(format, maxBitrateBps) : new G711Encoder(codec);
}
