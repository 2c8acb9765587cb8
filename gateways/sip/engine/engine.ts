import type { Clock, Logger } from '../../../src/gateway.ts';
import { WireServer } from '../wire/server.ts';
import { Core } from './core.ts';
import { Gatekeeper } from './gatekeeper.ts';
import type { DialogRecord, EngineOptions } from './process-messages.ts';
import { TcpTransport } from './tcp-transport.ts';
import type { OnMessage } from './transport.ts';
import { UdpTransport } from './udp-transport.ts';

/** Tries to find a port that is free for UDP and TCP. */
const PORT_TRIES = 20;

/** The embedded SIP engine: both transports, the core, and the wire protocol for its application. */
export class Engine {
  readonly port: number;
  #udp: UdpTransport;
  #tcp: TcpTransport;
  #wire: WireServer;
  #core: Core;

  private constructor(udp: UdpTransport, tcp: TcpTransport, wire: WireServer, core: Core) {
    this.#udp = udp;
    this.#tcp = tcp;
    this.#wire = wire;
    this.#core = core;
    this.port = udp.port;
  }

  /** @throws Error in a sentence when the port is in use */
  static async start(options: EngineOptions, clock: Clock, log: Logger): Promise<Engine> {
    const wire = await WireServer.open(options.secret, log);
    const gatekeeper = new Gatekeeper(options, clock);
    const core = new Core({ clock, log, announce: options.announce, gatekeeper }, wire);
    wire.serve(core);
    try {
      const { udp, tcp } = await listen(options, (bytes, flow) => core.receive(bytes, flow), gatekeeper);
      core.use(udp);
      core.use(tcp);
      return new Engine(udp, tcp, wire, core);
    } catch (error) {
      await wire.close();
      throw error;
    }
  }

  get wirePort(): number {
    return this.#wire.port;
  }

  get counters(): Readonly<Record<string, number>> {
    return { ...this.#core.counters, dialogs: this.#core.dialogCount };
  }

  /** Ends calls of an engine that died. @param reason - value of the Reason header (RFC 3326) */
  endDialogs(dialogs: readonly DialogRecord[], reason: string): void {
    for (const record of dialogs) this.#core.endAdopted(record, [{ name: 'Reason', value: reason }]);
  }

  async close(): Promise<void> {
    // First: what its application leaves behind is told to the peers.
    await this.#wire.close();
    await Promise.all([this.#udp.close(), this.#tcp.close()]);
  }
}

/** Both transports on one port. @throws Error in a sentence */
async function listen({ bind, port }: EngineOptions, onMessage: OnMessage, gatekeeper: Gatekeeper) {
  for (let tries = PORT_TRIES; ; tries--) {
    const udp = await UdpTransport.open(bind, port, onMessage).catch((error: Error) => {
      throw new Error(inUse(bind, port, error));
    });
    try {
      return { udp, tcp: await TcpTransport.open(bind, udp.port, onMessage, gatekeeper) };
    } catch (error) {
      await udp.close();
      if (port !== 0 || tries === 0) throw new Error(inUse(bind, port, error as Error));
    }
  }
}

function inUse(bind: string, port: number, { message }: Error): string {
  return `Port ${port} (UDP and TCP) on ${bind} cannot be used for SIP: ${message}. Free it or set sip.port (PATCHROOM_SIP_PORT) to another.`;
}
