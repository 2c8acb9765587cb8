import { networkInterfaces } from 'node:os';
import { egressService } from './api/egress-service.ts';
import { serveHealth } from './api/health.ts';
import { HttpServer } from './api/http.ts';
import { serveMetrics } from './api/metrics.ts';
import { servePages } from './api/pages.ts';
import { serveProgram } from './api/program-routes.ts';
import { serveReports } from './api/reports.ts';
import { roomService } from './api/room-service.ts';
import { TokenVerifier } from './api/tokens.ts';
import { serveTwirp } from './api/twirp.ts';
import { readCertificate, type ServerCertificate } from './base/certificate.ts';
import { type Clock, systemClock } from './base/clock.ts';
import { PatchroomError } from './base/errors.ts';
import { createLogger, type Logger, type LogLevel } from './base/log.ts';
import type { PortRange } from './base/port-range.ts';
import type { Gateway, GatewayHost, GatewayModule } from './gateway.ts';
import { Director, type ProgramSettings } from './outputs/director.ts';
import { Outputs } from './outputs/outputs.ts';
import { Admissions } from './room/admission.ts';
import { RoomDirectory } from './room/directory.ts';
import { MediaPlane } from './workers/media-plane.ts';

const STOP_GRACE_MS = 3_000;
/** Whatever hangs, the process ends after this. */
const STOP_LIMIT_MS = 12_000;

/** What the server needs to know; the config file's shape (config/schema.ts) fits it. */
export interface ServerConfig {
  readonly demo: boolean;
  readonly network: {
    readonly bind: string;
    readonly announce?: string | undefined;
    readonly rtpPorts: PortRange;
    readonly loopbackPorts: PortRange;
  };
  readonly http: {
    readonly port: number;
    readonly tls?: { readonly cert: string; readonly key: string } | undefined;
    readonly trustProxy: readonly string[];
    readonly allowedOrigins: readonly string[];
    readonly metricsToken?: string | undefined;
  };
  readonly webrtc: { readonly port: number };
  readonly outputs: {
    readonly allow: readonly string[];
    readonly max: number;
    readonly maxDestinations: number;
    readonly width: number;
    readonly height: number;
    readonly frameRate: number;
    readonly videoKbps: number;
    readonly audioKbps: number;
    readonly keyFrameSeconds: number;
    readonly preset: string;
  };
  readonly workers: { readonly hubs: number; readonly media: number };
  readonly rooms: {
    readonly emptySeconds: number;
    readonly departureSeconds: number;
    readonly maxRooms: number;
    readonly maxParticipants: number;
    readonly maxTracksPerParticipant: number;
    readonly remoteUnmute: boolean;
  };
  readonly api: { readonly keys: Readonly<Record<string, string>> };
  readonly log: { readonly level: LogLevel };
}

export interface ServerParts {
  readonly version: string;
  readonly gateways: readonly GatewayModule[];
  /** Path of the mediasoup-worker program; undefined: where the mediasoup package keeps its own. */
  readonly workerBin: string | undefined;
}

/** The whole product in one object: builds it from a configuration, starts and stops it. */
export class Server {
  readonly rooms: RoomDirectory;
  readonly plane: MediaPlane;
  readonly outputs: Outputs;
  readonly log: Logger;
  #config: ServerConfig;
  #parts: ServerParts;
  #clock: Clock = systemClock;
  #http: HttpServer | undefined;
  #gateways = new Map<string, Gateway>();
  #announce: string | undefined;
  #certificate: ServerCertificate | undefined;
  #url = '';
  #stopping: Promise<void> | undefined;

  constructor(config: ServerConfig, parts: ServerParts) {
    this.#config = config;
    this.#parts = parts;
    this.log = createLogger(config.log.level);
    const { rooms, network, webrtc, workers } = config;
    this.#announce = network.announce ?? firstAddressIfWildcard(network.bind);
    this.rooms = new RoomDirectory(
      {
        maxRooms: rooms.maxRooms,
        defaults: {
          maxParticipants: rooms.maxParticipants,
          maxTracksPerParticipant: rooms.maxTracksPerParticipant,
          emptyTimeoutMs: rooms.emptySeconds * 1000,
          departureTimeoutMs: rooms.departureSeconds * 1000,
        },
      },
      this.#clock,
    );
    this.plane = new MediaPlane(
      {
        workerBin: parts.workerBin,
        bind: network.bind,
        announce: this.#announce,
        webrtcPort: webrtc.port,
        loopbackPorts: network.loopbackPorts,
        hubWorkers: workers.hubs,
        mediaWorkers: workers.media,
        logLevel: config.log.level,
        modules: parts.gateways.flatMap(({ name, media }) =>
          media ? [{ gateway: name, url: media.url }] : [],
        ),
      },
      this.#clock,
      this.log,
    );
    this.outputs = this.#createOutputs();
    this.#logRooms();
  }

  /** Where the HTTP server listens, without a slash at the end; empty before it has started. */
  get url(): string {
    return this.#url;
  }

  /** A gateway that has started, by its name. */
  gateway(name: string): Gateway | undefined {
    return this.#gateways.get(name);
  }

  /** What a person can do now: the name of each way in, and its address. */
  get waysIn(): readonly (readonly [name: string, address: string])[] {
    return [
      ['browser', this.#config.demo ? `${this.#url}/demo` : `${this.#url}/<room>?token=<access token>`],
      ...[...this.#gateways.values()].flatMap(({ wayIn }) => (wayIn ? [wayIn] : [])),
      ['health', `${this.#url}/healthz`],
    ];
  }

  /** @throws PatchroomError in a sentence, with nothing left running */
  async start(): Promise<void> {
    try {
      await this.#start();
    } catch (error) {
      await this.stop();
      throw error;
    }
  }

  /** Ends every leg politely, then everything else. May be called at any time, and again. */
  stop(): Promise<void> {
    this.#stopping ??= this.#stop();
    return this.#stopping;
  }

  async #start(): Promise<void> {
    const { demo, http, network, api, rooms } = this.#config;
    this.#certificate = http.tls && readCertificate(http.tls);
    const tokens = new TokenVerifier(api.keys);
    const web = await HttpServer.create({
      bind: network.bind,
      port: http.port,
      tls: this.#certificate,
      trustProxy: http.trustProxy,
      allowedOrigins: http.allowedOrigins,
      demo,
      version: this.#parts.version,
      log: this.log,
    });
    this.#http = web;
    serveHealth(web.app, this.plane);
    serveTwirp(web.app, {
      tokens,
      log: this.log,
      services: {
        RoomService: roomService(this.rooms, { remoteUnmute: rooms.remoteUnmute }),
        Egress: egressService(this.rooms, this.outputs, programSettings(this.#config.outputs)),
      },
    });
    await serveProgram(web.app, {
      demo,
      rooms: this.rooms,
      outputs: this.outputs,
      tokens,
      clock: this.#clock,
    });
    await serveReports(web.app, {
      gateways: () => this.#gatewayReports(),
      version: this.#parts.version,
      demo,
      rooms: this.rooms,
      plane: this.plane,
      tokens,
    });
    serveMetrics(web.app, {
      gateways: () => this.#gatewayReports(),
      demo,
      rooms: this.rooms,
      plane: this.plane,
      clock: this.#clock,
      tokens,
      metricsToken: http.metricsToken,
      relays: () => this.#relays(),
    });
    await servePages(web.app, http.allowedOrigins);
    await this.plane.start();

    const admissions = new Admissions(tokens, demo);
    for (const module of this.#parts.gateways) {
      const section = (this.#config as unknown as Record<string, unknown>)[module.name];
      const gateway = module.create(
        this.#hostFor(module.name, web, admissions),
        module.options.parse(section ?? {}),
      );
      this.#gateways.set(module.name, gateway);
      await gateway.start();
    }
    const port = await web.listen();
    const host = network.bind.includes(':') ? `[${network.bind}]` : network.bind;
    this.#url = `${http.tls ? 'https' : 'http'}://${isWildcard(network.bind) ? 'localhost' : host}:${port}`;
  }

  async #stop(): Promise<void> {
    // From here on, processes that end are no news: Ctrl-C reaches them as well.
    this.plane.expectEnd();
    const limit = new Promise<void>((resolve) => this.#clock.after(STOP_LIMIT_MS, resolve));
    await Promise.race([this.#stopAll(), limit]);
  }

  async #stopAll(): Promise<void> {
    const gateways = [...this.#gateways.values()];
    await this.outputs.stopAll();
    await Promise.allSettled(gateways.map((gateway) => gateway.stop(STOP_GRACE_MS)));
    this.rooms.closeAll();
    await Promise.allSettled([this.#http?.close(), this.plane.stop()]);
  }

  async #gatewayReports(): Promise<Record<string, Readonly<Record<string, number>>>> {
    const reports = [...this.#gateways].map(
      async ([name, gateway]) => [name, await gateway.report?.()] as const,
    );
    const known = (await Promise.all(reports)).flatMap(([name, report]) =>
      report ? [[name, report] as const] : [],
    );
    return Object.fromEntries(known);
  }

  #hostFor(gateway: string, web: HttpServer, admissions: Admissions): GatewayHost {
    return {
      log: this.log.child({ gateway }),
      clock: this.#clock,
      media: this.plane,
      web,
      network: { ...this.#config.network, announce: this.#announce },
      tls: this.#certificate,
      permittedOutputs: this.#config.outputs.allow,
      demo: this.#config.demo,
      admit: (credentials) => admissions.admit(credentials),
      join: async (name, who, opening) => {
        if (this.#stopping) throw new PatchroomError('unavailable', 'The server is stopping.');
        return this.rooms.open(name, opening?.options, opening?.metadata).join(who);
      },
    };
  }

  #createOutputs(): Outputs {
    const { outputs } = this.#config;
    const settings = programSettings(outputs);
    const shared = { plane: this.plane, clock: this.#clock, log: this.log };
    return new Outputs({
      open: (room, of, epochAt) => Director.open({ room, of, settings, epochAt, ...shared }),
      clock: this.#clock,
      log: this.log,
      sinks: () => [...this.#gateways.values()].flatMap(({ sink }) => sink ?? []),
      maxOutputs: outputs.max,
      maxDestinations: outputs.maxDestinations,
    });
  }

  /** Those that run, for the metrics. */
  #relays() {
    return this.outputs.all.flatMap(({ id, destinations }) =>
      destinations.flatMap(({ report, endedAt }, index) =>
        endedAt === undefined ? [{ id: `${id}-${index}`, state: report.state, report }] : [],
      ),
    );
  }

  #logRooms(): void {
    this.rooms.on('roomOpened', (room) => {
      const log = this.log.child({ room: room.name });
      log.info('room opened');
      room.on('participantJoined', ({ sid, identity, kind, gateway }) =>
        log.info({ participant: sid, identity, kind, gateway }, 'participant joined'),
      );
      room.on('participantLeft', ({ sid, identity }, reason) =>
        log.info({ participant: sid, identity, reason }, 'participant left'),
      );
      room.on('mediaLost', (reason) => log.error({ reason }, 'room lost its media'));
      room.on('closed', (reason) => log.info({ reason }, 'room closed'));
    });
  }
}

function programSettings(outputs: ServerConfig['outputs']): ProgramSettings {
  const { width, height, frameRate, videoKbps, audioKbps, keyFrameSeconds, preset } = outputs;
  return {
    encoding: { width, height, frameRate, bitrateBps: videoKbps * 1000, keyFrameSeconds, preset },
    audioBitrateBps: audioKbps * 1000,
  };
}

function isWildcard(address: string): boolean {
  return address === '0.0.0.0' || address === '::';
}

/** Nobody can send to 0.0.0.0: peers are told the machine's first address where nothing else is configured. */
function firstAddressIfWildcard(bind: string): string | undefined {
  if (!isWildcard(bind)) return undefined;
  const addresses = Object.values(networkInterfaces()).flatMap((list) => list ?? []);
  const usable = addresses.find(
    ({ internal, family }) => !internal && family === (bind === '::' ? 'IPv6' : 'IPv4'),
  );
  return usable?.address ?? (bind === '::' ? '::1' : '127.0.0.1');
}
