import { PatchroomError } from '../errors.ts';
import type { Logger } from '../log.ts';
import type { Clock, Timer } from '../media/clock.ts';
import type { ProducerHold } from '../room/producer-on-demand.ts';
import type { Room } from '../room/room.ts';
import { pictureOf, trackToShow } from '../room/shown-track.ts';
import { newSid } from '../room/sid.ts';
import type { Track } from '../room/track.ts';
import type { HubLink, LinkedTrack } from './hub-link.ts';
import type { MediaWorker } from './media-worker.ts';
import { pushSourceReply, type WorkerRequest } from './messages.ts';

/** What a program is of. */
export type ProgramOf =
  | { readonly type: 'room' }
  /** His own tracks only. */
  | { readonly type: 'participant'; readonly identity: string };

/** How it is encoded. */
export interface ProgramSettings {
  readonly shape: Extract<WorkerRequest, { type: 'open-program' }>['shape'];
  readonly audioBitrateBps: number;
}

export interface RoomProgramParts {
  readonly room: Room;
  readonly of: ProgramOf;
  readonly settings: ProgramSettings;
  /** Where it is made. */
  readonly worker: MediaWorker;
  /** Has its sound in the mix of that id, in that worker. @returns ends it */
  readonly mix: (id: string) => () => void;
  /** The room's video link to that worker. */
  readonly link: () => Promise<HubLink>;
  readonly clock: Clock;
  readonly log: Logger;
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
export class RoomProgram {
  readonly id = newSid('PG');
  readonly worker: MediaWorker;
  #parts: RoomProgramParts;
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

  private constructor(parts: RoomProgramParts) {
    this.#parts = parts;
    this.worker = parts.worker;
  }

  /** @throws PatchroomError 'unavailable' */
  static async open(parts: RoomProgramParts): Promise<RoomProgram> {
    const program = new RoomProgram(parts);
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
    const { room, of, settings, worker, mix } = this.#parts;
    const mixId = of.type === 'room' ? room.sid : this.id;
    const title = of.type === 'room' ? room.name : (room.participant(of.identity)?.name ?? of.identity);
    try {
      await worker.request({ type: 'open-program', program: this.id, mix: mixId, title, ...settings });
    } catch (error) {
      this.close(); // it may have been opened, and answered too late
      throw error;
    }
    this.#endMix = mix(mixId);
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
    const tracks = [...track.participant.tracks.values()]
      .filter(({ kind }) => kind === 'audio')
      .map(({ sid }) => sid);
    const request = { program: this.id, source: source.id, tracks };
    if (track.sendPictures) {
      const to = pushSourceReply.parse(
        await this.worker.request({ type: 'program-push-source', ...request }),
      );
      if (!this.#sources.includes(source)) return;
      this.#shown = undefined; // from here on it may be this one
      source.endPush = await track.sendPictures(to);
      if (!this.#sources.includes(source)) letGo(source);
      return;
    }
    source.hold = await track.hold();
    const link = await this.#parts.link();
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
