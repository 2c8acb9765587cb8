import type { HubLink } from '../../src/gateway.ts';
import type { MediaKind } from '../../src/media/codec.ts';
import type { Room } from '../../src/room/room.ts';
import type { Server } from '../../src/server.ts';
import type { MediaWorker } from '../../src/workers/media-worker.ts';
import { Link } from '../../src/workers/worker/link.ts';

let opened = 0;

/** Gets what a room's hub forwards, of one kind of media, without a browser: RTP comes out in this process. */
export class HubListener {
  #hubLink: HubLink;
  #link: Link;

  private constructor(hubLink: HubLink, link: Link) {
    this.#hubLink = hubLink;
    this.#link = link;
  }

  static async open(server: Server, room: Room, kind: MediaKind): Promise<HubListener> {
    let link: Link | undefined;
    // As much of a media worker as a link has to do with. The hub tells them apart by the pid.
    const worker = {
      pid: -++opened,
      openLink: async (id: string, hubPort: number) => {
        link = await Link.open(id, hubPort);
        return link.port;
      },
      once: () => {},
      off: () => {},
      request: async () => link?.close(),
    } as unknown as MediaWorker;
    const hubLink = await (await server.plane.hub(room)).link(worker, kind);
    return new HubListener(hubLink, link!);
  }

  /**
   * From now on, and for pictures from the next key frame on, which is asked for.
   * @param onPacket - called with RTP, and with the hub's sender reports
   * @returns ends it
   */
  async listen(producerId: string, onPacket: (packet: Buffer) => void): Promise<() => void> {
    const { ssrc, close } = await this.#hubLink.consume(producerId);
    const stop = this.#link.receive(ssrc, onPacket);
    return () => {
      stop();
      close();
    };
  }

  close(): void {
    this.#link.close();
  }
}
