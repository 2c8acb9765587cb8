import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import type { ZodType } from 'zod';
import type { ServerCertificate } from './base/certificate.ts';
import type { Clock } from './base/clock.ts';
import type { Logger } from './base/log.ts';
import type { PortRange } from './base/port-range.ts';
import type { Sink } from './outputs/sink.ts';
import type { Admission, Credentials } from './room/admission.ts';
import type { NewParticipant } from './room/new-participant.ts';
import type { Participant, RoomOptions } from './room/room.ts';
import type { MediaMessages } from './workers/media-module.ts';
import type { MediaPlane } from './workers/media-plane.ts';

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
  /** Takes programs to addresses of its protocol. */
  readonly sink?: Sink;
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

export type { DeliveryReport, DeliveryState } from '../transcode/delivery/delivery-report.ts';
export type { ServerCertificate } from './base/certificate.ts';
export { type Clock, systemClock, type Timer } from './base/clock.ts';
export { asPatchroomError, type ErrorCode, PatchroomError } from './base/errors.ts';
export { createLogger, type Logger } from './base/log.ts';
export type { PortRange } from './base/port-range.ts';
export type { MediaLink } from './media/media-link.ts';
export type { Delivery, DeliveryRequest, ProgramSource, Sink } from './outputs/sink.ts';
export type { Admission, Credentials } from './room/admission.ts';
export type { Hub } from './workers/hub.ts';
export { codecOf, codecsOf } from './workers/hub-codecs.ts';
export type { HubLink, LinkedTrack } from './workers/hub-link.ts';
export type { MediaEndpoints, MediaHost, MediaMessages, MediaModule } from './workers/media-module.ts';
export type { MediaPlane } from './workers/media-plane.ts';
export type { MediaWorker } from './workers/media-worker.ts';
export { type Supervised, Supervisor } from './workers/supervisor.ts';
export type { WorkerChannel } from './workers/worker-channel.ts';
