import dgram from 'node:dgram';

export type OnPacket = (packet: Buffer, from: dgram.RemoteInfo) => void;

/** One UDP port of a call. Never blocks and never throws: what the kernel does not take at once is lost, as on the way. */
export class MediaSocket {
  readonly port: number;
  #socket: dgram.Socket;
  #closed = false;

  private constructor(socket: dgram.Socket, port: number) {
    this.#socket = socket;
    this.port = port;
  }

  /** @throws the socket's error: EADDRINUSE when another program has the port */
  static async open(bind: string, port: number, onPacket: OnPacket): Promise<MediaSocket> {
    const family = bind.includes(':') ? 6 : 4;
    const socket = dgram.createSocket({
      type: family === 6 ? 'udp6' : 'udp4',
      // A lookup of our own: dgram would ask the resolver for every packet's address, even a numeric one.
      lookup: (host, _options, done) => done(null, host, family),
    });
    await new Promise<void>((resolve, reject) => {
      socket.once('error', reject);
      socket.bind(port, bind, () => {
        socket.off('error', reject);
        resolve();
      });
    });
    socket.on('error', () => {}); // such as ICMP's; the timeout notices a phone that is gone
    socket.on('message', onPacket);
    return new MediaSocket(socket, port);
  }

  /** @param bytes - of `packet` that are sent; it must not change until the next turn of the event loop */
  send(packet: Buffer, bytes: number, port: number, address: string): void {
    // Without a callback there is nothing to wait for: errors are dropped.
    if (!this.#closed) this.#socket.send(packet, 0, bytes, port, address);
  }

  close(): Promise<void> {
    if (this.#closed) return Promise.resolve();
    this.#closed = true;
    return new Promise((resolve) => this.#socket.close(() => resolve()));
  }
}
