import { signal } from '@preact/signals';
import type { Reply, ServerNotice, SubscriptionView } from '../../../gateways/webrtc/messages.ts';
import type { TrackPurpose } from '../../room/vocabulary.ts';
import { type MediaPreferences, MediaSession } from './media-session.ts';
import { Outgoing } from './outgoing.ts';
import { RoomState, without } from './room-state.ts';
import { RequestError, Signalling } from './signalling.ts';
import { explainJoinError, explainRemoval } from './words.ts';

export interface JoinOptions {
  /** Of the WebSocket. */
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

const RETRY_FIRST_MS = 300;
const RETRY_LAST_MS = 3_000;
/** After this long without a server, the page says so and stops trying. */
const GIVE_UP_MS = 60_000;
/** Errors that pass: the next try may succeed. */
const PASSING = ['disconnected', 'timeout', 'unavailable'];

/** The user's stay in a room: joins, receives, and comes back by itself when a connection is lost. */
export class RoomSession {
  readonly state = signal<SessionState>({ at: 'in' });
  readonly room = new RoomState();
  readonly outgoing = new Outgoing(() => this.#signalling);
  /** What is received, by track sid. */
  readonly received = signal<ReadonlyMap<string, MediaStreamTrack>>(new Map());
  #options: JoinOptions;
  #signalling: Signalling;
  #media: MediaSession | undefined;
  #settingUp: Promise<MediaSession | undefined> = Promise.resolve(undefined);
  #turn = 0;
  #iceServers: Reply<'join'>['iceServers'] = [];
  #resumeKey = '';

  private constructor(options: JoinOptions, signalling: Signalling) {
    this.#options = options;
    this.#signalling = signalling;
    document.addEventListener('visibilitychange', this.#onVisibility);
    window.addEventListener('pagehide', this.#onPageHide);
  }

  /** @throws RequestError */
  static async join(options: JoinOptions): Promise<RoomSession> {
    const session = new RoomSession(options, await Signalling.open(options.url));
    try {
      await session.#enter(undefined);
      return session;
    } catch (error) {
      session.#end('');
      session.#signalling.close();
      throw error;
    }
  }

  publish(purpose: TrackPurpose, track: MediaStreamTrack): Promise<void> {
    return this.outgoing.publish(purpose, track, this.#settingUp);
  }

  /** @param layer - 0 the smallest quality */
  preferLayer(track: string, layer: number): void {
    this.#media?.preferLayer(track, layer);
  }

  /** For administrators; the room shows what came of it. */
  moderate(participant: string, action: 'mute' | 'remove'): void {
    this.#signalling.request('moderate', { participant, action }).catch((error: unknown) => {
      this.outgoing.problem.value = error instanceof Error ? error.message : String(error);
    });
  }

  async leave(): Promise<void> {
    this.#end('You have left the room.');
    await this.#signalling.request('leave', {}).catch(() => {}); // closing says it too
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
    if (this.#isOut) {
      signalling.onClosed = () => {};
      signalling.close(); // the user left while this was under way
      return;
    }
    this.room.enter(joined);
    this.state.value = { at: 'in' };
    this.#resumeKey = joined.resumeKey;
    this.#iceServers = joined.iceServers;
    this.outgoing.permit(joined.permissions.publish);
    const media = this.#media;
    // Where the process that carried the room died meanwhile, the connections are others or none.
    if (joined.resumed && media?.isOn(joined.transports)) {
      this.#reconcile(joined.subscriptions, media);
      const you = joined.participants.find(({ sid }) => sid === joined.you);
      await this.outgoing.reconcile(you?.tracks ?? [], media);
      await media.renewBrokenPaths();
    } else await this.#setUpMedia();
  }

  /** Opens the media connections anew and sends again what was sent. One at a time; the latest call decides. */
  #setUpMedia(): Promise<MediaSession | undefined> {
    const turn = ++this.#turn;
    const before = this.#settingUp.catch(() => undefined);
    this.#settingUp = before.then(() => (turn === this.#turn ? this.#setUpOnce() : this.#media));
    return this.#settingUp;
  }

  async #setUpOnce(): Promise<MediaSession> {
    this.#media?.close();
    this.#media = undefined;
    this.received.value = new Map();
    const media = await this.#openMedia();
    this.#media = media;
    media.onFailed = () => this.#renewMedia();
    await media.startReceiving();
    await this.outgoing.sendAll(media);
    return media;
  }

  /** What cannot be set up now is set up with the next signalling connection. */
  #renewMedia(): void {
    this.#setUpMedia().catch(() => this.#reconnect('The media connection is lost.'));
  }

  /** Patient while the server replaces the process that carries the room. */
  async #openMedia(): Promise<MediaSession> {
    for (let waitMs = RETRY_FIRST_MS; ; waitMs = Math.min(waitMs * 2, RETRY_LAST_MS)) {
      try {
        return await MediaSession.open(() => this.#signalling, this.#options.preferences, this.#iceServers);
      } catch (error) {
        if (!(error instanceof RequestError) || error.code !== 'unavailable') throw error;
        await delay(waitMs);
      }
    }
  }

  /** After resuming: the server's list of subscriptions is the truth. */
  #reconcile(subscriptions: readonly SubscriptionView[], media: MediaSession): void {
    const standing = new Set(subscriptions.map(({ track }) => track));
    for (const track of media.subscribedTracks) if (!standing.has(track)) this.#forget(track);
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
  }

  #onNotice(notice: ServerNotice): void {
    this.room.apply(notice);
    switch (notice.type) {
      case 'subscribed':
        void this.#receive(notice.body);
        break;
      case 'unsubscribed':
        this.#forget(notice.body.track);
        break;
      case 'track-unpublished':
        this.#forget(notice.body.track);
        this.outgoing.ended(notice.body.track);
        break;
      case 'track-updated':
        if (
          notice.body.participant === this.room.you.value &&
          this.outgoing.follow(notice.body) &&
          notice.body.muted
        ) {
          this.room.announcement.value = `Your ${notice.body.purpose} was muted`;
        }
        break;
      case 'permissions':
        this.outgoing.permit(notice.body.publish);
        break;
      case 'media-lost':
        this.#renewMedia();
        break;
      case 'removed':
        // A shutdown may be a restart: the connection ends, and reconnecting finds out.
        if (notice.body.reason !== 'shutdown') this.#end(explainRemoval(notice.body.reason));
        break;
    }
  }

  get #isOut(): boolean {
    return this.state.value.at === 'out';
  }

  get #isReconnecting(): boolean {
    return this.state.value.at === 'reconnecting';
  }

  async #reconnect(reason: string): Promise<void> {
    if (this.state.value.at !== 'in') return;
    this.state.value = { at: 'reconnecting', reason };
    const giveUpAt = Date.now() + GIVE_UP_MS;
    for (let waitMs = RETRY_FIRST_MS; Date.now() < giveUpAt; waitMs = Math.min(waitMs * 2, RETRY_LAST_MS)) {
      await delay(waitMs * (0.75 + Math.random() / 2)); // not all pages at the same moment
      try {
        if (!this.#isReconnecting) return;
        this.#signalling.onClosed = () => {};
        this.#signalling.close();
        const signalling = await Signalling.open(this.#options.url);
        if (!this.#isReconnecting) {
          signalling.close(); // the user left meanwhile
          return;
        }
        this.#signalling = signalling;
        await this.#enter({ participant: this.room.you.value, key: this.#resumeKey });
        return;
      } catch (error) {
        if (this.#isOut) return;
        if (error instanceof RequestError && !PASSING.includes(error.code)) {
          this.#end(explainJoinError(error));
          return;
        }
        this.state.value = { at: 'reconnecting', reason };
      }
    }
    this.#end('The server does not answer any more. Check your network connection, then join again.');
  }

  #onVisibility = (): void => this.#media?.setVideoWanted(document.visibilityState === 'visible');

  /** The tab closes, or shows another page: others are not to look at the last picture. */
  #onPageHide = (): void => {
    this.#signalling.request('leave', {}).catch(() => {});
    this.#end('You have left the room.');
    this.#signalling.close();
  };

  #end(reason: string): void {
    document.removeEventListener('visibilitychange', this.#onVisibility);
    window.removeEventListener('pagehide', this.#onPageHide);
    this.#signalling.onClosed = () => {};
    this.#signalling.onNotice = () => {};
    this.#media?.close();
    // Whatever ended it: nothing may stay on that nobody knows of.
    this.outgoing.stop();
    this.state.value = { at: 'out', reason };
  }
}

function delay(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
