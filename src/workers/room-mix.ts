import { mixable } from '../../transcode/plan.ts';
import { type Clock, systemClock } from '../base/clock.ts';
import type { Logger } from '../base/log.ts';
import type { ProducerHold } from '../room/producer-on-demand.ts';
import type { Room } from '../room/room.ts';
import type { Track } from '../room/track.ts';
import type { HubLink, LinkedTrack } from './hub-link.ts';
import type { MediaWorker } from './media-worker.ts';

const RETRY_MS = 1_000;

/** What goes into a mix. */
export interface MixContents {
  /** Its id in the media worker. */
  readonly id: string;
  takes(track: Track): boolean;
}

/** The whole room; what gateways feed into it there need not be fetched from the hub. */
export function wholeRoom({ sid }: Room): MixContents {
  return { id: sid, takes: ({ mixed }) => !mixed };
}

/** A track on its way from the hub into the mix. */
interface Feed {
  hold?: ProducerHold;
  linked?: LinkedTrack;
  ended: boolean;
}

/**
 * Brings what a room's hub has into a mix in a media worker: the room's own, with every audio track that no gateway
 * feeds into it there, or another. Exists while somebody listens to the mix.
 */
export class RoomMix {
  readonly worker: MediaWorker;
  #room: Room;
  #contents: MixContents;
  #link: () => Promise<HubLink>;
  #log: Logger;
  #clock: Clock;
  #feeds = new Map<Track, Feed>();
  #onPublished = (track: Track): void => void this.#add(track);
  #onUnpublished = (track: Track): void => this.#remove(track);
  #onRerouted = (track: Track): void => {
    if (!this.#feeds.has(track)) return;
    this.#remove(track);
    void this.#add(track);
  };

  /** @param link - opens the room's audio link to that worker, or gives the one that is open */
  constructor(
    room: Room,
    contents: MixContents,
    worker: MediaWorker,
    link: () => Promise<HubLink>,
    log: Logger,
    clock: Clock = systemClock,
  ) {
    this.#clock = clock;
    this.#room = room;
    this.#contents = contents;
    this.worker = worker;
    this.#link = link;
    this.#log = log;
    room.on('trackPublished', this.#onPublished);
    room.on('trackUnpublished', this.#onUnpublished);
    room.on('trackRerouted', this.#onRerouted);
    for (const track of room.tracks) void this.#add(track);
  }

  close(): void {
    this.#room.off('trackPublished', this.#onPublished);
    this.#room.off('trackUnpublished', this.#onUnpublished);
    this.#room.off('trackRerouted', this.#onRerouted);
    for (const track of [...this.#feeds.keys()]) this.#remove(track);
  }

  async #add(track: Track): Promise<void> {
    const codec = mixable({ kind: track.kind, codec: track.route?.codec ?? track.codec });
    if (!codec || !this.#contents.takes(track) || this.#feeds.has(track)) return;
    const feed: Feed = { ended: false };
    this.#feeds.set(track, feed);
    try {
      feed.hold = await track.hold();
      const link = await this.#link();
      if (!feed.ended) feed.linked = await link.consume(feed.hold.producerId);
      if (feed.ended || !feed.linked) return;
      const { ssrc, levelExtension } = feed.linked;
      await this.worker.request({
        type: 'mix-track',
        mix: this.#contents.id,
        track: track.sid,
        link: link.id,
        ssrc,
        codec,
        ...(levelExtension === undefined ? {} : { levelExtension }),
      });
    } catch (error) {
      letGo(feed);
      // It closed in this moment, or the process that carried it died: then it is published anew.
      if (!feed.ended) this.#retry(track, feed, error);
    } finally {
      if (feed.ended) letGo(feed); // what came after it was removed
    }
  }

  /** Nobody is to stay unheard because a process was too busy for a moment. */
  #retry(track: Track, feed: Feed, error: unknown): void {
    this.#log.warn({ err: error, room: this.#room.name, track: track.sid }, 'track not mixed; trying again');
    this.#clock.after(RETRY_MS, () => {
      if (this.#feeds.get(track) !== feed) return;
      this.#feeds.delete(track);
      void this.#add(track);
    });
  }

  #remove(track: Track): void {
    const feed = this.#feeds.get(track);
    if (!feed) return;
    this.#feeds.delete(track);
    feed.ended = true;
    letGo(feed);
    // Now, never later: the track may be mixed anew by then.
    const { id } = this.#contents;
    this.worker.request({ type: 'unmix-track', mix: id, track: track.sid }).catch(() => {}); // gone with its worker
  }
}

/** Whatever it has come to. May be called twice. */
function letGo(feed: Feed): void {
  feed.linked?.close();
  feed.hold?.release();
}
