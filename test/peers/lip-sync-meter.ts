import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { isRtcp, parseRtp } from '../../src/media/rtp/rtp.ts';
import type { Participant } from '../../src/room/room.ts';
import type { Server } from '../../src/server.ts';
import { OpusDecoder } from '../../transcode/audio/opus-codec.ts';
import { H264Depacketizer } from '../unit/support/h264-depacketizer.ts';
import { FLASH_PERIOD_MS } from './flash-clip.ts';
import { runFfmpeg } from './flv-clip.ts';
import { HubListener } from './hub-listener.ts';

/** When something that has a place on a stream's own time passed the hub; both in ms. */
interface Passage {
  readonly streamMs: number;
  readonly at: number;
}

const RTP_RATES = { video: 90, audio: 48 };
const MAX_PAYLOAD_BYTES = 1500;
const START_CODE = Buffer.from([0, 0, 0, 1]);
/** Sides of the picture whose mean is its brightness. */
const SIDE = 8;
/** Between the test picture's and white. */
const WHITE = 200;
const OPUS_RATE = 48_000;
/** Half of the tone's amplitude. */
const LOUD = 0.25 * 32_768;
const SILENCE_MS = 300;
/** What passed so near to a moment tells when that moment passes: single packets may be held up. */
const NEAR_MS = 500;
/**
 * How long sound takes to follow pictures whose delay has changed by 200 ms. A flash with such a change just before it
 * says nothing: on a busy machine encoders of pictures are held up now and then.
 */
const FOLLOW_MS = 4_000;
/** So little the delays of four in five differ without a change: those of sound by up to a packet's length. */
const STEADY_MS = 40;

/**
 * Tells how far apart the flashes and the bursts of a clip (see flash-clip.ts) pass the hub. mediasoup's sender reports
 * map the time of each stream to the time at which its packets pass, so browsers show what passes together together.
 */
export class LipSyncMeter {
  #listeners: HubListener[] = [];
  #holds: (() => void)[] = [];
  #depacketizer = new H264Depacketizer(MAX_PAYLOAD_BYTES);
  #pictures: Passage[] = [];
  #units: Buffer[] = [];
  #sounds: Passage[] = [];
  #payloads: Buffer[] = [];
  #firstTimestamps: Partial<Record<'audio' | 'video', number>> = {};
  #pictureAt: number | undefined;
  #failure: Error | undefined;

  /** @param participant - publishes sound and pictures */
  static async open(server: Server, participant: Participant): Promise<LipSyncMeter> {
    const meter = new LipSyncMeter();
    for (const track of participant.tracks.values()) {
      const listener = await HubListener.open(server, participant.room, track.kind);
      meter.#listeners.push(listener);
      const hold = await track.hold();
      meter.#holds.push(hold.release);
      await listener.listen(hold.producerId, track.kind === 'video' ? meter.#onVideo : meter.#onAudio);
    }
    return meter;
  }

  /**
   * @param since - performance.now() from which on passing counts
   * @returns of each flash since: how much later it passed than the burst that belongs to it, ms; but for those before
   *   which pictures or sound were held up
   * @throws Error when packets were lost, or the pictures cannot be decoded
   */
  async offsetsMs(since: number): Promise<number[]> {
    if (this.#failure) throw this.#failure;
    const flashes = await this.#flashes();
    const bursts = this.#bursts().map((moment) => passage(moment, this.#sounds));
    return flashes.flatMap((moment) => {
      const at = passage(moment, this.#pictures);
      const burst = bursts.find((one) => Math.abs(at - one) < FLASH_PERIOD_MS / 2);
      const counts = at > since && isSteady(at, this.#pictures) && isSteady(at, this.#sounds);
      return burst === undefined || !counts ? [] : [at - burst];
    });
  }

  close(): void {
    for (const release of this.#holds) release();
    for (const listener of this.#listeners) listener.close();
  }

  #onVideo = (packet: Buffer): void => {
    if (isRtcp(packet) || this.#failure) return;
    // A picture passes with its first packet: that one is what the hub's reports are about.
    this.#pictureAt ??= performance.now();
    try {
      const unit = this.#depacketizer.receive(packet);
      if (!unit) return;
      this.#pictures.push({ streamMs: this.#streamMs('video', unit.timestamp), at: this.#pictureAt });
      this.#pictureAt = undefined;
      this.#units.push(Buffer.concat(unit.nals.flatMap((nal) => [START_CODE, nal])));
    } catch (error) {
      this.#failure = error as Error;
    }
  };

  #onAudio = (packet: Buffer): void => {
    const parsed = isRtcp(packet) ? undefined : parseRtp(packet);
    if (!parsed) return;
    this.#sounds.push({ streamMs: this.#streamMs('audio', parsed.timestamp), at: performance.now() });
    this.#payloads.push(Buffer.from(parsed.payload));
  };

  #streamMs(kind: 'audio' | 'video', timestamp: number): number {
    this.#firstTimestamps[kind] ??= timestamp;
    return ((timestamp - this.#firstTimestamps[kind]) | 0) / RTP_RATES[kind];
  }

  /** @returns places of the pictures that turned white */
  async #flashes(): Promise<number[]> {
    // The last ones may still be coming.
    const pictures = [...this.#pictures];
    if (pictures.length === 0) throw new Error('No pictures came.');
    const samples = await grayPictures(Buffer.concat(this.#units));
    if (samples.length !== pictures.length * SIDE * SIDE)
      throw new Error(`${samples.length / SIDE / SIDE} of ${pictures.length} pictures were decoded.`);
    const isWhite = pictures.map((_, index) => {
      const picture = samples.subarray(index * SIDE * SIDE, (index + 1) * SIDE * SIDE);
      return picture.reduce((sum, sample) => sum + sample, 0) / picture.length > WHITE;
    });
    return pictures.flatMap(({ streamMs }, index) =>
      index > 0 && isWhite[index] && !isWhite[index - 1] ? [streamMs] : [],
    );
  }

  /** @returns places at which the tone set in after a silence */
  #bursts(): number[] {
    const decoder = new OpusDecoder(OPUS_RATE);
    const samples = new Int16Array(OPUS_RATE / 10);
    const found: number[] = [];
    // What was on its way at the beginning does not count.
    let loudMs = 0;
    for (const [index, payload] of this.#payloads.entries()) {
      const count = decoder.decode(payload, samples);
      for (let at = 0; at < count; at++) {
        if (Math.abs(samples[at]!) < LOUD) continue;
        const ms = this.#sounds[index]!.streamMs + at / RTP_RATES.audio;
        if (ms - loudMs > SILENCE_MS) found.push(ms);
        loudMs = ms;
      }
    }
    return found;
  }
}

/** @param stream - H.264 with start codes @returns each picture in SIDE x SIDE bytes of brightness */
async function grayPictures(stream: Buffer): Promise<Buffer> {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'patchroom-lip-sync-'));
  try {
    const file = path.join(folder, 'pictures.h264');
    fs.writeFileSync(file, stream);
    const filters = `scale=${SIDE}:${SIDE}:flags=area,format=gray`;
    const output = ['-vf', filters, '-fps_mode', 'passthrough', '-f', 'rawvideo', '-'];
    return await runFfmpeg(['-v', 'error', '-f', 'h264', '-i', file, ...output]);
  } finally {
    fs.rmSync(folder, { recursive: true });
  }
}

/** @returns when a moment of a stream passed, as what passed around it has it */
function passage(moment: number, all: readonly Passage[]): number {
  const delays = delaysOf(all, ({ streamMs }) => Math.abs(streamMs - moment) < NEAR_MS);
  return moment + delays[Math.floor(delays.length / 2)]!;
}

/** @returns whether what passed until then took equally long */
function isSteady(until: number, all: readonly Passage[]): boolean {
  const delays = delaysOf(all, ({ at }) => at > until - FOLLOW_MS && at < until + NEAR_MS);
  const tenth = Math.floor(delays.length / 10);
  return delays.at(-1 - tenth)! - delays[tenth]! < STEADY_MS;
}

/** @returns between the times of streams and of passing, the smallest first */
function delaysOf(all: readonly Passage[], isWanted: (one: Passage) => boolean): number[] {
  return all
    .filter(isWanted)
    .map(({ streamMs, at }) => at - streamMs)
    .sort((one, other) => one - other);
}
