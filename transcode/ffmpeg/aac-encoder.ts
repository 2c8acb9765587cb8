import type { Clock } from '../../src/base/clock.ts';
import { parseFlvAudio } from '../../src/media/containers/flv/flv.ts';
import { FlvReader, type FlvTag } from '../../src/media/containers/flv/flv-tags.ts';
import { FfmpegProcess } from './ffmpeg-process.ts';
import { FLV_OUTPUT } from './video-arguments.ts';

export interface AacEncoderOptions {
  readonly clock: Clock;
  readonly bitrateBps: number;
  /** @param config - AudioSpecificConfig (ISO/IEC 14496-3, section 1.6.2.1); comes before the first frame */
  readonly onConfig: (config: Buffer) => void;
  /**
   * @param frame - one raw access unit of AAC: 1024 samples; a buffer of its own
   * @param firstSample - which of the samples fed is its first; -1024 for what the encoder puts in front
   */
  readonly onFrame: (frame: Buffer, firstSample: number) => void;
  /** Called once when it ends by itself; feeding it does nothing then. */
  readonly onEnd: (cause: string) => void;
}

/** In samples of each channel, but for the frames. */
export interface AacEncoderCounters {
  /** Fed, whether they were encoded or not. */
  samplesIn: number;
  framesOut: number;
  /** Were not encoded, as the child was behind. */
  dropped: number;
}

const RATE = 48_000;
const CHANNELS = 2;
const BYTES_PER_SAMPLE = 2 * CHANNELS;
const FRAME_SAMPLES = 1024;
/** So much is with the child at the most; more before something came out of it, as it waits there while it starts. */
const MAX_UNDER_WAY = RATE;
const MAX_AT_START = 3 * RATE;
/** So much is always with it: the input's buffer and the encoder hold some. */
const HELD = 4 * FRAME_SAMPLES;
/** A child that gives nothing for so long, although it is fed, hangs; before its first frame it may take longer. */
const DEAD_MS = 3000;
const STILLBORN_MS = 10_000;
/** Without sound for so long, it is no wonder that nothing came. */
const PAUSE_MS = 1000;
const MAX_TAG_BYTES = 1 << 16;

/** @param bitrateBps - of both channels together */
function aacArguments(bitrateBps: number): string[] {
  return [
    ...['-hide_banner', '-v', 'error', '-nostdin', '-probesize', '32', '-analyzeduration', '0'],
    ...['-f', 's16be', '-ar', String(RATE), '-ac', String(CHANNELS), '-i', 'pipe:0', '-vn'],
    ...['-c:a', 'aac', '-profile:a', 'aac_low', '-b:a', String(Math.round(bitrateBps)), '-threads', '1'],
    ...FLV_OUTPUT,
  ];
}

/** Encodes a program's sound as AAC-LC, 48 kHz, stereo, with a supervised ffmpeg. No sample is lost at the start. */
export class AacEncoder {
  readonly counters: AacEncoderCounters = { samplesIn: 0, framesOut: 0, dropped: 0 };
  #options: AacEncoderOptions;
  #child: FfmpegProcess;
  #reader = new FlvReader(MAX_TAG_BYTES);
  /** Samples that the child was given. */
  #given = 0;
  /** By how much these are behind those fed, from which of them on; the oldest first. No more than are under way. */
  #gaps: { from: number; missing: number }[] = [{ from: Number.NEGATIVE_INFINITY, missing: 0 }];
  #fedAt = Number.NEGATIVE_INFINITY;
  #lifeAt = 0;
  #hasEnded = false;

  constructor(options: AacEncoderOptions) {
    this.#options = options;
    this.#child = FfmpegProcess.start({
      args: aacArguments(options.bitrateBps),
      clock: options.clock,
      maxQueuedBytes: MAX_AT_START * BYTES_PER_SAMPLE,
      onOutput: (chunk) => this.#read(chunk),
      onEnd: (cause) => this.#end(cause),
    });
  }

  /**
   * What it does not take is left out, and the frames after it are as much later.
   *
   * @param pcm - L16 (RFC 3551, section 4.5.11): 16 bits big-endian, stereo, interleaved, 48 kHz; is copied
   * @returns whether it was taken: false when a second of sound is under way, or the job has ended
   * @throws RangeError when it is not whole samples of both channels: all that follows would be noise
   */
  feed(pcm: Buffer): boolean {
    if (pcm.length % BYTES_PER_SAMPLE !== 0) {
      throw new RangeError(`${pcm.length} bytes are no whole number of stereo samples with 16 bits.`);
    }
    if (this.#hasEnded) return false;
    const samples = pcm.length / BYTES_PER_SAMPLE;
    this.counters.samplesIn += samples;
    const isTaken = this.#isAlive() && this.#give(pcm, samples);
    if (!isTaken) this.counters.dropped += samples;
    return isTaken;
  }

  /** Of its process; 0 when that could not be started. */
  get pid(): number {
    return this.#child.pid;
  }

  /** @returns when its process has ended; nothing comes any more from now on */
  stop(): Promise<void> {
    this.#hasEnded = true;
    return this.#child.stop();
  }

  get #underWay(): number {
    return this.#given - this.counters.framesOut * FRAME_SAMPLES;
  }

  #give(pcm: Buffer, samples: number): boolean {
    const limit = this.counters.framesOut === 0 ? MAX_AT_START : MAX_UNDER_WAY;
    if (this.#underWay + samples > limit || !this.#child.write([Buffer.from(pcm)])) return false;
    const missing = this.counters.dropped;
    if (missing !== this.#gaps.at(-1)!.missing) this.#gaps.push({ from: this.#given, missing });
    this.#given += samples;
    return true;
  }

  /** Called with each feed; ends it when there was no sign of life for too long although one was due. */
  #isAlive(): boolean {
    const now = this.#options.clock.now();
    if (this.#underWay <= HELD || now - this.#fedAt > PAUSE_MS) this.#lifeAt = now;
    this.#fedAt = now;
    const patienceMs = this.counters.framesOut === 0 ? STILLBORN_MS : DEAD_MS;
    if (now - this.#lifeAt <= patienceMs) return true;
    this.#end(`no sound came out of it for ${patienceMs / 1000} s`);
    return false;
  }

  #read(chunk: Buffer): void {
    if (this.#hasEnded) return;
    this.#lifeAt = this.#options.clock.now();
    try {
      this.#reader.read(chunk, (tag) => this.#readTag(tag));
    } catch (error) {
      this.#end((error as Error).message);
    }
  }

  #readTag(tag: FlvTag): void {
    const audio = tag.type === 'audio' && !this.#hasEnded ? parseFlvAudio(tag.body) : undefined;
    if (!audio || audio.data.length === 0) return;
    if (audio.packet === 'config') {
      this.#options.onConfig(audio.data);
      return;
    }
    // They are counted, as times in tags are rounded. The encoder puts one frame in front.
    const first = (this.counters.framesOut++ - 1) * FRAME_SAMPLES;
    while (this.#gaps[1] && this.#gaps[1].from <= first) this.#gaps.shift();
    this.#options.onFrame(audio.data, first + this.#gaps[0]!.missing);
  }

  #end(cause: string): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    this.#child.kill();
    this.#options.onEnd(cause);
  }
}
