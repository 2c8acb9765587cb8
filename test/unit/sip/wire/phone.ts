import dgram from 'node:dgram';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { onTestFinished } from 'vitest';
import {
  header,
  type SipMessage,
  type SipRequest,
  serialize,
} from '../../../../gateways/sip/engine/message.ts';
import { parsed, type RequestParts, requestBytes, response } from '../engine/workbench.ts';

/** A phone on loopback that says what a test tells it to, and keeps what comes. */
export class Phone {
  readonly port: number;
  #socket: dgram.Socket;
  #engine: number;
  #inbox: SipMessage[] = [];

  private constructor(socket: dgram.Socket, engine: number) {
    this.#socket = socket;
    this.#engine = engine;
    this.port = (socket.address() as AddressInfo).port;
    socket.on('message', (bytes) => {
      this.#inbox.push(parsed(bytes));
      socket.emit('read');
    });
  }

  /** @param engine - its port. It goes with the test */
  static async open(engine: number): Promise<Phone> {
    const socket = dgram.createSocket('udp4');
    onTestFinished(() => void socket.close());
    socket.bind(0, '127.0.0.1');
    await once(socket, 'listening');
    return new Phone(socket, engine);
  }

  ask(parts: RequestParts & { branch: string }): void {
    const via = `SIP/2.0/UDP 127.0.0.1:${this.port};branch=${parts.branch};rport`;
    const contact = `<sip:phone@127.0.0.1:${this.port}>`;
    this.#socket.send(requestBytes({ via, contact, ...parts }), this.#engine, '127.0.0.1');
  }

  /** Answers a request that came. */
  answer(status: number, request: SipMessage): void {
    this.#socket.send(serialize(response(status, request as SipRequest)), this.#engine, '127.0.0.1');
  }

  /** The next message that comes, or came and was not asked for yet. */
  async next(): Promise<SipMessage> {
    while (this.#inbox.length === 0) await once(this.#socket, 'read');
    return this.#inbox.shift()!;
  }

  /** Of the next message, its status or method. */
  async nextKind(): Promise<number | string> {
    const message = await this.next();
    return message.kind === 'response' ? message.status : message.method;
  }
}

/** The tag that the engine put into To. */
export function ourTag(message: SipMessage): string {
  return /;tag=([^;]+)/.exec(header(message, 'to')!)![1]!;
}
