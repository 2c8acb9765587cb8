import type { Socket } from 'node:net';
import type { ZodType } from 'zod';
import type { Mixer } from '../../transcode/audio/mixer.ts';
import type { Clock } from '../base/clock.ts';
import type { Logger } from '../base/log.ts';
import type { FrameSender } from '../media/frame-sender.ts';
import type { MediaLink } from '../media/media-link.ts';
import type { ProgramFeed } from '../media/program.ts';
import type { FrameAddress } from '../room/track.ts';

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
  /** @param socket - handed over by the control half with this request (WorkerChannel.hand); destroyed if it rejects */
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
  /** Begins to send video to a program, wherever that is made. @param onClose - nobody takes them any more */
  openFrames(target: FrameAddress, onClose: () => void): FrameSender;
  notify(notice: Notice): void;
}
