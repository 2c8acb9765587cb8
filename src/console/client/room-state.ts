import { batch, signal } from '@preact/signals';
import type { ParticipantView, Reply, ServerNotice, TrackView } from '../../../gateways/webrtc/messages.ts';

/** How long pressed keys are shown, and how many of them. */
const DIGITS_MS = 4_000;
const MOST_DIGITS = 12;

/** What the page knows of the room, as signals for the views; changed only by what the server says. */
export class RoomState {
  readonly you = signal('');
  readonly info = signal<Reply<'join'>['room']>({ sid: '', name: '', metadata: '' });
  readonly permissions = signal<Reply<'join'>['permissions']>({
    publish: [],
    subscribe: true,
    updateOwn: false,
    admin: false,
  });
  /** By sid, in order of joining. */
  readonly participants = signal<ReadonlyMap<string, ParticipantView>>(new Map());
  /** Why a track does not come, by track sid. */
  readonly refused = signal<ReadonlyMap<string, string>>(new Map());
  /** Levels in dBov by participant sid. */
  readonly speakers = signal<ReadonlyMap<string, number>>(new Map());
  /** Keys that people pressed on their phones a moment ago, by participant sid. */
  readonly digits = signal<ReadonlyMap<string, string>>(new Map());
  #digitTimers = new Map<string, number>();
  /** The latest thing to say aloud (joined, left, …). */
  readonly announcement = signal('');

  /** Takes over the whole state, on joining and on resuming. */
  enter(joined: Reply<'join'>): void {
    batch(() => {
      this.you.value = joined.you;
      this.info.value = joined.room;
      this.permissions.value = joined.permissions;
      this.participants.value = new Map(joined.participants.map((one) => [one.sid, one]));
      this.speakers.value = new Map();
      if (!joined.resumed) this.refused.value = new Map();
    });
  }

  /** Follows a notice, as far as it changes anything here. */
  apply(notice: ServerNotice): void {
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
        this.#change(notice.body.participant, (one) => ({ ...one, quality: notice.body.quality }));
        break;
      case 'track-published':
      case 'track-updated':
        this.#setTrack(notice.body);
        break;
      case 'track-unpublished':
        this.refused.value = without(this.refused.value, notice.body.track);
        this.#change(notice.body.participant, (one) => ({
          ...one,
          tracks: one.tracks.filter(({ sid }) => sid !== notice.body.track),
        }));
        break;
      case 'subscription-refused':
        this.refused.value = new Map(this.refused.value).set(notice.body.track, notice.body.reason);
        break;
      case 'speakers':
        this.speakers.value = new Map(notice.body.map(({ participant, level }) => [participant, level]));
        break;
      case 'digit':
        this.#press(notice.body.participant, notice.body.digit);
        break;
      case 'room-updated':
        this.info.value = notice.body;
        break;
      case 'permissions':
        this.permissions.value = notice.body;
        break;
      case 'media-lost':
        this.announcement.value = `${notice.body.reason} Reconnecting.`;
        break;
    }
  }

  #press(sid: string, digit: string): void {
    this.announcement.value = `${this.participants.value.get(sid)?.name ?? 'Somebody'} pressed ${digit}`;
    const pressed = `${this.digits.value.get(sid) ?? ''}${digit}`.slice(-MOST_DIGITS);
    this.digits.value = new Map(this.digits.value).set(sid, pressed);
    window.clearTimeout(this.#digitTimers.get(sid));
    const forget = () => {
      this.digits.value = without(this.digits.value, sid);
      this.#digitTimers.delete(sid);
    };
    this.#digitTimers.set(sid, window.setTimeout(forget, DIGITS_MS));
  }

  #setParticipant(participant: ParticipantView): void {
    this.participants.value = new Map(this.participants.value).set(participant.sid, participant);
  }

  #setTrack(track: TrackView): void {
    this.#change(track.participant, (one) => ({
      ...one,
      tracks: [...one.tracks.filter(({ sid }) => sid !== track.sid), track],
    }));
  }

  #change(sid: string, change: (one: ParticipantView) => ParticipantView): void {
    const participant = this.participants.value.get(sid);
    if (participant) this.#setParticipant(change(participant));
  }
}

/** A copy without that key, or the same map if it has none. */
export function without<K, V>(map: ReadonlyMap<K, V>, key: K): ReadonlyMap<K, V> {
  if (!map.has(key)) return map;
  const copy = new Map(map);
  copy.delete(key);
  return copy;
}
