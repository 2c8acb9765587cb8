import dgram from 'node:dgram';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { onTestFinished } from 'vitest';

export interface UdpPeer {
  readonly port: number;
  /** Resolves when the kernel has taken the packet; on loopback it is then in the receiver's queue. */
  send(packet: Buffer, port: number): Promise<void>;
  /** All that came so far. */
  readonly received: readonly Buffer[];
  /** The next packet that comes. */
  next(): Promise<{ packet: Buffer; from: number }>;
}

/** A socket on loopback, at any free port, that goes with the test. */
export async function udpPeer(): Promise<UdpPeer> {
  const socket = dgram.createSocket('udp4');
  onTestFinished(() => void socket.close());
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  const received: Buffer[] = [];
  socket.on('message', (packet) => received.push(packet));
  return {
    received,
    port: (socket.address() as AddressInfo).port,
    send: (packet, port) =>
      new Promise((resolve, reject) => {
        socket.send(packet, port, '127.0.0.1', (error) => (error ? reject(error) : resolve()));
      }),
    next: async () => {
      const [packet, { port }] = (await once(socket, 'message')) as [Buffer, dgram.RemoteInfo];
      return { packet, from: port };
    },
  };
}

/** An even port of loopback and the odd one after it that nobody uses right now. */
export async function freePortPair(): Promise<{ rtpPort: number; rtcpPort: number }> {
  for (;;) {
    const sockets = [dgram.createSocket('udp4'), dgram.createSocket('udp4')] as const;
    try {
      const port = await bind(sockets[0], 0);
      const other = await bind(sockets[1], port ^ 1);
      return { rtpPort: Math.min(port, other), rtcpPort: Math.max(port, other) };
    } catch {
      // The other one was in use.
    } finally {
      for (const socket of sockets) socket.close();
    }
  }
}

async function bind(socket: dgram.Socket, port: number): Promise<number> {
  const listening = once(socket, 'listening');
  socket.bind(port, '127.0.0.1');
  await listening;
  return (socket.address() as AddressInfo).port;
}
