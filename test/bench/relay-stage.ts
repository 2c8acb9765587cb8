import { setTimeout as delay } from 'node:timers/promises';
import type { Output } from '../../src/outputs/output.ts';
import type { Room } from '../../src/room/room.ts';
import type { Server } from '../../src/server.ts';
import type { ProgramStatistics } from '../../src/workers/messages.ts';
import { participantNamed, publishing, roomNamed } from '../peers/room-events.ts';
import { rtmpPort } from '../peers/rtmp-port.ts';
import { startServer } from '../peers/server.ts';
import { RelaySource, type SourceClip } from './relay-source.ts';

const ROOM = 'bench';
const NAME = 'Studio';
const LOOK_MS = 20;
const PATIENCE_MS = 30_000;

export type PictureMode = 'copied' | 'encoded';

/** A server with one room that can go out, with one encoder in it or nobody. */
export class RelayStage {
  readonly server: Server;
  readonly room: Room;
  readonly source: RelaySource | undefined;

  private constructor(server: Server, room: Room, source: RelaySource | undefined) {
    this.server = server;
    this.room = room;
    this.source = source;
  }

  /** @param clip - what the encoder sends; undefined: there is none */
  static async open(clip: SourceClip | undefined): Promise<RelayStage> {
    const server = await startServer();
    if (!clip) return new RelayStage(server, server.rooms.open(ROOM), undefined);
    const source = await RelaySource.publish(rtmpPort(server), `${ROOM}?name=${NAME}`, clip);
    const room = await roomNamed(server, ROOM);
    await publishing(await participantNamed(room, NAME), 2);
    return new RelayStage(server, room, source);
  }

  send(...addresses: string[]): Promise<Output> {
    return this.server.outputs.start(this.room, { type: 'room' }, addresses);
  }

  /** Resolves when all its destinations are live. @throws Error when that takes too long */
  async live(output: Output): Promise<void> {
    const until = performance.now() + PATIENCE_MS;
    while (!output.destinations.every(({ report }) => report.state === 'live')) {
      if (performance.now() > until) {
        const states = output.destinations.map(({ report }) => `${report.state} ${report.reason}`);
        throw new Error(`Not all destinations are live: ${states.join(', ')}`);
      }
      await delay(LOOK_MS);
    }
  }

  async close(): Promise<void> {
    this.source?.close();
    await this.server.stop();
  }
}

/** @returns what the only program that the server makes says of itself. @throws Error when its pictures go out otherwise */
export async function programOf(server: Server, mode: PictureMode): Promise<ProgramStatistics> {
  const statistics = await server.plane.statistics();
  const [program] = statistics.flatMap((worker) => (worker.kind === 'media' ? worker.programs : []));
  if (program?.picture !== mode) throw new Error(`Its pictures are ${program?.picture}, not ${mode}.`);
  return program;
}
