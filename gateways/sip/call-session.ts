import { randomInt } from 'node:crypto';
import type { PortPair } from './port-pool.ts';
import type { PhoneCodec, RemoteMedia, SdpRefusal } from './sdp/media.ts';
import { acceptAnswer, answerOffer, makeOffer } from './sdp/negotiation.ts';

export type Answered =
  | { readonly outcome: 'answer'; readonly sdp: string; readonly media: RemoteMedia }
  | SdpRefusal;
export type Accepted = ReturnType<typeof acceptAnswer>;

/** What one call's two sides said of their media, description after description (RFC 3264, section 8). */
export class CallSession {
  #address: string;
  #ports: PortPair;
  #codecs: readonly PhoneCodec[];
  #sessionId = randomInt(1, 2 ** 31);
  #version = 0;
  #offer = '';

  /** @param address - that the phone is told to send to */
  constructor(address: string, ports: PortPair, codecs: readonly PhoneCodec[]) {
    this.#address = address;
    this.#ports = ports;
    this.#codecs = codecs;
  }

  answer(offer: string): Answered {
    this.#version++;
    const answered = answerOffer(offer, this.#local, { codecs: this.#codecs });
    if (answered.outcome === 'refused') this.#version--; // nobody saw it
    return answered;
  }

  /** For an INVITE without one (late offer). */
  offer(): string {
    this.#version++;
    this.#offer = makeOffer(this.#local, { codecs: this.#codecs });
    return this.#offer;
  }

  /** The answer to our last offer. */
  take(answer: string): Accepted {
    return acceptAnswer(this.#offer, answer);
  }

  get #local() {
    return {
      address: this.#address,
      ...this.#ports,
      sessionId: this.#sessionId,
      version: this.#version,
    };
  }
}
