import type { Socket } from 'node:net';
import type { ZodType } from 'zod';
import type { Mixer } from '../../transcode/mixer.ts';
import type { Logger } from '../log.ts';
import type { Clock } from '../media/clock.ts';
import type { SourceConfig, SourcePicture } from '../media/picture-source.ts';
import type { ProgramFeed } from '../media/program.ts';
import type { PictureAddress } from '../room/track.ts';

/** The messages between a gateway's two halves; every side validates what it receives with these. */
export interface MediaMessages<Request = unknown, Reply = unknown, Notice = unknown> {
  /** Control plane to media worker, answered by a reply. */
  readonly request: ZodType<Request>;
  readonly reply: ZodType<Reply>;
  /** Media worker to control plane, unasked. */
  readonly notice: ZodType<Notice>;
}

/**
 * The half of a gateway that runs in media workers: the default export of a file of its own, so that
 * the main process never loads it.
 */
export interface MediaModule<Request = unknown, Reply = unknown, Notice = unknown> {
  readonly messages: MediaMessages<Request, Reply, Notice>;
  create(host: MediaHost<Notice>): MediaEndpoints<Request, Reply>;
}

/** What a media half offers to its control half. One instance a worker process. */
export interface MediaEndpoints<Request, Reply> {
  /** @param socket - handed over by the control half with this request (MediaPort.hand); destroyed if it rejects */
  handle(request: Request, socket?: Socket): Promise<Reply>;
  /** Closes all sockets and timers. */
  close(): Promise<void>;
}

/** What a media worker offers to a gateway's media half. */
export interface MediaHost<Notice> {
  readonly log: Logger;
  readonly clock: Clock;
  /** A link to a hub that the control half opened, by its id. @throws PatchroomError 'failed-precondition' if it is not open */
  link(id: string): MediaLink;
  /** A room's mix, by the room's sid. What the hub has comes into it by the control plane (MediaPlane.mix). */
  mix(id: string): Mixer;
  /** A program that is made in this worker. @throws PatchroomError 'failed-precondition' if there is none of that id */
  program(id: string): ProgramFeed;
  /** Begins to send pictures to a program, wherever that is made. @param onClose - nobody takes them any more */
  openPictures(target: PictureAddress, onClose: () => void): PictureOutlet;
  notify(notice: Notice): void;
}

/**
 * A loopback socket to one room's hub, for one kind of media. Packets are whole RTP or RTCP packets.
 * Never blocks: what the kernel refuses is dropped and counted.
 */
export interface MediaLink {
  /** Sends to the hub. The buffer must not change until the next turn of the event loop. */
  send(packet: Buffer): void;
  /**
   * Receives the packets of one stream. The buffer is the receiver's to keep.
   * @returns ends it
   */
  receive(ssrc: number, onPacket: (packet: Buffer) => void): () => void;
  /**
   * What the hub asks of a stream that is sent to it: retransmissions and key frames (RTCP feedback, RFC 4585), as
   * whole packets.
   * @returns ends it
   */
  onFeedback(ssrc: number, listener: (packet: Buffer) => void): () => void;
  /** Called when the link closes, with everything that was received through it. @returns takes it back */
  onClose(listener: () => void): () => void;
}

/** One participant's pictures on their way to a program, as access units. Never blocks: what is too much is left out up to a key frame. */
export interface PictureOutlet {
  /** Before the first picture, and whenever their form changes. */
  configure(config: SourceConfig): void;
  /** In decoding order; the first after `configure` is a key frame. */
  send(picture: SourcePicture): void;
  close(): void;
}
