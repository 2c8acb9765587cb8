import { codecsOf, type Hub, type hubTypes, type Logger } from '../../src/gateway.ts';
import type { Plan } from '../../src/media/plan.ts';
import type { Participant } from '../../src/room/participant.ts';
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
  #opening = new Set<string>();
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
    for (const consumer of this.#consumers.values()) consumer.close();
    this.#consumers.clear();
    this.#opening = new Set();
    this.#unwanted.clear();
    this.#listener.subscriptions.clear();
    this.#receiver = undefined;
  }

  /** What stands, for a browser that comes back. */
  get views(): SubscriptionView[] {
    return [...this.#consumers].map(([track, consumer]) => view(track, consumer));
  }

  /** Never rejects: what fails is logged, and that track does not come. */
  async add(track: Track): Promise<void> {
    const receiver = this.#receiver;
    const opening = this.#opening; // starting anew has a list of its own
    const known = this.#consumers.has(track.sid) || opening.has(track.sid);
    if (!receiver || known || track.participant === this.#listener || !this.#listener.permissions.subscribe)
      return;
    opening.add(track.sid);
    try {
      const path = plan(track, { who: 'the browser', accepts: this.#accepts });
      const canConsume = receiver.hub.canConsume(track.producerId, receiver.capabilities);
      if (path.outcome === 'pass-through' && canConsume) await this.#open(track, receiver, path);
      else this.#refuse(track, path);
    } catch (error) {
      // The track or the connection closed in this moment; anything else shows in the log.
      if (this.#listener.room.track(track.sid) && this.#receiver === receiver) {
        this.#log.warn({ err: error, track: track.sid }, 'subscription failed');
      }
    } finally {
      opening.delete(track.sid);
    }
  }

  async #open(track: Track, receiver: Receiver, path: Plan): Promise<void> {
    const { room } = this.#listener;
    const consumer = await receiver.transport.consume({
      producerId: track.producerId,
      rtpCapabilities: receiver.capabilities,
      paused: true, // until the browser says it is ready, so that no first packets are lost
    });
    const over = !room.track(track.sid) || this.#receiver !== receiver || this.#listener.leftBecause;
    if (over || !this.#listener.permissions.subscribe) {
      consumer.close();
      return;
    }
    room.subscribe(this.#listener, track, path, true);
    this.#consumers.set(track.sid, consumer);
    this.#notify({ type: 'subscribed', body: view(track.sid, consumer) });
  }

  #refuse(track: Track, path: Plan): void {
    const reason =
      path.outcome === 'refused' ? path.reason : `the browser cannot take this form of ${track.codec.name}`;
    this.#listener.room.subscribe(this.#listener, track, { outcome: 'refused', reason }, true);
    this.#notify({ type: 'subscription-refused', body: { track: track.sid, reason } });
  }

  /** Ends all, because the listener may not subscribe any more. */
  revoke(): void {
    for (const [track, consumer] of this.#consumers) {
      consumer.close();
      this.#notify({ type: 'unsubscribed', body: { track } });
    }
    this.#consumers.clear();
    this.#listener.subscriptions.clear();
  }

  remove(track: Track): void {
    this.#consumers.get(track.sid)?.close();
    this.#consumers.delete(track.sid);
    this.#unwanted.delete(track.sid);
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

function view(track: string, consumer: hubTypes.Consumer): SubscriptionView {
  return {
    track,
    consumer: consumer.id,
    producer: consumer.producerId,
    kind: consumer.kind,
    rtpParameters: { ...consumer.rtpParameters },
  };
}
