import dgram from 'node:dgram';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { onTestFinished } from 'vitest';
import type { UdpPeer } from './udp.ts';

export interface LocatedPeer extends UdpPeer {
  readonly address: string;
}

/** A socket at an address of this machine's own network 127.0.0.0/8, at any free port, that goes with the test. */
export async function peerAt(address: string): Promise<LocatedPeer> {
  const socket = dgram.createSocket('udp4');
  onTestFinished(() => void socket.close());
  socket.bind(0, address);
  await once(socket, 'listening');
  const received: Buffer[] = [];
  socket.on('message', (packet) => received.push(packet));
  return {
    address,
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
