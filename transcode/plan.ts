import type { Codec, MediaKind } from '../src/media/codec.ts';
import type { Plan } from '../src/media/plan.ts';

/** The part of a track that decides how it can be delivered. */
export interface Source {
  readonly kind: MediaKind;
  readonly codec: Codec;
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
  const { name } = source.codec;
  if (sameKind.some((offer) => matches(source.codec, offer.codec))) {
    return { outcome: 'pass-through', reason: `${listener.who} takes ${name} as it is` };
  }
  return {
    outcome: 'refused',
    reason: `${listener.who} cannot take ${name}, ${insteadOf(name, source.kind, sameKind)}`,
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
