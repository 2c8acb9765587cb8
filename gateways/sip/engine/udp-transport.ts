import dgram from 'node:dgram';
import { familyOf, LocalAddresses, plainAddress } from '../../../src/base/ip-address.ts';
import type { Flow, OnMessage, Transport } from './transport.ts';

const SOCKET_BUFFER_BYTES = 2 * 1024 * 1024;
/** What the network does not take is dropped beyond that, as the network would. */
const MAX_UNSENT_BYTES = 4 * 1024 * 1024;
const ALL_ADDRESSES = ['0.0.0.0', '::'];

/** SIP over UDP (RFC 3261, section 18). One socket; keep-alives (CR LF, RFC 5626) are swallowed. */
export class UdpTransport implements Transport {
  readonly protocol = 'udp';
  readonly reliable = false;
  readonly port: number;
  #socket: dgram.Socket;
  #isIpv6: boolean;
  #closed = false;

  private constructor(socket: dgram.Socket, onMessage: OnMessage) {
    const { address: bound, port } = socket.address();
    this.port = port;
    this.#socket = socket;
    this.#isIpv6 = familyOf(bound) === 'ipv6';
    const ours = new LocalAddresses();
    socket.on('error', () => {}); // such as ICMP errors; what was lost is sent again
    socket.on('message', (bytes, from) => {
      // Nothing can be sent to port 0; whoever gives it does not want an answer.
      if (bytes.length <= 4 || from.port === 0) return;
      const address = plainAddress(from.address);
      const localAddress = ALL_ADDRESSES.includes(bound) ? ours.towards(address) : plainAddress(bound);
      onMessage(bytes, { protocol: 'udp', address, port: from.port, localAddress, localPort: port });
    });
  }

  /** @throws the socket's error, such as EADDRINUSE */
  static async open(bind: string, port: number, onMessage: OnMessage): Promise<UdpTransport> {
    const socket = dgram.createSocket({
      type: bind.includes(':') ? 'udp6' : 'udp4',
      recvBufferSize: SOCKET_BUFFER_BYTES,
      sendBufferSize: SOCKET_BUFFER_BYTES,
    });
    await new Promise<void>((resolve, reject) => {
      socket.once('error', reject);
      socket.bind(port, bind, () => {
        socket.off('error', reject);
        resolve();
      });
    });
    return new UdpTransport(socket, onMessage);
  }

  send(bytes: Buffer, to: Flow, onFailure: () => void): void {
    if (this.#closed || this.#socket.getSendQueueSize() > MAX_UNSENT_BYTES) {
      queueMicrotask(onFailure);
      return;
    }
    const address = this.#isIpv6 && familyOf(to.address) === 'ipv4' ? `::ffff:${to.address}` : to.address;
    this.#socket.send(bytes, to.port, address, (error) => {
      if (error) onFailure();
    });
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await new Promise<void>((resolve) => this.#socket.close(resolve));
  }
}
