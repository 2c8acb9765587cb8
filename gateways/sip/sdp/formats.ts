import { parseParams } from 'sdp-transform';
import { AUDIO_CODECS } from '../../../src/media/codec.ts';
import { integer, type MediaLine, type RtpMap } from './description.ts';
import type { PhoneCodec } from './media.ts';

/** An RTP format of an audio line: a payload type and what it stands for. */
export interface AudioFormat extends RtpMap {
  readonly payloadType: number;
  /** The text of its a=fmtp, empty when it has none. */
  readonly parameters: string;
}

/** Payload types that need no a=rtpmap (RFC 3551, section 6): those that phones offer, for saying what was refused. */
const STATIC_FORMATS: ReadonlyMap<number, RtpMap> = new Map([
  [0, { name: 'PCMU', clockRate: 8000, channels: 1 }],
  [3, { name: 'GSM', clockRate: 8000, channels: 1 }],
  [4, { name: 'G723', clockRate: 8000, channels: 1 }],
  [8, { name: 'PCMA', clockRate: 8000, channels: 1 }],
  [9, { name: 'G722', clockRate: 8000, channels: 1 }],
  [18, { name: 'G729', clockRate: 8000, channels: 1 }],
]);

/** What Opus' a=fmtp may say about the decoder (RFC 7587, section 6.1), with the values that make sense. */
const OPUS_PARAMETERS: Readonly<Record<string, readonly [min: number, max: number]>> = {
  maxplaybackrate: [8000, 48_000],
  maxaveragebitrate: [6000, 510_000],
  stereo: [0, 1],
  'sprop-stereo': [0, 1],
  cbr: [0, 1],
  useinbandfec: [0, 1],
  usedtx: [0, 1],
};

/**
 * The formats of an audio line in its order, each payload type once.
 * @param known - what payload types stand for that the line itself does not explain
 */
export function formatsOf(line: MediaLine, known: readonly AudioFormat[] = []): AudioFormat[] {
  const formats = new Map<number, AudioFormat>();
  for (const text of line.formats) {
    const payloadType = /^\d{1,3}$/.test(text) ? integer(Number(text), 0, 127) : undefined;
    if (payloadType === undefined) continue;
    const map =
      line.rtpMaps.get(payloadType) ??
      STATIC_FORMATS.get(payloadType) ??
      known.find((format) => format.payloadType === payloadType);
    const parameters = line.parameters.get(payloadType) ?? '';
    if (map) formats.set(payloadType, { ...map, payloadType, parameters });
  }
  return [...formats.values()];
}

/** The first format that is one of these codecs: the order is the other side's (RFC 3264, section 6.1). */
export function chooseCodec(
  formats: readonly AudioFormat[],
  codecs: readonly PhoneCodec[],
): { format: AudioFormat; name: PhoneCodec } | undefined {
  for (const format of formats) {
    const name = codecs.find((codec) => isCodec(format, codec));
    if (name) return { format, name };
  }
  return undefined;
}

/** Names are compared without regard to case (RFC 4855, section 3); Opus is always opus/48000/2 (RFC 7587, section 7). */
export function isCodec(format: RtpMap, name: PhoneCodec): boolean {
  const { clockRate, channels } = AUDIO_CODECS[name];
  return (
    format.name.toLowerCase() === name.toLowerCase() &&
    format.clockRate === clockRate &&
    format.channels === channels
  );
}

/**
 * The telephone events for a codec: those at its clock rate (RFC 4733, section 2.1), else those at 8000 Hz, which phones
 * offer beside Opus too.
 */
export function chooseDigits(formats: readonly AudioFormat[], codec: PhoneCodec): AudioFormat | undefined {
  const events = formats.filter(({ name }) => name.toLowerCase() === 'telephone-event');
  return (
    events.find(({ clockRate }) => clockRate === AUDIO_CODECS[codec].clockRate) ??
    events.find(({ clockRate }) => clockRate === 8000)
  );
}

/** What a format's a=fmtp says that we use; values out of range count as not said. */
export function codecParameters(name: PhoneCodec, text: string): Record<string, number> {
  const parameters: Record<string, number> = {};
  if (name !== 'opus') return parameters;
  const said = new Map(
    Object.entries(parseParams(text)).map(([key, value]) => [key.trim().toLowerCase(), value]),
  );
  for (const [key, [min, max]] of Object.entries(OPUS_PARAMETERS)) {
    const value = integer(said.get(key), min, max);
    if (value !== undefined) parameters[key] = value;
  }
  return parameters;
}
