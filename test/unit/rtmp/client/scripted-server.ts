import { ClientSession } from '../../../../gateways/rtmp/client/client-session.ts';
import { parseRtmpAddress, type RtmpAddress } from '../../../../gateways/rtmp/client/rtmp-address.ts';
import { type AmfValue, readAmf0 } from '../../../../gateways/rtmp/protocol/amf0.ts';
import { ChunkReader } from '../../../../gateways/rtmp/protocol/chunk-reader.ts';
import { ChunkWriter } from '../../../../gateways/rtmp/protocol/chunk-writer.ts';
import { commandMessage, statusMessage } from '../../../../gateways/rtmp/protocol/command.ts';
import { ServerHandshake } from '../../../../gateways/rtmp/protocol/handshake.ts';
import type { RtmpMessage } from '../../../../gateways/rtmp/protocol/messages.ts';
import { MESSAGE } from '../../../../gateways/rtmp/protocol/messages.ts';

export const KEY = 'live_1234567890_abcdefgh';
const RANDOM = { random: (bytes: number) => Buffer.alloc(bytes, 7), now: () => 1_000 };

export function addressOf(text = `rtmp://cdn.example.com/live/${KEY}`): RtmpAddress {
  const address = parseRtmpAddress(text);
  if ('reason' in address) throw new Error(address.reason);
  return address;
}

/** A session with what it says happened, and all that it sent. */
export function recorded(address = addressOf(), onSend: (bytes: Buffer) => void = () => {}) {
  const events: string[] = [];
  const sent: Buffer[] = [];
  let published = () => {};
  const session = new ClientSession(
    address,
    {
      send: (buffers) => {
        sent.push(...buffers);
        onSend(Buffer.concat(buffers));
      },
      published: () => {
        events.push('published');
        published();
      },
      refused: (code, description) => events.push(`refused ${code}: ${description}`),
      acknowledged: (bytes) => events.push(`acknowledged ${bytes}`),
    },
    RANDOM,
  );
  const onPublished = (listener: () => void) => {
    published = listener;
  };
  return { session, events, sent, onPublished };
}

/** A server that shakes hands by itself, and otherwise says what it is told to; what it hears, it writes down. */
export class ScriptedServer {
  readonly heard: RtmpMessage[] = [];
  readonly client: ReturnType<typeof recorded>;
  #handshake = new ServerHandshake(RANDOM.random, RANDOM.now);
  #isShaken = false;
  #reader = new ChunkReader();
  #writer = new ChunkWriter();

  constructor(address = addressOf()) {
    this.client = recorded(address, (bytes) => this.#receive(bytes));
    this.client.session.start();
  }

  /** One that has come so far. */
  static in(
    state: 'connecting' | 'creating' | 'publishing' | 'live' | 'over',
    address = addressOf(),
  ): ScriptedServer {
    const server = new ScriptedServer(address);
    if (state === 'connecting') return server;
    server.say(result(1, { code: 'NetConnection.Connect.Success' }));
    if (state === 'creating') return server;
    server.say(result(4, 7));
    if (state === 'publishing') return server;
    server.say(statusMessage(7, 'status', 'NetStream.Publish.Start', ''));
    if (state === 'over') server.client.session.finish();
    server.client.events.splice(0);
    return server;
  }

  say(...messages: readonly RtmpMessage[]): void {
    for (const message of messages) this.sayBytes(Buffer.concat(this.#writer.write(message, 3)));
  }

  sayBytes(bytes: Buffer): void {
    this.client.session.receive(bytes);
  }

  /** What it heard since the last time that it was asked for, in short: commands as they are, others as type and bytes. */
  get texts(): string[] {
    return this.heard.splice(0).map(({ type, streamId, payload }) => {
      if (type !== MESSAGE.commandAmf0) return `${streamId}: ${type} ${payload.toString('hex')}`;
      return `${streamId}: ${readAmf0(payload)
        .map((value) => JSON.stringify(value))
        .join(' ')}`;
    });
  }

  #receive(bytes: Buffer): void {
    let rest = bytes;
    if (!this.#isShaken) {
      const { send, done } = this.#handshake.read(bytes);
      this.#isShaken = done !== undefined;
      if (send) this.client.session.receive(send);
      if (!done) return;
      rest = done.rest;
    }
    this.#reader.read(rest, (message) => this.heard.push(message));
  }
}

export function result(transaction: number, value: AmfValue): RtmpMessage {
  return commandMessage('_result', transaction, null, [value], 0);
}

export function error(transaction: number, value: AmfValue): RtmpMessage {
  return commandMessage('_error', transaction, null, [value], 0);
}
