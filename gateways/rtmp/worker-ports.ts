import type { GatewayHost, MediaWorker, WorkerChannel } from '../../src/gateway.ts';
import { messages, type Notice, type Reply, type Request } from './messages.ts';
import type { RtmpOptions } from './options.ts';

export type Port = WorkerChannel<Request, Reply, Notice>;

/** The gateway's ways to its halves in the media workers: opened on first use, told the settings first of all. */
export class WorkerPorts {
  #host: GatewayHost;
  #options: RtmpOptions;
  #onNotice: (notice: Notice) => void;
  #onLost: (port: Port) => void;
  #ports = new Map<MediaWorker, Promise<Port>>();

  constructor(
    host: GatewayHost,
    options: RtmpOptions,
    onNotice: (notice: Notice) => void,
    onLost: (port: Port) => void,
  ) {
    this.#host = host;
    this.#options = options;
    this.#onNotice = onNotice;
    this.#onLost = onLost;
  }

  /** @throws PatchroomError 'unavailable' */
  to(worker: MediaWorker): Promise<Port> {
    const present = this.#ports.get(worker);
    if (present) return present;
    const opening = this.#open(worker);
    this.#ports.set(worker, opening);
    opening.catch(() => this.#ports.delete(worker));
    return opening;
  }

  close(): void {
    for (const port of this.#ports.values()) port.then((one) => one.close()).catch(() => {});
  }

  async #open(worker: MediaWorker): Promise<Port> {
    const port = this.#host.media.portTo(worker, 'rtmp', messages);
    port.on('notice', this.#onNotice);
    port.once('lost', () => {
      this.#ports.delete(worker);
      this.#onLost(port);
    });
    try {
      await port.request(this.#settings());
    } catch (error) {
      port.close();
      throw error;
    }
    return port;
  }

  #settings(): Extract<Request, { type: 'configure' }> {
    const options = this.#options;
    const { tls, demo, permittedOutputs } = this.#host;
    return {
      type: 'configure',
      silenceMs: options.silenceSeconds * 1000,
      maxWaitMs: options.maxWaitMs,
      video: {
        maxKeyFrameGapMs: options.maxKeyFrameSeconds * 1000,
        maxHeight: options.encodeMaxHeight,
        bitrateBps: options.encodeKbps * 1000,
        preset: options.encodePreset,
      },
      audioBitrateBps: options.audioKbps * 1000,
      relays: { everywhere: demo, allow: [...permittedOutputs], maxLatenessMs: options.maxLatenessMs },
      ...(tls ? { tls } : {}),
    };
  }
}
