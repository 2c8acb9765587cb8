import { availableParallelism } from 'node:os';
import type { types } from 'mediasoup';
import type { Clock } from '../base/clock.ts';
import { PatchroomError } from '../base/errors.ts';
import type { Logger, LogLevel } from '../base/log.ts';
import type { PortRange } from '../base/port-range.ts';
import type { Room } from '../room/room.ts';
import type { Track } from '../room/track.ts';
import type { Hub } from './hub.ts';
import type { HubLink } from './hub-link.ts';
import { HubWorker, logMediasoup } from './hub-worker.ts';
import type { MediaMessages } from './media-module.ts';
import { MediaWorker } from './media-worker.ts';
import { leastLoaded } from './placement.ts';
import { RoomMix, wholeRoom } from './room-mix.ts';
import { Supervisor } from './supervisor.ts';
import { WorkerChannel } from './worker-channel.ts';

export interface PlaneOptions {
  readonly workerBin: string | undefined;
  readonly bind: string;
  readonly announce: string | undefined;
  /** The first hub worker's port for browsers' media; each further one takes the next. 0: any free ones. */
  readonly webrtcPort: number;
  readonly loopbackPorts: PortRange;
  /** 0: one a core. */
  readonly hubWorkers: number;
  readonly mediaWorkers: number;
  readonly logLevel: LogLevel;
  readonly modules: readonly { readonly gateway: string; readonly url: URL }[];
}

const STATISTICS_LIMIT_MS = 2_000;

interface RoomMedia {
  readonly hub: Promise<Hub>;
  readonly hubWorker: HubWorker;
}

/** A room's mix while somebody listens to it. */
interface HeldMix {
  readonly mix: RoomMix;
  holds: number;
}

/**
 * The media plane as the control plane sees it: hub workers and media workers, which rooms they carry,
 * and what happens when one dies. Opens a room's hub on first use and closes it with the room.
 */
export class MediaPlane {
  #log: Logger;
  #clock: Clock;
  #running = false;
  #hubWorkers: Supervisor<HubWorker>;
  #mediaWorkers: Supervisor<MediaWorker>;
  /** By the place of the worker, the last that had it. */
  #pids = { hub: [] as number[], media: [] as number[] };
  #rooms = new Map<Room, RoomMedia>();
  /** Rooms stay with the media worker they were first placed on, while it lives. */
  #pinned = new Map<Room, MediaWorker>();
  #mixes = new Map<Room, HeldMix>();

  constructor(options: PlaneOptions, clock: Clock, log: Logger) {
    this.#log = log;
    this.#clock = clock;
    logMediasoup(log, () => this.#running);
    this.#hubWorkers = new Supervisor({
      name: 'hub worker',
      count: options.hubWorkers || availableParallelism(),
      clock,
      log,
      start: async (index) => {
        const port = options.webrtcPort ? options.webrtcPort + index : 0;
        const worker = await HubWorker.start({ ...options, port });
        this.#pids.hub[index] = worker.pid;
        return worker;
      },
    });
    this.#mediaWorkers = new Supervisor({
      name: 'media worker',
      count: options.mediaWorkers || availableParallelism(),
      clock,
      log,
      start: async (index) => {
        const { logLevel, modules } = options;
        const worker = await MediaWorker.start({ clock, log, logLevel, modules });
        this.#pids.media[index] = worker.pid;
        return worker;
      },
    });
    this.#hubWorkers.on('died', (worker) => this.#onHubWorkerDied(worker));
  }

  /** @throws PatchroomError in a sentence, with nothing left running */
  async start(): Promise<void> {
    try {
      await Promise.all([this.#hubWorkers.start(), this.#mediaWorkers.start()]);
      this.#running = true;
    } catch (error) {
      await this.stop();
      throw error;
    }
  }

  /** From now on it is no news when its processes end. */
  expectEnd(): void {
    this.#running = false;
    this.#hubWorkers.expectEnd();
    this.#mediaWorkers.expectEnd();
  }

  async stop(): Promise<void> {
    this.expectEnd();
    await Promise.all([this.#hubWorkers.stop(), this.#mediaWorkers.stop()]);
  }

  /** The room's hub, opened if need be. @throws PatchroomError 'unavailable' while no worker is there to carry it */
  hub(room: Room): Promise<Hub> {
    const present = this.#rooms.get(room);
    if (present) return present.hub;
    if (room.closed) return Promise.reject(new PatchroomError('room-not-found', 'The room has closed.'));
    const worker = leastLoaded(this.#hubWorkers.workers, (one) => this.#hubsOn(one));
    if (!worker) return Promise.reject(new PatchroomError('unavailable'));
    const media: RoomMedia = { hub: this.#openHub(room, worker), hubWorker: worker };
    this.#rooms.set(room, media);
    media.hub.catch(() => {
      if (this.#rooms.get(room) === media) this.#rooms.delete(room);
    });
    room.once('closed', () => this.#forget(room));
    return media.hub;
  }

  /** The media worker that the room is pinned to, chosen on first use. @throws PatchroomError 'unavailable' or 'room-not-found' */
  workerOf(room: Room): MediaWorker {
    if (room.closed) throw new PatchroomError('room-not-found', 'The room has closed.');
    const pinned = this.#pinned.get(room);
    const worker =
      pinned && !pinned.hasEnded ? pinned : leastLoaded(this.mediaWorkers, (one) => this.#roomsOn(one));
    if (!worker) throw new PatchroomError('unavailable');
    if (!pinned) room.once('closed', () => this.#pinned.delete(room));
    this.#pinned.set(room, worker);
    return worker;
  }

  /** One gateway's access to the media worker that the room is pinned to. @throws PatchroomError 'unavailable' or 'room-not-found' */
  port<Request, Reply, Notice>(
    room: Room,
    gateway: string,
    messages: MediaMessages<Request, Reply, Notice>,
  ): WorkerChannel<Request, Reply, Notice> {
    return new WorkerChannel(gateway, this.workerOf(room), messages, this.#log);
  }

  /** Those that run, for gateways whose connections are there before it is known which room they are for. */
  get mediaWorkers(): readonly MediaWorker[] {
    return this.#mediaWorkers.workers.filter(({ hasEnded }) => !hasEnded);
  }

  /** One gateway's access to that media worker. */
  portTo<Request, Reply, Notice>(
    worker: MediaWorker,
    gateway: string,
    messages: MediaMessages<Request, Reply, Notice>,
  ): WorkerChannel<Request, Reply, Notice> {
    return new WorkerChannel(gateway, worker, messages, this.#log);
  }

  /** The connection between a room's hub and a media worker. */
  async link(room: Room, port: { readonly worker: MediaWorker }, kind: types.MediaKind): Promise<HubLink> {
    return (await this.hub(room)).link(port.worker, kind);
  }

  /**
   * Has the hub's tracks in the room's mix, in that port's worker, until it is released; a gateway's media half
   * gets at the mix by the room's sid.
   * @returns releases it
   */
  mix(room: Room, port: { readonly worker: MediaWorker }): () => void {
    const { worker } = port;
    let held = this.#mixes.get(room);
    if (held?.mix.worker !== worker) {
      held?.mix.close();
      const link = () => this.link(room, { worker }, 'audio');
      held = { mix: new RoomMix(room, wholeRoom(room), worker, link, this.#log), holds: 0 };
      this.#mixes.set(room, held);
    }
    const mine = held;
    mine.holds++;
    let released = false;
    return () => {
      if (released) return;
      released = true;
      if (--mine.holds > 0) return;
      mine.mix.close();
      if (this.#mixes.get(room) === mine) this.#mixes.delete(room);
    };
  }

  /**
   * Has some of the hub's tracks in a mix of its own, in that port's worker, until it is released.
   * @param id - of the mix @returns releases it
   */
  mixOf(
    room: Room,
    { worker }: { readonly worker: MediaWorker },
    id: string,
    takes: (track: Track) => boolean,
  ): () => void {
    const mix = new RoomMix(
      room,
      { id, takes },
      worker,
      () => this.link(room, { worker }, 'audio'),
      this.#log,
    );
    return () => mix.close();
  }

  /** What every worker carries and costs. One that does not answer is left out. */
  async statistics() {
    const hubs = this.#hubWorkers.workers.map(async (worker) => ({
      kind: 'hub' as const,
      pid: worker.pid,
      rooms: this.#hubsOn(worker),
      ...(await worker.usage()),
    }));
    const media = this.#mediaWorkers.workers.map(async (worker) => {
      const { links, ...usage } = await worker.statistics();
      return { kind: 'media' as const, pid: worker.pid, rooms: this.#roomsOn(worker), ...usage };
    });
    const answers = await Promise.all([
      ...hubs.map((answer) => this.#inTime(answer)),
      ...media.map((answer) => this.#inTime(answer)),
    ]);
    return answers.filter((answer) => answer !== undefined);
  }

  /** The place of a worker among its kind, which its replacement takes over; undefined for a process that is none. */
  placeOf(kind: 'hub' | 'media', pid: number): number | undefined {
    const index = this.#pids[kind].indexOf(pid);
    return index < 0 ? undefined : index;
  }

  /** How many workers there should be and are, and how many died so far. */
  get health() {
    return {
      hubWorkers: { running: this.#hubWorkers.workers.length, deaths: this.#hubWorkers.deaths },
      mediaWorkers: { running: this.#mediaWorkers.workers.length, deaths: this.#mediaWorkers.deaths },
    };
  }

  /** Which processes carry a room. */
  placement(room: Room): { hubWorkerPid: number | undefined; mediaWorkerPid: number | undefined } {
    const pinned = this.#pinned.get(room);
    return {
      hubWorkerPid: this.#rooms.get(room)?.hubWorker.pid,
      mediaWorkerPid: pinned?.hasEnded ? undefined : pinned?.pid,
    };
  }

  async #openHub(room: Room, worker: HubWorker): Promise<Hub> {
    const hub = await worker.openHub();
    if (room.closed) {
      hub.close();
      throw new PatchroomError('room-not-found', 'The room has closed.');
    }
    hub.on('levels', (levels) =>
      room.setSpeakers(
        levels.flatMap(({ producerId, level }) => {
          const identity = room.trackOfProducer(producerId)?.participant.identity;
          const participant = identity === undefined ? undefined : room.participant(identity);
          return participant ? [{ participant, level }] : [];
        }),
      ),
    );
    return hub;
  }

  #onHubWorkerDied(worker: HubWorker): void {
    for (const [room, media] of this.#rooms) {
      if (media.hubWorker !== worker) continue;
      this.#rooms.delete(room);
      room.loseMedia('The media server process of this room stopped and is being replaced.');
    }
  }

  #forget(room: Room): void {
    const media = this.#rooms.get(room);
    this.#rooms.delete(room);
    media?.hub.then((hub) => hub.close()).catch(() => {});
  }

  /** @returns undefined when it fails, or takes longer than who asks should wait: a stopped hub worker never answers */
  #inTime<T>(answer: Promise<T>): Promise<T | undefined> {
    return new Promise((resolve) => {
      const limit = this.#clock.after(STATISTICS_LIMIT_MS, () => resolve(undefined));
      answer.then(resolve, () => resolve(undefined)).finally(() => limit.cancel());
    });
  }

  #hubsOn(worker: HubWorker): number {
    let count = 0;
    for (const { hubWorker } of this.#rooms.values()) if (hubWorker === worker) count++;
    return count;
  }

  #roomsOn(worker: MediaWorker): number {
    let count = 0;
    for (const pinned of this.#pinned.values()) if (pinned === worker) count++;
    return count;
  }
}
