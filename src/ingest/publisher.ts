import { randomInt, randomUUID } from 'node:crypto';
import type { Clock, Timer } from '../base/clock.ts';
import { PatchroomError } from '../base/errors.ts';
import type { Logger } from '../base/log.ts';
import { AUDIO_CODECS, type Codec } from '../media/codec.ts';
import type { Route } from '../media/plan.ts';
import { canPublish } from '../room/permissions.ts';
import { ProducerOnDemand } from '../room/producer-on-demand.ts';
import type { Participant } from '../room/room.ts';
import type { FrameAddress, Track, TrackStatistics } from '../room/track.ts';
import type { MediaPlane } from '../workers/media-plane.ts';
import type { MediaWorker } from '../workers/media-worker.ts';
import type { IngestReply, IngestRequest, TrackNotice } from './messages.ts';
import { ProcessCost } from './process-cost.ts';
import { statusAttributes, trackStatistics } from './publisher-report.ts';

/** A gateway's way to its half in the media worker that has a publisher's connection. */
export interface IngestPort {
  readonly worker: MediaWorker;
  request(request: IngestRequest): Promise<IngestReply>;
}

/** What a publisher needs of the core. */
export interface PublisherHost {
  readonly clock: Clock;
  readonly media: Pick<MediaPlane, 'link'>;
}

/** A publisher's connection, in the media worker that has it. */
export interface PublisherSession {
  readonly id: string;
  readonly port: IngestPort;
}

type Kind = TrackNotice['kind'];

/** What the hub gets. Every H.264 stream is declared like this: it is what all browsers take. */
const HUB_H264 = {
  name: 'H264',
  clockRate: 90000,
  parameters: { 'packetization-mode': 1, 'profile-level-id': '42e01f', 'level-asymmetry-allowed': 1 },
} as const;
const H264_PAYLOAD_TYPE = 103;
const PURPOSES = { audio: 'voice', video: 'camera' } as const;
/** What an encoder that came back does not send again within this time is taken away. */
const RENEW_LIMIT_MS = 5_000;
/** How often people are told how it goes. */
const REPORT_MS = 2_000;

/**
 * An encoder as a participant: what it publishes, and its place while it has no connection. Tracks outlive a
 * connection: the one that comes back feeds those of the one before.
 */
export class Publisher {
  readonly participant: Participant;
  #host: PublisherHost;
  #log: Logger;
  #reconnectMs: number;
  #session: PublisherSession | undefined;
  /** As the present session, or the one before, sends it. */
  #sent = new Map<Kind, TrackNotice>();
  #tracks = new Map<Kind, Track>();
  /** Sent anew since the encoder came back. */
  #renewed = new Set<Kind>();
  #muted = new Set<Kind>();
  #waiting: Timer | undefined;
  #renewal: Timer | undefined;
  #reporting: Timer | undefined;
  #cost = new ProcessCost();

  constructor(participant: Participant, host: PublisherHost, reconnectMs: number, log: Logger) {
    this.participant = participant;
    this.#host = host;
    this.#reconnectMs = reconnectMs;
    this.#log = log;
    const { room } = participant;
    room.on('mediaLost', this.#publishAll);
    room.on('trackUpdated', this.#onTrackUpdated);
    participant.on('updated', this.#publishAll);
    participant.once('left', () => {
      room.off('mediaLost', this.#publishAll);
      room.off('trackUpdated', this.#onTrackUpdated);
      participant.off('updated', this.#publishAll);
      for (const timer of [this.#waiting, this.#renewal, this.#reporting]) timer?.cancel();
    });
  }

  get session(): PublisherSession | undefined {
    return this.#session;
  }

  /** It is connected, for the first time or again. */
  attach(session: PublisherSession): void {
    const returns = this.#session === undefined && this.#waiting !== undefined;
    this.#waiting?.cancel();
    this.#waiting = undefined;
    this.#session = session;
    this.#renewed.clear();
    this.participant.setQuality('excellent');
    this.#tell({ 'ingest.status': 'live' });
    for (const kind of this.#muted) this.#request({ type: 'mute', kind, muted: true });
    if (returns) this.#renewal = this.#host.clock.after(RENEW_LIMIT_MS, () => this.#dropUnrenewed());
    this.#reporting ??= this.#host.clock.after(REPORT_MS, this.#report);
  }

  /** Its connection is gone; the place stays for a while. */
  detach(): void {
    this.#session = undefined;
    if (this.participant.leftBecause) return;
    this.#renewal?.cancel();
    this.#waiting?.cancel();
    this.participant.setQuality('lost');
    this.#tell({ 'ingest.status': 'waiting' });
    this.#waiting = this.#host.clock.after(this.#reconnectMs, () =>
      this.participant.leave('connection-lost'),
    );
  }

  /** It sends that, and so it gets to browsers. */
  onTrack(notice: TrackNotice): void {
    const isKnown = this.#renewed.has(notice.kind);
    this.#renewed.add(notice.kind);
    this.#sent.set(notice.kind, notice);
    const track = this.#tracks.get(notice.kind);
    const present = track && this.participant.room.track(track.sid);
    if (notice.outcome === 'refused') {
      if (present) this.participant.unpublish(present);
      this.#tracks.delete(notice.kind);
    } else if (!present || present.codec.name !== notice.codec) this.#publish(notice);
    // The same way with something else done on it, or another connection's way.
    else if (isKnown) this.participant.room.replan(present, routeOf(notice));
    else this.participant.room.reroute(present, routeOf(notice), this.#producerFor(notice.kind));
    this.#tell({ [`ingest.${notice.kind}`]: notice.outcome === 'pass-through' ? '' : notice.reason });
  }

  #publishAll = (): void => {
    for (const notice of this.#sent.values()) {
      const track = this.#tracks.get(notice.kind);
      if (notice.outcome !== 'refused' && !(track && this.participant.room.track(track.sid)))
        this.#publish(notice);
    }
  };

  #publish(notice: TrackNotice): void {
    const { participant } = this;
    const { kind, width, height } = notice;
    if (participant.leftBecause || !canPublish(participant.permissions, PURPOSES[kind])) return;
    const before = this.#tracks.get(kind);
    if (before) participant.unpublish(before);
    const route = routeOf(notice);
    try {
      const track = participant.publish({
        kind,
        purpose: PURPOSES[kind],
        codec: codecOf(notice),
        producerId: this.#producerFor(kind),
        muted: this.#muted.has(kind),
        ...(route ? { route } : {}),
        ...(width && height ? { width, height } : {}),
        statistics: () => this.#statistics(kind),
        ...(kind === 'video' ? { sendFrames: (to) => this.#sendFrames(to) } : {}),
      });
      this.#tracks.set(kind, track);
    } catch (error) {
      this.#log.warn({ err: error, kind }, 'a track of an encoder was not published');
    }
  }

  /** Has the session that is connected now send it to the hub, for as long as somebody there wants it. */
  #producerFor(kind: Kind): ProducerOnDemand {
    const session = this.#session;
    return new ProducerOnDemand(async () => {
      if (!session) throw new Error('The encoder is not connected.');
      const { media } = this.#host;
      const link = await media.link(this.participant.room, session.port, kind);
      const ssrc = randomInt(1, 2 ** 32);
      const target =
        kind === 'video'
          ? { codec: HUB_H264, payloadType: H264_PAYLOAD_TYPE }
          : hubAudio(this.#sent.get(kind));
      const producer = await link.produce({ kind, ...target, ssrc });
      const body = { session: session.id, kind } as const;
      try {
        await session.port.request({
          type: 'send',
          ...body,
          link: link.id,
          ssrc,
          payloadType: target.payloadType,
        });
      } catch (error) {
        producer.close();
        throw error;
      }
      const close = () => {
        producer.close();
        session.port.request({ type: 'unsend', ...body, ssrc }).catch(() => {}); // gone with its connection or worker
      };
      return { producerId: producer.id, close };
    });
  }

  /** @returns ends it */
  async #sendFrames({ port, token }: FrameAddress): Promise<() => void> {
    const session = this.#session;
    if (!session) throw new PatchroomError('unavailable', 'The encoder is not connected.');
    const body = { session: session.id, outlet: randomUUID() } as const;
    await session.port.request({ type: 'send-frames', ...body, port, token });
    return () => {
      session.port.request({ type: 'unsend-frames', ...body }).catch(() => {}); // gone with its connection or worker
    };
  }

  #dropUnrenewed(): void {
    for (const kind of this.#sent.keys()) {
      if (this.#renewed.has(kind)) continue;
      const track = this.#tracks.get(kind);
      if (track) this.participant.unpublish(track);
      this.#tracks.delete(kind);
      this.#sent.delete(kind);
      this.#tell({ [`ingest.${kind}`]: '' });
    }
  }

  #onTrackUpdated = (track: Track): void => {
    if (track !== this.#tracks.get(track.kind)) return;
    if (track.muted) this.#muted.add(track.kind);
    else this.#muted.delete(track.kind);
    this.#request({ type: 'mute', kind: track.kind, muted: track.muted });
  };

  #request(request: { type: 'mute'; kind: Kind; muted: boolean }): void {
    const session = this.#session;
    session?.port.request({ ...request, session: session.id }).catch(() => {}); // gone with its connection
  }

  async #statistics(kind: Kind): Promise<TrackStatistics> {
    const { repairs, ...kinds } = await this.#ask();
    const found = kinds[kind];
    if (!found) throw new Error(`The encoder sends no ${kind} at present.`);
    return trackStatistics(found, repairs);
  }

  async #ask() {
    const session = this.#session;
    if (!session) throw new Error('The encoder is not connected.');
    const { statistics } = await session.port.request({ type: 'statistics', session: session.id });
    return statistics!;
  }

  #report = (): void => {
    this.#reporting = this.#host.clock.after(REPORT_MS, this.#report);
    if (!this.#session) return;
    this.#ask()
      .then(async (statistics) => {
        const pid = statistics.video?.job?.pid;
        const cores = pid ? await this.#cost.look(pid, this.#host.clock.now()) : undefined;
        this.#tell(statusAttributes(statistics, cores));
      })
      .catch(() => {}); // it ends in this moment
  };

  /** Only what changed: everybody in the room is told. */
  #tell(attributes: Readonly<Record<string, string>>): void {
    const { participant } = this;
    const changed = Object.entries(attributes).filter(
      ([name, value]) => (participant.attributes[name] ?? '') !== value,
    );
    if (changed.length > 0 && !participant.leftBecause) {
      participant.update({ attributes: Object.fromEntries(changed) });
    }
  }
}

function codecOf({ kind, codec }: TrackNotice): Codec {
  if (kind === 'audio')
    return isHubAudio(codec) ? withoutPayloadType(codec) : { name: codec, clockRate: 48000, channels: 2 };
  return codec === 'H264' ? HUB_H264 : { name: codec, clockRate: 90000 };
}

function routeOf({ kind, outcome, reason, steps }: TrackNotice): Route | undefined {
  if (outcome !== 'transcode') return undefined;
  return { codec: kind === 'video' ? HUB_H264 : withoutPayloadType('opus'), reason, steps };
}

/** Audio goes to the hub as it came where browsers take that, else as Opus. */
function hubAudio(notice: TrackNotice | undefined): { codec: Codec; payloadType: number } {
  const name = notice?.outcome === 'pass-through' && isHubAudio(notice.codec) ? notice.codec : 'opus';
  return { codec: withoutPayloadType(name), payloadType: AUDIO_CODECS[name].payloadType };
}

function isHubAudio(name: string): name is keyof typeof AUDIO_CODECS {
  return name in AUDIO_CODECS;
}

function withoutPayloadType(name: keyof typeof AUDIO_CODECS): Codec {
  const { payloadType, ...codec } = AUDIO_CODECS[name];
  return codec;
}
