import { Device, type types } from 'mediasoup-client';
import { MAX_LIST, type Reply, type SubscriptionView } from '../../../gateways/webrtc/messages.ts';
import type { TrackPurpose } from '../../room/vocabulary.ts';
import { Batch } from './batch.ts';
import type { Signalling } from './signalling.ts';

/** Choices that come with the page's address: `?transport=tcp` or `relay`, and `?video=h264`. */
export interface MediaPreferences {
  readonly tcpOnly: boolean;
  /** Only through a TURN server: `?transport=relay`, to find out whether it works. */
  readonly relayOnly: boolean;
  readonly videoCodec: 'VP8' | 'H264';
}

/** Three qualities: full, half and quarter size; the server sends each listener what its tile needs. */
const CAMERA_ENCODINGS: types.RtpEncodingParameters[] = [
  { rid: 'q', scaleResolutionDownBy: 4, maxBitrate: 150_000, scalabilityMode: 'L1T3' },
  { rid: 'h', scaleResolutionDownBy: 2, maxBitrate: 500_000, scalabilityMode: 'L1T3' },
  { rid: 'f', scaleResolutionDownBy: 1, maxBitrate: 1_700_000, scalabilityMode: 'L1T3' },
];
const SCREEN_ENCODINGS: types.RtpEncodingParameters[] = [{ maxBitrate: 2_500_000 }];

type Direction = 'send' | 'receive';

/** The page's media connections to the room's hub, one for each direction. Replaced as a whole when the hub is. */
export class MediaSession {
  /** A connection failed for good although its path was renewed. */
  onFailed: () => void = () => {};
  #signalling: () => Signalling;
  #preferences: MediaPreferences;
  #device: Device;
  #transports = new Map<Direction, types.Transport>();
  /** By track sid. */
  #consumers = new Map<string, types.Consumer>();
  #layers = new Map<string, number>();
  #ready: Batch;
  #layerChanges: Batch;
  #closed = false;

  private constructor(signalling: () => Signalling, preferences: MediaPreferences, device: Device) {
    this.#signalling = signalling;
    this.#preferences = preferences;
    this.#device = device;
    // Sent together: a large room has hundreds of them at once. What fails is sent again after resuming.
    this.#ready = new Batch(50, (tracks) => {
      signalling()
        .request('ready', { tracks })
        .catch(() => {});
    });
    this.#layerChanges = new Batch(250, (tracks) => {
      const layers = tracks.flatMap((track) => {
        const layer = this.#layers.get(track);
        return layer === undefined ? [] : [{ track, layer }];
      });
      signalling()
        .request('layers', { layers })
        .catch(() => {});
    });
  }

  /** Opens both directions. Subscriptions come once `startReceiving` was called. */
  static async open(
    signalling: () => Signalling,
    preferences: MediaPreferences,
    iceServers: Reply<'join'>['iceServers'],
  ): Promise<MediaSession> {
    const device = await Device.factory();
    const session = new MediaSession(signalling, preferences, device);
    await session.#openDirection('receive', iceServers);
    await session.#openDirection('send', iceServers);
    return session;
  }

  /** Tells the server what this browser can receive. */
  async startReceiving(): Promise<void> {
    await this.#signalling().request('receive', { rtpCapabilities: plain(this.#device.recvRtpCapabilities) });
  }

  /** @returns the producer; its appData holds the track's sid */
  async publish(track: MediaStreamTrack, purpose: TrackPurpose, muted: boolean): Promise<types.Producer> {
    const transport = this.#transports.get('send')!;
    const { width, height } = track.getSettings();
    const video = track.kind === 'video';
    const codec = this.#device.sendRtpCapabilities.codecs?.find(
      ({ mimeType }) => mimeType.toLowerCase() === `video/${this.#preferences.videoCodec.toLowerCase()}`,
    );
    return transport.produce({
      track,
      stopTracks: false,
      zeroRtpOnPause: true,
      ...(video && codec ? { codec } : {}),
      ...(video ? { encodings: encodingsFor(purpose, this.#preferences.videoCodec) } : {}),
      codecOptions: video ? { videoGoogleStartBitrate: 1000 } : { opusFec: true, opusDtx: true },
      appData: { purpose, muted, ...(video && width && height ? { width, height } : {}) },
    });
  }

  async subscribe(subscription: SubscriptionView): Promise<MediaStreamTrack> {
    const known = this.#consumers.get(subscription.track);
    if (known?.id === subscription.consumer) {
      this.#ready.add(known.appData.track as string); // again: it may not have arrived before
      return known.track;
    }
    known?.close();
    const consumer = await this.#transports.get('receive')!.consume({
      id: subscription.consumer,
      producerId: subscription.producer,
      kind: subscription.kind,
      // Browsers keep sound and picture of one stream in step.
      streamId: subscription.stream,
      rtpParameters: subscription.rtpParameters as unknown as types.RtpParameters,
      appData: { track: subscription.track },
    });
    this.#consumers.set(subscription.track, consumer);
    this.#ready.add(subscription.track);
    return consumer.track;
  }

  /** Whether its connections are these. */
  isOn(transports: readonly string[]): boolean {
    return (
      this.#transports.size === 2 && [...this.#transports.values()].every(({ id }) => transports.includes(id))
    );
  }

  /** Stops and starts the pictures: nobody looks at a page in the background. */
  setVideoWanted(wanted: boolean): void {
    const tracks = [...this.#consumers].filter(([, { kind }]) => kind === 'video').map(([track]) => track);
    for (let at = 0; at < tracks.length; at += MAX_LIST) {
      // What fails stays as it is.
      this.#signalling()
        .request('want', { tracks: tracks.slice(at, at + MAX_LIST), wanted })
        .catch(() => {});
    }
  }

  /** Asks for no more than a tile can show. @param layer - 0 the smallest quality */
  preferLayer(track: string, layer: number): void {
    if (this.#layers.get(track) === layer) return;
    this.#layers.set(track, layer);
    this.#layerChanges.add(track);
  }

  unsubscribe(trackSid: string): void {
    this.#consumers.get(trackSid)?.close();
    this.#consumers.delete(trackSid);
    this.#layers.delete(trackSid);
  }

  get subscribedTracks(): readonly string[] {
    return [...this.#consumers.keys()];
  }

  /** Looks for a new network path, after the network changed or the signalling was away. */
  async renewPath(direction: Direction): Promise<void> {
    const transport = this.#transports.get(direction);
    if (!transport || this.#closed) return;
    const { iceParameters } = await this.#signalling().request('restart-ice', { direction });
    await transport.restartIce({ iceParameters: iceParameters as unknown as types.IceParameters });
  }

  async renewBrokenPaths(): Promise<void> {
    for (const [direction, { connectionState }] of this.#transports) {
      if (connectionState === 'failed' || connectionState === 'disconnected') await this.renewPath(direction);
    }
  }

  close(): void {
    this.#closed = true;
    for (const transport of this.#transports.values()) transport.close();
    this.#transports.clear();
    this.#consumers.clear();
  }

  async #openDirection(direction: Direction, iceServers: Reply<'join'>['iceServers']): Promise<void> {
    const { tcpOnly, relayOnly } = this.#preferences;
    const opened = await this.#signalling().request('open', { direction, tcpOnly });
    if (!this.#device.loaded) {
      await this.#device.load({
        routerRtpCapabilities: opened.routerRtpCapabilities as unknown as types.RtpCapabilities,
      });
    }
    const options: types.TransportOptions = {
      ...(opened.transport as unknown as types.TransportOptions),
      iceServers,
      iceTransportPolicy: relayOnly ? 'relay' : 'all',
    };
    const transport =
      direction === 'send'
        ? this.#device.createSendTransport(options)
        : this.#device.createRecvTransport(options);
    this.#transports.set(direction, transport);

    transport.on('connect', ({ dtlsParameters }, done, failed) => {
      this.#signalling()
        .request('connect', { direction, dtlsParameters: plain(dtlsParameters) })
        .then(done, failed);
    });
    transport.on('produce', ({ kind, rtpParameters, appData }, done, failed) => {
      const { purpose, muted, width, height } = appData as {
        purpose: TrackPurpose;
        muted: boolean;
        width?: number;
        height?: number;
      };
      const size = width && height ? { width, height } : {};
      this.#signalling()
        .request('publish', { kind, purpose, muted, rtpParameters: plain(rtpParameters), ...size })
        .then(({ track, producer }) => {
          appData.sid = track;
          done({ id: producer });
        }, failed);
    });
    let renewed = false;
    transport.on('connectionstatechange', (state) => {
      if (state === 'connected') renewed = false;
      if (state !== 'failed' || this.#closed) return;
      if (renewed) this.onFailed();
      renewed = true;
      this.renewPath(direction).catch(() => {}); // the signalling is away; renewed when it is back
    });
  }
}

/** Simulcast where the browser can: Chromium sends it for VP8 and H.264 alike, but screens want their full size. */
function encodingsFor(purpose: TrackPurpose, codec: 'VP8' | 'H264'): types.RtpEncodingParameters[] {
  if (purpose === 'screen') return SCREEN_ENCODINGS;
  return codec === 'VP8' ? CAMERA_ENCODINGS : [{ maxBitrate: 1_700_000 }];
}

/** mediasoup-client's structures as plain JSON objects, without undefined values. */
function plain(structure: object): Record<string, unknown> {
  return JSON.parse(JSON.stringify(structure)) as Record<string, unknown>;
}
