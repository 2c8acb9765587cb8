import { randomBytes } from 'node:crypto';
import { networkInterfaces } from 'node:os';
import { AddressList } from '../../src/base/address-list.ts';
import { type Gateway, type GatewayHost, PatchroomError, Supervisor } from '../../src/gateway.ts';
import type { Participant, Room } from '../../src/room/room.ts';
import { Call, type CallSurroundings } from './call.ts';
import { callerOf, roomOf } from './caller.ts';
import type { EngineOptions } from './engine/process-messages.ts';
import { EngineProcess } from './engine-process.ts';
import { DEFAULT_PORT, type SipOptions } from './options.ts';
import { PortPool } from './port-pool.ts';
import { RoomPhones } from './room-phones.ts';
import { type IncomingCall, Signalling } from './signalling.ts';

/** What calls of an engine that died are told (RFC 3326). */
const ENGINE_LOST = 'Q.850;cause=41;text="A part of the server failed"';

/** A softphone on this machine mostly calls from the machine's own address, also when it calls 127.0.0.1. */
function ownAddresses(): string[] {
  return Object.values(networkInterfaces()).flatMap((list) => (list ?? []).map(({ address }) => address));
}

/** Phones: calls come in through a SIP engine, their sound through media workers. */
export class SipGateway implements Gateway {
  #host: GatewayHost;
  #options: SipOptions;
  #allowed: AddressList;
  #allow: readonly string[];
  #surroundings: CallSurroundings;
  #engines: Supervisor<EngineProcess> | undefined;
  #signalling: Signalling | undefined;
  #port: number;
  #calls = new Set<Call>();
  #phones = new Map<Room, RoomPhones>();
  #counters = { callsTotal: 0, refusedUnheard: 0 };
  #stopping = false;

  constructor(host: GatewayHost, options: SipOptions) {
    this.#host = host;
    this.#options = options;
    this.#port = options.port;
    this.#allow = host.demo ? ['loopback', ...ownAddresses(), ...options.allow] : options.allow;
    this.#allowed = new AddressList(this.#allow);
    this.#surroundings = {
      host,
      ports: new PortPool({ ...host.network.rtpPorts, beginAt: Math.random() }, host.clock),
      mediaAddress: host.network.announce ?? host.network.bind,
      codecs: options.codecs,
      mediaTimeoutMs: options.mediaTimeoutSeconds * 1000,
      phonesOf: (participant) => this.#phonesOf(participant),
      onOver: (call) => this.#calls.delete(call),
    };
  }

  get wayIn(): readonly [string, string] | undefined {
    if (!this.#signalling) return undefined;
    const { bind, announce } = this.#host.network;
    const host = announce ?? bind;
    const own = `${host.includes(':') ? `[${host}]` : host}:${this.#port}`;
    // An engine of somebody else's is reached where he has it listen.
    const where = this.#engines ? own : new URL(this.#options.engine).hostname;
    return ['phone', `sip:${this.#host.demo ? 'demo' : '<room>'}@${where}`];
  }

  async start(): Promise<void> {
    if (this.#allow.length === 0) {
      this.#host.log.info('no address may call (sip.allow is empty): SIP is off');
      return;
    }
    if (this.#options.engine === 'embedded') await this.#startEngine();
    else await this.#connectExternal(this.#options.engine);
  }

  async stop(graceMs: number): Promise<void> {
    this.#stopping = true;
    this.#engines?.expectEnd();
    const calls = [...this.#calls];
    for (const call of calls) call.end();
    const limit = new Promise<void>((done) => this.#host.clock.after(graceMs, done));
    await Promise.race([Promise.all(calls.map((call) => call.ending)), limit]);
    this.#signalling?.close();
    await this.#engines?.stop();
  }

  async report(): Promise<Record<string, number>> {
    const engine = await this.#engines?.workers[0]?.counters().catch(() => ({}));
    return {
      calls: this.#calls.size,
      ...this.#counters,
      engineDeaths: this.#engines?.deaths ?? 0,
      ...engine,
    };
  }

  async #startEngine(): Promise<void> {
    const engines = this.#makeEngines();
    this.#engines = engines;
    engines.on('died', () => this.#onEngineDied(engines));
    try {
      await engines.start();
    } catch (error) {
      if (!this.#host.demo || this.#port !== DEFAULT_PORT) throw error;
      // A softphone or another server has it, which is no reason for a demo not to start.
      this.#host.log.warn({ err: error }, 'taking another SIP port');
      this.#port = 0;
      await this.#startEngine();
      return;
    }
    await this.#connect(engines.workers[0]!);
  }

  #makeEngines(): Supervisor<EngineProcess> {
    const { clock, log } = this.#host;
    return new Supervisor<EngineProcess>({
      name: 'SIP engine',
      count: 1,
      clock,
      log,
      start: async () => {
        const engine = await EngineProcess.start(this.#engineOptions(), clock, log);
        this.#port = engine.port; // a replacement takes the same
        return engine;
      },
    });
  }

  #engineOptions(): EngineOptions {
    const { maxCalls, callsPerSecond, messagesPerSecond } = this.#options;
    const { bind, announce } = this.#host.network;
    return {
      bind,
      port: this.#port,
      ...(announce ? { announce } : {}),
      secret: randomBytes(24).toString('base64url'),
      allow: [...this.#allow],
      maxCalls,
      callsPerSecond,
      messagesPerSecond,
      logLevel: this.#host.log.level as EngineOptions['logLevel'],
    };
  }

  async #connect({ wirePort, secret }: EngineProcess): Promise<void> {
    const address = { host: '127.0.0.1', port: wirePort, secret, reconnect: false };
    const { log } = this.#host;
    this.#signalling = await Signalling.connect(
      address,
      { call: (call) => this.#onCall(call), lost: () => {} },
      log,
    );
  }

  async #connectExternal(url: string): Promise<void> {
    const { hostname, port } = new URL(url);
    const secret = this.#options.engineSecret;
    if (!secret)
      throw new PatchroomError('invalid-request', 'sip.engineSecret is needed for an external sip.engine.');
    const events = { call: (call: IncomingCall) => this.#onCall(call), lost: () => this.#onEngineLost() };
    const address = { host: hostname, port: Number(port), secret, reconnect: true };
    try {
      this.#signalling = await Signalling.connect(address, events, this.#host.log);
    } catch (error) {
      throw new PatchroomError('unavailable', (error as Error).message, { cause: error });
    }
  }

  /** Its calls end here at once, and at their phones as soon as there is another engine to say so. */
  #onEngineDied(engines: Supervisor<EngineProcess>): void {
    const records = [...this.#calls].flatMap(({ record }) => (record ? [record] : []));
    this.#onEngineLost();
    this.#signalling?.close();
    engines.once('replaced', (engine) => {
      const ready = this.#connect(engine).then(() => engine.endDialogs(records, ENGINE_LOST));
      ready.catch((error: unknown) => {
        this.#host.log.error({ err: error }, 'the new SIP engine does not work; killing it');
        engine.kill();
      });
    });
  }

  #onEngineLost(): void {
    for (const call of [...this.#calls]) call.engineLost();
  }

  #onCall(incoming: IncomingCall): void {
    const log = this.#host.log.child({ call: incoming.callId, address: incoming.source.address });
    const room = roomOf(incoming.uri);
    if (this.#stopping || this.#calls.size >= this.#options.maxCalls) {
      this.#refuse(incoming, 503, this.#stopping ? 'The server is stopping' : 'Too many calls');
    } else if (!this.#allowed.has(incoming.source.address)) {
      // The embedded engine drops these without a word; another one has its own ways.
      this.#refuse(incoming, 403, 'This address may not call');
    } else if (room === undefined) {
      this.#refuse(incoming, 404, 'The address names no room: call sip:<room>@<server>');
    } else {
      const call = new Call(incoming, this.#surroundings, log);
      this.#calls.add(call);
      this.#counters.callsTotal++;
      // Two calls from one number are two people; and nobody's number is shown to the whole room.
      const identity = `phone-${randomBytes(4).toString('hex')}`;
      void call.arrive({ room, identity, name: callerOf(incoming.from).name });
    }
  }

  #refuse(incoming: IncomingCall, status: number, text: string): void {
    this.#counters.refusedUnheard++;
    incoming.refuse(status, text);
  }

  #phonesOf({ room }: Participant): RoomPhones {
    const present = this.#phones.get(room);
    if (present) return present;
    const phones: RoomPhones = new RoomPhones(room, this.#host, this.#options.maxPassThrough, () => {
      if (this.#phones.get(room) === phones) this.#phones.delete(room);
    });
    this.#phones.set(room, phones);
    return phones;
  }
}
