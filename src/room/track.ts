import type { Codec, MediaKind } from '../media/codec.ts';
import type { Participant } from './participant.ts';
import type { TrackPurpose } from './vocabulary.ts';

/** What arrived of a track so far, as counted at the hub. */
export interface TrackStatistics {
  readonly packets: number;
  readonly packetsLost: number;
  readonly bitrateBps: number;
  /** Interarrival jitter in ms (RFC 3550, 6.4.1). */
  readonly jitterMs: number;
}

/** What a gateway says of a stream when its participant publishes it. */
export interface NewTrack {
  readonly kind: MediaKind;
  readonly purpose: TrackPurpose;
  readonly codec: Codec;
  /** The hub's producer that carries it. */
  readonly producerId: string;
  readonly muted?: boolean;
  /** Number of qualities the sender offers at once; 1 without simulcast. */
  readonly layers?: number;
  /** Largest size in pixels, where known. */
  readonly width?: number;
  readonly height?: number;
  readonly statistics?: () => Promise<TrackStatistics>;
}

/** One stream that a participant publishes. Changed only by its Room. */
export class Track {
  readonly sid: string;
  readonly participant: Participant;
  readonly kind: MediaKind;
  readonly purpose: TrackPurpose;
  readonly codec: Codec;
  readonly producerId: string;
  readonly layers: number;
  readonly width: number | undefined;
  readonly height: number | undefined;
  /** Undefined where the gateway cannot tell. */
  readonly statistics: (() => Promise<TrackStatistics>) | undefined;
  muted: boolean;

  constructor(sid: string, participant: Participant, from: NewTrack) {
    this.sid = sid;
    this.participant = participant;
    this.kind = from.kind;
    this.purpose = from.purpose;
    this.codec = from.codec;
    this.producerId = from.producerId;
    this.layers = from.layers ?? 1;
    this.width = from.width;
    this.height = from.height;
    this.statistics = from.statistics;
    this.muted = from.muted ?? false;
  }
}
