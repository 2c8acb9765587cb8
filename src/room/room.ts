import { EventEmitter } from 'node:events';
import type { Clock, Timer } from '../base/clock.ts';
import { PatchroomError } from '../base/errors.ts';
import type { Plan, Route } from '../media/plan.ts';
import type { NewParticipant, ParticipantChange } from './new-participant.ts';
import { mustBeAbleToPublish, type Permissions } from './permissions.ts';
import type { ProducerOnDemand } from './producer-on-demand.ts';
import { newSid } from './sid.ts';
import { Subscription } from './subscription.ts';
import { type NewTrack, Track } from './track.ts';
import type { ConnectionQuality, LeaveReason, ParticipantKind } from './vocabulary.ts';

/** Limits and grace times of one room. */
export interface RoomOptions {
  /** 0: no limit. */
  readonly maxParticipants: number;
  readonly maxTracksPerParticipant: number;
  /** How long it stays open when nobody ever came, in ms. */
  readonly emptyTimeoutMs: number;
  /** How long it stays open after the last one left, in ms. */
  readonly departureTimeoutMs: number;
}

export type RoomCloseReason = 'empty' | 'deleted' | 'shutdown';

/** Who speaks right now and how loud. */
export interface Speaker {
  readonly participant: Participant;
  /** dBov: 0 is the loudest that the codec can say, -127 silence (RFC 6464). */
  readonly level: number;
}

/** Who hears it: the hub its own streams, the mixer those that reach the hub in a mix only. */
export type SpeakerSource = 'hub' | 'mix';

export type RoomEvents = {
  participantJoined: [participant: Participant];
  participantLeft: [participant: Participant, reason: LeaveReason];
  participantUpdated: [participant: Participant];
  qualityChanged: [participant: Participant];
  trackPublished: [track: Track];
  trackUnpublished: [track: Track];
  trackUpdated: [track: Track];
  /** It takes another way to the hub from now on: who holds its producer lets it go and takes the new one. */
  trackRerouted: [track: Track];
  /** Something else is done to it on its way to the hub, which stays the same: nobody needs to fetch it anew. */
  trackReplanned: [track: Track];
  /** Somebody pressed a key of his phone: 0-9, *, #, A-D. */
  digit: [participant: Participant, digit: string];
  speakers: [speakers: readonly Speaker[]];
  /** Its metadata changed. */
  updated: [];
  /** Somebody else's picture is to be shown in what goes out of it. */
  pinned: [identity: string | undefined];
  /** Its hub (or the media worker that carried it) died: every track is gone, gateways set theirs up anew. */
  mediaLost: [reason: string];
  closed: [reason: RoomCloseReason];
};

/**
 * A named place where participants meet. Holds who is there and what they publish, and says what
 * changes; it touches no media. Closes by itself when it has been empty for its grace time.
 */
export class Room extends EventEmitter<RoomEvents> {
  readonly sid = newSid('RM');
  readonly name: string;
  /** Milliseconds since 1970. */
  readonly createdAt: number;
  options: RoomOptions;
  metadata: string;
  /** What happened so far. */
  readonly counters = { participantsJoined: 0, tracksPublished: 0, mediaLosses: 0 };
  #clock: Clock;
  #participants = new Map<string, Participant>();
  #tracks = new Map<string, Track>();
  #speakers: Record<SpeakerSource, readonly Speaker[]> = { hub: [], mix: [] };
  #emptyTimer: Timer | undefined;
  #pinned: string | undefined;
  #closed = false;

  constructor(name: string, options: RoomOptions, clock: Clock, metadata = '') {
    super();
    // One listener per participant and event: bounded by the participants' limit.
    this.setMaxListeners(0);
    this.name = name;
    this.options = options;
    this.metadata = metadata;
    this.createdAt = clock.wallClock();
    this.#clock = clock;
    this.#closeWhenEmptyFor(options.emptyTimeoutMs);
  }

  get closed(): boolean {
    return this.#closed;
  }

  get participants(): readonly Participant[] {
    return [...this.#participants.values()];
  }

  get tracks(): readonly Track[] {
    return [...this.#tracks.values()];
  }

  /** Identity of whose picture is to be shown in what goes out of the room; he may not be there. */
  get pinned(): string | undefined {
    return this.#pinned;
  }

  pin(identity: string | undefined): void {
    if (identity === this.#pinned) return;
    this.#pinned = identity;
    this.emit('pinned', identity);
  }

  participant(identity: string): Participant | undefined {
    return this.#participants.get(identity);
  }

  track(sid: string): Track | undefined {
    return this.#tracks.get(sid);
  }

  /** The one track that comes by this producer; undefined for a producer that carries a mix of several. */
  trackOfProducer(producerId: string): Track | undefined {
    const tracks = this.tracks.filter((track) => track.producerId === producerId);
    return tracks.length === 1 ? tracks[0] : undefined;
  }

  /** @throws PatchroomError 'room-full', or 'room-not-found' when it has closed */
  join(from: NewParticipant): Participant {
    if (this.#closed) throw new PatchroomError('room-not-found', `The room ${this.name} has just closed.`);
    const same = this.#participants.get(from.identity);
    const limit = this.options.maxParticipants;
    if (!same && limit > 0 && this.#participants.size >= limit) {
      throw new PatchroomError('room-full', `The room ${this.name} is full: ${limit} participants at most.`);
    }
    if (same) this.removeParticipant(same, 'replaced');
    this.#emptyTimer?.cancel();
    const participant = new Participant(newSid('PA'), this, this.#clock.wallClock(), from);
    this.#participants.set(participant.identity, participant);
    this.counters.participantsJoined++;
    this.emit('participantJoined', participant);
    return participant;
  }

  removeParticipant(participant: Participant, reason: LeaveReason): void {
    if (participant.leftBecause) return;
    for (const track of participant.tracks.values()) this.unpublish(track);
    participant.subscriptions.clear();
    participant.leftBecause = reason;
    this.#participants.delete(participant.identity);
    participant.emit('left', reason);
    this.emit('participantLeft', participant, reason);
    if (this.#participants.size === 0 && !this.#closed) {
      this.#closeWhenEmptyFor(this.options.departureTimeoutMs);
    }
  }

  updateParticipant(participant: Participant, change: ParticipantChange): void {
    if (participant.leftBecause) return;
    if (change.name !== undefined) participant.name = change.name;
    if (change.metadata !== undefined) participant.metadata = change.metadata;
    for (const [key, value] of Object.entries(change.attributes ?? {})) {
      if (value === '') delete participant.attributes[key];
      else participant.attributes[key] = value;
    }
    if (change.permissions) {
      participant.permissions = change.permissions;
      for (const track of participant.tracks.values()) {
        try {
          mustBeAbleToPublish(change.permissions, track.purpose);
        } catch {
          this.unpublish(track);
        }
      }
    }
    participant.emit('updated');
    this.emit('participantUpdated', participant);
  }

  setQuality(participant: Participant, quality: ConnectionQuality): void {
    if (participant.quality === quality || participant.leftBecause) return;
    participant.quality = quality;
    this.emit('qualityChanged', participant);
  }

  /** @throws PatchroomError 'forbidden', 'limit-reached' or 'failed-precondition' */
  publish(participant: Participant, from: NewTrack): Track {
    if (participant.leftBecause)
      throw new PatchroomError('failed-precondition', 'You are not in the room any more.');
    mustBeAbleToPublish(participant.permissions, from.purpose);
    const limit = this.options.maxTracksPerParticipant;
    if (participant.tracks.size >= limit) {
      throw new PatchroomError('limit-reached', `A participant can publish ${limit} tracks at most.`);
    }
    const track = new Track(newSid('TR'), participant, from);
    participant.tracks.set(track.sid, track);
    this.#tracks.set(track.sid, track);
    this.counters.tracksPublished++;
    this.emit('trackPublished', track);
    return track;
  }

  unpublish(track: Track): void {
    if (!this.#tracks.delete(track.sid)) return;
    for (const participant of this.#participants.values()) {
      participant.tracks.delete(track.sid);
      participant.subscriptions.delete(track.sid);
    }
    this.emit('trackUnpublished', track);
  }

  setMuted(track: Track, muted: boolean): void {
    if (track.muted === muted || !this.#tracks.has(track.sid)) return;
    track.muted = muted;
    this.emit('trackUpdated', track);
  }

  /** @param route - undefined: as it is */
  reroute(track: Track, route: Route | undefined, producer: ProducerOnDemand): void {
    if (!this.#tracks.has(track.sid)) return;
    track.follow(route, producer);
    this.emit('trackRerouted', track);
  }

  /** @param route - undefined: as it is */
  replan(track: Track, route: Route | undefined): void {
    if (!this.#tracks.has(track.sid)) return;
    track.route = route;
    this.emit('trackReplanned', track);
  }

  /** Notes that a listener gets a track, and how. @throws PatchroomError 'forbidden' */
  subscribe(listener: Participant, track: Track, plan: Plan, paused: boolean): Subscription {
    if (!listener.permissions.subscribe) {
      throw new PatchroomError('forbidden', 'You are not permitted to subscribe in this room.');
    }
    const subscription = new Subscription(track, plan, paused);
    listener.subscriptions.set(track.sid, subscription);
    return subscription;
  }

  press(participant: Participant, digit: string): void {
    if (!participant.leftBecause) this.emit('digit', participant, digit);
  }

  setMetadata(metadata: string): void {
    this.metadata = metadata;
    this.emit('updated');
  }

  /** @param source - whose observation it is: what one says takes nothing from what another says */
  setSpeakers(speakers: readonly Speaker[], source: SpeakerSource = 'hub'): void {
    this.#speakers[source] = speakers;
    const all = Object.values(this.#speakers).flat();
    all.sort((one, other) => other.level - one.level);
    // Whom both hear counts once, and who left does not.
    const told = new Set<Participant>();
    this.emit(
      'speakers',
      all.filter(
        ({ participant }) => !participant.leftBecause && !told.has(participant) && told.add(participant),
      ),
    );
  }

  /** Its media plane died: tells everybody, after taking all tracks away. */
  loseMedia(reason: string): void {
    if (this.#closed) return;
    this.counters.mediaLosses++;
    for (const track of this.tracks) this.unpublish(track);
    this.#speakers = { hub: [], mix: [] };
    this.emit('speakers', []);
    this.emit('mediaLost', reason);
  }

  close(reason: RoomCloseReason): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#emptyTimer?.cancel();
    const leaveReason = reason === 'shutdown' ? 'shutdown' : 'room-deleted';
    for (const participant of this.participants) this.removeParticipant(participant, leaveReason);
    this.emit('closed', reason);
    this.removeAllListeners();
  }

  #closeWhenEmptyFor(delayMs: number): void {
    this.#emptyTimer?.cancel();
    this.#emptyTimer = this.#clock.after(delayMs, () => {
      if (this.#participants.size === 0) this.close('empty');
    });
  }
}

export type ParticipantEvents = {
  /** It is out of the room (its own doing or not): the gateway ends the leg. */
  left: [reason: LeaveReason];
  /** Name, metadata, attributes or permissions changed. */
  updated: [];
};

/**
 * One person or device in one room, through one gateway. All state is its Room's; what a gateway may
 * do is here as methods, and what it must react to comes as events.
 */
export class Participant extends EventEmitter<ParticipantEvents> {
  readonly sid: string;
  readonly room: Room;
  readonly identity: string;
  readonly kind: ParticipantKind;
  readonly gateway: string;
  /** Milliseconds since 1970. */
  readonly joinedAt: number;
  readonly tracks = new Map<string, Track>();
  readonly subscriptions = new Map<string, Subscription>();
  name: string;
  metadata: string;
  attributes: Record<string, string>;
  permissions: Permissions;
  quality: ConnectionQuality = 'excellent';
  /** Why it is out of the room; undefined while it is in. */
  leftBecause: LeaveReason | undefined;

  constructor(sid: string, room: Room, joinedAt: number, from: NewParticipant) {
    super();
    this.sid = sid;
    this.room = room;
    this.joinedAt = joinedAt;
    this.identity = from.identity;
    this.kind = from.kind;
    this.gateway = from.gateway;
    this.name = from.name;
    this.metadata = from.metadata ?? '';
    this.attributes = { ...from.attributes };
    this.permissions = from.permissions;
  }

  /** @throws PatchroomError 'forbidden', 'limit-reached' or 'failed-precondition' (it left) */
  publish(track: NewTrack): Track {
    return this.room.publish(this, track);
  }

  unpublish(track: Track): void {
    this.room.unpublish(track);
  }

  setMuted(track: Track, muted: boolean): void {
    this.room.setMuted(track, muted);
  }

  setQuality(quality: ConnectionQuality): void {
    this.room.setQuality(this, quality);
  }

  /** @param digit - 0-9, *, #, A-D */
  press(digit: string): void {
    this.room.press(this, digit);
  }

  update(change: ParticipantChange): void {
    this.room.updateParticipant(this, change);
  }

  leave(reason: LeaveReason): void {
    this.room.removeParticipant(this, reason);
  }
}
