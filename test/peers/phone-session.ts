import type { LossyRelay } from './lossy-relay.ts';
import type { CodecName } from './phone-codec.ts';
import type { PhoneMedia } from './phone-media.ts';
import {
  answerTo,
  buildSdp,
  type Direction,
  type Format,
  offeredFormats,
  parseSdp,
  type RemoteDescription,
  type SdpOverrides,
} from './phone-sdp.ts';

export interface SessionOptions {
  readonly address: string;
  readonly codecs: readonly CodecName[];
  readonly sdp: SdpOverrides;
  readonly relay?: LossyRelay;
}

/** A phone's side of offer and answer (RFC 3264), and what it makes of its media. */
export class PhoneSession {
  /** What the other side said last. */
  remoteSdp = '';
  remote: RemoteDescription | undefined;
  #media: PhoneMedia;
  #options: SessionOptions;
  /** How it is different from how the call began: on hold. */
  #change: SdpOverrides = {};
  #version = 0;

  constructor(media: PhoneMedia, options: SessionOptions) {
    this.#media = media;
    this.#options = options;
    if (options.relay) {
      media.detour = { port: options.relay.clientPort, address: '127.0.0.1' };
      options.relay.expect(media.rtpPort, options.address);
    }
  }

  /** Says again what this phone wants, as a new offer. */
  offer(change: SdpOverrides = this.#change): string {
    this.#change = change;
    return this.#describe(offeredFormats(this.#codecs), this.#direction);
  }

  /** Takes the answer to the last offer. */
  accept(answer: string): void {
    this.#remember(answer);
    this.#connect(this.#direction, offeredFormats(this.#codecs));
  }

  /** @throws when the offer has no codec that this phone has */
  answer(offer: string): string {
    const remote = this.#remember(offer);
    const formats = remote.formats.filter(
      ({ name }) => name === 'telephone-event' || this.#codecs.includes(name),
    );
    this.remote = { ...remote, formats };
    const direction = answerTo(remote.direction, this.#direction);
    this.#connect(direction, formats);
    const audio = remote.media.findIndex((media) => media.startsWith('audio '));
    return this.#describe(
      formats,
      direction,
      remote.media.filter((_, index) => index !== audio),
    );
  }

  get #codecs(): readonly CodecName[] {
    return this.#change.codecs ?? this.#options.codecs;
  }

  get #direction(): Direction {
    return this.#change.direction ?? this.#options.sdp.direction ?? 'sendrecv';
  }

  #remember(sdp: string): RemoteDescription {
    this.remoteSdp = sdp;
    this.remote = parseSdp(sdp);
    this.#options.relay?.aim(this.remote.port, this.remote.address);
    return this.remote;
  }

  #connect(direction: Direction, understood: readonly Format[]): void {
    const remote = this.remote!;
    const maySend = direction === 'sendrecv' || direction === 'sendonly';
    const isWanted = remote.direction === 'sendrecv' || remote.direction === 'recvonly';
    // The old way of holding (RFC 2543): no address to send to, and nothing sent.
    const isHolding = this.#change.address === '0.0.0.0';
    this.#media.connect(remote, understood, maySend && isWanted && !isHolding);
  }

  #describe(formats: readonly Format[], direction: Direction, refused?: readonly string[]): string {
    const { address, relay, sdp } = this.#options;
    return buildSdp({
      address,
      rtpPort: relay?.targetPort ?? this.#media.rtpPort,
      rtcpPort: this.#media.rtcpPort,
      ...sdp,
      ...this.#change,
      ...(refused ? { extraMedia: [], refused } : {}),
      direction,
      formats,
      version: ++this.#version,
    });
  }
}
