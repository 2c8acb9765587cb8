import {
  type Reply,
  type RequestBody,
  type RequestType,
  replies,
  type ServerNotice,
  serverMessage,
} from '../../../gateways/webrtc/messages.ts';

const REPLY_LIMIT_MS = 10_000;
const OPEN_LIMIT_MS = 10_000;
/** How often the server is asked whether it is there: a connection whose network changed stays open, and silent. */
const PING_INTERVAL_MS = 5_000;

/** What the server answered instead of doing it. `code` is from the server's table, or 'disconnected'. */
export class RequestError extends Error {
  readonly code: string;

  constructor(code: string, message: string) {
    super(message);
    this.code = code;
  }
}

interface Pending {
  readonly type: RequestType;
  readonly resolve: (value: never) => void;
  readonly reject: (error: Error) => void;
  readonly timer: number;
}

/** One WebSocket to the server: requests with replies, and notices. Not reused after it closed. */
export class Signalling {
  onNotice: (notice: ServerNotice) => void = () => {};
  onClosed: () => void = () => {};
  #socket: WebSocket;
  #pending = new Map<number, Pending>();
  #nextId = 0;
  #pinging: number;
  #isClosed = false;

  private constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.onmessage = ({ data }) => this.#receive(String(data));
    socket.onclose = () => this.#close();
    this.#pinging = window.setInterval(() => void this.#ping(), PING_INTERVAL_MS);
  }

  /** @throws RequestError 'disconnected' when the server cannot be reached */
  static open(url: string): Promise<Signalling> {
    return new Promise((resolve, reject) => {
      const socket = new WebSocket(url);
      const failed = () => {
        socket.onclose = null;
        socket.close();
        reject(new RequestError('disconnected', 'The server cannot be reached.'));
      };
      const timer = setTimeout(failed, OPEN_LIMIT_MS);
      socket.onclose = () => {
        clearTimeout(timer);
        failed();
      };
      socket.onopen = () => {
        clearTimeout(timer);
        resolve(new Signalling(socket));
      };
    });
  }

  /** @throws RequestError */
  request<T extends RequestType>(type: T, body: RequestBody<T>): Promise<Reply<T>> {
    return new Promise((resolve, reject) => {
      if (this.#socket.readyState !== WebSocket.OPEN) {
        reject(new RequestError('disconnected', 'The connection to the server is lost.'));
        return;
      }
      const id = this.#nextId++;
      const timer = window.setTimeout(() => {
        this.#pending.delete(id);
        reject(new RequestError('timeout', 'The server did not answer in time.'));
      }, REPLY_LIMIT_MS);
      this.#pending.set(id, { type, resolve, reject, timer });
      this.#socket.send(JSON.stringify({ id, type, body }));
    });
  }

  close(): void {
    this.#socket.close(1000);
  }

  async #ping(): Promise<void> {
    try {
      await this.request('ping', {});
    } catch (error) {
      // A close that nobody answers takes long: what is over is over now.
      if (!(error instanceof RequestError) || error.code !== 'timeout') return;
      this.#socket.close();
      this.#close();
    }
  }

  #receive(text: string): void {
    const parsed = serverMessage.safeParse(JSON.parse(text));
    if (!parsed.success) {
      console.error('The server sent something that this page does not understand', parsed.error.issues);
      return;
    }
    const message = parsed.data;
    if (message.type !== 'reply' && message.type !== 'error') {
      this.onNotice(message);
      return;
    }
    const pending = message.id === undefined ? undefined : this.#pending.get(message.id);
    if (!pending) return;
    this.#pending.delete(message.id!);
    clearTimeout(pending.timer);
    if (message.type === 'error') {
      pending.reject(new RequestError(message.code, message.message));
      return;
    }
    const value = replies[pending.type].safeParse(message.value);
    if (value.success) pending.resolve(value.data as never);
    else
      pending.reject(
        new RequestError('internal', 'The server answered something unexpected. Reload the page.'),
      );
  }

  #close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    clearInterval(this.#pinging);
    for (const { reject, timer } of this.#pending.values()) {
      clearTimeout(timer);
      reject(new RequestError('disconnected', 'The connection to the server is lost.'));
    }
    this.#pending.clear();
    this.onClosed();
  }
}
