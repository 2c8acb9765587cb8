import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { WebSocketServer } from 'ws';
import {
  type Gateway,
  type GatewayHost,
  PatchroomError,
  refuseUpgrade,
  type Timer,
} from '../../src/gateway.ts';
import type { LeaveReason } from '../../src/room/vocabulary.ts';
import { CLOSE, Connection } from './connection.ts';
import { iceServersFor } from './ice-servers.ts';
import { type ClientMessage, MAX_MESSAGE_BYTES, type Reply, type RequestBody } from './messages.ts';
import type { WebRtcOptions } from './options.ts';
import { Peer } from './peer.ts';
import { viewParticipant, viewPermissions, viewRoom, visibleTo } from './views.ts';

export const SIGNALLING_PATH = '/rtc';
const JOIN_LIMIT_MS = 10_000;
/** Requests of one connection that are being worked on; one more ends it. */
const MAX_REQUESTS_UNDER_WAY = 128;

interface Place {
  readonly peer: Peer;
  readonly resumeKey: string;
  /** Runs while the browser is away. */
  awayTimer?: Timer;
}

/** Browsers: signalling over WebSocket, media between the browser and the room's hub. */
export class WebRtcGateway implements Gateway {
  #host: GatewayHost;
  #options: WebRtcOptions;
  #server = new WebSocketServer({ noServer: true, maxPayload: MAX_MESSAGE_BYTES });
  /** Each with its place: undefined before it joined, 'joining' while that is being decided. */
  #connections = new Map<Connection, Place | 'joining' | undefined>();
  /** By participant sid. */
  #places = new Map<string, Place>();
  #stopping = false;

  constructor(host: GatewayHost, options: WebRtcOptions) {
    this.#host = host;
    this.#options = options;
  }

  async start(): Promise<void> {
    this.#host.web.onUpgrade(SIGNALLING_PATH, (request, socket, head, address) =>
      this.#accept(request, socket, head, address),
    );
  }

  async stop(graceMs: number): Promise<void> {
    this.#stopping = true;
    for (const { peer } of [...this.#places.values()]) peer.participant.leave('shutdown');
    for (const connection of this.#connections.keys()) connection.close(CLOSE.goingAway, 'shutdown');
    const all = [...this.#connections.keys()].map(
      (one) => new Promise<void>((done) => one.once('closed', done)),
    );
    const limit = new Promise<void>((done) => this.#host.clock.after(graceMs, done));
    await Promise.race([Promise.all(all), limit]);
    for (const connection of this.#connections.keys()) connection.terminate();
    this.#server.close();
  }

  #accept(request: IncomingMessage, socket: Duplex, head: Buffer, address: string): void {
    const fromThere = [...this.#connections.keys()].filter(
      (connection) => connection.address === address,
    ).length;
    const { maxConnections, maxConnectionsPerAddress } = this.#options;
    if (this.#stopping || this.#connections.size >= maxConnections || fromThere >= maxConnectionsPerAddress) {
      this.#host.log.warn({ address }, 'too many WebSocket connections; refused');
      refuseUpgrade(socket, '503 Service Unavailable');
      return;
    }
    this.#server.handleUpgrade(request, socket, head, (webSocket) => {
      this.#serve(new Connection(webSocket, address, this.#host.clock, this.#host.log));
    });
  }

  #serve(connection: Connection): void {
    this.#connections.set(connection, undefined);
    const joinLimit = this.#host.clock.after(JOIN_LIMIT_MS, () => connection.close(CLOSE.policy, 'no join'));
    let underWay = 0;
    connection.on('message', (message) => {
      if (underWay >= MAX_REQUESTS_UNDER_WAY) {
        connection.fail(message.id, new PatchroomError('rate-limited', 'Too many requests under way.'));
        connection.close(CLOSE.policy, 'rate-limited');
        return;
      }
      underWay++;
      void this.#answer(connection, message).finally(() => {
        underWay--;
        const place = this.#connections.get(connection);
        if (place && place !== 'joining') joinLimit.cancel();
      });
    });
    connection.once('closed', () => {
      joinLimit.cancel();
      const place = this.#connections.get(connection);
      this.#connections.delete(connection);
      if (place && place !== 'joining' && place.peer.connection === connection) this.#waitForReturn(place);
    });
  }

  async #answer(connection: Connection, message: ClientMessage): Promise<void> {
    try {
      const place = this.#connections.get(connection);
      if (message.type === 'join') {
        if (place) throw new PatchroomError('failed-precondition', 'You are in a room already.');
        await this.#join(connection, message.id, message.body);
        return;
      }
      if (!place || place === 'joining' || place.peer.participant.leftBecause) {
        throw new PatchroomError('failed-precondition', 'Join a room first.');
      }
      connection.reply(message.id, await place.peer.handle(message));
      if (message.type === 'leave') connection.close(CLOSE.normal, 'left');
    } catch (error) {
      connection.fail(message.id, error);
    }
  }

  async #join(connection: Connection, id: number, body: RequestBody<'join'>): Promise<void> {
    this.#connections.set(connection, 'joining');
    const known = body.resume && this.#findPlace(body.resume);
    const place =
      known ??
      (await this.#enter(body).catch((error: unknown) => {
        if (this.#connections.has(connection)) this.#connections.set(connection, undefined);
        throw error;
      }));
    if (!this.#connections.has(connection)) {
      // It closed while it was being let in.
      if (!known) place.peer.participant.leave('left');
      return;
    }
    const before = place.peer.connection;
    place.awayTimer?.cancel();
    this.#connections.set(connection, place);
    connection.reply<'join'>(id, this.#welcome(place, known !== undefined));
    place.peer.attach(connection);
    before?.close(CLOSE.policy, 'resumed elsewhere');
  }

  async #enter(body: RequestBody<'join'>): Promise<Place> {
    const name = body.name === undefined ? {} : { name: body.name };
    const admission = await this.#host.admit(
      body.token
        ? { type: 'token', room: body.room, token: body.token, ...name }
        : { type: 'guest', room: body.room, ...name },
    );
    const participant = await this.#host.join(
      body.room,
      {
        identity: admission.identity,
        name: admission.name,
        kind: 'browser',
        gateway: 'webrtc',
        permissions: admission.permissions,
        metadata: admission.metadata,
        attributes: admission.attributes,
      },
      { options: admission.roomOptions, metadata: admission.roomMetadata },
    );
    const log = this.#host.log.child({ room: body.room, participant: participant.sid });
    const place: Place = {
      peer: new Peer(participant, this.#host, log),
      resumeKey: randomBytes(24).toString('base64url'),
    };
    this.#places.set(participant.sid, place);
    participant.once('left', (reason) => this.#onLeft(place, reason));
    return place;
  }

  #findPlace({ participant, key }: NonNullable<RequestBody<'join'>['resume']>): Place | undefined {
    const place = this.#places.get(participant);
    return place && timingSafeEqual(digest(place.resumeKey), digest(key)) ? place : undefined;
  }

  #welcome({ peer, resumeKey }: Place, resumed: boolean): Reply<'join'> {
    const { participant } = peer;
    return {
      room: viewRoom(participant.room),
      you: participant.sid,
      resumeKey,
      resumed,
      transports: peer.transportIds,
      resumeMs: this.#options.resumeSeconds * 1000,
      permissions: viewPermissions(participant.permissions),
      participants: visibleTo(participant).map(viewParticipant),
      subscriptions: peer.subscriptionViews,
      iceServers: iceServersFor(this.#options.iceServers, participant.identity, this.#host.clock.wallClock()),
    };
  }

  #waitForReturn(place: Place): void {
    if (place.peer.participant.leftBecause) return;
    place.peer.attach(undefined);
    place.awayTimer = this.#host.clock.after(this.#options.resumeSeconds * 1000, () =>
      place.peer.participant.leave('connection-lost'),
    );
  }

  #onLeft({ peer, awayTimer }: Place, reason: LeaveReason): void {
    awayTimer?.cancel();
    this.#places.delete(peer.participant.sid);
    peer.close();
    if (reason === 'left') return;
    peer.connection?.notify({ type: 'removed', body: { reason } });
    peer.connection?.close(reason === 'shutdown' ? CLOSE.goingAway : CLOSE.normal, reason);
  }
}

/** Secrets are compared by their digests: equal lengths, constant time. */
function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
