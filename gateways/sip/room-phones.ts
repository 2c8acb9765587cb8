import { randomInt } from 'node:crypto';
import type { GatewayHost, WorkerChannel } from '../../src/gateway.ts';
import { AUDIO_CODECS, type Codec } from '../../src/media/codec.ts';
import type { Route } from '../../src/media/plan.ts';
import { ProducerOnDemand } from '../../src/room/producer-on-demand.ts';
import type { Participant, Room } from '../../src/room/room.ts';
import type { ConnectionQuality } from '../../src/room/vocabulary.ts';
import { planPhones } from '../../transcode/plan.ts';
import { messages, type Notice, type Reply, type Request } from './media/messages.ts';

/** A phone as its room's other phones see it. */
export interface RoomPhone {
  /** The call's id. */
  readonly id: string;
  readonly participant: Participant;
  digit(digit: string, now: number): void;
  quality(quality: ConnectionQuality): void;
  silent(): void;
  /** The process that carried its media died. */
  mediaLost(): void;
  /** Its track takes another way to the hub. */
  rerouted(): void;
}

/**
 * The phones of one room, in the media worker that the room is pinned to: their way to their media, and
 * whether each of them goes to the hub by itself or all in one mix. While there are any, what the hub has
 * comes into the room's mix.
 */
export class RoomPhones {
  readonly room: Room;
  /** How they reach the hub; undefined: each as it is. */
  route: Route | undefined;
  #host: GatewayHost;
  #limit: number;
  #port: WorkerChannel<Request, Reply, Notice>;
  #phones = new Map<string, RoomPhone>();
  /** SSRC that each phone goes to the hub with, by its id: the one before may open and close later than it. */
  #passing = new Map<string, number>();
  #releaseMix: () => void;
  #mix = new ProducerOnDemand(() => this.#openMix());
  #onEmpty: () => void;

  /** @param limit - as many pass through at the most @throws PatchroomError 'unavailable' */
  constructor(room: Room, host: GatewayHost, limit: number, onEmpty: () => void) {
    this.room = room;
    this.#host = host;
    this.#limit = limit;
    this.#onEmpty = onEmpty;
    this.#port = host.media.port(room, 'sip', messages);
    this.#port.on('notice', (notice) => this.#onNotice(notice));
    this.#port.once('lost', () => this.#onLost());
    this.#releaseMix = host.media.mix(room, this.#port);
  }

  /** @throws PatchroomError: what the media half threw, 'timeout' or 'unavailable' */
  request(request: Request): Promise<Reply> {
    return this.#port.request(request);
  }

  add(phone: RoomPhone): void {
    this.#phones.set(phone.id, phone);
    this.#replan();
  }

  remove(phone: RoomPhone): void {
    if (!this.#phones.delete(phone.id)) return;
    this.#passing.delete(phone.id);
    this.#replan();
    if (this.#phones.size === 0) this.#close();
  }

  /** How a phone's track gets to the hub for as long as somebody there wants it. */
  producerFor(phone: RoomPhone, codec: 'PCMU' | 'PCMA' | 'opus'): ProducerOnDemand {
    return this.route ? this.#mix : new ProducerOnDemand(() => this.#openOwn(phone.id, codec));
  }

  #replan(): void {
    const mixed = this.route !== undefined;
    const route = planPhones({ phones: this.#phones.size, limit: this.#limit, mixed });
    if ((route === undefined) === !mixed) return;
    this.route = route;
    for (const phone of this.#phones.values()) phone.rerouted();
  }

  async #openOwn(call: string, name: 'PCMU' | 'PCMA' | 'opus') {
    const ssrc = newSsrc();
    this.#passing.set(call, ssrc);
    const isLatest = () => this.#passing.get(call) === ssrc;
    const { producer, link, payloadType } = await this.#produce(AUDIO_CODECS[name], ssrc);
    try {
      if (isLatest()) await this.request({ type: 'pass', call, link, ssrc, payloadType });
    } catch (error) {
      producer.close();
      throw error;
    }
    const close = () => {
      producer.close();
      if (!isLatest()) return;
      this.#passing.delete(call);
      this.request({ type: 'unpass', call }).catch(() => {}); // the call is over, or its worker gone
    };
    return { producerId: producer.id, close };
  }

  async #openMix() {
    const mix = this.room.sid;
    const ssrc = newSsrc();
    const { producer, link, payloadType } = await this.#produce(AUDIO_CODECS.opus, ssrc);
    try {
      await this.request({ type: 'send-mix', mix, link, ssrc, payloadType });
    } catch (error) {
      producer.close();
      throw error;
    }
    const close = () => {
      producer.close();
      this.request({ type: 'unsend-mix', mix }).catch(() => {});
    };
    return { producerId: producer.id, close };
  }

  async #produce(from: Codec & { readonly payloadType: number }, ssrc: number) {
    const { payloadType, ...codec } = from;
    const link = await this.#host.media.link(this.room, this.#port, 'audio');
    const producer = await link.produce({ kind: 'audio', codec, payloadType, ssrc });
    return { producer, link: link.id, payloadType };
  }

  #onNotice(notice: Notice): void {
    if (notice.type === 'digit') this.#phones.get(notice.call)?.digit(notice.digit, this.#host.clock.now());
    if (notice.type === 'quality') this.#phones.get(notice.call)?.quality(notice.quality);
    if (notice.type === 'silent') this.#phones.get(notice.call)?.silent();
    if (notice.type === 'speakers' && notice.mix === this.room.sid) {
      const speakers = notice.levels.flatMap(({ call, levelDb }) => {
        const participant = this.#phones.get(call)?.participant;
        return participant ? [{ participant, level: levelDb }] : [];
      });
      this.room.setSpeakers(speakers, 'mix');
    }
  }

  #onLost(): void {
    const phones = [...this.#phones.values()];
    this.#phones.clear();
    this.#close();
    for (const phone of phones) phone.mediaLost();
  }

  #close(): void {
    this.#releaseMix();
    this.#port.close();
    this.#onEmpty();
  }
}

function newSsrc(): number {
  return randomInt(1, 2 ** 32);
}
