import { batch, signal } from '@preact/signals';
import type { types } from 'mediasoup-client';
import type {
  ParticipantView,
  Reply,
  ServerNotice,
  SubscriptionView,
  TrackView,
} from '../../../gateways/webrtc/messages.ts';
import type { TrackPurpose } from '../../../src/room/vocabulary.ts';
import { type MediaPreferences, MediaSession } from './media-session.ts';
import { RequestError, Signalling } from './signalling.ts';
import { explainJoinError, explainRemoval } from './words.ts';

export interface JoinOptions {
  readonly url: string;
  readonly room: string;
  readonly name: string;
  readonly token: string | undefined;
  readonly preferences: MediaPreferences;
}

export type SessionState =
  | { readonly at: 'in' }
  | { readonly at: 'reconnecting'; readonly reason: string }
  | { readonly at: 'out'; readonly reason: string };

interface Published {
  readonly media: MediaStreamTrack;
  muted: boolean;
  producer?: types.Producer;
}

const RETRY_FIRST_MS = 300;
const RETRY_LAST_MS = 3_000;
/** After this long without a server, the page says so and stops trying. */
const GIVE_UP_MS = 60_000;

/** The user's stay in a room: state as signals for the views, and what he can do. Reconnects by itself. */
export class RoomSession {
  readonly state = signal<SessionState>({ at: 'in' });
  readonly you = signal('');
  readonly room = signal<Reply<'join'>['room']>({ sid: '', name: '', metadata: '' });
  readonly permissions = signal<Reply<'join'>['permissions']>({
    publish: [],
    subscribe: true,
    updateOwn: false,
  });
  /** By sid, in order of joining. */
  readonly participants = signal<ReadonlyMap<string, ParticipantView>>(new Map());
  /** What is received, by track sid. */
  readonly received = signal<ReadonlyMap<string, MediaStreamTrack>>(new Map());
  /** Why a track does not come, by track sid. */
  readonly refused = signal<ReadonlyMap<string, string>>(new Map());
  /** Levels in dBov by participant sid. */
  readonly speakers = signal<ReadonlyMap<string, number>>(new Map());
  /** What this page sends, by purpose. */
  readonly sent = signal<ReadonlyMap<TrackPurpose, Published>>(new Map());
  /** Why something that the user wanted to send is refused. */
  readonly problem = signal('');
  /** The latest thing to say aloud (joined, left, …). */
  readonly announcement = signal('');

  #options: JoinOptions;
  #signalling: Signalling;
  #media: MediaSession | undefined;
  #iceServers: Reply<'join'>['iceServers'] = [];
  #resumeKey = '';
  #settingUp: Promise<void> = Promise.resolve();

  private constructor(options: JoinOptions, signalling: Signalling) {
    this.#options = options;
    this.#signalling = signalling;
  }

  /** @throws RequestError */
  static async join(options: JoinOptions): Promise<RoomSession> {
    const session = new RoomSession(options, await Signalling.open(options.url));
    try {
      await session.#enter(undefined);
      return session;
    } catch (error) {
      session.#signalling.close();
      throw error;
    }
  }

  /** Publishes a track, or replaces the one of that purpose. A refusal is told in `problem`. */
  async publish(purpose: TrackPurpose, media: MediaStreamTrack, muted = false): Promise<void> {
    const present = this.sent.value.get(purpose);
    if (present) {
      this.#setSent(purpose, { ...present, media });
      if (present.producer && !present.producer.closed) await present.producer.replaceTrack({ track: media });
      return;
    }
    const published: Published = { media, muted };
    this.#setSent(purpose, published);
    await this.#settingUp.catch(() => {});
    // Setting up may have sent it already.
    const live = this.sent.value.get(purpose)?.producer;
    if (!live || live.closed) await this.#send(purpose, published);
  }

  unpublish(purpose: TrackPurpose): void {
    const published = this.sent.value.get(purpose);
    this.#setSent(purpose, undefined);
    const sid = trackSid(published?.producer);
    published?.producer?.close();
    if (sid) void this.#try('unpublish', { track: sid });
  }

  setMuted(purpose: TrackPurpose, muted: boolean): void {
    const published = this.sent.value.get(purpose);
    if (!published) return;
    this.#setSent(purpose, { ...published, muted });
    const changed = this.#applyMute(published.producer, muted);
    const sid = trackSid(published.producer);
    if (sid && changed) void this.#try('mute', { track: sid, muted });
  }

  /** @param layer - 0 the smallest quality */
  preferLayer(track: string, layer: number): void {
    void this.#try('layer', { track, layer });
  }

  setWanted(track: string, wanted: boolean): void {
    void this.#try('want', { track, wanted });
  }

  async leave(): Promise<void> {
    this.#end('You have left the room.');
    await this.#try('leave', {});
    this.#signalling.close();
  }

  async #enter(resume: { participant: string; key: string } | undefined): Promise<void> {
    const { room, name, token } = this.#options;
    const signalling = this.#signalling;
    signalling.onNotice = (notice) => this.#onNotice(notice);
    const joined = await signalling.request('join', {
      room,
      name,
      ...(token ? { token } : {}),
      ...(resume ? { resume } : {}),
    });
    signalling.onClosed = () => void this.#reconnect('The connection to the server is lost.');
    batch(() => {
      this.state.value = { at: 'in' };
      this.you.value = joined.you;
      this.room.value = joined.room;
      this.permissions.value = joined.permissions;
      this.participants.value = new Map(joined.participants.map((one) => [one.sid, one]));
      this.speakers.value = new Map();
      if (!joined.resumed) this.refused.value = new Map();
    });
    this.#resumeKey = joined.resumeKey;
    this.#iceServers = joined.iceServers;
    if (joined.resumed && this.#media) {
      this.#reconcile(joined.subscriptions);
      await this.#media.renewBrokenPaths();
    } else await this.#setUpMedia();
  }

  /** Opens the media connections anew and publishes again what was published. */
  #setUpMedia(): Promise<void> {
    this.#settingUp = (async () => {
      this.#media?.close();
      this.received.value = new Map();
      for (let waitMs = RETRY_FIRST_MS; ; waitMs = Math.min(waitMs * 2, RETRY_LAST_MS)) {
        try {
          this.#media = await MediaSession.open(
            () => this.#signalling,
            this.#options.preferences,
            this.#iceServers,
          );
          break;
        } catch (error) {
          // While the server replaces the process that carries the room.
          if (!(error instanceof RequestError) || error.code !== 'unavailable') throw error;
          await delay(waitMs);
        }
      }
      await this.#media.startReceiving();
      this.#media.onFailed = () => void this.#setUpMedia().catch(() => {});
      for (const [purpose, published] of this.sent.value) await this.#send(purpose, published);
    })();
    return this.#settingUp;
  }

  async #send(purpose: TrackPurpose, { media, muted }: Published): Promise<void> {
    if (!this.#media || media.readyState === 'ended') return;
    const producer = await this.#media.publish(media, purpose, muted).catch((error: unknown) => {
      // What the server refuses stays refused; what broke with the connection is sent again with the next one.
      if (!(error instanceof RequestError) || error.code === 'disconnected') return undefined;
      this.#setSent(purpose, undefined);
      this.problem.value = error.message;
      return undefined;
    });
    if (!producer) return;
    // Meanwhile the user may have muted it, turned it off, or changed the device.
    const wanted = this.sent.value.get(purpose);
    if (!wanted) {
      producer.close();
      await this.#try('unpublish', { track: trackSid(producer)! });
      return;
    }
    this.#setSent(purpose, { ...wanted, producer });
    if (wanted.media !== media) await producer.replaceTrack({ track: wanted.media });
    this.setMuted(purpose, wanted.muted);
  }

  #reconcile(subscriptions: readonly SubscriptionView[]): void {
    const standing = new Set(subscriptions.map(({ track }) => track));
    for (const track of this.#media?.subscribedTracks ?? []) if (!standing.has(track)) this.#forget(track);
    for (const subscription of subscriptions) void this.#receive(subscription);
  }

  async #receive(subscription: SubscriptionView): Promise<void> {
    try {
      const track = await this.#media?.subscribe(subscription);
      if (track) this.received.value = new Map(this.received.value).set(subscription.track, track);
    } catch (error) {
      console.warn('receiving a track failed', error);
    }
  }

  #forget(track: string): void {
    this.#media?.unsubscribe(track);
    this.received.value = without(this.received.value, track);
    this.refused.value = without(this.refused.value, track);
  }

  #onNotice(notice: ServerNotice): void {
    switch (notice.type) {
      case 'participant-joined':
        this.#setParticipant(notice.body);
        this.announcement.value = `${notice.body.name} joined`;
        break;
      case 'participant-updated':
        this.#setParticipant(notice.body);
        break;
      case 'participant-left': {
        const { participant } = notice.body;
        this.announcement.value = `${this.participants.value.get(participant)?.name ?? 'Somebody'} left`;
        this.participants.value = without(this.participants.value, participant);
        this.speakers.value = without(this.speakers.value, participant);
        break;
      }
      case 'quality':
        this.#changeParticipant(notice.body.participant, (one) => ({ ...one, quality: notice.body.quality }));
        break;
      case 'track-published':
      case 'track-updated':
        this.#setTrack(notice.body);
        break;
      case 'track-unpublished':
        this.#forget(notice.body.track);
        this.#changeParticipant(notice.body.participant, (one) => ({
          ...one,
          tracks: one.tracks.filter(({ sid }) => sid !== notice.body.track),
        }));
        this.#forgetOwn(notice.body.track);
        break;
      case 'subscribed':
        void this.#receive(notice.body);
        break;
      case 'subscription-refused':
        this.refused.value = new Map(this.refused.value).set(notice.body.track, notice.body.reason);
        break;
      case 'speakers':
        this.speakers.value = new Map(notice.body.map(({ participant, level }) => [participant, level]));
        break;
      case 'room-updated':
        this.room.value = notice.body;
        break;
      case 'permissions':
        this.permissions.value = notice.body;
        for (const purpose of this.sent.value.keys()) {
          if (!notice.body.publish.includes(purpose)) this.#setSent(purpose, undefined);
        }
        break;
      case 'media-lost':
        this.announcement.value = `${notice.body.reason} Reconnecting.`;
        void this.#setUpMedia().catch(() => this.#reconnect('The media connection is lost.'));
        break;
      case 'removed':
        if (notice.body.reason === 'shutdown') break; // it may be a restart: try to get back in
        this.#end(explainRemoval(notice.body.reason));
        break;
    }
  }

  #setParticipant(participant: ParticipantView): void {
    this.participants.value = new Map(this.participants.value).set(participant.sid, participant);
  }

  #changeParticipant(sid: string, change: (one: ParticipantView) => ParticipantView): void {
    const participant = this.participants.value.get(sid);
    if (participant) this.#setParticipant(change(participant));
  }

  #setTrack(track: TrackView): void {
    this.#changeParticipant(track.participant, (one) => ({
      ...one,
      tracks: [...one.tracks.filter(({ sid }) => sid !== track.sid), track],
    }));
    if (track.participant !== this.you.value) return;
    // Somebody else may have muted it.
    const published = this.sent.value.get(track.purpose);
    if (!published || trackSid(published.producer) !== track.sid || published.muted === track.muted) return;
    this.#setSent(track.purpose, { ...published, muted: track.muted });
    this.#applyMute(published.producer, track.muted);
    if (track.muted)
      this.announcement.value = `Your ${track.kind === 'audio' ? 'microphone' : 'camera'} was muted`;
  }

  /** A track of ours that the server ended (a permission was withdrawn, say) is not sent any more. */
  #forgetOwn(sid: string): void {
    for (const { producer } of this.sent.value.values()) {
      // After media-lost it is published anew; where a permission was withdrawn, that notice follows.
      if (trackSid(producer) === sid) producer?.close();
    }
  }

  #setSent(purpose: TrackPurpose, published: Published | undefined): void {
    const sent = new Map(this.sent.value);
    if (published) sent.set(purpose, published);
    else sent.delete(purpose);
    this.sent.value = sent;
  }

  /** @returns whether it was different before */
  #applyMute(producer: types.Producer | undefined, muted: boolean): boolean {
    if (!producer || producer.closed || producer.paused === muted) return false;
    if (muted) producer.pause();
    else producer.resume();
    return true;
  }

  async #reconnect(reason: string): Promise<void> {
    if (this.state.value.at !== 'in') return;
    this.state.value = { at: 'reconnecting', reason };
    const giveUpAt = Date.now() + GIVE_UP_MS;
    for (let waitMs = RETRY_FIRST_MS; Date.now() < giveUpAt; waitMs = Math.min(waitMs * 2, RETRY_LAST_MS)) {
      await delay(waitMs * (0.75 + Math.random() / 2)); // not all pages at the same moment
      if (this.state.value.at !== 'reconnecting') return;
      try {
        this.#signalling.onClosed = () => {};
        this.#signalling.close();
        this.#signalling = await Signalling.open(this.#options.url);
        await this.#enter({ participant: this.you.value, key: this.#resumeKey });
        return;
      } catch (error) {
        const lasting =
          error instanceof RequestError && !['disconnected', 'timeout', 'unavailable'].includes(error.code);
        if (lasting) {
          this.#end(explainJoinError(error));
          return;
        }
        this.state.value = { at: 'reconnecting', reason };
      }
    }
    this.#end('The server does not answer any more. Check your network connection, then join again.');
  }

  #end(reason: string): void {
    this.#signalling.onClosed = () => {};
    this.#signalling.onNotice = () => {};
    this.#media?.close();
    this.state.value = { at: 'out', reason };
  }

  /** For requests whose failure the user sees anyway, in the state that does not change. */
  async #try(...request: Parameters<Signalling['request']>): Promise<void> {
    await this.#signalling
      .request(...request)
      .catch((error: unknown) => console.warn(`${request[0]} failed`, error));
  }
}

function trackSid(producer: types.Producer | undefined): string | undefined {
  return producer?.appData.sid as string | undefined;
}

function without<V>(map: ReadonlyMap<string, V>, key: string): ReadonlyMap<string, V> {
  if (!map.has(key)) return map;
  const copy = new Map(map);
  copy.delete(key);
  return copy;
}

function delay(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
