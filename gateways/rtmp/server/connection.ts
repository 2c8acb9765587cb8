import { randomBytes } from 'node:crypto';
import type { Socket } from 'node:net';
import { type SecureContext, TLSSocket } from 'node:tls';
import type { Clock, Timer } from '../../../src/gateway.ts';
import { RtmpError, type RtmpErrorCode } from '../protocol/rtmp-error.ts';
import { type PublishRequest, ServerSession, type ServerSessionEvents } from './server-session.ts';

/** How a connection ended. */
export interface Ending {
  readonly how: 'closed' | 'silent' | 'refused' | 'error';
  /** For people. */
  readonly text: string;
  /** Of what its peer did wrong. */
  readonly error?: RtmpErrorCode;
}

export interface ConnectionEvents
  extends Pick<ServerSessionEvents, 'publish' | 'audio' | 'video' | 'metadata' | 'unpublished'> {
  /** Once; nothing comes after it. */
  over(ending: Ending): void;
}

export interface ConnectionOptions {
  /** For RTMPS. */
  readonly tls?: SecureContext;
  /** Without audio or video for so long it is ended. */
  readonly silenceMs: number;
}

/** From accepting a connection to publish, ms: nobody occupies a place by doing nothing. */
const START_LIMIT_MS = 5_000;
/** A timer that comes so late says that this process stood still. */
const STALL_MS = 250;
/** For what is said last to be read. */
const LINGER_MS = 1_000;
/** Of what we say to an encoder that reads nothing; it is little. */
const MAX_UNSENT_BYTES = 64 * 1024;
/** Of what it still sends when it is over: whoever goes on is cut off. */
const MAX_DISCARDED_BYTES = 1024 * 1024;

/** One encoder's connection: the socket, its time limits, and the session that is spoken on it. Errors end it, and nothing else. */
export class Connection {
  #socket: Socket;
  #clock: Clock;
  #events: ConnectionEvents;
  #session: ServerSession;
  #silenceMs: number;
  #heardAt: number;
  #timer: Timer | undefined;
  #over = false;
  #discarded = 0;

  /** @param socket - accepted, nothing of it read */
  constructor(socket: Socket, options: ConnectionOptions, clock: Clock, events: ConnectionEvents) {
    this.#clock = clock;
    this.#events = events;
    this.#silenceMs = options.silenceMs;
    this.#heardAt = clock.now();
    socket.setNoDelay(true);
    socket.on('error', () => {}); // 'close' follows
    this.#socket = options.tls
      ? new TLSSocket(socket, { isServer: true, secureContext: options.tls })
      : socket;
    this.#session = new ServerSession(
      {
        send: (buffers) => this.#write(buffers),
        publish: (request) => this.#onPublish(request),
        audio: events.audio,
        video: events.video,
        metadata: events.metadata,
        unpublished: () => {
          this.#awaitPublish({ how: 'closed', text: 'The encoder stopped, and published nothing else.' });
          events.unpublished();
        },
      },
      { random: randomBytes, now: () => clock.now() },
    );
    this.#awaitPublish({ how: 'error', text: 'Nothing was published in time.', error: 'handshake' });
    this.#socket.on('error', () => {});
    this.#socket.on('data', (bytes: Buffer) => this.#receive(bytes));
    this.#socket.once('end', () => this.#end({ how: 'closed', text: 'The encoder closed the connection.' }));
    this.#socket.once('close', () =>
      this.#end({ how: 'closed', text: 'The connection to the encoder was lost.' }),
    );
    this.#socket.resume();
  }

  /** Messages that came and were not passed on. */
  get dropped(): number {
    return this.#session.dropped;
  }

  /** It may publish. */
  admit(): void {
    if (this.#over || this.#session.state !== 'deciding') return; // it changed its mind meanwhile
    this.#heardAt = this.#clock.now();
    this.#watch();
    this.#guard(() => this.#session.admit());
    this.#socket.resume();
  }

  /** It may not: is told why, and closed. */
  refuse(description: string): void {
    if (this.#session.state !== 'deciding') return;
    this.#session.refuse('NetStream.Publish.BadName', description);
    this.#end({ how: 'refused', text: description });
  }

  /** Ends what it publishes, tells why, and closes. */
  dismiss(description: string): void {
    if (this.#over) return;
    this.#session.dismiss(description);
    this.#end({ how: 'refused', text: description });
  }

  /**
   * Gives its key up to another connection, if it has sent neither audio nor video for so long: mostly it is the same encoder,
   * whose network went and came back.
   */
  async yields(silentMs: number): Promise<boolean> {
    const isSilent = () => this.#clock.now() - this.#heardAt >= silentMs;
    // Where we were held up ourselves, what came meanwhile is read first.
    if (isSilent()) await new Promise(setImmediate);
    if (!this.#over && !isSilent()) return false;
    this.dismiss(
      `Another connection took over with this stream key, as nothing came for ${silentMs / 1000} s.`,
    );
    return true;
  }

  /** At once and without a word. */
  destroy(): void {
    this.#end({ how: 'closed', text: 'The connection was closed.' });
    this.#socket.destroy();
  }

  /** @param ending - when nothing is published within a few seconds */
  #awaitPublish(ending: Ending): void {
    this.#timer?.cancel();
    this.#timer = this.#clock.after(START_LIMIT_MS, () => {
      this.#session.dismiss(ending.text);
      this.#end(ending);
    });
  }

  #onPublish(request: PublishRequest): void {
    // Nothing more is read until it is known who it is.
    this.#socket.pause();
    this.#timer?.cancel();
    this.#events.publish(request);
  }

  #receive(bytes: Buffer): void {
    if (this.#over) {
      this.#discarded += bytes.length;
      if (this.#discarded > MAX_DISCARDED_BYTES) this.#socket.destroy();
      return;
    }
    const { mediaMessages } = this.#session;
    // What asks for many answers at once gets them in one piece.
    this.#socket.cork();
    this.#guard(() => this.#session.receive(bytes));
    this.#socket.uncork();
    // Only media is a sign of life: whoever sends anything else would keep a key from others for good.
    if (this.#session.mediaMessages !== mediaMessages) this.#heardAt = this.#clock.now();
  }

  /** What the peer did wrong ends its connection; also in what it sent before it was let in. */
  #guard(action: () => void): void {
    try {
      action();
    } catch (error) {
      if (!(error instanceof RtmpError)) throw error;
      // People look for it in their encoder's log.
      this.#session.dismiss(error.message);
      this.#end({ how: 'error', text: error.message, error: error.code });
    }
  }

  /** Looks after it from time to time instead of setting a timer for each message. */
  #watch(isSecondLook = false): void {
    this.#timer?.cancel();
    const left = this.#heardAt + this.#silenceMs - this.#clock.now();
    if (left < -STALL_MS && !isSecondLook) {
      // We were held up ourselves: what came meanwhile is read first.
      this.#timer = this.#clock.after(STALL_MS, () => this.#watch(true));
    } else if (left <= 0) {
      const text = `The encoder sent nothing for ${this.#silenceMs / 1000} s.`;
      this.#session.dismiss(text);
      this.#end({ how: 'silent', text });
    } else this.#timer = this.#clock.after(left, () => this.#watch());
  }

  #write(buffers: readonly Buffer[]): void {
    if (this.#socket.destroyed || this.#socket.writableEnded) return;
    if (this.#socket.writableLength > MAX_UNSENT_BYTES) {
      this.#socket.destroy();
      return;
    }
    this.#socket.cork();
    for (const buffer of buffers) this.#socket.write(buffer);
    this.#socket.uncork();
  }

  #end(ending: Ending): void {
    if (this.#over) return;
    this.#over = true;
    this.#timer?.cancel();
    if (!this.#socket.destroyed) this.#linger();
    this.#events.over(ending);
  }

  #linger(): void {
    const socket = this.#socket;
    socket.resume(); // so that its end is seen
    socket.end();
    const limit = this.#clock.after(LINGER_MS, () => socket.destroy());
    socket.once('close', () => limit.cancel());
  }
}
