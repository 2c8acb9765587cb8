import { AUDIO_CODECS, type Codec } from '../../src/media/codec.ts';
import { canPublish } from '../../src/room/permissions.ts';
import type { Participant } from '../../src/room/room.ts';
import type { Track } from '../../src/room/track.ts';
import type { ConnectionQuality } from '../../src/room/vocabulary.ts';
import { planMix } from '../../transcode/plan.ts';
import { type DigitWay, DigitWays } from './digit-ways.ts';
import type { RemoteEnd } from './media/messages.ts';
import type { PortPair } from './port-pool.ts';
import type { RoomPhone, RoomPhones } from './room-phones.ts';
import type { RemoteMedia } from './sdp/media.ts';

export interface PhoneEvents {
  silent(): void;
  mediaLost(): void;
}

/** A phone in a room: what it publishes there, what it hears, and the media that goes with it. */
export class Phone implements RoomPhone {
  readonly participant: Participant;
  #phones: RoomPhones;
  #events: PhoneEvents;
  #remote: RemoteEnd | undefined;
  /** As negotiated; what it may hear is another thing. */
  #wantsToHear = false;
  #onHold = false;
  /** The last one that was published, also when it is not any more. */
  #track: Track | undefined;
  #muted = false;
  #closed = false;
  #digits = new DigitWays();

  constructor(participant: Participant, phones: RoomPhones, events: PhoneEvents) {
    this.participant = participant;
    this.#phones = phones;
    this.#events = events;
    phones.add(this);
    participant.on('updated', this.#follow);
    participant.room.on('trackPublished', this.#subscribe);
    participant.room.on('trackUpdated', this.#onTrackUpdated);
    participant.room.on('mediaLost', this.#onHubLost);
  }

  /** Names it in its media worker. */
  get id(): string {
    return this.participant.sid;
  }

  /** Opens its sockets. @throws PatchroomError 'limit-reached' when another program has the ports */
  async open(ports: PortPair, bind: string): Promise<void> {
    await this.#phones.request({
      type: 'open',
      call: this.id,
      mix: this.participant.room.sid,
      bind,
      ...ports,
    });
    if (this.#closed) await this.#closeMedia();
  }

  /** Media flows as negotiated; again after each re-INVITE. @param signalled - address that its signalling comes from */
  async start(media: RemoteMedia, timeoutMs: number, signalled?: string): Promise<void> {
    const before = this.#remote?.codec;
    this.#wantsToHear = media.direction === 'sendrecv' || media.direction === 'recvonly';
    // A phone that only sends has put us on hold; what it sends then (music) is not for the room.
    this.#onHold = !this.#wantsToHear;
    this.#remote = {
      address: media.address,
      ...(signalled ? { signalled } : {}),
      port: media.port,
      rtcpPort: media.rtcpPort,
      codec: media.codec.name,
      payloadType: media.codec.payloadType,
      receivePayloadType: media.codec.receivePayloadType,
      ...(media.digits ? { digitsPayloadType: media.digits.receivePayloadType } : {}),
      rate: mixRateOf(media),
      ...(media.maxBitrateBps === undefined ? {} : { maxBitrateBps: media.maxBitrateBps }),
      packetMs:
        (media.maxptime ?? DEFAULT_PACKET_MS) < DEFAULT_PACKET_MS ? SHORT_PACKET_MS : DEFAULT_PACKET_MS,
      sends: media.direction === 'sendrecv',
      receives: this.#wantsToHear && this.participant.permissions.subscribe,
    };
    await this.#phones.request({ type: 'start', call: this.id, remote: this.#remote, timeoutMs });
    if (this.#closed || this.participant.leftBecause) return;
    this.#tellHold();
    if (before !== media.codec.name) this.#republish();
    this.#follow();
  }

  /** @param now - ms */
  digit(digit: string, now: number, way: DigitWay = 'rtp'): void {
    if (this.#digits.isNew(digit, way, now)) this.participant.press(digit);
  }

  /** It is there although nothing comes of it. */
  keep(): void {
    this.#phones.request({ type: 'keep', call: this.id }).catch(() => {}); // gone with its worker
  }

  quality(quality: ConnectionQuality): void {
    this.participant.setQuality(quality);
  }

  silent(): void {
    this.#events.silent();
  }

  mediaLost(): void {
    this.#events.mediaLost();
  }

  rerouted(): void {
    const { room } = this.participant;
    if (this.#track && this.#remote) {
      room.reroute(this.#track, this.#phones.route, this.#phones.producerFor(this, this.#remote.codec));
    }
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    const { room } = this.participant;
    this.participant.off('updated', this.#follow);
    room.off('trackPublished', this.#subscribe);
    room.off('trackUpdated', this.#onTrackUpdated);
    room.off('mediaLost', this.#onHubLost);
    await this.#closeMedia();
    this.#phones.remove(this);
  }

  async #closeMedia(): Promise<void> {
    await this.#phones.request({ type: 'close', call: this.id }).catch(() => {}); // gone with its worker
  }

  /** Whatever changed: permissions, muting, hold. */
  #follow = (): void => {
    const remote = this.#remote;
    if (!remote || this.#closed || this.participant.leftBecause) return;
    const { permissions, room } = this.participant;
    let track = this.#track && room.track(this.#track.sid);
    if (!track && canPublish(permissions, 'voice')) track = this.#publish(remote);
    this.#setMuted(!track || track.muted);
    const receives = this.#wantsToHear && permissions.subscribe;
    if (receives !== remote.receives) {
      this.#remote = { ...remote, receives };
      this.#phones.request({ type: 'hear', call: this.id, receives }).catch(() => {}); // gone with its worker
    }
    if (permissions.subscribe) for (const track of room.tracks) this.#subscribe(track);
    else this.participant.subscriptions.clear();
  };

  #republish(): void {
    if (this.#track) this.participant.unpublish(this.#track);
    this.participant.subscriptions.clear();
  }

  #publish(remote: RemoteEnd): Track {
    const { payloadType, ...codec } = AUDIO_CODECS[remote.codec];
    const { route } = this.#phones;
    this.#track = this.participant.publish({
      kind: 'audio',
      purpose: 'voice',
      codec,
      // Who was muted stays so: it was not the phone that did it.
      muted: this.#track?.muted ?? false,
      producerId: this.#phones.producerFor(this, remote.codec),
      ...(route ? { route } : {}),
      mixed: true,
      statistics: () => this.#statistics(),
    });
    return this.#track;
  }

  async #statistics() {
    const { statistics } = await this.#phones.request({ type: 'statistics', call: this.id });
    const { packetsSent, lostAtPhone, roundTripMs, ...received } = statistics!;
    const heard = {
      ...(lostAtPhone === undefined ? {} : { packetsLost: Math.max(0, lostAtPhone) }),
      ...(roundTripMs === undefined ? {} : { roundTripMs }),
    };
    return { ...received, sent: { packets: packetsSent, ...heard } };
  }

  #setMuted(muted: boolean): void {
    if (muted === this.#muted) return;
    this.#muted = muted;
    this.#phones.request({ type: 'mute', call: this.id, muted }).catch(() => {});
  }

  #onTrackUpdated = (track: Track): void => {
    if (track === this.#track) this.#setMuted(track.muted);
  };

  /** The hub is another one: what it had of the phone has to come there anew. */
  #onHubLost = (): void => this.#follow();

  /** Notes how a track gets into what it hears. */
  #subscribe = (track: Track): void => {
    const remote = this.#remote;
    const { participant } = this;
    const isKnown = participant.subscriptions.has(track.sid);
    if (!remote || isKnown || track.participant === participant || !participant.permissions.subscribe) return;
    const codec: Codec = AUDIO_CODECS[remote.codec];
    participant.room.subscribe(
      participant,
      track,
      planMix(track, { who: 'the phone', codec, rate: remote.rate }),
      false,
    );
  };

  #tellHold(): void {
    const status = this.#onHold ? 'hold' : 'active';
    if (this.participant.attributes['sip.callStatus'] === status) return;
    this.participant.update({ attributes: { 'sip.callStatus': status } });
  }
}

/** What is sent in one packet, and what to a phone that does not take so much (a=maxptime: RFC 8866, section 6.5). */
const DEFAULT_PACKET_MS = 20;
const SHORT_PACKET_MS = 10;

/** The rate of the mix that a phone gets: all that its codec carries, unless it plays less (RFC 7587, section 6.1). */
function mixRateOf({ codec }: RemoteMedia): RemoteEnd['rate'] {
  if (codec.name !== 'opus') return 8000;
  const plays = Number(codec.parameters.maxplaybackrate ?? 48_000);
  return plays <= 8000 ? 8000 : plays <= 16_000 ? 16_000 : 48_000;
}
