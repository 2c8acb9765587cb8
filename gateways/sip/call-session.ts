import { randomInt } from 'node:crypto';
import type { PortPair } from './port-pool.ts';
import { Agreed } from './sdp/agreed.ts';
import type { PhoneCodec, RemoteMedia, SdpRefusal } from './sdp/media.ts';
import { acceptAnswer, answerOffer, makeOffer } from './sdp/negotiation.ts';

export type Answered =
  | { readonly outcome: 'answer'; readonly sdp: string; readonly media: RemoteMedia }
  | SdpRefusal;
export type Accepted = { readonly outcome: 'accepted'; readonly media: RemoteMedia } | SdpRefusal;

/** What one call's two sides said of their media, description after description (RFC 3264, section 8). */
export class CallSession {
  #address: string;
  #ports: PortPair;
  #codecs: readonly PhoneCodec[];
  #sessionId = randomInt(1, 2 ** 31);
  #version = 0;
  #agreed = new Agreed();
  #offer = '';
  /** What was said last, whether as an offer or an answer. */
  #last = '';

  /** @param address - that the phone is told to send to */
  constructor(address: string, ports: PortPair, codecs: readonly PhoneCodec[]) {
    this.#address = address;
    this.#ports = ports;
    this.#codecs = codecs;
  }

  answer(offer: string): Answered {
    const answered = this.#versioned(() => {
      const made = answerOffer(offer, this.#local, { codecs: this.#codecs }, this.#agreed);
      return { ...made, text: made.outcome === 'answer' ? made.sdp : undefined };
    });
    if (answered.outcome === 'refused')
      return { outcome: 'refused', status: answered.status, reason: answered.reason };
    const { sdp, media, lines, audioIndex } = answered;
    this.#agreed.remember(lines, audioIndex, media);
    return { outcome: 'answer', sdp, media };
  }

  /** For an INVITE without one (late offer). */
  offer(): string {
    this.#offer = this.#versioned(() => ({
      text: makeOffer(this.#local, { codecs: this.#codecs }, this.#agreed),
    })).text;
    return this.#offer;
  }

  /** The version grows where the description changes, and only there (RFC 3264, section 8). @param make - by the present version */
  #versioned<Made extends { readonly text: string | undefined }>(make: () => Made): Made {
    const made = make();
    if (made.text === undefined || made.text === this.#last) return made;
    this.#version++;
    const renewed = make();
    this.#last = renewed.text ?? '';
    return renewed;
  }

  /** The answer to our last offer. */
  take(answer: string): Accepted {
    const taken = acceptAnswer(this.#offer, answer);
    if (taken.outcome === 'refused') return taken;
    const { media, lines, audioIndex, offered } = taken;
    this.#agreed.remember(lines, audioIndex, media, offered);
    return { outcome: 'accepted', media };
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
