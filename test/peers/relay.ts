import net from 'node:net';

/** A TCP relay in front of a server, whose connections can be cut and whose door can be closed. */
export class Relay {
  readonly url: string;
  #server: net.Server;
  #sockets = new Set<net.Socket>();
  #paused = false;

  private constructor(server: net.Server, url: string) {
    this.#server = server;
    this.url = url;
  }

  static async open(target: string): Promise<Relay> {
    const { port, hostname } = new URL(target);
    const server = net.createServer((socket) => {
      if (relay.#paused) {
        socket.resetAndDestroy();
        return;
      }
      const onward = net.connect(Number(port), hostname);
      for (const one of [socket, onward]) {
        relay.#sockets.add(one);
        one.on('error', () => {});
        one.once('close', () => {
          relay.#sockets.delete(one);
          socket.destroy();
          onward.destroy();
        });
      }
      socket.pipe(onward).pipe(socket);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const relay = new Relay(server, `http://127.0.0.1:${(server.address() as net.AddressInfo).port}`);
    return relay;
  }

  /** Cuts every connection and lets none through until resumed. */
  pause(): void {
    this.#paused = true;
    this.cut();
  }

  resume(): void {
    this.#paused = false;
  }

  /** Cuts every connection; new ones are let through. */
  cut(): void {
    for (const socket of this.#sockets) socket.resetAndDestroy();
  }

  async close(): Promise<void> {
    const closed = new Promise((resolve) => this.#server.close(resolve));
    this.cut();
    await closed;
  }
}
