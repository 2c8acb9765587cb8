import type { Clock, Timer } from '../base/clock.ts';
import { PatchroomError } from '../base/errors.ts';
import type { Logger } from '../base/log.ts';
import { toMachineTime } from '../base/machine-time.ts';
import type { ProducerHold } from '../room/producer-on-demand.ts';
import type { Room } from '../room/room.ts';
import { newSid } from '../room/sid.ts';
import type { Track } from '../room/track.ts';
import type { LinkedTrack } from '../workers/hub-link.ts';
import type { MediaPlane } from '../workers/media-plane.ts';
import type { MediaWorker } from '../workers/media-worker.ts';
import { pushSourceReply, type WorkerRequest } from '../workers/messages.ts';
import type { OutputSource } from './output.ts';
import { pictureOf, trackToShow } from './shown-track.ts';

/** How it is encoded. */
export interface ProgramSettings {
  readonly encoding: Extract<WorkerRequest, { type: 'open-program' }>['encoding'];
  readonly audioBitrateBps: number;
}

export interface DirectorOptions {
  readonly room: Room;
  readonly of: OutputSource;
  readonly settings: ProgramSettings;
  readonly plane: MediaPlane;
  readonly clock: Clock;
  readonly log: Logger;
  /** When the program's time began, by the machine's clock: of one that goes on after its worker died. */
  readonly epochAt?: number | undefined;
}

/** A track's pictures on their way to the worker. */
interface Source {
  readonly id: string;
  readonly track: Track;
  hold?: ProducerHold;
  linked?: LinkedTrack;
  endPush?: () => void;
}

const RETRY_MS = 1_000;

/**
 * A room's program, or one participant's, as the control plane sees it: makes a media worker make it, and brings it the
 * pictures of whoever is to be shown. The source before goes on until the next one is seen.
 */
export class Director {
  readonly id = newSid('PG');
  readonly worker: MediaWorker;
  /** When its time began, by the machine's clock, ms. */
  readonly epochAt: number;
  #parts: DirectorOptions;
  #endMix: () => void = () => {};
  #wanted: Track | undefined;
  /** The latest is the last. */
  #sources: Source[] = [];
  /** What goes out for certain: nothing else could have taken its place. */
  #shown: Source | undefined;
  #round = 0;
  #isFollowing = false;
  #retry: Timer | undefined;
  #closed = false;

  private constructor(parts: DirectorOptions) {
    this.#parts = parts;
    this.epochAt = parts.epochAt ?? toMachineTime(parts.clock.now());
    this.worker = parts.plane.workerOf(parts.room);
  }

  /** @throws PatchroomError 'unavailable' */
  static async open(parts: DirectorOptions): Promise<Director> {
    const program = new Director(parts);
    await program.#open();
    return program;
  }

  /** Whose picture it shows, or is about to. */
  get shown(): Track | undefined {
    return this.#wanted;
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#retry?.cancel();
    this.#listen('off');
    for (const source of this.#sources) letGo(source);
    this.#sources = [];
    this.#endMix();
    this.worker.request({ type: 'close-program', program: this.id }).catch(() => {}); // gone with its worker
  }

  async #open(): Promise<void> {
    const { worker } = this;
    const { room, of, settings, plane } = this.#parts;
    const mixId = of.type === 'room' ? room.sid : this.id;
    const title = of.type === 'room' ? room.name : (room.participant(of.identity)?.name ?? of.identity);
    try {
      await worker.request({
        type: 'open-program',
        program: this.id,
        mix: mixId,
        title,
        epochAt: this.epochAt,
        ...settings,
      });
    } catch (error) {
      this.close(); // it may have been opened, and answered too late
      throw error;
    }
    this.#endMix =
      of.type === 'room'
        ? plane.mix(room, { worker })
        : plane.mixOf(room, { worker }, mixId, ({ participant }) => participant.identity === of.identity);
    this.#listen('on');
    this.#decide();
    if (!this.#wanted) void this.#show(undefined, this.#round);
  }

  #listen(what: 'on' | 'off'): void {
    const { room } = this.#parts;
    for (const event of [
      'trackPublished',
      'trackUnpublished',
      'trackUpdated',
      'participantUpdated',
      'pinned',
    ] as const) {
      room[what](event, this.#follow);
    }
    room[what]('trackRerouted', this.#onRerouted);
  }

  /** In a moment: when a hub died, all tracks go and come back at once, which is no reason to show anything else. */
  #follow = (): void => {
    if (this.#isFollowing) return;
    this.#isFollowing = true;
    queueMicrotask(() => {
      this.#isFollowing = false;
      if (!this.#closed) this.#decide();
    });
  };

  #decide(): void {
    const track = this.#choose();
    if (track === this.#wanted) return;
    this.#wanted = track;
    void this.#show(track, ++this.#round);
  }

  /** Who pushes it came back on another connection. */
  #onRerouted = (track: Track): void => {
    if (track !== this.#wanted) return;
    this.#shown = undefined;
    void this.#show(track, ++this.#round);
  };

  #choose(): Track | undefined {
    const { room, of } = this.#parts;
    if (of.type === 'room') return trackToShow(room, this.#wanted);
    const participant = room.participant(of.identity);
    return participant && pictureOf(participant, this.#wanted);
  }

  /** @param round - of deciding: what was decided later counts */
  async #show(track: Track | undefined, round: number): Promise<void> {
    this.#retry?.cancel();
    const present = track && this.#shown?.track === track ? this.#shown : undefined;
    const source = track && (present ?? { id: `${track.sid}-${round}`, track });
    try {
      const shown = this.worker.request(
        { type: 'program-show', program: this.id, ...(source ? { source: source.id } : {}) },
        Number.POSITIVE_INFINITY, // its first picture may take its time
      );
      shown.catch(() => {}); // looked at below
      if (!source) this.#shown = undefined; // it goes at once
      if (source && !present) {
        this.#sources.push(source);
        await this.#bring(source);
      }
      await shown;
      if (this.#closed || round !== this.#round) {
        if (source && !present) this.#remove(source);
        return;
      }
      this.#shown = source;
      for (const other of [...this.#sources]) if (other !== source) this.#remove(other);
    } catch (error) {
      if (source && !present) this.#remove(source);
      if (this.#closed || round !== this.#round || this.worker.hasEnded) return;
      const { log, clock, room } = this.#parts;
      log.warn({ err: error, room: room.name, track: track?.sid }, 'picture not shown; trying again');
      this.#retry = clock.after(RETRY_MS, () => {
        if (round === this.#round) void this.#show(track, ++this.#round);
      });
    }
  }

  /** Its pictures as they were pushed, or from the hub. @throws PatchroomError */
  async #bring(source: Source): Promise<void> {
    const { track } = source;
    const tracks = this.#parts.room.tracks
      .filter(({ kind, participant }) => kind === 'audio' && participant === track.participant)
      .map(({ sid }) => sid);
    const request = { program: this.id, source: source.id, tracks };
    if (track.sendFrames) {
      const to = pushSourceReply.parse(
        await this.worker.request({ type: 'program-push-source', ...request }),
      );
      if (!this.#sources.includes(source)) return;
      this.#shown = undefined; // from here on it may be this one
      source.endPush = await track.sendFrames(to);
      if (!this.#sources.includes(source)) letGo(source);
      return;
    }
    source.hold = await track.hold();
    const link = await this.#parts.plane.link(this.#parts.room, this, 'video');
    source.linked = await link.consume(source.hold.producerId);
    if (!this.#sources.includes(source)) {
      letGo(source);
      return;
    }
    const { ssrc, codec } = source.linked;
    const name = codec.name.toUpperCase();
    if (name !== 'H264' && name !== 'VP8') {
      throw new PatchroomError('unimplemented', `Pictures in ${codec.name} are not shown in programs.`);
    }
    this.#shown = undefined; // from here on it may be this one
    await this.worker.request({ type: 'program-hub-source', ...request, link: link.id, ssrc, codec: name });
    await source.linked.requestKeyFrame().catch(() => {}); // it closed in this moment
  }

  #remove(source: Source): void {
    this.#sources = this.#sources.filter((other) => other !== source);
    letGo(source);
    const request = { type: 'program-remove-source', program: this.id, source: source.id } as const;
    this.worker.request(request).catch(() => {}); // gone with its worker
  }
}

/** Whatever it has come to. May be called twice. */
function letGo(source: Source): void {
  source.linked?.close();
  source.hold?.release();
  source.endPush?.();
}
