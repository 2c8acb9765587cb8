import { type AmfValue, readAmf0, writeAmf0 } from '../../../gateways/rtmp/protocol/amf0.ts';
import { ChunkReader } from '../../../gateways/rtmp/protocol/chunk-reader.ts';
import { ChunkWriter } from '../../../gateways/rtmp/protocol/chunk-writer.ts';
import { commandMessage } from '../../../gateways/rtmp/protocol/command.ts';
import { ClientHandshake } from '../../../gateways/rtmp/protocol/handshake.ts';
import type { RtmpMessage } from '../../../gateways/rtmp/protocol/messages.ts';
import { MESSAGE } from '../../../gateways/rtmp/protocol/messages.ts';

const COMMANDS = 3;
const MEDIA = 4;

/** An answer of the server, in short: 'onStatus NetStream.Publish.Start', '_result 4', or the number of its type. */
export interface Heard {
  readonly message: RtmpMessage;
  readonly text: string;
}

/** An encoder's side of a connection as bytes; what it is told, it writes down. */
export class RtmpClient {
  readonly heard: Heard[] = [];
  #send: (bytes: Buffer) => void;
  #handshake = new ClientHandshake(Buffer.alloc, () => 0);
  #shaken = false;
  /** What is to be sent once the handshake is over. */
  #early: Buffer[] = [];
  #reader = new ChunkReader();
  #writer = new ChunkWriter();

  constructor(send: (bytes: Buffer) => void) {
    this.#send = send;
  }

  start(): void {
    this.#send(this.#handshake.start());
  }

  /** What came from the server. */
  receive(bytes: Buffer): void {
    let rest = bytes;
    if (!this.#shaken) {
      const { send, done } = this.#handshake.read(bytes);
      if (send) this.#send(send);
      if (!done) return;
      this.#shaken = true;
      for (const early of this.#early.splice(0)) this.#send(early);
      rest = done.rest;
    }
    this.#reader.read(rest, (message) => this.heard.push({ message, text: describe(message) }));
  }

  get isShaken(): boolean {
    return this.#shaken;
  }

  /** What was heard since the last time that it was asked for, in short. */
  get texts(): string[] {
    return this.heard.splice(0).map(({ text }) => text);
  }

  bytesOf(...messages: readonly RtmpMessage[]): Buffer {
    const buffers = messages.flatMap((message) =>
      this.#writer.write(message, message.streamId === 0 ? COMMANDS : MEDIA),
    );
    return Buffer.concat(buffers);
  }

  /** All in one piece. */
  send(...messages: readonly RtmpMessage[]): void {
    const bytes = this.bytesOf(...messages);
    if (this.#shaken) this.#send(bytes);
    else this.#early.push(bytes);
  }

  connect(properties: { readonly [key: string]: AmfValue } = {}): void {
    this.send(connect(properties));
  }

  /** Up to publish, which waits for an answer. */
  publish(key: AmfValue = 'demo'): void {
    this.start();
    this.connect();
    this.send(command('createStream', 2), publish(key));
  }
}

export function connect(properties: { readonly [key: string]: AmfValue } = {}): RtmpMessage {
  const object = { app: 'live', flashVer: 'FMLE/3.0', tcUrl: 'rtmp://127.0.0.1/live', ...properties };
  return commandMessage('connect', 1, object, [], 0);
}

export function publish(key: AmfValue, streamId = 1): RtmpMessage {
  return commandMessage('publish', 3, null, [key, 'live'], streamId);
}

export function command(name: string, transaction: number, args: AmfValue[] = [], streamId = 0): RtmpMessage {
  return commandMessage(name, transaction, null, args, streamId);
}

export function media(
  kind: 'audio' | 'video',
  timestamp: number,
  payload = Buffer.of(timestamp),
): RtmpMessage {
  return { type: MESSAGE[kind], timestamp, streamId: 1, payload };
}

export function data(...values: AmfValue[]): RtmpMessage {
  return { type: MESSAGE.dataAmf0, timestamp: 0, streamId: 1, payload: writeAmf0(...values) };
}

function describe({ type, payload }: RtmpMessage): string {
  if (type !== MESSAGE.commandAmf0) return `${type} ${payload.toString('hex')}`;
  const [name, transaction, , info] = readAmf0(payload);
  const code = (info as { code?: string } | null | undefined)?.code;
  return `${name} ${name === 'onStatus' ? code : transaction}`;
}
