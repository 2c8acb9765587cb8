import { TokenBucket } from '../../src/base/token-bucket.ts';
import {
  codecOf,
  type GatewayHost,
  type Hub,
  type hubTypes,
  type Logger,
  PatchroomError,
} from '../../src/gateway.ts';
import { mustBeAbleToPublish } from '../../src/room/permissions.ts';
import type { Participant } from '../../src/room/room.ts';
import type { Track } from '../../src/room/track.ts';
import type { Connection } from './connection.ts';
import { feed } from './feed.ts';
import type { ClientMessage, Reply, RequestBody, ServerNotice } from './messages.ts';
import { qualityOf, statisticsOf } from './quality.ts';
import { Subscriptions } from './subscriptions.ts';

/** Each start makes all subscriptions anew: work for the hub. */
const RECEIVES_PER_SECOND = 0.5;
const RECEIVE_BURST = 5;

interface Direction {
  readonly hub: Hub;
  readonly transport: hubTypes.WebRtcTransport;
}

type Handled = Exclude<ClientMessage, { type: 'join' }>;

/** A browser in a room: its media connections, what it publishes and what it gets. Outlives its WebSocket for a while. */
export class Peer {
  readonly participant: Participant;
  #host: GatewayHost;
  #log: Logger;
  #connection: Connection | undefined;
  #directions: Partial<Record<'send' | 'receive', Direction>> = {};
  /** By track sid. */
  #producers = new Map<string, hubTypes.Producer>();
  #subscriptions: Subscriptions;
  #endings: (() => void)[] = [];
  #starts: TokenBucket;

  constructor(participant: Participant, host: GatewayHost, log: Logger) {
    this.participant = participant;
    this.#host = host;
    this.#log = log;
    this.#starts = new TokenBucket(RECEIVES_PER_SECOND, RECEIVE_BURST, host.clock);
    this.#subscriptions = new Subscriptions(participant, this.#notify, log);
    const { room } = participant;
    this.#endings.push(feed(participant, this.#notify));
    const onPublished = (track: Track) => void this.#subscriptions.add(track);
    const onUnpublished = (track: Track) => this.#onUnpublished(track);
    const onRerouted = (track: Track) => this.#subscriptions.renew(track);
    const onReplanned = (track: Track) => this.#subscriptions.replan(track);
    const onUpdated = (track: Track) => void this.#followMute(track);
    const onMediaLost = () => this.#closeMedia();
    room.on('trackPublished', onPublished);
    room.on('trackUnpublished', onUnpublished);
    room.on('trackRerouted', onRerouted);
    room.on('trackReplanned', onReplanned);
    room.on('trackUpdated', onUpdated);
    room.on('mediaLost', onMediaLost);
    participant.on('updated', this.#onOwnUpdate);
    this.#endings.push(() => {
      room.off('trackPublished', onPublished);
      room.off('trackUnpublished', onUnpublished);
      room.off('trackRerouted', onRerouted);
      room.off('trackReplanned', onReplanned);
      room.off('trackUpdated', onUpdated);
      room.off('mediaLost', onMediaLost);
      participant.off('updated', this.#onOwnUpdate);
    });
  }

  get connection(): Connection | undefined {
    return this.#connection;
  }

  /** Ids of its open media connections. */
  get transportIds(): string[] {
    return Object.values(this.#directions).map(({ transport }) => transport.id);
  }

  get subscriptionViews() {
    return this.#subscriptions.views;
  }

  /** @param connection - undefined while the browser is away */
  attach(connection: Connection | undefined): void {
    this.#connection = connection;
    this.participant.setQuality(connection ? 'excellent' : 'lost');
  }

  /** Releases everything; the participant has left its room. */
  close(): void {
    for (const end of this.#endings.splice(0)) end();
    this.#closeMedia();
  }

  /** @returns the reply's value. @throws PatchroomError */
  async handle(message: Handled): Promise<Reply<Handled['type']>> {
    switch (message.type) {
      case 'open':
        return this.#open(message.body);
      case 'connect':
        await this.#connect(message.body);
        return {};
      case 'restart-ice': {
        const iceParameters = await this.#direction(message.body.direction).transport.restartIce();
        return { iceParameters: { ...iceParameters } };
      }
      case 'receive': {
        if (!this.#starts.take())
          throw new PatchroomError('rate-limited', 'Receiving was started too often.');
        const capabilities = message.body.rtpCapabilities as hubTypes.RtpCapabilities;
        await this.#subscriptions.receiveThrough({ ...this.#direction('receive'), capabilities });
        return {};
      }
      case 'ready':
        await this.#subscriptions.setReady(message.body.tracks);
        return {};
      case 'want':
        await this.#subscriptions.setWanted(message.body.tracks, message.body.wanted);
        return {};
      case 'layers':
        await this.#subscriptions.setLayers(message.body.layers);
        return {};
      case 'publish':
        return this.#publish(message.body);
      case 'unpublish':
        this.participant.unpublish(this.#ownTrack(message.body.track));
        return {};
      case 'mute':
        this.participant.setMuted(this.#ownTrack(message.body.track), message.body.muted);
        return {};
      case 'update':
        if (!this.participant.permissions.updateOwn)
          throw new PatchroomError('forbidden', 'You may not change your name here.');
        this.participant.update({ name: message.body.name });
        return {};
      case 'moderate':
        this.#moderate(message.body);
        return {};
      case 'leave':
        this.participant.leave('left');
        return {};
      case 'ping':
        return {};
    }
  }

  async #open({ direction, tcpOnly = false }: RequestBody<'open'>): Promise<Reply<'open'>> {
    const hub = await this.#host.media.hub(this.participant.room);
    const transport = await hub.createBrowserTransport(tcpOnly);
    if (this.participant.leftBecause) {
      transport.close();
      throw new PatchroomError('failed-precondition', 'You are not in the room any more.');
    }
    this.#directions[direction]?.transport.close();
    if (direction === 'receive') this.#subscriptions.reset();
    // What the old connection carried is gone; the browser publishes it again.
    else for (const track of [...this.participant.tracks.values()]) this.participant.unpublish(track);
    this.#directions[direction] = { hub, transport };
    return {
      routerRtpCapabilities: { ...hub.capabilities },
      transport: {
        id: transport.id,
        iceParameters: { ...transport.iceParameters },
        iceCandidates: transport.iceCandidates.map((candidate) => ({ ...candidate })),
        dtlsParameters: { ...transport.dtlsParameters },
      },
    };
  }

  async #connect({ direction, dtlsParameters }: RequestBody<'connect'>): Promise<void> {
    const { transport } = this.#direction(direction);
    await transport
      .connect({ dtlsParameters: dtlsParameters as unknown as hubTypes.DtlsParameters })
      .catch((error: Error) => {
        throw new PatchroomError('invalid-request', `These DTLS parameters cannot be used: ${error.message}`);
      });
  }

  async #publish(body: RequestBody<'publish'>): Promise<Reply<'publish'>> {
    mustBeAbleToPublish(this.participant.permissions, body.purpose);
    const { transport } = this.#direction('send');
    const producer = await transport
      .produce({
        kind: body.kind,
        rtpParameters: body.rtpParameters as unknown as hubTypes.RtpParameters,
        paused: body.muted ?? false,
      })
      .catch((error: Error) => {
        throw new PatchroomError('codec-refused', `This ${body.kind} cannot be taken: ${error.message}`);
      });
    try {
      const track = this.participant.publish({
        kind: body.kind,
        purpose: body.purpose,
        codec: codecOf(producer.rtpParameters),
        producerId: producer.id,
        muted: body.muted ?? false,
        layers: producer.type === 'simple' ? 1 : (producer.rtpParameters.encodings?.length ?? 1),
        ...(body.width ? { width: body.width } : {}),
        ...(body.height ? { height: body.height } : {}),
        statistics: () => statisticsOf(producer),
      });
      this.#producers.set(track.sid, producer);
      producer.on('score', () => {
        if (this.#connection) this.participant.setQuality(qualityOf([...this.#producers.values()]));
      });
      return { track: track.sid, producer: producer.id };
    } catch (error) {
      producer.close();
      throw error;
    }
  }

  #moderate({ participant: sid, action }: RequestBody<'moderate'>): void {
    if (!this.participant.permissions.admin) {
      throw new PatchroomError('forbidden', 'Only administrators of this room may mute and remove others.');
    }
    const other = this.participant.room.participants.find((one) => one.sid === sid);
    if (!other) throw new PatchroomError('participant-not-found');
    if (action === 'remove') other.leave('removed');
    else for (const track of other.tracks.values()) if (track.kind === 'audio') other.setMuted(track, true);
  }

  #notify = (notice: ServerNotice): void => this.#connection?.notify(notice);

  #onOwnUpdate = (): void => {
    if (!this.participant.permissions.subscribe) this.#subscriptions.revoke();
    else for (const track of this.participant.room.tracks) void this.#subscriptions.add(track);
  };

  #onUnpublished(track: Track): void {
    this.#subscriptions.remove(track);
    const producer = this.#producers.get(track.sid);
    this.#producers.delete(track.sid);
    // After all listeners have closed what they receive of it: the hub would not know that any more.
    if (producer) queueMicrotask(() => producer.close());
  }

  /** A muted track's packets stop at the hub, whoever muted it and whatever the browser still sends. */
  async #followMute(track: Track): Promise<void> {
    const producer = this.#producers.get(track.sid);
    if (!producer) return;
    await (track.muted ? producer.pause() : producer.resume()).catch((error: unknown) => {
      if (!producer.closed) this.#log.error({ err: error, track: track.sid }, 'muting failed');
    });
  }

  #closeMedia(): void {
    this.#subscriptions.reset();
    for (const { transport } of Object.values(this.#directions)) transport.close();
    this.#directions = {};
    this.#producers.clear();
  }

  #direction(direction: 'send' | 'receive'): Direction {
    const open = this.#directions[direction];
    if (!open) throw new PatchroomError('failed-precondition', `The ${direction} connection is not open.`);
    return open;
  }

  #ownTrack(sid: string): Track {
    const track = this.participant.tracks.get(sid);
    if (!track) throw new PatchroomError('track-not-found', 'You have no such track.');
    return track;
  }
}
