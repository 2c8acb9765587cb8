import { randomUUID } from 'node:crypto';
import type { types } from 'mediasoup';
import type { PortRange } from '../base/port-range.ts';
import { type Codec, mimeType } from '../media/codec.ts';
import { AUDIO_LEVEL_ID, AUDIO_LEVEL_URI } from '../media/rtp/audio-level.ts';
import { codecOf } from './hub-codecs.ts';
import type { MediaWorker } from './media-worker.ts';

const LOOPBACK = '127.0.0.1';
/** Holds paced key frames of many senders while the hub's loop is busy. */
const SOCKET_BUFFER_BYTES = 4 * 1024 * 1024;

/** A track on its way from the hub to a media worker: how to recognise and read its packets. */
export interface LinkedTrack {
  readonly ssrc: number;
  readonly payloadType: number;
  readonly codec: Codec;
  /** Id of the extension that tells its packets' loudness, where they have it. */
  readonly levelExtension: number | undefined;
  requestKeyFrame(): Promise<void>;
  close(): void;
}

/** What a media worker is going to send into the hub. */
export interface LinkedSource {
  readonly kind: types.MediaKind;
  readonly codec: Codec;
  readonly payloadType: number;
  readonly ssrc: number;
}

/**
 * The hub's end of the loopback connection to a media worker: one PlainTransport for a room, a worker
 * and a kind of media. Several streams share it, told apart by SSRC.
 */
export class HubLink {
  /** By this id the media worker knows its end. */
  readonly id: string;
  /** Resolves when either end is gone. */
  readonly closed: Promise<void>;
  #router: types.Router;
  #transport: types.PlainTransport;

  private constructor(
    id: string,
    router: types.Router,
    transport: types.PlainTransport,
    worker: MediaWorker,
  ) {
    this.id = id;
    this.#router = router;
    this.#transport = transport;
    this.closed = new Promise((resolve) => transport.observer.once('close', () => resolve()));
    const onWorkerEnded = () => transport.close();
    worker.once('ended', onWorkerEnded);
    void this.closed.then(() => {
      worker.off('ended', onWorkerEnded);
      forget(worker, id);
    });
  }

  static async open(router: types.Router, worker: MediaWorker, ports: PortRange): Promise<HubLink> {
    const transport = await router.createPlainTransport({
      listenInfo: {
        protocol: 'udp',
        ip: LOOPBACK,
        portRange: { ...ports },
        recvBufferSize: SOCKET_BUFFER_BYTES,
        sendBufferSize: SOCKET_BUFFER_BYTES,
      },
      rtcpMux: true,
      comedia: false,
    });
    const id = randomUUID();
    try {
      const port = await worker.openLink(id, transport.tuple.localPort);
      await transport.connect({ ip: LOOPBACK, port });
      return new HubLink(id, router, transport, worker);
    } catch (error) {
      transport.close();
      forget(worker, id);
      throw error;
    }
  }

  /** Makes the hub send a producer's packets to the media worker, in the codec they come in. */
  async consume(producerId: string): Promise<LinkedTrack> {
    const consumer = await this.#transport.consume({
      producerId,
      // Without other extensions, retransmission and bandwidth estimation: the way is loopback.
      rtpCapabilities: withoutTransportFeatures(this.#router.rtpCapabilities),
    });
    return {
      ssrc: consumer.rtpParameters.encodings?.[0]?.ssrc ?? 0,
      payloadType: consumer.rtpParameters.codecs[0]!.payloadType,
      codec: codecOf(consumer.rtpParameters),
      levelExtension: consumer.rtpParameters.headerExtensions?.find(({ uri }) => uri === AUDIO_LEVEL_URI)?.id,
      requestKeyFrame: () => consumer.requestKeyFrame(),
      close: () => consumer.close(),
    };
  }

  /** Declares a stream that the media worker is going to send. */
  produce(source: LinkedSource): Promise<types.Producer> {
    return this.#transport.produce({
      kind: source.kind,
      rtpParameters: {
        codecs: [
          {
            mimeType: mimeType(source.kind, source.codec),
            payloadType: source.payloadType,
            clockRate: source.codec.clockRate,
            channels: source.codec.channels,
            parameters: { ...source.codec.parameters },
            rtcpFeedback:
              source.kind === 'video' ? [{ type: 'nack' }, { type: 'nack', parameter: 'pli' }] : [],
          },
        ],
        // What a media worker sends tells its loudness, so that it counts as speech.
        headerExtensions: source.kind === 'audio' ? [{ uri: AUDIO_LEVEL_URI, id: AUDIO_LEVEL_ID }] : [],
        encodings: [{ ssrc: source.ssrc }],
      },
    });
  }
}

/** Closes the worker's end, if it is still there to do so. */
function forget(worker: MediaWorker, link: string): void {
  worker.request({ type: 'close-link', link }).catch(() => {});
}

function withoutTransportFeatures(capabilities: types.RtpCapabilities): types.RtpCapabilities {
  return {
    codecs: (capabilities.codecs ?? [])
      .filter((codec) => !/\/rtx$/i.test(codec.mimeType))
      .map((codec) => ({
        ...codec,
        rtcpFeedback: (codec.rtcpFeedback ?? []).filter(({ type }) => type === 'nack' || type === 'ccm'),
      })),
    headerExtensions: (capabilities.headerExtensions ?? []).filter(({ uri }) => uri === AUDIO_LEVEL_URI),
  };
}
