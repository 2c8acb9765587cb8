import { randomBytes } from 'node:crypto';
import net from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { RtmpError } from '../../gateways/rtmp/protocol/rtmp-error.ts';
import { ServerSession } from '../../gateways/rtmp/server/server-session.ts';
import { seededRandom } from '../signals/random.ts';
import { type FlvTag, isSequenceHeader } from './flv-clip.ts';

/** What a CDN does with whoever publishes to it. */
export type Misbehaviour =
  /** None: it takes everything. */
  | { readonly kind: 'none' }
  /** Bytes that are no RTMP, as soon as it is connected to. */
  | { readonly kind: 'garbage' }
  /** The same, but only once it let somebody publish. */
  | { readonly kind: 'garbage-when-live' }
  /** It takes the connection and says nothing. */
  | { readonly kind: 'silent' }
  | { readonly kind: 'refuses'; readonly code: string; readonly description: string }
  /** So long after it let somebody publish, and without a word. */
  | { readonly kind: 'closes'; readonly afterMs: number };

/** One connection, as the CDN saw it. */
export interface CdnVisit {
  /** performance.now() */
  readonly connectedAt: number;
  /** When the CDN itself began to close it; undefined while it has not. */
  closedAt: number | undefined;
  /** Media, the first `MOST_TAGS` of it. */
  readonly tags: FlvTag[];
  /** It said that it is done. */
  unpublished: boolean;
  /** The connection is gone. */
  over: boolean;
}

const GARBAGE_BYTES = 64 * 1024;
const MOST_TAGS = 1_000;

/** An RTMP server of our own on a port of loopback, that is as bad as it is told to be. */
export class BadCdn {
  /** All connections, the oldest first. */
  readonly visits: CdnVisit[] = [];
  #behaviour: Misbehaviour;
  #server: net.Server;
  #host: string;
  #sockets = new Set<net.Socket>();

  private constructor(behaviour: Misbehaviour, host: string) {
    this.#behaviour = behaviour;
    this.#host = host;
    this.#server = net.createServer((socket) => this.#accept(socket));
  }

  /** @param host - of loopback: there are others than 127.0.0.1 */
  static async start(behaviour: Misbehaviour, host = '127.0.0.1'): Promise<BadCdn> {
    const cdn = new BadCdn(behaviour, host);
    await new Promise<void>((resolve) => cdn.#server.listen(0, host, resolve));
    return cdn;
  }

  /** Where to push, without the key. */
  get url(): string {
    return `rtmp://${this.#host}:${(this.#server.address() as net.AddressInfo).port}/live`;
  }

  /** From when it closed a connection to when the next one came, ms. */
  get pausesMs(): number[] {
    return this.visits.slice(1).map(({ connectedAt }, index) => connectedAt - this.visits[index]!.closedAt!);
  }

  async stop(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #accept(socket: net.Socket): void {
    const visit: CdnVisit = {
      connectedAt: performance.now(),
      closedAt: undefined,
      tags: [],
      unpublished: false,
      over: false,
    };
    this.visits.push(visit);
    this.#sockets.add(socket);
    socket.on('error', () => {}); // 'close' follows
    socket.on('close', () => {
      visit.over = true;
      this.#sockets.delete(socket);
    });
    if (this.#behaviour.kind === 'garbage') socket.write(garbage());
    if (this.#behaviour.kind === 'garbage' || this.#behaviour.kind === 'silent') socket.resume();
    else this.#converse(socket, visit);
  }

  #converse(socket: net.Socket, visit: CdnVisit): void {
    const keep = (type: FlvTag['type']) => (body: Buffer, timestampMs: number) => {
      if (visit.tags.length < MOST_TAGS) visit.tags.push({ type, timestampMs, body });
    };
    const session = new ServerSession(
      {
        send: (buffers) => {
          for (const buffer of buffers) socket.write(buffer);
        },
        publish: () => this.#answer(session, socket, visit),
        audio: keep('audio'),
        video: keep('video'),
        metadata: () => {},
        unpublished: () => {
          visit.unpublished = true;
        },
      },
      { random: randomBytes, now: () => performance.now() },
    );
    socket.on('data', (bytes: Buffer) => {
      try {
        session.receive(bytes);
      } catch (error) {
        if (!(error instanceof RtmpError)) throw error;
        socket.destroy();
      }
    });
  }

  #answer(session: ServerSession, socket: net.Socket, visit: CdnVisit): void {
    const behaviour = this.#behaviour;
    const close = () => {
      visit.closedAt = performance.now();
      socket.end();
    };
    // The session is in the middle of a message.
    queueMicrotask(() => {
      if (behaviour.kind === 'refuses') {
        session.refuse(behaviour.code, behaviour.description);
        close();
        return;
      }
      session.admit();
      if (behaviour.kind === 'garbage-when-live') socket.write(garbage());
      if (behaviour.kind === 'closes') void delay(behaviour.afterMs).then(close);
    });
  }
}

/** The same each time. */
function garbage(): Buffer {
  const random = seededRandom(1935);
  return Buffer.from(Array.from({ length: GARBAGE_BYTES }, () => Math.floor(random() * 256)));
}

/** Whether what came begins as a decoder needs it: what is said of pictures, and a key frame as the first of them. */
export function beginsWhole(tags: readonly FlvTag[], isKeyFrame: (tag: FlvTag) => boolean): boolean {
  const [header, first] = tags.filter(({ type }) => type === 'video');
  const [soundHeader] = tags.filter(({ type }) => type === 'audio');
  return (
    header !== undefined &&
    isSequenceHeader(header) &&
    first !== undefined &&
    isKeyFrame(first) &&
    soundHeader !== undefined &&
    isSequenceHeader(soundHeader)
  );
}
