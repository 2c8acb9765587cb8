import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import type { ZodType } from 'zod';
import type { Admission, Credentials } from './admission.ts';
import type { ServerCertificate } from './certificate.ts';
import type { Logger } from './log.ts';
import type { Clock } from './media/clock.ts';
import type { PortRange } from './plane/hub.ts';
import type { MediaMessages } from './plane/media-module.ts';
import type { MediaWorker } from './plane/media-worker.ts';
import type { MediaPlane } from './plane/plane.ts';
import type { NewParticipant, Participant } from './room/participant.ts';
import type { Room, RoomOptions } from './room/room.ts';

/*
 * The plug-in seam. A gateway translates one protocol to and from participants and tracks, and knows no
 * other gateway. gateways/README.md shows how to write one.
 */

export interface GatewayModule<Options = unknown> {
  /** Also the name of its section in the config file and of its participants' gateway. */
  readonly name: string;
  readonly options: ZodType<Options>;
  /** The control half; it runs in the main process and never touches a media packet. */
  create(host: GatewayHost, options: Options): Gateway;
  /** The half that runs in media workers, for gateways that send or receive RTP themselves. */
  readonly media?: GatewayMedia;
}

export interface GatewayMedia {
  /** A file whose default export is a MediaModule; loaded in media workers only. */
  readonly url: URL;
  readonly messages: MediaMessages;
}

export interface Gateway {
  /** Listens. @throws PatchroomError in a sentence, such as for a port in use */
  start(): Promise<void>;
  /** Ends all its legs politely within the time given, then closes every socket. */
  stop(graceMs: number): Promise<void>;
  /** One line for the start message: a way in and what to type, such as ['phone', 'sip:demo@…']. */
  readonly wayIn?: readonly [name: string, address: string];
  /** Figures for GET /api/server, by names that people read, such as `calls`. */
  report?(): Promise<Readonly<Record<string, number>>>;
  /** Of addresses that it dials: 'rtmp', 'rtmps'. */
  readonly schemes?: readonly string[];
  /**
   * An outgoing leg: a CDN push, later a phone call or a recording. The address's scheme picks the gateway.
   * @throws PatchroomError 'invalid-request' for an address that is none or not permitted, in a sentence without its key
   */
  dial?(request: DialRequest, signal: AbortSignal): Promise<Leg>;
}

export interface DialRequest {
  /** The room that it goes out of. */
  readonly room: Room;
  /** Such as `rtmps://cdn/app/key`, later `sip:+4930123456@trunk`, `file:recording.mp4`. Has secrets: never logged. */
  readonly address: string;
  /** What is sent there, and where it is made. */
  readonly program: ProgramSource;
}

/** A program that a media worker makes; its media halves get at it by the id (MediaHost.program). */
export interface ProgramSource {
  readonly worker: MediaWorker;
  readonly id: string;
}

export const LEG_STATES = ['connecting', 'live', 'stalled', 'waiting', 'failed'] as const;
/**
 * Connecting: on its way to be live. Stalled: connected, but the other side takes nothing. Waiting: for the next
 * attempt. Failed: given up.
 */
export type LegState = (typeof LEG_STATES)[number];

/** How an outgoing leg is doing. */
export interface LegReport {
  readonly state: LegState;
  /** Why, in the other side's own words where it said any; empty while it is live. Has no secrets. */
  readonly reason: string;
  /** Over the last seconds. */
  readonly bitrateBps: number;
  readonly bytesSent: number;
  /** Pictures that were left out since the other side took too little. */
  readonly framesDropped: number;
  /** Attempts after the first, since it began. */
  readonly retries: number;
  /** Since 1970, ms; undefined before the first one. */
  readonly lastRetryAt?: number | undefined;
  /** How long it has been live without a break, ms; 0 while it is not. */
  readonly uptimeMs: number;
}

/** An outgoing leg: from being asked for until it is ended. It connects again by itself. */
export interface Leg {
  /** The address as people may see it: without what lets somebody in there. */
  readonly shownAddress: string;
  readonly report: LegReport;
  /** Called at each change of state, and when there are new figures. */
  onChange(listener: () => void): void;
  /** Resolves with the cause when it is over: it has failed, or the process that carried it is gone. Not after `end`. */
  readonly ended: Promise<string>;
  end(): Promise<void>;
}

/** How a room is to be if this participant is the one who opens it. */
export interface RoomOpening {
  readonly options: Partial<RoomOptions>;
  readonly metadata: string;
}

/** What the core offers to a gateway. */
export interface GatewayHost {
  readonly log: Logger;
  readonly clock: Clock;
  readonly media: MediaPlane;
  readonly web: WebEntry;
  readonly network: NetworkSettings;
  /** The server's certificate and its key, as PEM, where it has them. */
  readonly tls: ServerCertificate | undefined;
  /** Private networks and addresses that may be dialled all the same; in demo mode all may. */
  readonly permittedOutputs: readonly string[];
  /** No config file: this machine only, and nobody needs credentials. */
  readonly demo: boolean;
  /** Opens the room if need be. @throws PatchroomError 'room-full', 'limit-reached', 'invalid-request', 'unavailable' (stopping) */
  join(room: string, who: NewParticipant, opening?: RoomOpening): Promise<Participant>;
  /** Who is it and what may he do: the only way in. @throws PatchroomError 'unauthenticated' or 'forbidden' */
  admit(credentials: Credentials): Promise<Admission>;
}

/** Where gateways listen and what they tell peers. */
export interface NetworkSettings {
  readonly bind: string;
  /** What peers are told to send to; undefined: the address that they reach. */
  readonly announce: string | undefined;
  /** UDP ports for media of phones. */
  readonly rtpPorts: PortRange;
}

/** The HTTP server, for gateways that come in through it. */
export interface WebEntry {
  /** Takes over WebSocket upgrades of one path. Called with the client's address as trusted proxies tell it. */
  onUpgrade(path: string, handler: UpgradeHandler): void;
}

export type UpgradeHandler = (
  request: IncomingMessage,
  socket: Duplex,
  head: Buffer,
  address: string,
) => void;

export type { types as hubTypes } from 'mediasoup';
/** Answers an upgrade with an error. The socket is closed at once: a client that keeps its half open would stay for good. */
export function refuseUpgrade(socket: Duplex, status: string): void {
  socket.end(`HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`, () => socket.destroy());
}

export type { Admission, Credentials } from './admission.ts';
export type { ServerCertificate } from './certificate.ts';
export { asPatchroomError, type ErrorCode, PatchroomError } from './errors.ts';
export { createLogger, type Logger } from './log.ts';
export { type Clock, systemClock, type Timer } from './media/clock.ts';
export type { Hub, PortRange } from './plane/hub.ts';
export { codecOf, codecsOf } from './plane/hub-codecs.ts';
export type { HubLink, LinkedTrack } from './plane/hub-link.ts';
export type {
  MediaEndpoints,
  MediaHost,
  MediaLink,
  MediaMessages,
  MediaModule,
} from './plane/media-module.ts';
export type { MediaWorker } from './plane/media-worker.ts';
export type { MediaPlane } from './plane/plane.ts';
export type { MediaPort } from './plane/port.ts';
export { type Supervised, Supervisor } from './plane/supervisor.ts';
