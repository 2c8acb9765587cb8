import net from 'node:net';
import { BadCdn, type Misbehaviour } from '../peers/bad-cdn.ts';
import { NginxRtmp } from '../peers/nginx-rtmp.ts';

/** A CDN at one address that is nginx, or something bad, or nobody at all, as it is told. Keeps nothing of what it gets. */
export class UnsteadyCdn {
  readonly port: number;
  #server: net.Server;
  #nginx: NginxRtmp;
  #bad: BadCdn | undefined;
  #sockets = new Set<net.Socket>();

  private constructor(server: net.Server, nginx: NginxRtmp) {
    this.#server = server;
    this.#nginx = nginx;
    this.port = (server.address() as net.AddressInfo).port;
    server.on('connection', (socket) => this.#forward(socket));
  }

  static async start(): Promise<UnsteadyCdn> {
    const server = net.createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return new UnsteadyCdn(server, await NginxRtmp.start());
  }

  /** Where to push, without the key. */
  get url(): string {
    return `rtmp://127.0.0.1:${this.port}/live`;
  }

  /** Nginx, as always. */
  async behave(): Promise<void> {
    await this.#bad?.stop();
    this.#bad = undefined;
    this.#cut();
    if (!this.#server.listening) {
      await new Promise<void>((resolve) => this.#server.listen(this.port, '127.0.0.1', resolve));
    }
  }

  async misbehave(behaviour: Misbehaviour): Promise<void> {
    this.#bad = await BadCdn.start(behaviour);
    this.#cut();
  }

  /** Connections are refused. */
  async vanish(): Promise<void> {
    const closed = new Promise((resolve) => this.#server.close(resolve));
    this.#cut();
    await closed;
  }

  /** Killed; until `revive` whoever connects is cut off. */
  kill(): Promise<void> {
    return this.#nginx.stop();
  }

  async revive(): Promise<void> {
    this.#nginx = await NginxRtmp.start();
  }

  freeze(): void {
    this.#nginx.freeze();
  }

  thaw(): void {
    this.#nginx.thaw();
  }

  async stop(): Promise<void> {
    if (this.#server.listening) await this.vanish();
    await this.#bad?.stop();
    await this.#nginx.stop();
  }

  #forward(socket: net.Socket): void {
    const port = this.#bad ? Number(new URL(this.#bad.url).port) : this.#nginx.port;
    const onward = net.connect(port, '127.0.0.1');
    for (const [one, other] of [
      [socket, onward],
      [onward, socket],
    ] as const) {
      this.#sockets.add(one);
      one.on('error', () => {}); // 'close' follows
      one.once('close', () => {
        this.#sockets.delete(one);
        other.destroy();
      });
      one.pipe(other);
    }
  }

  #cut(): void {
    for (const socket of this.#sockets) socket.resetAndDestroy();
  }
}
