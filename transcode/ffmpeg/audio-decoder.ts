import type { Clock } from '../../src/base/clock.ts';
import { aacConfigBody, aacFrameBody, mp3FrameBody } from '../../src/media/containers/flv/flv-body.ts';
import { FlvReader, type FlvTag, flvHeader, flvTag } from '../../src/media/containers/flv/flv-tags.ts';
import { FlvTime } from '../../src/media/containers/flv/flv-time.ts';
import { FfmpegProcess } from './ffmpeg-process.ts';
import { SampleClock } from './sample-clock.ts';
import { StampLine } from './stamp-line.ts';

export const DECODED_RATE = 48_000;

export interface AudioDecoderOptions {
  readonly codec: 'AAC' | 'MP3';
  /** AudioSpecificConfig (ISO/IEC 14496-3, section 1.6.2.1); nothing comes out of AAC before it is known. */
  readonly config: Buffer | undefined;
  readonly clock: Clock;
  /** How much sound waits while the child is busy, ms; 500 by default. What is older is dropped. */
  readonly maxWaitMs?: number;
  /**
   * @param samples - stereo, interleaved, 48 kHz; a view that is valid during the call only
   * @param timestampMs - of the first of them, in the time of the tags fed, with fractions
   */
  readonly onSamples: (samples: Int16Array, timestampMs: number) => void;
  /** Called once when it ends by itself; feeding it does nothing then. */
  readonly onEnd: (cause: string) => void;
}

export interface AudioDecoderCounters {
  tagsIn: number;
  /** Stereo samples. */
  samplesOut: number;
  /** Tags that were not decoded as the child was behind. */
  dropped: number;
  /** How often the times of the tags jumped. */
  jumps: number;
}

const DEFAULT_MAX_WAIT_MS = 500;
/** So much is given to the child before something came out of it, and waits there while it starts. */
const MAX_UNDER_WAY_MS = 1000;
const MAX_WAITING_TAGS = 128;
/** A child that gives nothing for so long, although it is fed, hangs; before its first sound it may take longer. */
const DEAD_MS = 3000;
const STILLBORN_MS = 10_000;
/** Without tags for so long, it is no wonder that nothing came. */
const PAUSE_MS = 1000;
const MAX_QUEUED_BYTES = 1 << 20;
const MAX_TAG_BYTES = 1 << 18;

/** FLV knows PCM of 44.1 kHz at the most: the samples are passed off as such, and their times are longer for it. */
const STATED_RATE = 44_100;

/**
 * Mono and stereo come out as loud as they were. From surround, centre and back are mixed in 3 dB lower
 * (ITU-R BS.775), and the sum is lowered so that it cannot clip. `<` divides by the sum of the channels there are.
 */
const FILTERS = [
  'pan=stereo|FL<FL+0.7071FC+0.7071BL+0.7071SL|FR<FR+0.7071FC+0.7071BR+0.7071SR',
  `aresample=${DECODED_RATE}:osf=s16`,
  `asetrate=${STATED_RATE}`,
].join(',');

/*
 * It starts to decode with the first tag (-probesize 32), which is safe as the configuration came before. Times go
 * through it untouched (-copyts), so that what it gives says which tag it is from, whatever it loses.
 */
const ARGUMENTS = [
  ...['-hide_banner', '-v', 'error', '-nostdin', '-copyts', '-probesize', '32', '-analyzeduration', '0'],
  ...['-threads', '1', '-f', 'flv', '-i', 'pipe:0', '-vn', '-af', FILTERS, '-filter_threads', '1'],
  ...['-c:a', 'pcm_s16le', '-flush_packets', '1', '-f', 'flv', '-flvflags', 'no_duration_filesize', 'pipe:1'],
];

/**
 * Decodes one publisher's sound with a supervised ffmpeg: AAC (also HE and HE v2) or MP3 of any rate and number of
 * channels becomes 48 kHz stereo. One run of samples comes out for each tag, and none is lost at the start. What
 * the encoder and the decoder add in front (1024 samples for AAC-LC, 1105 of 44.1 kHz for MP3) is not taken away.
 */
export class AudioDecoder {
  readonly counters: AudioDecoderCounters = { tagsIn: 0, samplesOut: 0, dropped: 0, jumps: 0 };
  #options: AudioDecoderOptions;
  #child: FfmpegProcess;
  #reader = new FlvReader(MAX_TAG_BYTES);
  #line = new StampLine();
  #outputTime = new FlvTime();
  #clock = new SampleClock(DECODED_RATE);
  /** Tags that wait until the child has done others; the oldest first. */
  #waiting: { body: Buffer; timestampMs: number }[] = [];
  /** On the line: of the last tag given to the child, and of the last samples that came of one. */
  #givenMs = 0;
  #doneMs = 0;
  #fedAt = Number.NEGATIVE_INFINITY;
  #lifeAt = 0;
  #isConfigured: boolean;
  #hasEnded = false;
  #samples = new Int16Array(4096);

  constructor(options: AudioDecoderOptions) {
    this.#options = options;
    this.#child = FfmpegProcess.start({
      args: ARGUMENTS,
      clock: options.clock,
      maxQueuedBytes: MAX_QUEUED_BYTES,
      onOutput: (chunk) => this.#read(chunk),
      onEnd: (cause) => this.#end(cause),
    });
    this.#child.write([flvHeader(true, false)]);
    this.#isConfigured = options.codec === 'MP3' || options.config !== undefined;
    if (options.codec === 'AAC' && options.config) {
      this.#child.write([flvTag('audio', this.#line.startMs, aacConfigBody(options.config))]);
    }
    this.#givenMs = this.#line.startMs;
    this.#doneMs = this.#line.startMs;
  }

  /**
   * @param frame - one raw access unit; is kept, so it must not change
   * @param timestampMs - of its first sample
   */
  feed(frame: Buffer, timestampMs: number): void {
    // Without its configuration, AAC would be taken to have 44.1 kHz.
    if (this.#hasEnded || !this.#isConfigured || frame.length === 0) return;
    this.counters.tagsIn++;
    const now = this.#options.clock.now();
    if (now - this.#fedAt > PAUSE_MS) this.#lifeAt = now;
    this.#fedAt = now;
    const patienceMs = this.counters.samplesOut === 0 ? STILLBORN_MS : DEAD_MS;
    if (now - this.#lifeAt > patienceMs) {
      this.#end(`no sound came out of it for ${patienceMs / 1000} s`);
      return;
    }
    this.#waiting.push({
      body: this.#options.codec === 'AAC' ? aacFrameBody(frame) : mp3FrameBody(frame),
      timestampMs,
    });
    this.#give();
    const maxWaitMs = this.#options.maxWaitMs ?? DEFAULT_MAX_WAIT_MS;
    while (
      this.#waiting.length > MAX_WAITING_TAGS ||
      timestampMs - (this.#waiting[0]?.timestampMs ?? timestampMs) > maxWaitMs
    ) {
      this.#waiting.shift();
      this.counters.dropped++;
    }
  }

  /** @returns when its process has ended; nothing comes any more from now on */
  stop(): Promise<void> {
    this.#hasEnded = true;
    this.#waiting.length = 0;
    return this.#child.stop();
  }

  /** Of its process; 0 when that could not be started. */
  get pid(): number {
    return this.#child.pid;
  }

  /** Gives the child of what waits as much as may be under way. */
  #give(): void {
    while (this.#waiting.length > 0 && this.#givenMs - this.#doneMs < MAX_UNDER_WAY_MS) {
      const { body, timestampMs } = this.#waiting.shift()!;
      const placedMs = this.#line.place(timestampMs);
      if (placedMs === undefined) {
        this.#end('the times of its tags ran out');
        return;
      }
      if (!this.#child.write([flvTag('audio', placedMs, body)])) this.counters.dropped++;
      else this.#givenMs = placedMs;
    }
  }

  #read(chunk: Buffer): void {
    if (this.#hasEnded) return;
    try {
      this.#reader.read(chunk, (tag) => this.#readTag(tag));
    } catch (error) {
      this.#end((error as Error).message);
    }
  }

  #readTag(tag: FlvTag): void {
    // The first byte says what it is, which we know.
    if (tag.type !== 'audio' || tag.body.length < 5 || this.#hasEnded) return;
    const samples = (tag.body.length - 1) >> 2;
    if (this.#samples.length < 2 * samples) this.#samples = new Int16Array(2 * samples);
    tag.body.copy(Buffer.from(this.#samples.buffer), 0, 1);
    const placedMs = this.#outputTime.unwrap(tag.timestampMs) * (STATED_RATE / DECODED_RATE);
    this.#doneMs = Math.max(this.#doneMs, Math.min(placedMs, this.#givenMs));
    this.#lifeAt = this.#options.clock.now();
    const timestampMs = this.#clock.advance(this.#line.source(placedMs), samples);
    this.counters.jumps = this.#clock.jumps;
    this.counters.samplesOut += samples;
    this.#options.onSamples(this.#samples.subarray(0, 2 * samples), timestampMs);
    this.#give();
  }

  #end(cause: string): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    this.#waiting.length = 0;
    this.#child.kill();
    this.#options.onEnd(cause);
  }
}
