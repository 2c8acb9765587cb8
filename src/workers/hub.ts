import { EventEmitter } from 'node:events';
import type { types } from 'mediasoup';
import type { PortRange } from '../base/port-range.ts';
import { HubLink } from './hub-link.ts';
import type { MediaWorker } from './media-worker.ts';

/** Loudness reports: at most this many speakers, this often, and only above this level (dBov). */
const SPEAKERS = { maxEntries: 6, interval: 300, threshold: -55 };
/** What a new browser connection may be sent at first, in bit/s; congestion control takes over from there. */
const INITIAL_BITRATE_BPS = 1_000_000;
const MAX_INCOMING_BITRATE_BPS = 8_000_000;

export interface HubLevel {
  readonly producerId: string;
  /** dBov, -127 to 0 */
  readonly level: number;
}

export type HubEvents = {
  levels: [levels: readonly HubLevel[]];
};

/** A room's mediasoup Router: every track that a browser or another process wants is a producer on it. */
export class Hub extends EventEmitter<HubEvents> {
  readonly workerPid: number;
  #router: types.Router;
  #server: types.WebRtcServer;
  #observer: types.AudioLevelObserver;
  #loopbackPorts: PortRange;
  #links = new Map<string, Promise<HubLink>>();
  #producers = 0;

  private constructor(
    workerPid: number,
    router: types.Router,
    server: types.WebRtcServer,
    observer: types.AudioLevelObserver,
    loopbackPorts: PortRange,
  ) {
    super();
    this.workerPid = workerPid;
    this.#router = router;
    this.#server = server;
    this.#observer = observer;
    this.#loopbackPorts = loopbackPorts;
    observer.on('volumes', (volumes) =>
      this.emit(
        'levels',
        volumes.map(({ producer, volume }) => ({ producerId: producer.id, level: volume })),
      ),
    );
    observer.on('silence', () => this.emit('levels', []));
    router.observer.on('newtransport', (transport) =>
      transport.observer.on('newproducer', (producer) => {
        this.#producers++;
        producer.observer.once('close', () => this.#producers--);
        // Fails only if the producer closed in the meantime.
        if (producer.kind === 'audio') observer.addProducer({ producerId: producer.id }).catch(() => {});
      }),
    );
  }

  static async open(
    worker: types.Worker,
    server: types.WebRtcServer,
    mediaCodecs: types.RouterRtpCodecCapability[],
    loopbackPorts: PortRange,
  ): Promise<Hub> {
    const router = await worker.createRouter({ mediaCodecs });
    const observer = await router.createAudioLevelObserver(SPEAKERS);
    return new Hub(worker.pid, router, server, observer, loopbackPorts);
  }

  get closed(): boolean {
    return this.#router.closed;
  }

  /** How many streams come in. */
  get producerCount(): number {
    return this.#producers;
  }

  get capabilities(): types.RtpCapabilities {
    return this.#router.rtpCapabilities;
  }

  canConsume(producerId: string, rtpCapabilities: types.RtpCapabilities): boolean {
    return this.#router.canConsume({ producerId, rtpCapabilities });
  }

  /** A connection to a browser. @param tcpOnly - leave out UDP, for networks that drop it */
  async createBrowserTransport(tcpOnly: boolean): Promise<types.WebRtcTransport> {
    const transport = await this.#router.createWebRtcTransport({
      webRtcServer: this.#server,
      enableUdp: !tcpOnly,
      enableTcp: true,
      preferUdp: true,
      initialAvailableOutgoingBitrate: INITIAL_BITRATE_BPS,
    });
    await transport.setMaxIncomingBitrate(MAX_INCOMING_BITRATE_BPS);
    return transport;
  }

  /** The way to a media worker for one kind of media; opened on first use, one for each. */
  link(worker: MediaWorker, kind: types.MediaKind): Promise<HubLink> {
    const key = `${worker.pid}/${kind}`;
    const present = this.#links.get(key);
    if (present) return present;
    const link = HubLink.open(this.#router, worker, this.#loopbackPorts);
    this.#links.set(key, link);
    const forget = () => this.#links.delete(key);
    link.then(({ closed }) => closed.then(forget), forget);
    return link;
  }

  close(): void {
    this.#observer.close();
    this.#router.close();
    this.removeAllListeners();
  }
}
