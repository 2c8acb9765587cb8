import { EventEmitter } from 'node:events';
import type { Notice, Reply, Request } from '../../../gateways/sip/media/messages.ts';
import { createLogger } from '../../../src/base/log.ts';
import { type GatewayHost, PatchroomError } from '../../../src/gateway.ts';
import type { NewParticipant } from '../../../src/room/new-participant.ts';
import type { Participant, Room } from '../../../src/room/room.ts';
import { FakeClock } from './fake-clock.ts';
import { Gate } from './gate.ts';

/** A gateway's way to its half in a media worker. */
class FakePort extends EventEmitter<{ notice: [Notice]; lost: [cause: string] }> {
  closed = false;
  #plane: FakeMediaPlane;

  constructor(plane: FakeMediaPlane) {
    super();
    this.#plane = plane;
  }

  request(request: Request): Promise<Reply> {
    return this.#plane.request(request);
  }

  close(): void {
    this.closed = true;
    this.removeAllListeners();
  }
}

/** The media plane as the phones' control half sees it, and what became of what it was asked. */
export class FakeMediaPlane {
  /** In their order. */
  readonly requests: Request[] = [];
  readonly ports: FakePort[] = [];
  /** Producers that are open at the hub, by id. */
  readonly producers = new Set<string>();
  /** Calls that have sockets, with their ports. */
  readonly open = new Map<string, number>();
  /** SSRC by which each call is passed on now. */
  readonly passing = new Map<string, number>();
  /** How many hold the hub's tracks in the room's mix. */
  mixHolds = 0;
  /** What requests of these types have to pass before they are answered, and what producers have to. */
  readonly gates: Partial<Record<Request['type'], Gate>> = {};
  readonly producing = new Gate();
  /** What requests fail with, by type, the next time. */
  readonly failures: Partial<Record<Request['type'], Error[]>> = {};
  #worker = { alive: true, end: new EventEmitter() };
  #producers = 0;

  port(): FakePort {
    const port = new FakePort(this);
    this.ports.push(port);
    return port;
  }

  async link() {
    return {
      id: 'a-link',
      produce: async ({ ssrc }: { ssrc: number }) => {
        const id = `producer ${++this.#producers} of ${ssrc}`;
        await this.producing.pass();
        this.producers.add(id);
        return { id, close: () => void this.producers.delete(id) };
      },
    };
  }

  mix(): () => void {
    this.mixHolds++;
    return () => void this.mixHolds--;
  }

  async request(request: Request): Promise<Reply> {
    this.requests.push(request);
    if (!this.#worker.alive) throw gone();
    const failure = this.failures[request.type]?.shift();
    if (failure) throw failure;
    // Requests arrive in their order, whenever they are answered; sockets alone take their time to open.
    if (request.type !== 'open') this.#carryOut(request);
    const gate = this.gates[request.type];
    if (gate && !gate.open) await Promise.race([gate.pass(), this.#died()]);
    if (request.type === 'open') this.#carryOut(request);
    return {};
  }

  #carryOut(request: Request): void {
    if (request.type === 'open') this.open.set(request.call, request.rtpPort);
    else if (request.type === 'close') this.open.delete(request.call);
    else if (request.type === 'pass') this.passing.set(request.call, request.ssrc);
    else if (request.type === 'start' && !this.open.has(request.call)) {
      throw new PatchroomError('failed-precondition', `There is no call ${request.call} here.`);
    }
    if (request.type === 'unpass' || request.type === 'close') this.passing.delete(request.call);
  }

  /** The worker dies, and with it what waits for it. */
  die(): void {
    this.#worker.alive = false;
    this.open.clear();
    this.passing.clear();
    this.#worker.end.emit('end');
    for (const port of this.ports.splice(0)) {
      port.emit('lost', 'killed');
      port.close();
    }
  }

  /** Another worker is there. */
  revive(): void {
    this.#worker = { alive: true, end: new EventEmitter() };
  }

  /** Types of the requests so far. */
  get asked(): string[] {
    return this.requests.map(({ type }) => type);
  }

  #died(): Promise<never> {
    return new Promise((_, reject) => this.#worker.end.once('end', () => reject(gone())));
  }
}

function gone(): PatchroomError {
  return new PatchroomError('unavailable', 'The media worker is gone.');
}

/** What the core offers to a gateway with a media half, around one room. */
export function fakeHost<Media extends object = FakeMediaPlane>(
  room: Room,
  media = new FakeMediaPlane() as unknown as Media,
  clock = new FakeClock(),
) {
  const admitting = new Gate();
  const joining = new Gate();
  const host = {
    log: createLogger('silent'),
    clock,
    media,
    tls: undefined,
    permittedOutputs: [],
    demo: false,
    network: { bind: '127.0.0.1', announce: undefined, rtpPorts: { min: 40_000, max: 40_099 } },
    admit: async (credentials: { identity: string; name: string; room: string }) => {
      await admitting.pass();
      return {
        room: credentials.room,
        identity: credentials.identity,
        name: credentials.name,
        permissions: { publish: true, subscribe: true, updateOwn: false, hidden: false, admin: false },
        metadata: '',
        attributes: {},
        roomOptions: {},
        roomMetadata: '',
      };
    },
    join: async (_name: string, who: NewParticipant): Promise<Participant> => {
      await joining.pass();
      return room.join(who);
    },
  };
  return { host: host as unknown as GatewayHost, media, clock, admitting, joining };
}
