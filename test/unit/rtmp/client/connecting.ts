import { once } from 'node:events';
import net from 'node:net';
import tls from 'node:tls';
import { expect, onTestFinished } from 'vitest';
import {
  ClientConnection,
  type ClientConnectionOptions,
  type Resolve,
} from '../../../../gateways/rtmp/client/client-connection.ts';
import type { RtmpAddress } from '../../../../gateways/rtmp/client/rtmp-address.ts';
import { ChunkReader } from '../../../../gateways/rtmp/protocol/chunk-reader.ts';
import { ChunkWriter } from '../../../../gateways/rtmp/protocol/chunk-writer.ts';
import { parseCommand } from '../../../../gateways/rtmp/protocol/command.ts';
import { ServerHandshake } from '../../../../gateways/rtmp/protocol/handshake.ts';
import { MESSAGE, type RtmpMessage } from '../../../../gateways/rtmp/protocol/messages.ts';
import { Connection } from '../../../../gateways/rtmp/server/connection.ts';
import { PermittedAddresses } from '../../../../src/base/permitted-addresses.ts';
import { eventually } from '../../support/eventually.ts';
import { FakeClock } from '../../support/fake-clock.ts';

export const KEY = 'very-secret-key';
export const LOOPBACK = new PermittedAddresses({ everything: false, allow: ['loopback'] });

/** Something that listens on loopback. @returns its port */
export async function listen(onSocket: (socket: net.Socket) => void): Promise<number> {
  const sockets = new Set<net.Socket>();
  const server = net.createServer({ pauseOnConnect: true }, (socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    onSocket(socket);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return (server.address() as net.AddressInfo).port;
}

/** A server that answers each connect like that. */
export async function answering(answer: () => RtmpMessage, secureContext?: tls.SecureContext) {
  const visits: net.Socket[] = [];
  const port = await listen((tcp) => {
    const socket = secureContext ? new tls.TLSSocket(tcp, { isServer: true, secureContext }) : tcp;
    socket.on('error', () => {});
    visits.push(socket);
    const handshake = new ServerHandshake(
      (bytes) => Buffer.alloc(bytes, 7),
      () => 0,
    );
    const reader = new ChunkReader();
    const writer = new ChunkWriter();
    let isShaken = false;
    socket.on('data', (bytes: Buffer) => {
      let rest = bytes;
      if (!isShaken) {
        const { send, done } = handshake.read(bytes);
        if (send) socket.write(send);
        isShaken = done !== undefined;
        if (!done) return;
        rest = done.rest;
      }
      reader.read(rest, (message) => {
        if (message.type !== MESSAGE.commandAmf0 || parseCommand(message).name !== 'connect') return;
        socket.write(Buffer.concat(writer.write(answer(), 3)));
      });
    });
    socket.resume();
  });
  return { visits, port };
}

/** Our own RTMP server. */
export async function server(options: { readonly tls?: tls.SecureContext; readonly refusal?: string } = {}) {
  const heard: string[] = [];
  const clock = new FakeClock();
  const accepted: { socket?: net.Socket; connection?: Connection } = {};
  const port = await listen((socket) => {
    const one: Connection = new Connection(socket, { tls: options.tls, silenceMs: 10_000 }, clock, {
      publish: ({ app, key }) => {
        heard.push(`publish ${app}/${key}`);
        if (options.refusal === undefined) one.admit();
        else one.refuse(options.refusal);
      },
      audio: (body, timestamp) => heard.push(`audio ${timestamp} ${body.length}`),
      video: (body, timestamp) => heard.push(`video ${timestamp} ${body.length}`),
      metadata: ({ width, height }) => heard.push(`metadata ${width}x${height}`),
      unpublished: () => heard.push('unpublished'),
      over: ({ how }) => heard.push(how),
    });
    Object.assign(accepted, { socket, connection: one });
  });
  return { port, heard, accepted };
}

/** A connection to that port, and what it says. */
export function connect(
  port: number,
  { host = '127.0.0.1', secure = false, ...rest }: Partial<ClientConnectionOptions & RtmpAddress> = {},
) {
  const clock = new FakeClock();
  const events: string[] = [];
  const address = { secure, host, port, app: 'live', key: KEY, tcUrl: `rtmp://${host}/live` };
  const connection = new ClientConnection(
    { address, permitted: LOOPBACK, clock, ...rest },
    {
      live: () => events.push('live'),
      refused: (code, description) => events.push(`refused ${code}: ${description}`),
      hopeless: (reason) => events.push(`hopeless: ${reason}`),
      redirected: (url) => events.push(`redirected: ${url}`),
      closed: (cause) => events.push(`closed: ${cause}`),
      drained: () => events.push('drained'),
    },
  );
  onTestFinished(() => connection.destroy());
  // Nothing is said before the constructor returns.
  expect(events).toEqual([]);
  return { connection, clock, events, happened: (text: string) => eventually(() => events).toContain(text) };
}

export const resolving =
  (...addresses: string[]): Resolve =>
  (_, __, callback) =>
    process.nextTick(
      callback,
      null,
      addresses.map((address) => ({ address, family: net.isIP(address) })),
    );
