import type { Codec, MediaKind } from '../media/codec.ts';
import type { Route } from '../media/plan.ts';
import type { ProducerHold, ProducerOnDemand } from './producer-on-demand.ts';
import type { TrackPurpose } from './vocabulary.ts';

/** What is known of an encoder's pictures or sound. */
export interface SourceStatistics {
  /** As it comes: 'H.264 High', 'AAC-LC 48 kHz stereo'. */
  readonly format: string;
  readonly width?: number;
  readonly height?: number;
  /** Pictures a second. */
  readonly frameRate?: number;
  /** From the last key frame but one to the last. */
  readonly keyFrameIntervalMs?: number;
  readonly bFrames?: boolean;
  /** Pictures or pieces of sound that were not passed on: malformed, too large, or too late. */
  readonly dropped: number;
  /** How often its timestamps went on from somewhere else, and how often one lay before its predecessor. */
  readonly timestampJumps: number;
  readonly timestampSteps: number;
  /** Of sound: by how much it waits for the pictures, ms. */
  readonly delayMs?: number;
  /** The child process that decodes or re-encodes it, while there is one. */
  readonly job?: { readonly pid: number; readonly latencyMs?: number; readonly deaths: number };
}

/** What arrived of a track so far. */
export interface TrackStatistics {
  readonly packets: number;
  readonly packetsLost: number;
  readonly bitrateBps: number;
  /** Interarrival jitter in ms (RFC 3550, 6.4.1). */
  readonly jitterMs: number;
  /** From somebody else than the sender; dropped. */
  readonly packetsForeign?: number;
  /** Not of what was agreed on; dropped. */
  readonly packetsUnknown?: number;
  /** The way back to who sends it, where there is one. */
  readonly sent?: { readonly packets: number; readonly packetsLost?: number; readonly roundTripMs?: number };
  /** What an encoder sends, and what had to be done about it. */
  readonly source?: SourceStatistics;
  /** Of the mixer, in packets. */
  readonly jitterBuffer?: {
    readonly depth: number;
    readonly late: number;
    readonly lost: number;
    readonly discarded: number;
    readonly stretched: number;
  };
}

/** Where a media worker takes one participant's pictures for a program: a port on loopback, and what is shown there first. */
export interface FrameAddress {
  readonly port: number;
  readonly token: string;
}

/** What a gateway says of a stream when its participant publishes it. */
export interface NewTrack {
  readonly kind: MediaKind;
  readonly purpose: TrackPurpose;
  readonly codec: Codec;
  /** The hub's producer that carries it, or how to get one for as long as it is wanted. */
  readonly producerId: string | ProducerOnDemand;
  /** Where the hub gets it in another form than its own. */
  readonly route?: Route;
  /** Its gateway feeds it into the room's mix itself, so that nobody needs to fetch it from the hub for that. */
  readonly mixed?: boolean;
  readonly muted?: boolean;
  /** Number of qualities the sender offers at once; 1 without simulcast. */
  readonly layers?: number;
  /** Largest size in pixels, where known. */
  readonly width?: number;
  readonly height?: number;
  readonly statistics?: () => Promise<TrackStatistics>;
  /**
   * Sends its pictures to a program as they came, untouched by what browsers need; those since the last key frame first.
   * Without it a program takes them from the hub.
   * @returns ends it
   */
  readonly sendFrames?: (to: FrameAddress) => Promise<() => void>;
}

/** The participant that publishes a track, as far as its listeners need to know it. */
export interface TrackOwner {
  readonly sid: string;
  readonly identity: string;
  readonly name: string;
  readonly gateway: string;
}

/** One stream that a participant publishes. Changed only by its Room. */
export class Track {
  readonly sid: string;
  readonly participant: TrackOwner;
  readonly kind: MediaKind;
  readonly purpose: TrackPurpose;
  readonly codec: Codec;
  readonly mixed: boolean;
  readonly layers: number;
  readonly width: number | undefined;
  readonly height: number | undefined;
  readonly sendFrames: NewTrack['sendFrames'];
  /** Undefined where the gateway cannot tell. */
  readonly statistics: (() => Promise<TrackStatistics>) | undefined;
  muted: boolean;
  /** Undefined when the hub gets it as it is. */
  route: Route | undefined;
  #producer: string | ProducerOnDemand;

  constructor(sid: string, participant: TrackOwner, from: NewTrack) {
    this.sid = sid;
    this.participant = participant;
    this.kind = from.kind;
    this.purpose = from.purpose;
    this.codec = from.codec;
    this.mixed = from.mixed ?? false;
    this.layers = from.layers ?? 1;
    this.width = from.width;
    this.height = from.height;
    this.sendFrames = from.sendFrames;
    this.statistics = from.statistics;
    this.muted = from.muted ?? false;
    this.route = from.route;
    this.#producer = from.producerId;
  }

  /** The hub's producer that carries it now. */
  get producerId(): string | undefined {
    return typeof this.#producer === 'string' ? this.#producer : this.#producer.producerId;
  }

  /** Has it on the hub until the hold is released. @throws PatchroomError 'unavailable' */
  async hold(): Promise<ProducerHold> {
    if (typeof this.#producer !== 'string') return this.#producer.hold();
    return { producerId: this.#producer, release: () => {} };
  }

  /** For its Room: from now on it takes another way to the hub. */
  follow(route: Route | undefined, producer: ProducerOnDemand): void {
    this.route = route;
    this.#producer = producer;
  }
}
