import { EventEmitter, once } from 'node:events';
import net from 'node:net';
import { onTestFinished } from 'vitest';
import { RtmpGateway } from '../../../gateways/rtmp/gateway.ts';
import type { Notice, Reply, Request } from '../../../gateways/rtmp/messages.ts';
import { rtmpOptions } from '../../../gateways/rtmp/options.ts';
import { PatchroomError } from '../../../src/base/errors.ts';
import type { TrackNotice } from '../../../src/ingest/messages.ts';
import type { Codec } from '../../../src/media/codec.ts';
import type { IngestStatistics } from '../../../transcode/ingest/ingest-statistics.ts';
import { eventually } from './eventually.ts';
import { fakeHost } from './fake-media-plane.ts';
import { turn } from './fake-process.ts';
import type { Gate } from './gate.ts';
import { openRoom } from './rooms.ts';

/** A media worker, of which no more is known than that it is one. */
export interface FakeWorker {
  readonly pid: number;
}

/** The gateway's way to its half in one worker. */
export class FakePort extends EventEmitter<{ notice: [Notice]; lost: [cause: string] }> {
  readonly worker: FakeWorker;
  closed = false;
  #plane: FakeEncoderPlane;

  constructor(worker: FakeWorker, plane: FakeEncoderPlane) {
    super();
    this.worker = worker;
    this.#plane = plane;
  }

  request(request: Request): Promise<Reply> {
    return this.#plane.request(request);
  }

  async hand(request: Request, socket: net.Socket): Promise<Reply> {
    try {
      const reply = await this.#plane.request(request);
      if (request.type === 'accept') this.#plane.accepted.push({ id: request.session, port: this, socket });
      return reply;
    } catch (error) {
      socket.destroy();
      throw error;
    }
  }

  close(): void {
    this.closed = true;
    this.removeAllListeners();
  }

  /** Its worker dies. */
  lose(): void {
    this.emit('lost', 'killed');
    this.close();
  }
}

export interface AcceptedSession {
  readonly id: string;
  readonly port: FakePort;
  readonly socket: net.Socket;
}

interface Produced {
  readonly ssrc: number;
  readonly codec: Codec;
  readonly payloadType: number;
}

/** The media plane as the control half of encoders sees it, and what became of what it was asked. */
export class FakeEncoderPlane {
  mediaWorkers: FakeWorker[] = [{ pid: 1 }];
  readonly ports: FakePort[] = [];
  /** In their order. */
  readonly requests: Request[] = [];
  /** Connections that were handed over. */
  readonly accepted: AcceptedSession[] = [];
  /** What the hub was told of each producer so far. */
  readonly produced: { readonly codec: string; readonly payloadType: number }[] = [];
  /** Producers that are open at the hub, by SSRC. */
  readonly producers = new Set<number>();
  /** What requests of these types have to pass before they are answered. */
  readonly gates: Partial<Record<Request['type'], Gate>> = {};
  /** What requests fail with, by type, the next time. */
  readonly failures: Partial<Record<Request['type'], Error[]>> = {};
  statistics: IngestStatistics = { repairs: { jumps: 0, steps: 0 } };

  portTo(worker: FakeWorker): FakePort {
    const port = new FakePort(worker, this);
    this.ports.push(port);
    return port;
  }

  async link(_room: unknown, _port: unknown, kind: string) {
    return {
      id: `link for ${kind}`,
      produce: async ({ ssrc, codec, payloadType }: Produced) => {
        this.producers.add(ssrc);
        this.produced.push({ codec: codec.name, payloadType });
        return { id: `producer of ${ssrc}`, close: () => void this.producers.delete(ssrc) };
      },
    };
  }

  async request(request: Request): Promise<Reply> {
    this.requests.push(request);
    await this.gates[request.type]?.pass();
    const failure = this.failures[request.type]?.shift();
    if (failure) throw failure;
    return request.type === 'statistics' ? { statistics: this.statistics } : {};
  }

  /** The requests of a type so far. */
  all<T extends Request['type']>(type: T): Extract<Request, { type: T }>[] {
    return this.requests.filter((request) => request.type === type) as Extract<Request, { type: T }>[];
  }

  /** What a session was told so far, in short; not what it was asked. */
  toldTo({ id }: { readonly id: string }): string[] {
    return this.requests.flatMap((request) => {
      if (!('session' in request) || request.session !== id) return [];
      if (request.type === 'accept' || request.type === 'statistics') return [];
      return 'description' in request ? `${request.type}: ${request.description}` : request.type;
    });
  }
}

export function gone(): PatchroomError {
  return new PatchroomError('unavailable', 'The media worker is gone.');
}

export function trackNotice(change: Partial<TrackNotice> = {}): Omit<TrackNotice, 'session'> {
  const { kind = 'video' } = change;
  return {
    type: 'track',
    kind,
    codec: kind === 'video' ? 'H264' : 'AAC',
    outcome: kind === 'video' ? 'pass-through' : 'transcode',
    reason: kind === 'video' ? 'browsers take it as it is' : 'browsers and phones do not take AAC',
    steps: [],
    ...change,
  };
}

/** A gateway that listens on loopback, around one room, with as much of a media plane as it needs. */
export async function encoders(
  change: Record<string, unknown> = {},
  hostChange: Record<string, unknown> = {},
) {
  const { room } = openRoom({ maxParticipants: 0 });
  const plane = new FakeEncoderPlane();
  const { host, clock, joining } = fakeHost(room, plane);
  const options = rtmpOptions.parse({
    port: 0,
    keys: [
      { key: 'the-key-of-camera-1', room: 'lounge', name: 'Camera 1' },
      { key: 'the-key-of-camera-2', room: 'lounge', name: 'Camera 2' },
    ],
    ...change,
  });
  const gateway = new RtmpGateway(Object.assign(host, hostChange), options);
  const sockets: net.Socket[] = [];
  onTestFinished(async () => {
    for (const socket of [...sockets, ...plane.accepted.map((one) => one.socket)]) socket.destroy();
    clock.advance(0);
    const stopped = gateway.stop(0);
    clock.advance(0);
    await stopped;
  });
  await gateway.start();

  /** An encoder comes. @returns the socket at its own end */
  const dial = async (localAddress = '127.0.0.1') => {
    const [port] = gateway.listeningPorts;
    const socket = net.connect({ port: port!, host: '127.0.0.1', localAddress });
    socket.on('error', () => {});
    sockets.push(socket);
    await once(socket, 'connect');
    return socket;
  };
  /** @returns its session, once a worker has it */
  const connect = async (localAddress?: string): Promise<AcceptedSession> => {
    const { length } = plane.accepted;
    await dial(localAddress);
    await eventually(() => plane.accepted.length).toBe(length + 1);
    return plane.accepted.at(-1)!;
  };
  const say = async (session: AcceptedSession, notice: Record<string, unknown>) => {
    session.port.emit('notice', { session: session.id, ...notice } as Notice);
    await turn();
  };
  const publish = (session: AcceptedSession, key: string) =>
    say(session, { type: 'publish', app: 'live', key });
  const end = (session: AcceptedSession, how = 'closed', error?: string) =>
    say(session, { type: 'over', how, text: 'It is over.', dropped: 0, ...(error ? { error } : {}) });
  /** An encoder that is live. */
  const live = async (key = 'the-key-of-camera-1') => {
    const session = await connect();
    await publish(session, key);
    return session;
  };
  const counters = async () => gateway.report();
  return { room, plane, clock, gateway, joining, dial, connect, say, publish, end, live, counters };
}
