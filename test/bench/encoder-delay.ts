import { setTimeout as delay } from 'node:timers/promises';
import { isRtcp, parseRtp } from '../../src/media/rtp/rtp.ts';
import { type FlvTag, isKeyFrame, isSequenceHeader, loop, makeClip } from '../peers/flv-clip.ts';
import { HubListener } from '../peers/hub-listener.ts';
import { participantNamed, publishing, roomNamed } from '../peers/room-events.ts';
import { rtmpPort } from '../peers/rtmp-port.ts';
import { RtmpPublisher } from '../peers/rtmp-publisher.ts';
import { startServer } from '../peers/server.ts';
import { plainClip } from './encoder-clips.ts';
import { median } from './median.ts';
import { percentile } from './phone-load-percentile.ts';
import { withPriority } from './phone-load-priority.ts';

const RUNS = 3;
const SETTLE_MS = 2_000;
const WINDOW_S = 15;
/** At its end a picture is told by so many bytes. */
const TAIL_BYTES = 16;
/** What did not come out after so long is lost. */
const LONGEST_MS = 500;

interface Delays {
  readonly all: readonly number[];
  readonly keyFrames: readonly number[];
  readonly sent: number;
}

/**
 * What the product adds to a picture that passes through (720p30, 2.5 Mbit/s), in ms: from when an encoder writes it to
 * its connection to when its last packet comes out at the hub, where browsers are. Encoder, server's control plane and
 * the listener at the hub are one process, and so have one clock; the media worker and the hub have processes of
 * their own.
 */
export async function encoderDelay(): Promise<Record<string, number>> {
  const runs: Delays[] = [];
  for (let run = 0; run < RUNS; run++) runs.push(await withPriority(measure));
  const of = (figure: (run: Delays) => number) => median(runs.map(figure));
  return {
    'picture in to its last packet at the hub p50, ms': of(({ all }) => percentile(all, 50)),
    'picture in to its last packet at the hub p95, ms': of(({ all }) => percentile(all, 95)),
    'picture in to its last packet at the hub p99, ms': of(({ all }) => percentile(all, 99)),
    'key frame in to its last packet at the hub p50, ms': of(({ keyFrames }) => percentile(keyFrames, 50)),
    'pictures lost': of(({ all, sent }) => sent - all.length),
  };
}

async function measure(): Promise<Delays> {
  const clip = await makeClip(plainClip(1));
  const server = await startServer();
  const encoder = await RtmpPublisher.connect({ port: rtmpPort(server) });
  await encoder.publish('bench?name=encoder');
  const underWay = new UnderWay();
  void encoder.playFlv(loop(clip), { paced: true, onTag: underWay.onTag });
  const room = await roomNamed(server, 'bench');
  const participant = await participantNamed(room, 'encoder');
  await publishing(participant, 2);
  const track = [...participant.tracks.values()].find(({ kind }) => kind === 'video')!;
  const hold = await track.hold();
  const listener = await HubListener.open(server, room, 'video');
  await listener.listen(hold.producerId, underWay.onPacket);
  await delay(SETTLE_MS);
  underWay.start();
  await delay(WINDOW_S * 1000);
  underWay.stop();
  await delay(LONGEST_MS);
  await encoder.destroy();
  listener.close();
  await server.stop();
  return underWay.delays;
}

/** Pictures that were sent and did not come out yet, told by how they end. */
class UnderWay {
  #sent = new Map<string, { readonly at: number; readonly key: boolean }>();
  #counts = false;
  #count = 0;
  #all: number[] = [];
  #keyFrames: number[] = [];

  get delays(): Delays {
    return { all: this.#all, keyFrames: this.#keyFrames, sent: this.#count };
  }

  start(): void {
    this.#sent.clear();
    this.#counts = true;
  }

  stop(): void {
    this.#counts = false;
  }

  /** Called when it was written, which takes the less as the socket takes it at once. */
  onTag = (tag: FlvTag): void => {
    if (!this.#counts || tag.type !== 'video' || isSequenceHeader(tag)) return;
    this.#count++;
    this.#sent.set(tail(tag.body), { at: performance.now(), key: isKeyFrame(tag) });
  };

  onPacket = (bytes: Buffer): void => {
    const packet = isRtcp(bytes) ? undefined : parseRtp(bytes);
    if (!packet?.marker) return;
    const ending = tail(packet.payload);
    const sent = this.#sent.get(ending);
    if (!sent) return;
    this.#sent.delete(ending);
    const delayMs = performance.now() - sent.at;
    this.#all.push(delayMs);
    if (sent.key) this.#keyFrames.push(delayMs);
  };
}

function tail(bytes: Buffer): string {
  return bytes.toString('latin1', bytes.length - TAIL_BYTES);
}
