import { randomBytes } from 'node:crypto';
import { isIP } from 'node:net';
import { networkInterfaces } from 'node:os';
import {
  type Delivery,
  type DeliveryRequest,
  type GatewayHost,
  PatchroomError,
  type Sink,
} from '../../src/gateway.ts';
import type { StreamKeys } from '../../src/ingest/stream-keys.ts';
import { maskedAddress, parseRtmpAddress, type RtmpAddress } from './client/rtmp-address.ts';
import type { Notice } from './messages.ts';
import { RelayLeg } from './relay-leg.ts';
import type { Port, WorkerPorts } from './worker-ports.ts';

export interface RelaysParts {
  readonly host: GatewayHost;
  readonly ports: WorkerPorts;
  readonly keys: StreamKeys;
  /** That the gateway itself listens on. */
  readonly listeningPorts: () => readonly number[];
}

/** Pushes to CDNs, as the control plane sees them: who may be called, and which worker does it. */
export class Relays implements Sink {
  readonly schemes = ['rtmp', 'rtmps'];
  #parts: RelaysParts;
  #legs = new Map<string, { readonly leg: RelayLeg; readonly port: Port }>();

  constructor(parts: RelaysParts) {
    this.#parts = parts;
  }

  get count(): number {
    return this.#legs.size;
  }

  async open({ room, address: text, program, originUs }: DeliveryRequest): Promise<Delivery> {
    const address = parseRtmpAddress(text);
    if ('reason' in address) throw new PatchroomError('invalid-request', address.reason);
    if (this.#leadsBack(address, room.name)) {
      throw new PatchroomError(
        'invalid-request',
        `${maskedAddress(text)} leads back into the room ${room.name} itself: this would create a loop.`,
      );
    }
    const port = await this.#parts.ports.to(program.worker);
    const id = randomBytes(9).toString('base64url');
    const leg = new RelayLeg(maskedAddress(text), async () => {
      this.#legs.delete(id);
      await port.request({ type: 'end-relay', relay: id }).catch(() => {}); // gone with its worker
    });
    void leg.ended.then(() => this.#legs.delete(id));
    this.#legs.set(id, { leg, port });
    try {
      await port.request({
        type: 'relay',
        relay: id,
        program: program.id,
        address: text,
        ...(originUs === undefined ? {} : { originUs }),
      });
    } catch (error) {
      void leg.end(); // it may have begun, and answered too late
      throw error;
    }
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
