import { EventEmitter } from 'node:events';
import type { WebSocket } from 'ws';
import { TokenBucket } from '../../src/base/token-bucket.ts';
import { asPatchroomError, type Clock, type Logger, PatchroomError, type Timer } from '../../src/gateway.ts';
import {
  type ClientMessage,
  clientMessage,
  type Reply,
  type RequestType,
  type ServerMessage,
  type ServerNotice,
} from './messages.ts';

const MESSAGES_PER_SECOND = 50;
const MESSAGE_BURST = 300;
const PING_INTERVAL_MS = 5_000;
const PONG_LIMIT_MS = 10_000;
/** A browser that reads nothing for so long that this much waits for it is dropped. */
const MAX_UNSENT_BYTES = 4 * 1024 * 1024;

/** WebSocket close codes that the page reads (RFC 6455, section 7.4). */
export const CLOSE = { normal: 1000, goingAway: 1001, policy: 1008 } as const;

export type ConnectionEvents = {
  message: [message: ClientMessage];
  /** It is gone, by either side; comes exactly once. */
  closed: [];
};

/** One browser's WebSocket: checks what comes in, limits its size and rate, and notices when it is dead. */
export class Connection extends EventEmitter<ConnectionEvents> {
  readonly address: string;
  #socket: WebSocket;
  #clock: Clock;
  #log: Logger;
  #bucket: TokenBucket;
  #ping: Timer | undefined;
  #pongLimit: Timer | undefined;

  constructor(socket: WebSocket, address: string, clock: Clock, log: Logger) {
    super();
    this.address = address;
    this.#socket = socket;
    this.#clock = clock;
    this.#log = log;
    this.#bucket = new TokenBucket(MESSAGES_PER_SECOND, MESSAGE_BURST, clock);
    socket.on('message', (data, isBinary) => this.#receive(data, isBinary));
    socket.on('pong', () => this.#onPong());
    // Too large, not UTF-8, protocol errors: ws closes with the proper code after this.
    socket.on('error', (error) => log.warn({ address, reason: error.message }, 'WebSocket error'));
    socket.once('close', () => {
      this.#ping?.cancel();
      this.#pongLimit?.cancel();
      this.emit('closed');
      this.removeAllListeners();
    });
    this.#schedulePing();
  }

  reply<T extends RequestType>(id: number, value: Reply<T>): void {
    this.#send({ type: 'reply', id, value });
  }

  /** Answers a request with its error. What is not a refusal of ours is logged, and told as 'internal'. */
  fail(id: number, error: unknown): void {
    const { code, message, cause } = asPatchroomError(error);
    if (code === 'internal') this.#log.error({ err: cause ?? error }, 'request failed');
    this.#send({ type: 'error', id, code, message });
  }

  notify(notice: ServerNotice): void {
    this.#send(notice);
  }

  /** @param reason - at most 123 bytes, for the close frame */
  close(code: number, reason: string): void {
    this.#socket.close(code, reason);
    // A peer that does not answer the close frame is cut off.
    this.#clock.after(PONG_LIMIT_MS, () => this.#socket.terminate());
  }

  terminate(): void {
    this.#socket.terminate();
  }

  #send(message: ServerMessage): void {
    if (this.#socket.readyState !== this.#socket.OPEN) return;
    if (this.#socket.bufferedAmount > MAX_UNSENT_BYTES) {
      this.#log.warn({ address: this.address }, 'browser reads too slowly; connection dropped');
      this.#socket.terminate();
      return;
    }
    this.#socket.send(JSON.stringify(message));
  }

  #receive(data: WebSocket.RawData, isBinary: boolean): void {
    if (!this.#bucket.take()) {
      this.#refuse(new PatchroomError('rate-limited', `More than ${MESSAGES_PER_SECOND} messages a second.`));
      return;
    }
    const message = isBinary ? undefined : parse(String(data));
    if (message?.success) this.emit('message', message.data);
    else
      this.#refuse(
        new PatchroomError(
          'invalid-request',
          message?.sentence ?? `Not a message of this protocol${message ? `: ${message.problem}` : ''}.`,
        ),
        message?.id,
      );
  }

  /** An error reply, with the id where one can be read, then the end of this connection (and of nothing else). */
  #refuse({ code, message }: PatchroomError, id?: number): void {
    this.#log.warn({ address: this.address, code, reason: message }, 'message refused');
    this.#send({ type: 'error', ...(id === undefined ? {} : { id }), code, message });
    this.close(CLOSE.policy, code);
    this.#socket.removeAllListeners('message');
  }

  /** Only an answer takes the limit back: a ping that goes out after one that nobody answered must not. */
  #schedulePing(): void {
    this.#ping = this.#clock.after(PING_INTERVAL_MS, () => {
      this.#socket.ping();
      this.#pongLimit ??= this.#clock.after(PONG_LIMIT_MS, () => this.#socket.terminate());
      this.#schedulePing();
    });
  }

  #onPong(): void {
    this.#pongLimit?.cancel();
    this.#pongLimit = undefined;
  }
}

interface Malformed {
  readonly success: false;
  readonly problem: string;
  /** For people, where there is one. */
  readonly sentence?: string | undefined;
  readonly id?: number | undefined;
}

/** Mistakes that people can make without writing a message themselves. */
const SENTENCES: Readonly<Record<string, string>> = {
  'body.token': 'The access token is longer than 8192 characters, or is none. Ask for a new link.',
  'body.room': "A room's name has 1 to 128 characters.",
  'body.name': 'A name has at most 100 characters.',
};

function parse(text: string): { success: true; data: ClientMessage } | Malformed {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    return { success: false, problem: 'it is not JSON' };
  }
  const parsed = clientMessage.safeParse(json);
  if (parsed.success) return { success: true, data: parsed.data };
  const [issue] = parsed.error.issues;
  const path = issue?.path.join('.') ?? '';
  const { id } = (json ?? {}) as { id?: unknown };
  return {
    success: false,
    problem: `${path || 'message'}: ${issue?.message ?? 'malformed'}`,
    sentence: SENTENCES[path],
    ...(typeof id === 'number' && Number.isSafeInteger(id) && id >= 0 ? { id } : {}),
  };
}
