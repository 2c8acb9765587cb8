import { randomBytes } from 'node:crypto';
import type net from 'node:net';
import {
  asPatchroomError,
  type Gateway,
  type GatewayHost,
  PatchroomError,
  type Sink,
} from '../../src/gateway.ts';
import { Publisher } from '../../src/ingest/publisher.ts';
import { type StreamKey, StreamKeys } from '../../src/ingest/stream-keys.ts';
import type { LeaveReason } from '../../src/room/vocabulary.ts';
import type { Notice } from './messages.ts';
import { DEFAULT_PORT, type RtmpOptions } from './options.ts';
import { Relays } from './relays.ts';
import { listen } from './server/listener.ts';
import { type Port, WorkerPorts } from './worker-ports.ts';

interface Session {
  readonly id: string;
  readonly address: string;
  readonly port: Port;
  /** Resolves when it is over. */
  readonly over: PromiseWithResolvers<void>;
  /** Once it was let in. */
  stream?: Stream;
}

/** A key that is in use, and by whom. */
interface Stream {
  readonly key: StreamKey;
  encoder: Publisher | undefined;
  /** While it is let into its room. */
  joining: Promise<Publisher> | undefined;
  session: Session | undefined;
}

/** Whoever has sent nothing for so long gives its key to the next one that comes with it. */
const TAKEOVER_MS = 2_000;
/** Whoever was removed from a room does not come back by itself for so long: encoders try again at once. */
const REMOVED_MS = 60_000;
const FAREWELLS: Partial<Record<LeaveReason, string>> = {
  removed: 'You were removed from the room.',
  'room-deleted': 'The room was closed.',
  shutdown: 'The server is shutting down.',
};

/** Encoders, whose connections are accepted here, and CDNs, which are called: everything on them is a media worker's. */
export class RtmpGateway implements Gateway {
  #host: GatewayHost;
  #options: RtmpOptions;
  #keys: StreamKeys;
  #servers: net.Server[] = [];
  #ports: WorkerPorts;
  #relays: Relays;
  #sessions = new Map<string, Session>();
  /** Addresses of connections for which there is no worker yet, by id. */
  #arriving = new Map<string, string>();
  /** By the key's id. */
  #streams = new Map<string, Stream>();
  /** Keys whose encoder was removed, by id. */
  #removed = new Set<string>();
  #counters: Record<string, number> = {
    sessionsTotal: 0,
    overLimit: 0,
    badKey: 0,
    keyInUse: 0,
    silent: 0,
    messagesDropped: 0,
  };
  #stopping = false;

  constructor(host: GatewayHost, options: RtmpOptions) {
    this.#host = host;
    this.#options = options;
    this.#keys = new StreamKeys(options.keys, host.demo);
    this.#ports = new WorkerPorts(
      host,
      options,
      (notice) => this.#onNotice(notice),
      (port) => this.#onLost(port),
    );
    this.#relays = new Relays({
      host,
      ports: this.#ports,
      keys: this.#keys,
      listeningPorts: () => this.listeningPorts,
    });
  }

  get sink(): Sink {
    return this.#relays;
  }

  get wayIn(): readonly [string, string] | undefined {
    const [server] = this.#servers;
    if (!server?.listening) return undefined;
    const { bind, announce } = this.#host.network;
    const host = announce ?? bind;
    const { port } = server.address() as net.AddressInfo;
    const key = this.#host.demo ? 'demo' : '<stream key>';
    return ['OBS', `rtmp://${host.includes(':') ? `[${host}]` : host}:${port}/live   key: ${key}`];
  }

  /** Ports that it listens on: RTMP, then RTMPS where there is a certificate. */
  get listeningPorts(): number[] {
    return this.#servers.map((server) => (server.address() as net.AddressInfo).port);
  }

  async start(): Promise<void> {
    if (!this.#keys.any) {
      this.#host.log.info('there are no stream keys (rtmp.keys is empty): RTMP is off');
      return;
    }
    const { tlsPort } = this.#options;
    await this.#listen(this.#options.port, false);
    if (tlsPort === undefined) return;
    if (!this.#host.tls) {
      throw new PatchroomError('invalid-request', 'rtmp.tlsPort needs a certificate: set http.tls.');
    }
    await this.#listen(tlsPort, true);
  }

  async stop(graceMs: number): Promise<void> {
    this.#stopping = true;
    const closed = this.#servers.map((server) => new Promise((done) => server.close(done)));
    for (const { encoder } of [...this.#streams.values()]) encoder?.participant.leave('shutdown');
    for (const session of this.#sessions.values()) this.#dismiss(session, 'The server is shutting down.');
    const limit = new Promise<void>((done) => this.#host.clock.after(graceMs, done));
    const over = [...this.#sessions.values()].map((session) => session.over.promise);
    await Promise.race([Promise.all([...closed, ...over]), limit]);
    this.#ports.close();
  }

  async report(): Promise<Record<string, number>> {
    let live = 0;
    for (const { session } of this.#streams.values()) if (session) live++;
    return { sessions: this.#sessions.size, live, relays: this.#relays.count, ...this.#counters };
  }

  async #listen(port: number, secure: boolean): Promise<void> {
    const { bind } = this.#host.network;
    const onSocket = (socket: net.Socket) => void this.#accept(socket, secure);
    try {
      this.#servers.push(await listen(bind, port, onSocket));
    } catch (error) {
      // Another server has it, which is no reason for a demo not to start.
      if (!this.#host.demo || port !== DEFAULT_PORT) throw error;
      this.#host.log.warn({ err: error }, 'taking another RTMP port');
      this.#servers.push(await listen(bind, 0, onSocket));
    }
  }

  /** @param socket - paused */
  async #accept(socket: net.Socket, secure: boolean): Promise<void> {
    const address = socket.remoteAddress;
    socket.on('error', () => {}); // 'close' follows
    if (address === undefined) {
      socket.destroy(); // it was cut before it was looked at
      return;
    }
    const { maxConnections, maxConnectionsPerAddress } = this.#options;
    const addresses = [...this.#arriving.values(), ...[...this.#sessions.values()].map((one) => one.address)];
    const fromThere = addresses.filter((one) => one === address).length;
    if (this.#stopping || addresses.length >= maxConnections || fromThere >= maxConnectionsPerAddress) {
      this.#counters.overLimit!++;
      socket.destroy();
      return;
    }
    const id = randomBytes(9).toString('base64url');
    this.#arriving.set(id, address);
    try {
      const port = await this.#leastLoadedPort();
      this.#arriving.delete(id);
      if (this.#stopping) throw new PatchroomError('unavailable', 'The server is stopping.');
      this.#sessions.set(id, { id, address, port, over: Promise.withResolvers() });
      this.#counters.sessionsTotal!++;
      await port.hand({ type: 'accept', session: id, secure }, socket);
    } catch (error) {
      this.#arriving.delete(id);
      this.#sessions.delete(id);
      socket.destroy();
      // Cut on its way to the worker: nothing that anybody could do something about.
      if (asPatchroomError(error).code === 'failed-precondition') return;
      this.#host.log.warn({ err: error, address }, 'an encoder could not be served');
    }
  }

  /** @throws PatchroomError 'unavailable' */
  #leastLoadedPort(): Promise<Port> {
    const loads = new Map(this.#host.media.mediaWorkers.map((worker) => [worker, 0]));
    for (const { port } of this.#sessions.values()) {
      const load = loads.get(port.worker);
      if (load !== undefined) loads.set(port.worker, load + 1); // others are ending
    }
    const [least] = [...loads].sort(([, one], [, other]) => one - other);
    if (!least) throw new PatchroomError('unavailable');
    const [worker] = least;
    return this.#ports.to(worker);
  }

  #onLost(port: Port): void {
    for (const session of [...this.#sessions.values()]) {
      if (session.port === port) this.#onOver(session);
    }
    this.#relays.onLost(port);
  }

  #onNotice(notice: Notice): void {
    if (notice.type === 'relay' || notice.type === 'relay-failed') {
      this.#relays.onNotice(notice);
      return;
    }
    const session = this.#sessions.get(notice.session);
    if (!session) return;
    const encoder = session.stream?.encoder;
    if (notice.type === 'publish') void this.#decide(session, notice.key);
    if (notice.type === 'track') encoder?.onTrack(notice);
    if (notice.type === 'encoder' && encoder && !session.stream?.key.name) {
      encoder.participant.update({ name: notice.name });
    }
    if (notice.type === 'unpublished') this.#onUnpublished(session);
    if (notice.type === 'over') {
      if (notice.error) this.#counters[notice.error] = (this.#counters[notice.error] ?? 0) + 1;
      if (notice.how === 'silent') this.#counters.silent!++;
      this.#counters.messagesDropped! += notice.dropped;
      this.#host.log.info({ address: session.address, how: notice.how, text: notice.text }, 'encoder gone');
      this.#onOver(session);
    }
  }

  /** Lets it in, or tells it why not. Never rejects. */
  async #decide(session: Session, key: string): Promise<void> {
    await this.#askToYield(key);
    if (!this.#sessions.has(session.id)) return; // it went meanwhile
    const stream = this.#claim(session, key);
    if (typeof stream === 'string') {
      this.#refuse(session, stream);
      return;
    }
    try {
      const encoder = stream.encoder ?? (await this.#joinOnce(stream));
      if (stream.session !== session) {
        if (!stream.session) encoder.detach(); // it went while it was let in, and no other came
        return;
      }
      encoder.attach({ id: session.id, port: session.port });
      await session.port.request({ type: 'admit', session: session.id });
    } catch (error) {
      const { code, message, cause } = asPatchroomError(error);
      if (code === 'internal')
        this.#host.log.error({ err: cause ?? error }, 'an encoder could not be let in');
      if (stream.session === session) {
        stream.session = undefined;
        stream.encoder?.detach();
      }
      if (!stream.session && !stream.encoder) this.#forget(stream);
      this.#refuse(session, message);
    }
  }

  /** Frees a key whose connection looks alive and is silent. */
  async #askToYield(text: string): Promise<void> {
    const key = this.#keys.find(text);
    const stream = key && this.#streams.get(key.id);
    const holder = stream?.session;
    if (!holder || stream.joining) return; // who is being let in cannot have sent anything
    const question = { type: 'yield', session: holder.id, silentMs: TAKEOVER_MS } as const;
    // Where nobody answers, its worker is gone: that is told otherwise.
    const { yields } = await holder.port.request(question).catch(() => ({ yields: false }));
    if (yields && this.#sessions.get(holder.id) === holder) this.#onOver(holder);
  }

  #forget(stream: Stream): void {
    if (this.#streams.get(stream.key.id) === stream) this.#streams.delete(stream.key.id);
  }

  /** @returns the stream, now this session's; or why it cannot have it */
  #claim(session: Session, text: string): Stream | string {
    const key = this.#keys.find(text);
    if (this.#stopping) return 'The server is shutting down.';
    if (!key) {
      this.#counters.badKey!++;
      return 'This stream key is not known here.';
    }
    if (this.#removed.has(key.id)) return 'You were removed from the room. Try again in a minute.';
    const stream = this.#streams.get(key.id) ?? {
      key,
      encoder: undefined,
      joining: undefined,
      session: undefined,
    };
    if (stream.session) {
      this.#counters.keyInUse!++;
      return 'Somebody is publishing with this stream key already.';
    }
    stream.session = session;
    session.stream = stream;
    this.#streams.set(key.id, stream);
    return stream;
  }

  /** Who comes after one that went meanwhile waits for the same. */
  async #joinOnce(stream: Stream): Promise<Publisher> {
    stream.joining ??= this.#join(stream).finally(() => {
      stream.joining = undefined;
    });
    return stream.joining;
  }

  async #join(stream: Stream): Promise<Publisher> {
    const { key } = stream;
    const identity = `encoder-${randomBytes(4).toString('hex')}`;
    const admission = await this.#host.admit({
      type: 'stream-key',
      room: key.room,
      identity,
      name: key.name || 'Encoder',
    });
    const { permissions, metadata, attributes, name, roomOptions, roomMetadata } = admission;
    const participant = await this.#host.join(
      key.room,
      { identity, name, kind: 'encoder', gateway: 'rtmp', permissions, metadata, attributes },
      { options: roomOptions, metadata: roomMetadata },
    );
    const log = this.#host.log.child({ room: key.room, participant: participant.sid });
    participant.once('left', (reason) => this.#onLeft(stream, reason));
    stream.encoder = new Publisher(participant, this.#host, this.#options.reconnectSeconds * 1000, log);
    return stream.encoder;
  }

  #onLeft(stream: Stream, reason: LeaveReason): void {
    const { session, key } = stream;
    this.#forget(stream);
    stream.encoder = undefined;
    if (reason === 'removed') {
      this.#removed.add(key.id);
      this.#host.clock.after(REMOVED_MS, () => this.#removed.delete(key.id));
    }
    if (session) this.#dismiss(session, FAREWELLS[reason] ?? 'You have left the room.');
  }

  #refuse(session: Session, description: string): void {
    delete session.stream;
    session.port.request({ type: 'refuse', session: session.id, description }).catch(() => {});
  }

  #dismiss(session: Session, description: string): void {
    session.port.request({ type: 'dismiss', session: session.id, description }).catch(() => {});
  }

  /** It goes on without what it published. */
  #onUnpublished(session: Session): void {
    const { stream } = session;
    // First of all, so that the participant's leaving does not end the connection.
    delete session.stream;
    if (stream?.session !== session) return;
    stream.session = undefined;
    stream.encoder?.participant.leave('left');
  }

  #onOver(session: Session): void {
    this.#sessions.delete(session.id);
    session.over.resolve();
    const { stream } = session;
    if (stream?.session !== session) return;
    stream.session = undefined;
    stream.encoder?.detach();
  }
}
