import { AUDIO_CODECS, type Codec, type MediaKind } from '../src/media/codec.ts';
import type { Plan, Route } from '../src/media/plan.ts';
import type { AudioCodecName } from './audio/mix-format.ts';

/** The part of a track that decides how it can be delivered. */
export interface Source {
  readonly kind: MediaKind;
  readonly codec: Codec;
  /** Where the hub has it in another form than its own. */
  readonly route?: Route | undefined;
}

/** What a listener says it can take. */
export interface Listener {
  /** Names it in the reason: 'the browser', 'the phone'. */
  readonly who: string;
  readonly accepts: readonly { readonly kind: MediaKind; readonly codec: Codec }[];
}

/**
 * How to bring a track to a listener. Pure: no I/O, no state. Passing through is always the first
 * choice; a refusal is an answer like any other, with its reason.
 */
export function plan(source: Source, listener: Listener): Plan {
  const sameKind = listener.accepts.filter((offer) => offer.kind === source.kind);
  const { codec, route } = source;
  const { name } = route?.codec ?? codec;
  if (sameKind.some((offer) => matches(route?.codec ?? codec, offer.codec))) {
    if (route) return { outcome: 'transcode', reason: route.reason, steps: route.steps };
    return { outcome: 'pass-through', reason: `${listener.who} takes ${name} as it is` };
  }
  return {
    outcome: 'refused',
    reason: `${listener.who} cannot take ${name}, ${insteadOf(name, source.kind, sameKind)}`,
  };
}

/** Codecs that a mix can take in. */
export const MIXABLE_CODECS = ['PCMU', 'PCMA', 'opus'] as const satisfies readonly AudioCodecName[];

/** @returns the codec that its sound can be mixed in: its own, or the one that the hub has it in */
export function mixable({ kind, codec, route }: Source): AudioCodecName | undefined {
  if (kind !== 'audio') return undefined;
  const find = (wanted: string | undefined) => MIXABLE_CODECS.find((name) => name === wanted);
  return find(codec.name) ?? find(route?.codec.name);
}

/** A listener that gets one sound of the whole room: a phone. */
export interface MixListener {
  readonly who: string;
  readonly codec: Codec;
  /** Of the mix that is made for it, Hz. */
  readonly rate: number;
}

/** How a track gets into the mix that one listener hears. */
export function planMix(source: Source, { who, codec, rate }: MixListener): Plan {
  if (source.kind === 'video') return { outcome: 'refused', reason: `${who} takes no video` };
  const from = mixable(source);
  if (!from) {
    return {
      outcome: 'refused',
      reason: `${source.codec.name} cannot be mixed, only ${MIXABLE_CODECS.join(', ')}`,
    };
  }
  const key = `${who}/${from}/${codec.name}/${rate}`;
  const known = MIX_PLANS.get(key);
  if (known) return known;
  const made = mixPlan(from, { who, codec, rate });
  MIX_PLANS.set(key, made);
  return made;
}

/** A room of many has a plan for every pair, but there are only a few different ones: codecs and rates of mixes. */
const MIX_PLANS = new Map<string, Plan>();

function mixPlan(from: string, { who, codec, rate }: MixListener): Plan {
  return {
    outcome: 'transcode',
    reason: `${who} gets one sound: a mix of everybody else`,
    steps: [
      { action: 'decode', detail: `${from}, only while it is heard` },
      { action: 'mix', detail: `at ${rate / 1000} kHz, without its own voice` },
      { action: 'encode', detail: `${codec.name}, once for all who hear the same` },
    ],
  };
}

/** A room with many phones goes back to passing through only when there are this many fewer than too many. */
const PHONES_HYSTERESIS = 2;

/** What decides how a room's phones reach browsers. */
export interface RoomPhones {
  /** In the room. */
  readonly phones: number;
  /** As many pass through at the most. */
  readonly limit: number;
  /** Whether they are mixed at present. */
  readonly mixed: boolean;
}

/**
 * How the phones of a room reach the hub: each as it is, or, when there are more than the limit, all in one
 * Opus mix, which is less for a browser to receive and to decode.
 * @returns undefined: as they are
 */
export function planPhones({ phones, limit, mixed }: RoomPhones): Route | undefined {
  const few = mixed && limit > 0 ? Math.max(1, limit - PHONES_HYSTERESIS) : limit;
  if (phones <= few) return undefined;
  return {
    codec: AUDIO_CODECS.opus,
    reason: `more than ${limit} phones: browsers get one mix of all of them`,
    steps: [
      { action: 'decode', detail: 'those phones that speak' },
      { action: 'mix', detail: 'all phones of the room, at 48 kHz' },
      { action: 'encode', detail: 'opus, once for all browsers' },
    ],
  };
}

function insteadOf(name: string, kind: MediaKind, accepted: Listener['accepts']): string {
  const names = [...new Set(accepted.map((offer) => offer.codec.name))];
  if (names.length === 0) return `nor any other ${kind}`;
  const same = names.some((one) => one.toLowerCase() === name.toLowerCase());
  return same ? 'not in this form' : `only ${names.join(', ')}`;
}

function matches(source: Codec, accepted: Codec): boolean {
  return (
    source.name.toLowerCase() === accepted.name.toLowerCase() &&
    source.clockRate === accepted.clockRate &&
    packetizationMode(source) === packetizationMode(accepted)
  );
}

/** H.264's two ways of packing are two formats to a receiver (RFC 6184, section 8.1; 0 when absent). */
function packetizationMode(codec: Codec): number {
  return codec.name.toUpperCase() === 'H264' ? Number(codec.parameters?.['packetization-mode'] ?? 0) : 0;
}
