import type { DeliveryReport } from '../../transcode/delivery/delivery-report.ts';
import type { Room } from '../room/room.ts';
import type { MediaWorker } from '../workers/media-worker.ts';

/* The seam through which programs leave: declared here, where it is used, and implemented by gateways. */

export interface DeliveryRequest {
  /** The room that it goes out of. */
  readonly room: Room;
  /** Such as `rtmps://cdn/app/key`, later `sip:+4930123456@trunk`, `file:recording.mp4`. Has secrets: never logged. */
  readonly address: string;
  /** What is sent there, and where it is made. */
  readonly program: ProgramSource;
  /** Where the destination's time began, when this goes on with what another process delivered; µs of the program's time. */
  readonly originUs?: number | undefined;
}

/** A program that a media worker makes; its media halves get at it by the id (MediaHost.program). */
export interface ProgramSource {
  readonly worker: MediaWorker;
  readonly id: string;
  /** The moment at which its time is 0, as the machine counts; ms. */
  readonly epochAt: number;
}

/** Brings programs to addresses of some schemes: a gateway's part. */
export interface Sink {
  /** The schemes of addresses that it takes: 'rtmp', 'rtmps'. */
  readonly schemes: readonly string[];
  /**
   * Begins to bring a program to an address.
   * @throws PatchroomError 'invalid-request' for a malformed address or one that is not permitted, in a sentence without its key
   */
  open(request: DeliveryRequest): Promise<Delivery>;
}

/** A program on its way to one address: from being asked for until it is ended. It connects again by itself. */
export interface Delivery {
  /** The address as people may see it: without what lets somebody in there. */
  readonly shownAddress: string;
  readonly report: DeliveryReport;
  /** Called at each change of state, and when there are new figures. */
  onChange(listener: () => void): void;
  /** Resolves with the cause when it is over: it has failed, or the process that carried it is gone. Not after `end`. */
  readonly ended: Promise<string>;
  end(): Promise<void>;
}
