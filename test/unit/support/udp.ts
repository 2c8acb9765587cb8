import dgram from 'node:dgram';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { onTestFinished } from 'vitest';

export interface UdpPeer {
  readonly port: number;
  /** Resolves when the kernel has taken the packet; on loopback it is then in the receiver's queue. */
  send(packet: Buffer, port: number): Promise<void>;
  /** The next packet that comes. */
  next(): Promise<{ packet: Buffer; from: number }>;
}

/** A socket on loopback, at any free port, that goes with the test. */
export async function udpPeer(): Promise<UdpPeer> {
  const socket = dgram.createSocket('udp4');
  onTestFinished(() => void socket.close());
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  return {
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
