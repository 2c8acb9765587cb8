import type { Participant } from '../../src/room/room.ts';
import type { Track } from '../../src/room/track.ts';
import type { Server } from '../../src/server.ts';
import { type FlvTag, isKeyFrame } from '../peers/flv-clip.ts';
import { participantNamed, publishing, roomNamed } from '../peers/room-events.ts';
import { rtmpPort } from '../peers/rtmp-port.ts';
import { RtmpPublisher } from '../peers/rtmp-publisher.ts';
import { startServer } from '../peers/server.ts';

/** A server with one room, in which one encoder sends in real time what it is given. */
export class EncoderStage {
  static readonly room = 'bench';
  static readonly encoder = 'Studio';
  readonly server: Server;
  readonly participant: Participant;
  #publisher: RtmpPublisher;
  #waiting: (() => void)[];

  private constructor(
    server: Server,
    participant: Participant,
    publisher: RtmpPublisher,
    waiting: (() => void)[],
  ) {
    this.#waiting = waiting;
    this.server = server;
    this.participant = participant;
    this.#publisher = publisher;
  }

  static async open(tags: Iterable<FlvTag>): Promise<EncoderStage> {
    const server = await startServer();
    const publisher = await RtmpPublisher.connect({ port: rtmpPort(server) });
    await publisher.publish(`${EncoderStage.room}?name=${EncoderStage.encoder}`);
    const waiting: (() => void)[] = [];
    const onTag = (tag: FlvTag) => {
      if (isKeyFrame(tag)) for (const resolve of waiting.splice(0)) resolve();
    };
    void publisher.playFlv(tags, { paced: true, onTag });
    const participant = await participantNamed(
      await roomNamed(server, EncoderStage.room),
      EncoderStage.encoder,
    );
    await publishing(participant, 2);
    return new EncoderStage(server, participant, publisher, waiting);
  }

  get picture(): Track {
    return [...this.participant.tracks.values()].find(({ kind }) => kind === 'video')!;
  }

  /** When the encoder sends the next one. */
  async keyFrame(): Promise<void> {
    await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }

  async close(): Promise<void> {
    await this.#publisher.destroy();
    await this.server.stop();
  }
}
