import { AUDIO_CODECS } from '../../../src/media/codec.ts';
import { Agreed } from './agreed.ts';
import { type MediaLine, readDescription } from './description.ts';
import {
  type AudioFormat,
  chooseCodec,
  chooseDigits,
  codecParameters,
  formatsOf,
  isCodec,
} from './formats.ts';
import type { Direction, LocalMedia, PhoneCodec, RemoteMedia, SdpPreferences, SdpRefusal } from './media.ts';
import { writeDescription } from './writing.ts';

/** Offers and answers with phones (RFC 3264): one audio line, no state. Refusal is data. */

/** Plain RTP, with or without early feedback, which needs nothing of us (RFC 4585). */
const PROTOCOLS: ReadonlySet<string> = new Set(['RTP/AVP', 'RTP/AVPF']);

const PHONE_CODECS = ['opus', 'PCMU', 'PCMA'] as const satisfies readonly PhoneCodec[];

/** Payload types of the telephone events in our offers, by clock rate. */
const OFFERED_EVENTS = [
  { payloadType: 101, clockRate: 8000 },
  { payloadType: 102, clockRate: 48_000 },
];

const NO_ADDRESS = 'The description has no IP address (c=) for the audio';

const REVERSED: Readonly<Record<Direction, Direction>> = {
  sendrecv: 'sendrecv',
  sendonly: 'recvonly',
  recvonly: 'sendonly',
  inactive: 'inactive',
};

interface AcceptedAudio {
  readonly format: AudioFormat;
  readonly name: PhoneCodec;
  readonly digits: AudioFormat | undefined;
}

/**
 * Answers a phone's offer: the first audio line that can be used is taken, with the first codec of its own order that we
 * have, and everything else is refused by port 0, line by line.
 */
export function answerOffer(
  offer: string,
  local: LocalMedia,
  preferences: SdpPreferences,
  agreed: Agreed = new Agreed(),
):
  | { outcome: 'answer'; sdp: string; media: RemoteMedia; lines: readonly MediaLine[]; audioIndex: number }
  | SdpRefusal {
  const description = readDescription(offer);
  if ('malformed' in description) return refused(400, description.malformed);
  let why: string | undefined;
  for (const line of description.lines) {
    if (line.type !== 'audio') continue;
    const accepted = acceptAudio(line, preferences, agreed.formats, agreed.codec);
    if (typeof accepted === 'string') {
      why ??= accepted;
      continue;
    }
    if (line.address === undefined) return refused(400, NO_ADDRESS);
    const { format, name, digits } = accepted;
    const media = remoteMedia(line, line.address, line.rtcpMux, {
      codec: { name, format, receivePayloadType: format.payloadType },
      digits: digits && { format: digits, receivePayloadType: digits.payloadType },
    });
    const audio = {
      protocol: line.protocol,
      codecs: [media.codec],
      digits: media.digits ? [media.digits] : [],
      direction: REVERSED[media.direction],
      rtcpMux: media.rtcpMux,
    };
    const written = description.lines.map((each) => (each === line ? audio : each));
    const { lines } = description;
    return {
      outcome: 'answer',
      sdp: writeDescription(local, written),
      media,
      lines,
      audioIndex: lines.indexOf(line),
    };
  }
  return refused(488, why ?? 'No audio is offered');
}

/**
 * Our offer, for the 200 to an INVITE that came without one (RFC 3261, section 13.3.1.4).
 * @param agreed - what was said in the call before: the offer goes on from it
 */
export function makeOffer(
  local: LocalMedia,
  { codecs }: SdpPreferences,
  agreed: Agreed = new Agreed(),
): string {
  const taken = new Set<number>();
  const numbered = codecs.flatMap((name) => {
    const payloadType = agreed.payloadTypeOf(name, taken);
    if (payloadType === undefined) return [];
    taken.add(payloadType);
    return [{ name, payloadType }];
  });
  const clockRates = new Set<number>(numbered.map(({ name }) => AUDIO_CODECS[name].clockRate));
  const digits = OFFERED_EVENTS.flatMap(({ clockRate, payloadType: standard }) => {
    const payloadType = clockRates.has(clockRate)
      ? agreed.payloadTypeOfEvents(clockRate, standard, taken)
      : undefined;
    if (payloadType === undefined) return [];
    taken.add(payloadType);
    return [{ payloadType, clockRate }];
  });
  const audio = {
    protocol: agreed.protocol,
    codecs: numbered,
    digits,
    direction: 'sendrecv' as const,
    rtcpMux: agreed.rtcpMux,
  };
  const lines = agreed.lines.map((line, index) => (index === agreed.audioIndex ? audio : line));
  return writeDescription(local, lines.length > 0 ? lines : [audio]);
}

/**
 * Reads the phone's answer to an offer of ours.
 * @throws when `offer` is no description with audio: it is our own text
 */
export function acceptAnswer(
  offer: string,
  answer: string,
):
  | {
      outcome: 'accepted';
      media: RemoteMedia;
      lines: readonly MediaLine[];
      audioIndex: number;
      offered: readonly AudioFormat[];
    }
  | SdpRefusal {
  const offered = readDescription(offer);
  if ('malformed' in offered) throw new Error(`Our own offer is malformed: ${offered.malformed}`);
  const index = offered.lines.findIndex(({ type, port }) => type === 'audio' && port !== 0);
  const ours = offered.lines[index];
  if (!ours) throw new Error('Our own offer has no audio');
  const description = readDescription(answer);
  if ('malformed' in description) return refused(400, description.malformed);
  // Lines are matched by their place alone (RFC 3264, section 6).
  const line = description.lines[index];
  if (line?.type !== 'audio') return refused(400, 'The answer has no audio line where the offer has one');
  const offeredFormats = formatsOf(ours);
  const codecs = PHONE_CODECS.filter((name) => offeredFormats.some((format) => isCodec(format, name)));
  const accepted = acceptAudio(line, { codecs }, offeredFormats);
  if (typeof accepted === 'string') return refused(488, accepted);
  if (line.address === undefined) return refused(400, NO_ADDRESS);
  const { format, name, digits } = accepted;
  const offeredCodec = offeredFormats.find((each) => isCodec(each, name))!;
  const offeredDigits =
    digits &&
    offeredFormats.find((each) => each.name === 'telephone-event' && each.clockRate === digits.clockRate);
  const media = remoteMedia(line, line.address, ours.rtcpMux && line.rtcpMux, {
    codec: { name, format, receivePayloadType: offeredCodec.payloadType },
    digits: digits && offeredDigits && { format: digits, receivePayloadType: offeredDigits.payloadType },
  });
  return { outcome: 'accepted', media, lines: description.lines, audioIndex: index, offered: offeredFormats };
}

/**
 * @param known - what payload types stand for that the line itself does not explain
 * @param present - the codec in use: it stays for a phone that holds the call, whatever it says
 * @returns what of the line is used, or why it cannot be
 */
function acceptAudio(
  line: MediaLine,
  { codecs }: SdpPreferences,
  known: readonly AudioFormat[] = [],
  present?: RemoteMedia['codec'],
): AcceptedAudio | string {
  if (line.port === 0) return 'The audio is switched off (port 0)';
  if (!PROTOCOLS.has(line.protocol)) {
    return `Audio over ${line.protocol.slice(0, 40)} is not supported, only over RTP/AVP`;
  }
  const formats = formatsOf(line, known);
  const chosen = chooseCodec(formats, codecs);
  if (chosen) return { ...chosen, digits: chooseDigits(formats, chosen.name) };
  const [first] = line.formats;
  if (present && formats.length === 0 && line.direction !== 'sendrecv' && /^\d{1,3}$/.test(first ?? '')) {
    const { clockRate, channels } = AUDIO_CODECS[present.name];
    const format = { name: present.name, clockRate, channels, payloadType: Number(first), parameters: '' };
    return { format, name: present.name, digits: undefined };
  }
  const names = formats.slice(0, 8).map(({ name, clockRate }) => `${name.slice(0, 20)}/${clockRate}`);
  return `No audio codec in common: there is ${names.join(', ') || 'none'}, supported are ${codecs.join(', ')}`;
}

function remoteMedia(
  { port, rtcpPort, direction, ptime, maxptime, maxBitrateBps }: MediaLine,
  address: string,
  rtcpMux: boolean,
  chosen: {
    codec: { name: PhoneCodec; format: AudioFormat; receivePayloadType: number };
    digits: { format: AudioFormat; receivePayloadType: number } | undefined;
  },
): RemoteMedia {
  const { codec, digits } = chosen;
  const parameters = codecParameters(codec.name, codec.format.parameters);
  const limits = [parameters.maxaveragebitrate, maxBitrateBps].filter((limit) => limit !== undefined);
  return {
    address,
    port,
    rtcpPort: rtcpMux ? port : (rtcpPort ?? Math.min(port + 1, 65_535)),
    rtcpMux,
    codec: {
      name: codec.name,
      payloadType: codec.format.payloadType,
      receivePayloadType: codec.receivePayloadType,
      parameters,
    },
    digits: digits && {
      payloadType: digits.format.payloadType,
      receivePayloadType: digits.receivePayloadType,
      clockRate: digits.format.clockRate,
    },
    direction,
    ptime,
    maxptime,
    maxBitrateBps: limits.length > 0 ? Math.min(...limits) : undefined,
  };
}

function refused(status: 400 | 488, reason: string): SdpRefusal {
  return { outcome: 'refused', status, reason };
}
