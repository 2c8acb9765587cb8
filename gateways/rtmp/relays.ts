import { randomBytes } from 'node:crypto';
import { isIP } from 'node:net';
import { networkInterfaces } from 'node:os';
import { type DialRequest, type GatewayHost, type Leg, PatchroomError } from '../../src/gateway.ts';
import { maskedAddress, parseRtmpAddress, type RtmpAddress } from './client/rtmp-address.ts';
import type { Notice } from './messages.ts';
import { RelayLeg } from './relay-leg.ts';
import type { StreamKeys } from './stream-keys.ts';
import type { Port, WorkerPorts } from './worker-ports.ts';

export interface RelaysParts {
  readonly host: GatewayHost;
  readonly ports: WorkerPorts;
  readonly keys: StreamKeys;
  /** That the gateway itself listens on. */
  readonly listeningPorts: () => readonly number[];
}

/** Pushes to CDNs, as the control plane sees them: who may be called, and which worker does it. */
export class Relays {
  #parts: RelaysParts;
  #legs = new Map<string, { readonly leg: RelayLeg; readonly port: Port }>();

  constructor(parts: RelaysParts) {
    this.#parts = parts;
  }

  get count(): number {
    return this.#legs.size;
  }

  /** @throws PatchroomError 'invalid-request' for what is no address, or a loop; 'unavailable' */
  async dial({ room, address: text, program }: DialRequest, signal: AbortSignal): Promise<Leg> {
    const address = parseRtmpAddress(text);
    if ('reason' in address) throw new PatchroomError('invalid-request', address.reason);
    if (this.#leadsBack(address, room.name)) {
      throw new PatchroomError(
        'invalid-request',
        `${maskedAddress(text)} is this server's own way into the room ${room.name}: it would hear itself for ever.`,
      );
    }
    const port = await this.#parts.ports.to(program.worker);
    const id = randomBytes(9).toString('base64url');
    const over = () => {
      this.#legs.delete(id);
      signal.removeEventListener('abort', end);
    };
    const leg = new RelayLeg(maskedAddress(text), async () => {
      over();
      await port.request({ type: 'end-relay', relay: id }).catch(() => {}); // gone with its worker
    });
    const end = () => void leg.end();
    void leg.ended.then(over);
    this.#legs.set(id, { leg, port });
    try {
      await port.request({ type: 'relay', relay: id, program: program.id, address: text });
    } catch (error) {
      end(); // it may have begun, and answered too late
      throw error;
    }
    if (signal.aborted) await leg.end();
    else signal.addEventListener('abort', end);
    return leg;
  }

  onNotice(notice: Extract<Notice, { type: 'relay' | 'relay-failed' }>): void {
    const leg = this.#legs.get(notice.relay)?.leg;
    if (notice.type === 'relay') leg?.update(notice.report);
    else leg?.fail(notice.reason);
  }

  /** The worker that carried them died. */
  onLost(port: Port): void {
    for (const { leg, port: theirs } of [...this.#legs.values()]) {
      if (theirs === port) leg.lose();
    }
  }

  /** Whether what is sent there would come back into the room. */
  #leadsBack({ host, port, key }: RtmpAddress, room: string): boolean {
    const { keys, listeningPorts, host: gateway } = this.#parts;
    const stream = keys.find(key);
    if (stream?.room !== room) return false;
    // A key of the configuration is known to nobody else; in demo mode any room's name is one.
    if (keys.isConfigured(key)) return true;
    return listeningPorts().includes(port) && isOwnHost(host, gateway.network.announce);
  }
}

function isOwnHost(host: string, announced: string | undefined): boolean {
  const name = host.toLowerCase();
  if (name === 'localhost' || name === announced?.toLowerCase()) return true;
  if (!isIP(name)) return false;
  if (name.startsWith('127.') || name === '::1' || name === '0.0.0.0' || name === '::') return true;
  return Object.values(networkInterfaces()).some((list) => list?.some(({ address }) => address === name));
}
