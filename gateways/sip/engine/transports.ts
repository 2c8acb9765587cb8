import { type SipMessage, serialize } from './message.ts';
import type { Flow, Transport } from './transport.ts';

/** The transports in use, and what we are called on them. */
export class Transports {
  #announce: string | undefined;
  #byProtocol = new Map<Flow['protocol'], Transport>();

  /** @param announce - the host that peers are told; undefined: the address that they sent to */
  constructor(announce: string | undefined) {
    this.#announce = announce;
  }

  use(transport: Transport): void {
    this.#byProtocol.set(transport.protocol, transport);
  }

  isReliable({ protocol }: Flow): boolean {
    return this.#byProtocol.get(protocol)?.reliable ?? false;
  }

  /** @param onFailure - called later, when it certainly did not arrive */
  send(message: SipMessage, to: Flow, onFailure: () => void = () => {}): void {
    this.#byProtocol.get(to.protocol)?.send(serialize(message), to, onFailure);
  }

  via(flow: Flow, branch: string): string {
    return `SIP/2.0/${flow.protocol.toUpperCase()} ${this.#sentBy(flow)};branch=${branch};rport`;
  }

  contact(flow: Flow): string {
    return `<sip:${this.#sentBy(flow)}${flow.protocol === 'tcp' ? ';transport=tcp' : ''}>`;
  }

  #sentBy({ localAddress, localPort }: Flow): string {
    const host = this.#announce ?? localAddress;
    return `${host.includes(':') ? `[${host}]` : host}:${localPort}`;
  }
}
