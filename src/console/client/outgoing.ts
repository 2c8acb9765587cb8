import { signal } from '@preact/signals';
import type { types } from 'mediasoup-client';
import type { TrackView } from '../../../gateways/webrtc/messages.ts';
import type { TrackPurpose } from '../../room/vocabulary.ts';
import type { MediaSession } from './media-session.ts';
import { without } from './room-state.ts';
import { RequestError, type Signalling } from './signalling.ts';

/** Something that the user wants to send; without a producer while it is not (or not yet) sent. */
interface Published {
  readonly media: MediaStreamTrack;
  readonly muted: boolean;
  readonly producer?: types.Producer;
  /** The server does not know of `muted` yet. */
  readonly muteUntold?: boolean;
}

/** What this page sends: at most one track of each purpose. Outlives the media connection that carries it. */
export class Outgoing {
  readonly tracks = signal<ReadonlyMap<TrackPurpose, Published>>(new Map());
  /** Why something that the user wanted to send is refused. */
  readonly problem = signal('');
  #signalling: () => Signalling;

  constructor(signalling: () => Signalling) {
    this.#signalling = signalling;
  }

  /**
   * Wants a track sent, in place of the one of that purpose. A refusal is told in `problem`.
   * @param media - the connection to send it through, once there is one
   */
  async publish(
    purpose: TrackPurpose,
    track: MediaStreamTrack,
    media: Promise<MediaSession | undefined>,
  ): Promise<void> {
    const present = this.tracks.value.get(purpose);
    this.#set(purpose, { muted: false, ...present, media: track });
    if (present) {
      if (present.producer && !present.producer.closed) await present.producer.replaceTrack({ track });
      return;
    }
    const session = await media.catch(() => undefined);
    // Setting up the connection may have sent it already.
    const { producer } = this.tracks.value.get(purpose) ?? {};
    if (session && (!producer || producer.closed)) await this.#send(purpose, session);
  }

  /** Sends everything through a new connection. */
  async sendAll(media: MediaSession): Promise<void> {
    for (const purpose of [...this.tracks.value.keys()]) await this.#send(purpose, media);
  }

  /** Turns everything off that is sent. */
  stop(): void {
    for (const { media } of this.tracks.value.values()) media.stop();
    this.tracks.value = new Map();
  }

  unpublish(purpose: TrackPurpose): void {
    const { producer } = this.tracks.value.get(purpose) ?? {};
    this.tracks.value = without(this.tracks.value, purpose);
    const track = sidOf(producer);
    producer?.close();
    if (track) this.#tell('unpublish', { track });
  }

  setMuted(purpose: TrackPurpose, muted: boolean): void {
    const published = this.tracks.value.get(purpose);
    if (!published) return;
    const changed = pause(published.producer, muted);
    this.#set(purpose, { ...published, muted, muteUntold: published.muteUntold || changed });
    if (changed) void this.#tellMute(purpose);
  }

  async #tellMute(purpose: TrackPurpose): Promise<void> {
    const { producer, muted } = this.tracks.value.get(purpose) ?? {};
    const track = sidOf(producer);
    if (track === undefined || muted === undefined) return;
    try {
      await this.#signalling().request('mute', { track, muted });
      const now = this.tracks.value.get(purpose);
      if (now?.muted === muted) this.#set(purpose, { ...now, muteUntold: false });
    } catch {
      // The connection is away: told when it is back.
    }
  }

  /**
   * After the connection was away: what the server has of ours is made to be what the user wants.
   * @param own - our tracks as the server knows them
   */
  async reconcile(own: readonly TrackView[], media: MediaSession): Promise<void> {
    for (const { sid } of own) {
      if (!this.#isWanted(sid)) this.#tell('unpublish', { track: sid });
    }
    for (const [purpose, published] of [...this.tracks.value]) {
      const known = own.find(({ sid }) => sid === sidOf(published.producer));
      if (!known) {
        published.producer?.close();
        await this.#send(purpose, media);
      } else if (known.muted !== published.muted) {
        if (published.muteUntold) await this.#tellMute(purpose);
        else this.follow(known);
      }
    }
  }

  #isWanted(sid: string): boolean {
    return [...this.tracks.value.values()].some(({ producer }) => sidOf(producer) === sid);
  }

  /** Somebody else muted or unmuted one of ours. @returns whether that is news */
  follow({ sid, purpose, muted }: TrackView): boolean {
    const published = this.tracks.value.get(purpose);
    if (!published || sidOf(published.producer) !== sid || published.muted === muted) return false;
    this.#set(purpose, { ...published, muted });
    pause(published.producer, muted);
    return true;
  }

  /** The server ended one of ours. It stays wanted: it is sent again after media was lost. */
  ended(track: string): void {
    for (const { producer } of this.tracks.value.values()) if (sidOf(producer) === track) producer?.close();
  }

  /** Drops what may not be published any more. */
  permit(purposes: readonly TrackPurpose[]): void {
    for (const purpose of this.tracks.value.keys()) {
      if (!purposes.includes(purpose)) this.tracks.value = without(this.tracks.value, purpose);
    }
  }

  async #send(purpose: TrackPurpose, session: MediaSession): Promise<void> {
    const sending = this.tracks.value.get(purpose);
    if (!sending || sending.media.readyState === 'ended') return;
    const { media, muted } = sending;
    const producer = await session.publish(media, purpose, muted).catch((error: unknown) => {
      // What the server refuses stays refused; what broke with the connection is sent again with the next one.
      if (error instanceof RequestError && error.code !== 'disconnected') {
        this.tracks.value = without(this.tracks.value, purpose);
        this.problem.value = error.message;
        if (purpose === 'screen' || purpose === 'screen-audio') media.stop();
      }
    });
    if (!producer) return;
    // Meanwhile the user may have turned it off, changed the device, or muted it.
    const wanted = this.tracks.value.get(purpose);
    if (!wanted) {
      producer.close();
      this.#tell('unpublish', { track: sidOf(producer)! });
      return;
    }
    this.#set(purpose, { ...wanted, producer });
    if (wanted.media !== media) await producer.replaceTrack({ track: wanted.media });
    this.setMuted(purpose, wanted.muted);
  }

  #set(purpose: TrackPurpose, published: Published): void {
    this.tracks.value = new Map(this.tracks.value).set(purpose, published);
  }

  /** A request whose failure shows by itself. */
  #tell(...request: Parameters<Signalling['request']>): void {
    this.#signalling()
      .request(...request)
      .catch((error: unknown) => console.warn(`${request[0]} failed`, error));
  }
}

function sidOf(producer: types.Producer | undefined): string | undefined {
  return producer?.appData.sid as string | undefined;
}

/** @returns whether it was different before */
function pause(producer: types.Producer | undefined, muted: boolean): boolean {
  if (!producer || producer.closed || producer.paused === muted) return false;
  if (muted) producer.pause();
  else producer.resume();
  return true;
}
