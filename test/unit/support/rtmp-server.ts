import { EventEmitter, once } from 'node:events';
import net from 'node:net';
import { expect, onTestFinished } from 'vitest';
import { RtmpGateway } from '../../../gateways/rtmp/gateway.ts';
import rtmpMedia from '../../../gateways/rtmp/media.ts';
import type { Notice, Reply, Request } from '../../../gateways/rtmp/messages.ts';
import { rtmpOptions } from '../../../gateways/rtmp/options.ts';
import { readAmf0 } from '../../../gateways/rtmp/protocol/amf0.ts';
import { controlMessage, MESSAGE } from '../../../gateways/rtmp/protocol/messages.ts';
import type { Logger, MediaHost } from '../../../src/gateway.ts';
import { eventually } from './eventually.ts';
import { FakeClock } from './fake-clock.ts';
import { FakeLink } from './fake-link.ts';
import { FakeLog } from './fake-log.ts';
import { fakeHost } from './fake-media-plane.ts';
import { turn } from './fake-process.ts';
import { openRoom } from './rooms.ts';
import { media, RtmpClient } from './rtmp-client.ts';

/*
 * The whole gateway for encoders in one process: both its halves, real sockets on loopback, and a clock that stands still. Only
 * the hub and the room's other participants are not there.
 */

export const KEYS = ['the-key-of-camera-1', 'the-key-of-camera-2'] as const;
const PONG = `${MESSAGE.userControl} 0007`;

/** An answer of the kind onStatus, or to a command that failed. */
export interface HeardStatus {
  readonly level?: string;
  readonly code?: string;
  readonly description?: string;
}

type Endpoints = ReturnType<typeof rtmpMedia.create>;

class LocalPort extends EventEmitter<{ notice: [Notice]; lost: [cause: string] }> {
  readonly worker: object;
  #endpoints: Endpoints;

  constructor(worker: object, endpoints: Endpoints) {
    super();
    this.worker = worker;
    this.#endpoints = endpoints;
  }

  async request(request: Request): Promise<Reply> {
    return this.#endpoints.handle(rtmpMedia.messages.request.parse(request));
  }

  async hand(request: Request, socket: net.Socket): Promise<Reply> {
    return this.#endpoints.handle(request, socket);
  }

  close(): void {
    this.removeAllListeners();
  }
}

export async function rtmpServer(
  change: Record<string, unknown> = {},
  hostChange: Record<string, unknown> = {},
) {
  const clock = new FakeClock();
  const log = new FakeLog();
  const { room } = openRoom({ maxParticipants: 0, maxTracksPerParticipant: 9 });
  const ports: LocalPort[] = [];
  const endpoints = rtmpMedia.create({
    log: log as unknown as Logger,
    clock,
    link: () => new FakeLink(),
    notify: (notice: Notice) => {
      for (const port of ports) port.emit('notice', rtmpMedia.messages.notice.parse(notice));
    },
  } as unknown as MediaHost<Notice>);
  const plane = {
    mediaWorkers: [{ pid: 1 }],
    portTo: (worker: object) => {
      ports.push(new LocalPort(worker, endpoints));
      return ports.at(-1)!;
    },
    link: async () => ({ id: 'link', produce: async () => ({ id: 'producer', close: () => {} }) }),
  };
  const { host } = fakeHost(room, plane, clock);
  const keys = KEYS.map((key, index) => ({ key, room: 'lounge', name: `Camera ${index + 1}` }));
  const options = rtmpOptions.parse({ port: 0, keys, ...change });
  const gateway = new RtmpGateway(Object.assign(host, { log, ...hostChange }), options);
  const sockets: net.Socket[] = [];
  onTestFinished(async () => {
    for (const socket of sockets) socket.destroy();
    const stopped = gateway.stop(0);
    clock.advance(0);
    await stopped;
    await endpoints.close();
  });
  await gateway.start();

  const connect = async () => {
    const [port] = gateway.listeningPorts;
    const socket = net.connect(port!, '127.0.0.1');
    sockets.push(socket);
    await once(socket, 'connect');
    return new Peer(socket);
  };
  /** An encoder that was let in, and has sent no media yet. */
  const live = async (key: string = KEYS[0]) => {
    const peer = await connect();
    peer.client.publish(key);
    await peer.hears('NetStream.Publish.Start');
    return peer;
  };
  return { room, clock, log, gateway, connect, live, counters: async () => gateway.report() };
}

/** An encoder's end of a connection. */
export class Peer {
  readonly socket: net.Socket;
  readonly client: RtmpClient;
  isClosed = false;

  constructor(socket: net.Socket) {
    this.socket = socket;
    this.client = new RtmpClient((bytes) => void socket.write(bytes));
    socket.on('data', (bytes: Buffer) => this.client.receive(bytes));
    socket.on('error', () => {});
    for (const event of ['end', 'close'])
      socket.once(event, () => {
        this.isClosed = true;
      });
  }

  /** All that it was told by onStatus and _error, in its order. */
  get statuses(): HeardStatus[] {
    return this.client.heard
      .filter(({ text }) => /^(onStatus|_error)/.test(text))
      .map(({ message }) => readAmf0(message.payload)[3] as HeardStatus);
  }

  /** Waits for a status, whichever else come. @param code - such as NetStream.Publish.Start */
  async hears(code: string): Promise<void> {
    await eventually(() => this.statuses.map((status) => status.code)).toContain(code);
  }

  /** Waits for its connection to end. */
  async closes(): Promise<void> {
    await eventually(() => this.isClosed).toBe(true);
  }

  /** Waits until all that was sent so far was read, and answered: a ping behind it is. @returns false when the connection ended instead */
  async settled(): Promise<boolean> {
    const pongs = () => this.client.heard.filter(({ text }) => text.startsWith(PONG)).length;
    const before = pongs();
    this.client.send(controlMessage.pingRequest(before + 1));
    await eventually(() => pongs() > before || this.isClosed).toBe(true);
    await turn();
    return !this.isClosed;
  }

  /** Sound, which comes to what it is sent to. */
  async sendMedia(timestamp = 0): Promise<void> {
    this.client.send(media('audio', timestamp, Buffer.from('af012110', 'hex')));
    expect(await this.settled()).toBe(true);
  }
}
