import type { HubLink } from '../../src/gateway.ts';
import { AUDIO_CODECS } from '../../src/media/codec.ts';
import { EVERYDAY_PERMISSIONS } from '../../src/room/permissions.ts';
import type { Room } from '../../src/room/room.ts';
import type { Server } from '../../src/server.ts';
import type { MediaWorker } from '../../src/workers/media-worker.ts';
import { Link } from '../../src/workers/worker/link.ts';

const { payloadType: OPUS_TYPE, ...OPUS } = AUDIO_CODECS.opus;

/** A place at a room's hub without a browser: RTP goes in and comes out in this process. */
export class HubTap {
  #room: Room;
  #hubLink: HubLink;
  #link: Link;

  private constructor(room: Room, hubLink: HubLink, link: Link) {
    this.#room = room;
    this.#hubLink = hubLink;
    this.#link = link;
  }

  static async open(server: Server, room: Room): Promise<HubTap> {
    let opened: Link | undefined;
    // As much of a media worker as a link has to do with.
    const worker = {
      pid: process.pid,
      openLink: async (id: string, hubPort: number) => {
        opened = await Link.open(id, hubPort);
        return opened.port;
      },
      once: () => {},
      off: () => {},
      request: async () => opened?.close(),
    } as unknown as MediaWorker;
    const hub = await server.plane.hub(room);
    const hubLink = await hub.link(worker, 'audio');
    return new HubTap(room, hubLink, opened!);
  }

  /** Somebody comes in whose voice is Opus, payload type 100, with that SSRC. */
  async publish(name: string, ssrc: number): Promise<void> {
    const participant = this.#room.join({
      identity: name,
      name,
      kind: 'service',
      gateway: 'bench',
      permissions: EVERYDAY_PERMISSIONS,
    });
    const producer = await this.#hubLink.produce({
      kind: 'audio',
      codec: OPUS,
      payloadType: OPUS_TYPE,
      ssrc,
    });
    participant.publish({ kind: 'audio', purpose: 'voice', codec: OPUS, producerId: producer.id });
  }

  async consume(producerId: string, onPacket: (packet: Buffer) => void): Promise<void> {
    const { ssrc } = await this.#hubLink.consume(producerId);
    this.#link.receive(ssrc, onPacket);
  }

  send(packet: Buffer): void {
    this.#link.send(packet);
  }
}
