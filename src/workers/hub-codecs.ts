import { ortc, type types } from 'mediasoup';
import { PatchroomError } from '../base/errors.ts';
import { AUDIO_CODECS, type Codec, mimeType, parseMimeType } from '../media/codec.ts';

/**
 * What a hub carries. Browsers take all of these; the phone codecs are here so that a phone's packets
 * pass to browsers as they are.
 */
export const HUB_CODECS: types.RouterRtpCodecCapability[] = [
  {
    kind: 'audio',
    mimeType: 'audio/opus',
    preferredPayloadType: AUDIO_CODECS.opus.payloadType,
    clockRate: 48000,
    channels: 2,
    parameters: { useinbandfec: 1, usedtx: 1 },
  },
  ...[AUDIO_CODECS.PCMU, AUDIO_CODECS.PCMA, AUDIO_CODECS.G722].map(
    (codec): types.RouterRtpCodecCapability => ({
      kind: 'audio',
      mimeType: mimeType('audio', codec),
      preferredPayloadType: codec.payloadType,
      clockRate: codec.clockRate,
      channels: codec.channels,
    }),
  ),
  { kind: 'video', mimeType: 'video/VP8', preferredPayloadType: 101, clockRate: 90000 },
  {
    // Constrained Baseline 3.1 stands for every H.264 stream: it is what all browsers offer, and they
    // decode Main and High under that name too.
    kind: 'video',
    mimeType: 'video/H264',
    preferredPayloadType: 103,
    clockRate: 90000,
    parameters: { 'packetization-mode': 1, 'profile-level-id': '42e01f', 'level-asymmetry-allowed': 1 },
  },
];

/** The first codec of RTP parameters as ours; it is the one that is sent (retransmission formats follow it). */
export function codecOf(parameters: types.RtpParameters): Codec {
  const [codec] = parameters.codecs;
  return toCodec(codec!);
}

/**
 * Everything that capabilities offer, without retransmission formats.
 * @throws PatchroomError 'invalid-request' when they are not well formed
 */
export function codecsOf(capabilities: types.RtpCapabilities): { kind: types.MediaKind; codec: Codec }[] {
  try {
    ortc.validateAndNormalizeRtpCapabilities(capabilities);
    // mediasoup clones them whenever they are used, which fails for what is nested too deeply.
    structuredClone(capabilities);
  } catch (error) {
    throw new PatchroomError(
      'invalid-request',
      `These RTP capabilities make no sense: ${(error as Error).message}`,
    );
  }
  return (capabilities.codecs ?? [])
    .filter((codec) => !/\/rtx$/i.test(codec.mimeType))
    .map((codec) => ({ kind: codec.kind, codec: toCodec(codec) }));
}

function toCodec(codec: types.RtpCodecParameters | types.RtpCodecCapability): Codec {
  const parameters = Object.entries(codec.parameters ?? {}).filter(
    (entry): entry is [string, string | number] =>
      typeof entry[1] === 'string' || typeof entry[1] === 'number',
  );
  return {
    name: parseMimeType(codec.mimeType)?.name ?? codec.mimeType,
    clockRate: codec.clockRate,
    ...(codec.channels ? { channels: codec.channels } : {}),
    ...(parameters.length > 0 ? { parameters: Object.fromEntries(parameters) } : {}),
  };
}
