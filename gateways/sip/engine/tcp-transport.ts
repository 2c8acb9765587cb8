import net from 'node:net';
import { plainAddress } from '../../../src/base/ip-address.ts';
import { StreamFramer } from './stream-framer.ts';
import type { Flow, OnMessage, Transport } from './transport.ts';

const MAX_CONNECTIONS = 1_000;
/** Of one address: the others can still connect. */
const MAX_OF_ADDRESS = 500;
/** Who connects and sends nothing whole for so long is not a SIP peer. */
const FIRST_MESSAGE_MS = 30_000;
/** A connection on which nothing happens for so long is closed; a long call without keep-alives is no reason. */
const IDLE_MS = 4 * 3_600_000;
/** Whether the peer is still there is asked by the kernel when nothing came for so long. */
const PROBE_MS = 60_000;
/** A peer that reads nothing is dropped when this much waits for it. */
const MAX_UNSENT_BYTES = 1024 * 1024;

/** Who may connect at all. */
export interface Admission {
  admits(address: string): boolean;
}

/**
 * SIP over TCP. Messages go back by the connection that the peer opened (RFC 3261, section 18.2.2);
 * when it is gone they fail: a new one to a peer behind NAT would get nowhere.
 */
export class TcpTransport implements Transport {
  readonly protocol = 'tcp';
  readonly reliable = true;
  readonly port: number;
  #server: net.Server;
  #connections = new Map<string, net.Socket>();
  #ofAddress = new Map<string, number>();

  private constructor(server: net.Server, onMessage: OnMessage, admission: Admission | undefined) {
    this.#server = server;
    this.port = (server.address() as net.AddressInfo).port;
    server.maxConnections = MAX_CONNECTIONS;
    server.on('connection', (socket) => {
      socket.on('error', () => {}); // 'close' follows
      const { remoteAddress, remotePort } = socket;
      const isOpen = remoteAddress !== undefined && remotePort !== undefined;
      const hasShare = isOpen && (this.#ofAddress.get(plainAddress(remoteAddress)) ?? 0) < MAX_OF_ADDRESS;
      if (hasShare && (admission?.admits(remoteAddress) ?? true)) this.#serve(socket, onMessage);
      else socket.destroy();
    });
  }

  /**
   * @param admission - asked when somebody connects
   * @throws the socket's error, such as EADDRINUSE
   */
  static async open(
    bind: string,
    port: number,
    onMessage: OnMessage,
    admission?: Admission,
  ): Promise<TcpTransport> {
    const server = net.createServer();
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(port, bind, () => {
        server.off('error', reject);
        resolve();
      });
    });
    return new TcpTransport(server, onMessage, admission);
  }

  send(bytes: Buffer, to: Flow, onFailure: () => void): void {
    const socket = this.#connections.get(keyOf(to));
    if (!socket || !write(socket, bytes)) queueMicrotask(onFailure);
  }

  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    for (const socket of this.#connections.values()) {
      // Who does not read what waits for it would hold this up.
      if (socket.writableLength === 0) socket.destroySoon();
      else socket.destroy();
    }
    await closed;
  }

  #serve(socket: net.Socket, onMessage: OnMessage): void {
    const flow: Flow = {
      protocol: 'tcp',
      address: plainAddress(socket.remoteAddress!),
      port: socket.remotePort!,
      localAddress: plainAddress(socket.localAddress!),
      localPort: socket.localPort!,
    };
    const key = keyOf(flow);
    const framer = new StreamFramer();
    this.#connections.set(key, socket);
    this.#ofAddress.set(flow.address, (this.#ofAddress.get(flow.address) ?? 0) + 1);
    socket.setNoDelay(true);
    socket.setKeepAlive(true, PROBE_MS);
    socket.setTimeout(FIRST_MESSAGE_MS, () => socket.destroy());
    socket.once('close', () => {
      if (this.#connections.get(key) === socket) this.#connections.delete(key);
      const left = this.#ofAddress.get(flow.address)! - 1;
      if (left > 0) this.#ofAddress.set(flow.address, left);
      else this.#ofAddress.delete(flow.address);
    });
    socket.on('data', (bytes) => {
      for (const part of framer.read(bytes)) {
        if (part.type === 'ping') write(socket, PONG);
        else onMessage(part.bytes, flow);
        if (part.type === 'message') socket.setTimeout(IDLE_MS);
        // What follows cannot be told apart from what is broken; an answer to that still goes out.
        if (part.type === 'broken') socket.destroySoon();
      }
    });
  }
}

const PONG = Buffer.from('\r\n');

/** @returns whether it is on its way */
function write(socket: net.Socket, bytes: Buffer): boolean {
  if (!socket.writable) return false;
  if (socket.writableLength > MAX_UNSENT_BYTES) {
    socket.destroy();
    return false;
  }
  socket.write(bytes);
  return true;
}

function keyOf({ address, port, localAddress }: Flow): string {
  return `${address}/${port}/${localAddress}`;
}
