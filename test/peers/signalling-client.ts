import { once } from 'node:events';
import { WebSocket } from 'ws';
import {
  type Reply,
  type RequestBody,
  type RequestType,
  type ServerMessage,
  type ServerNotice,
  serverMessage,
} from '../../gateways/webrtc/messages.ts';
import type { Server } from '../../src/server.ts';

/** A WebSocket client without media, for what a page would never send, and for watching what is said. */
export class SignallingClient {
  readonly socket: WebSocket;
  readonly notices: ServerNotice[] = [];
  #waiting = new Set<() => void>();
  #nextId = 0;
  #messages: ServerMessage[] = [];

  private constructor(socket: WebSocket) {
    this.socket = socket;
    socket.on('message', (data) => {
      const message = serverMessage.parse(JSON.parse(String(data)));
      this.#messages.push(message);
      if (message.type !== 'reply' && message.type !== 'error') this.notices.push(message);
      for (const check of this.#waiting) check();
    });
    socket.on('error', () => {});
  }

  static async open(
    server: Pick<Server, 'url'>,
    headers: Record<string, string> = {},
  ): Promise<SignallingClient> {
    const socket = new WebSocket(`${server.url.replace('http', 'ws')}/rtc`, { headers });
    const client = new SignallingClient(socket);
    await once(socket, 'open');
    return client;
  }

  /** @returns the reply's value, or the error message */
  async request<T extends RequestType>(
    type: T,
    body: RequestBody<T>,
  ): Promise<{ ok: true; value: Reply<T> } | { ok: false; code: string; message: string }> {
    const id = this.#nextId++;
    this.send(JSON.stringify({ id, type, body }));
    const answer = await this.#find(
      (message) => (message.type === 'reply' || message.type === 'error') && message.id === id,
    );
    if (answer.type === 'reply') return { ok: true, value: answer.value as Reply<T> };
    if (answer.type === 'error') return { ok: false, code: answer.code, message: answer.message };
    throw new Error('unreachable');
  }

  /** Like request, for one that must succeed. */
  async ask<T extends RequestType>(type: T, body: RequestBody<T>): Promise<Reply<T>> {
    const answer = await this.request(type, body);
    if (!answer.ok) throw new Error(`${type}: ${answer.code} ${answer.message}`);
    return answer.value;
  }

  send(text: string | Buffer): void {
    this.socket.send(text);
  }

  /** The first notice of that type, past or to come. */
  async notice<T extends ServerNotice['type']>(type: T): Promise<Extract<ServerNotice, { type: T }>> {
    return (await this.#find((message) => message.type === type)) as Extract<ServerNotice, { type: T }>;
  }

  /** The code of the error that answers the request with that id. */
  async errorOf(id: number): Promise<string> {
    const error = await this.#find((message) => message.type === 'error' && message.id === id);
    return error.type === 'error' ? error.code : '';
  }

  /** The error that comes before the connection ends, with the id of what was sent where it had one. */
  async refusal(): Promise<string> {
    const error = await this.#find((message) => message.type === 'error');
    return error.type === 'error' ? error.code : '';
  }

  /** @returns the close code */
  async closed(): Promise<number> {
    if (this.socket.readyState === WebSocket.CLOSED) return -1;
    const [code] = (await once(this.socket, 'close')) as [number];
    return code;
  }

  close(): void {
    this.socket.close();
  }

  #find(wanted: (message: ServerMessage) => boolean): Promise<ServerMessage> {
    return new Promise((resolve) => {
      const check = () => {
        const found = this.#messages.find(wanted);
        if (!found) return;
        this.#waiting.delete(check);
        resolve(found);
      };
      this.#waiting.add(check);
      check();
    });
  }
}
