import { AUDIO_CODECS } from '../../../src/media/codec.ts';
import type { MediaLine } from './description.ts';
import { type AudioFormat, formatsOf, isCodec } from './formats.ts';
import type { PhoneCodec, RemoteMedia } from './media.ts';

const FIRST_DYNAMIC = 96;
const LAST_DYNAMIC = 127;

/**
 * What a call's descriptions have said so far. Every further one goes on from it (RFC 3264, section 8): the same lines in
 * the same order, and no payload type ever gets another meaning.
 */
export class Agreed {
  /** Of the description agreed on last. */
  lines: readonly MediaLine[] = [];
  /** Which of them has the audio. */
  audioIndex = 0;
  protocol = 'RTP/AVP';
  rtcpMux = false;
  codec: RemoteMedia['codec'] | undefined;
  /** What payload types stand for; what was said last of a codec is the last. */
  #formats = new Map<number, AudioFormat>();

  /** Every payload type that was explained so far. */
  get formats(): AudioFormat[] {
    return [...this.#formats.values()];
  }

  /** A description was agreed on. @param ours - formats of our offer, when the description answers it */
  remember(
    lines: readonly MediaLine[],
    audioIndex: number,
    media: RemoteMedia,
    ours: readonly AudioFormat[] = [],
  ): void {
    const line = lines[audioIndex]!;
    this.lines = lines;
    this.audioIndex = audioIndex;
    this.protocol = line.protocol;
    this.rtcpMux = media.rtcpMux;
    this.codec = media.codec;
    for (const format of [...ours, ...formatsOf(line, [...ours, ...this.formats])]) this.#bind(format);
  }

  /** @returns the payload type of a codec of ours; undefined when there is none left for it */
  payloadTypeOf(name: PhoneCodec, taken: ReadonlySet<number>): number | undefined {
    return this.#numberFor((format) => isCodec(format, name), AUDIO_CODECS[name].payloadType, taken);
  }

  /** @returns the payload type of telephone events at a clock rate */
  payloadTypeOfEvents(clockRate: number, standard: number, taken: ReadonlySet<number>): number | undefined {
    const isThat = (format: AudioFormat) =>
      format.name.toLowerCase() === 'telephone-event' && format.clockRate === clockRate;
    return this.#numberFor(isThat, standard, taken);
  }

  #numberFor(
    isThat: (format: AudioFormat) => boolean,
    standard: number,
    taken: ReadonlySet<number>,
  ): number | undefined {
    const known = this.formats.findLast(isThat);
    if (known) return known.payloadType;
    const isFree = (payloadType: number) => !this.#formats.has(payloadType) && !taken.has(payloadType);
    if (isFree(standard)) return standard;
    if (standard < FIRST_DYNAMIC) return undefined; // somebody has given a static one another meaning
    for (let type = LAST_DYNAMIC; type >= FIRST_DYNAMIC; type--) if (isFree(type)) return type;
    return undefined;
  }

  #bind(format: AudioFormat): void {
    // What was said before stands; said again, it is the latest of its codec.
    const present = this.#formats.get(format.payloadType);
    this.#formats.delete(format.payloadType);
    this.#formats.set(format.payloadType, present ?? format);
  }
}
