import { codecsOf, type Hub, type hubTypes, type Logger } from '../../src/gateway.ts';
import type { Plan } from '../../src/media/plan.ts';
import type { ProducerHold } from '../../src/room/producer-on-demand.ts';
import type { Participant } from '../../src/room/room.ts';
import type { Track } from '../../src/room/track.ts';
import { plan } from '../../transcode/plan.ts';
import type { ServerNotice, SubscriptionView } from './messages.ts';

/** Where a browser receives: its hub, its connection and what it can decode. */
export interface Receiver {
  readonly hub: Hub;
  readonly transport: hubTypes.WebRtcTransport;
  readonly capabilities: hubTypes.RtpCapabilities;
}

/** The tracks that one browser gets: every track of the others, as the planner says, until it turns one off. */
export class Subscriptions {
  #listener: Participant;
  #notify: (notice: ServerNotice) => void;
  #log: Logger;
  #receiver: Receiver | undefined;
  #accepts: ReturnType<typeof codecsOf> = [];
  /** By track sid. */
  #consumers = new Map<string, hubTypes.Consumer>();
  /** What keeps each track at the hub, by track sid: of those that come by another's consumer too. */
  #holds = new Map<string, ProducerHold>();
  /** The track for which each producer is received, by producer: a mix comes for the first of its tracks. */
  #carriers = new Map<string, string>();
  /** The attempt that is under way for each track, by track sid. */
  #opening = new Map<string, object>();
  #unwanted = new Set<string>();

  constructor(listener: Participant, notify: (notice: ServerNotice) => void, log: Logger) {
    this.#listener = listener;
    this.#notify = notify;
    this.#log = log;
  }

  /** Starts anew on this connection, with all the room's tracks. @throws PatchroomError when the capabilities make no sense */
  async receiveThrough(receiver: Receiver): Promise<void> {
    const accepts = codecsOf(receiver.capabilities);
    this.reset();
    this.#receiver = receiver;
    this.#accepts = accepts;
    await Promise.all(this.#listener.room.tracks.map((track) => this.add(track)));
  }

  /** Forgets everything; the connection that carried it is gone. */
  reset(): void {
    this.#closeAll();
    this.#unwanted.clear();
    this.#listener.subscriptions.clear();
    this.#receiver = undefined;
  }

  /** What stands, for a browser that comes back. */
  get views(): SubscriptionView[] {
    return [...this.#consumers].flatMap(([sid, consumer]) => {
      const track = this.#listener.room.track(sid);
      return track ? [view(track, consumer)] : [];
    });
  }

  /** Never rejects: what fails is logged, and that track does not come. */
  async add(track: Track): Promise<void> {
    const receiver = this.#receiver;
    const opening = this.#opening; // starting anew has a list of its own
    const known = this.#holds.has(track.sid) || opening.has(track.sid);
    if (!receiver || known || track.participant === this.#listener || !this.#listener.permissions.subscribe)
      return;
    const attempt = {};
    opening.set(track.sid, attempt);
    try {
      const path = plan(track, { who: 'the browser', accepts: this.#accepts });
      if (path.outcome === 'refused') this.#refuse(track, path.reason);
      else await this.#open(track, receiver, path, () => this.#opening.get(track.sid) === attempt);
    } catch (error) {
      // The track or the connection closed in this moment; anything else shows in the log.
      if (this.#listener.room.track(track.sid) && this.#receiver === receiver) {
        this.#log.warn({ err: error, track: track.sid }, 'subscription failed');
      }
    } finally {
      if (opening.get(track.sid) === attempt) opening.delete(track.sid);
    }
  }

  /** @param isWanted - false once the track was removed or renewed, or the listener started anew */
  async #open(track: Track, receiver: Receiver, path: Plan, isWanted: () => boolean): Promise<void> {
    const { room } = this.#listener;
    const hold = await track.hold();
    if (!isWanted()) {
      hold.release();
      return;
    }
    const { producerId } = hold;
    const carriers = this.#carriers; // as with `opening`
    const carried = carriers.has(producerId);
    if (!carried) carriers.set(producerId, track.sid);
    const giveUp = () => {
      hold.release();
      if (carried) return;
      carriers.delete(producerId);
      if (carriers === this.#carriers) this.#handOver(producerId);
    };
    const consumer = carried
      ? undefined
      : await this.#consume(producerId, receiver).catch((error: unknown) => {
          giveUp();
          throw error;
        });
    const over = !isWanted() || !room.track(track.sid) || this.#listener.leftBecause;
    if (over || !this.#listener.permissions.subscribe) {
      consumer?.close();
      giveUp();
      return;
    }
    if (!consumer && !carried) {
      giveUp();
      this.#refuse(track, `the browser cannot take this form of ${track.codec.name}`);
      return;
    }
    this.#holds.set(track.sid, hold);
    room.subscribe(this.#listener, track, path, consumer !== undefined);
    if (!consumer) return;
    this.#consumers.set(track.sid, consumer);
    this.#notify({ type: 'subscribed', body: view(track, consumer) });
  }

  /** @returns undefined when the browser's capabilities do not cover it */
  async #consume(producerId: string, { hub, transport, capabilities }: Receiver) {
    if (!hub.canConsume(producerId, capabilities)) return undefined;
    return transport.consume({
      producerId,
      rtpCapabilities: capabilities,
      paused: true, // until the browser says it is ready, so that no first packets are lost
    });
  }

  #refuse(track: Track, reason: string): void {
    this.#listener.room.subscribe(this.#listener, track, { outcome: 'refused', reason }, true);
    this.#notify({ type: 'subscription-refused', body: { track: track.sid, reason } });
  }

  /** Ends all, because the listener may not subscribe any more. */
  revoke(): void {
    for (const track of this.#consumers.keys()) this.#notify({ type: 'unsubscribed', body: { track } });
    this.#closeAll();
    this.#listener.subscriptions.clear();
  }

  /** It is gone. A mix that came for it goes on for the others that are in it. */
  remove(track: Track): void {
    const consumer = this.#consumers.get(track.sid);
    this.#drop(track);
    this.#unwanted.delete(track.sid);
    if (consumer) this.#handOver(consumer.producerId);
  }

  /** Nothing carries this producer any more: another of the tracks that come by it is to. */
  #handOver(producerId: string): void {
    const { tracks } = this.#listener.room;
    const others = tracks.filter(({ sid }) => this.#holds.get(sid)?.producerId === producerId);
    for (const other of others) this.#drop(other);
    for (const other of others) void this.add(other);
  }

  /** It takes another way to the hub now. */
  renew(track: Track): void {
    if (this.#consumers.has(track.sid)) {
      this.#notify({ type: 'unsubscribed', body: { track: track.sid } });
    }
    this.#drop(track);
    void this.add(track);
  }

  /** What is done to it on its way is something else now; its packets go on coming the same way. */
  replan(track: Track): void {
    const subscription = this.#listener.subscriptions.get(track.sid);
    if (subscription && this.#holds.has(track.sid)) {
      subscription.plan = plan(track, { who: 'the browser', accepts: this.#accepts });
    }
  }

  #drop(track: Track): void {
    const consumer = this.#consumers.get(track.sid);
    if (consumer) this.#carriers.delete(consumer.producerId);
    consumer?.close();
    this.#consumers.delete(track.sid);
    this.#holds.get(track.sid)?.release();
    this.#holds.delete(track.sid);
    this.#opening.delete(track.sid);
    this.#listener.subscriptions.delete(track.sid);
  }

  #closeAll(): void {
    for (const consumer of this.#consumers.values()) consumer.close();
    for (const hold of this.#holds.values()) hold.release();
    this.#consumers.clear();
    this.#carriers = new Map();
    this.#opening = new Map();
    this.#holds.clear();
  }

  async setReady(tracks: readonly string[]): Promise<void> {
    const wanted = tracks.filter((track) => !this.#unwanted.has(track));
    await Promise.all(wanted.map((track) => this.#setPaused(track, false)));
  }

  async setWanted(tracks: readonly string[], wanted: boolean): Promise<void> {
    const known = tracks.filter((track) => this.#consumers.has(track));
    for (const track of known) {
      if (wanted) this.#unwanted.delete(track);
      else this.#unwanted.add(track);
    }
    await Promise.all(known.map((track) => this.#setPaused(track, !wanted)));
  }

  async setLayers(layers: readonly { readonly track: string; readonly layer: number }[]): Promise<void> {
    const set = async (track: string, spatialLayer: number) => {
      const consumer = this.#consumers.get(track);
      if (consumer && consumer.type !== 'simple') await consumer.setPreferredLayers({ spatialLayer });
    };
    await Promise.all(layers.map(({ track, layer }) => set(track, layer)));
  }

  async #setPaused(trackSid: string, paused: boolean): Promise<void> {
    const consumer = this.#consumers.get(trackSid);
    const subscription = this.#listener.subscriptions.get(trackSid);
    if (!consumer || !subscription) return;
    subscription.paused = paused;
    await (paused ? consumer.pause() : consumer.resume());
  }
}

function view(track: Track, consumer: hubTypes.Consumer): SubscriptionView {
  const isScreen = track.purpose === 'screen' || track.purpose === 'screen-audio';
  return {
    track: track.sid,
    stream: `${track.participant.sid}-${isScreen ? 'screen' : 'person'}`,
    consumer: consumer.id,
    producer: consumer.producerId,
    kind: consumer.kind,
    rtpParameters: { ...consumer.rtpParameters },
  };
}
