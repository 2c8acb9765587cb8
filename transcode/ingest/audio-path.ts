import type { Clock } from '../../src/base/clock.ts';
import type { Logger } from '../../src/base/log.ts';
import { parseAacConfig, parseMp3Header } from '../../src/media/aac/aac-config.ts';
import type { AudioFormat, AudioUnit } from '../../src/media/access-unit.ts';
import { AUDIO_CODECS } from '../../src/media/codec.ts';
import { AudioDecoder } from '../ffmpeg/audio-decoder.ts';
import { ProcessDeaths } from '../ffmpeg/process-deaths.ts';
import { AudioForwarder } from './audio-forwarder.ts';
import { type AudioPlan, planAudio, refuseAudio } from './audio-plan.ts';
import { AudioSender } from './audio-sender.ts';
import type { HubTarget } from './hub-stream.ts';
import { OPUS_TICKS_PER_MS, OpusFramer } from './opus-framer.ts';
import { Rate } from './rate.ts';

export interface AudioPathOptions {
  readonly bitrateBps: number;
  readonly maxWaitMs: number;
}

export interface AudioPathEvents {
  planned(plan: AudioPlan): void;
  /** A frame is ready. @param sourceMs - at which it begins */
  ready(sourceMs: number): void;
}

const CHANNEL_WORDS: Record<number, string> = { 1: 'mono', 2: 'stereo', 6: '5.1' };

/** One publisher's audio on its way to the hub, while somebody wants it: as it came, or decoded by a child and encoded as Opus. */
export class AudioPath {
  who = 'The encoder';
  readonly rate = new Rate();
  /** How often it became something else: another codec, or configuration. */
  changes = 0;
  readonly deaths: ProcessDeaths;
  #muted = false;
  #options: AudioPathOptions;
  #clock: Clock;
  #log: Logger;
  #events: AudioPathEvents;
  #plan: AudioPlan | undefined;
  #codec = '';
  #source: AudioFormat | undefined;
  #format = '';
  #target: HubTarget | undefined;
  /** The codec that the hub was told to expect there. */
  #targetCodec: string | undefined;
  #sender: AudioSender | undefined;
  #framer: OpusFramer | undefined;
  #forwarder: AudioForwarder | undefined;
  #job: AudioDecoder | undefined;
  #dropped = 0;

  constructor(options: AudioPathOptions, clock: Clock, log: Logger, events: AudioPathEvents) {
    this.#options = options;
    this.#clock = clock;
    this.#log = log;
    this.#events = events;
    this.deaths = new ProcessDeaths(clock);
  }

  get codec(): string {
    return this.#codec;
  }

  /** 'AAC-LC 48 kHz stereo' */
  get format(): string {
    return this.#format || this.#codec;
  }

  get job(): AudioDecoder | undefined {
    return this.#job;
  }

  get sender(): AudioSender | undefined {
    return this.#sender;
  }

  get dropped(): number {
    return this.#dropped + (this.#sender?.dropped ?? 0) + (this.#job?.counters.dropped ?? 0);
  }

  /** @param unit - with normalized times */
  receive(unit: AudioUnit, now: number): void {
    if (unit.format !== this.#source) this.#configure(unit.format);
    this.rate.add(unit.data.length, now);
    if (this.#codec === 'MP3' && !this.#format) this.#describe(parseMp3Header(unit.data), 'MP3');
    this.#job?.feed(unit.data, unit.ptsUs / 1000);
    if (!this.#muted) this.#forwarder?.push(unit);
  }

  /** What comes cannot be taken. @param why - see refuseAudio */
  refuse(codec: string, why: string | undefined): void {
    this.changes++;
    this.#codec = codec;
    this.#source = undefined;
    this.#format = '';
    this.#stop();
    this.#adopt(refuseAudio(this.who, codec, why));
  }

  setMuted(muted: boolean): void {
    this.#muted = muted;
  }

  /** From now on there is somebody to send to. */
  open(target: HubTarget): void {
    this.close();
    this.#target = target;
    this.#targetCodec = this.#plan && this.#hubCodec;
    this.#start();
  }

  /** Nobody wants it any more. */
  close(): void {
    this.#stop();
    this.#target = undefined;
  }

  #configure(format: AudioFormat): void {
    const before = this.#source;
    this.changes++;
    this.#source = format;
    this.#format = '';
    if (format.codec === 'AAC') {
      const read = format.config && parseAacConfig(format.config);
      this.#describe(read, read?.name ?? 'AAC');
    } else if (format.sampleRate && format.channels)
      this.#describe({ rate: format.sampleRate, channels: format.channels }, format.codec);
    this.#stopSource();
    if (before?.codec !== format.codec) {
      this.#codec = format.codec;
      this.#adopt(planAudio(this.who, format.codec));
    }
    // The hub expects what it was told: it has to ask anew for another codec.
    this.#targetCodec ??= this.#hubCodec;
    if (this.#hubCodec !== this.#targetCodec) this.close();
    this.#start();
  }

  #describe(read: { readonly rate: number; readonly channels: number } | undefined, name: string): void {
    this.#format = read
      ? `${name} ${read.rate / 1000} kHz ${CHANNEL_WORDS[read.channels] ?? `${read.channels} channels`}`
      : name;
  }

  #adopt(plan: AudioPlan): void {
    this.#plan = plan;
    this.#log.info({ plan: plan.outcome, reason: plan.reason }, 'ingest audio plan');
    this.#events.planned(plan);
  }

  #start(): void {
    const target = this.#target;
    const outcome = this.#plan?.outcome;
    if (!target || !this.#source || outcome === 'refused' || outcome === undefined) return;
    const sender = this.#sender ?? this.#openSender(target);
    this.#sender = sender;
    if (outcome === 'pass-through') this.#forwarder = new AudioForwarder(sender);
    else {
      this.#framer = new OpusFramer(sender, this.#options.bitrateBps);
      this.#startJob(this.#source);
    }
  }

  #openSender(target: HubTarget): AudioSender {
    const ticksPerMs = this.#hubCodec === 'opus' ? OPUS_TICKS_PER_MS : AUDIO_CODECS.PCMU.clockRate / 1000;
    return new AudioSender(
      target,
      { ticksPerMs, maxWaitMs: this.#options.maxWaitMs },
      this.#clock,
      (sourceMs) => this.#events.ready(sourceMs),
      () => this.close(),
    );
  }

  /** What goes to the hub. */
  get #hubCodec(): string {
    return this.#plan?.outcome === 'pass-through' ? this.#codec : 'opus';
  }

  #startJob({ codec, config }: AudioFormat): void {
    if (codec !== 'AAC' && codec !== 'MP3') return;
    const job: AudioDecoder = new AudioDecoder({
      codec,
      config,
      clock: this.#clock,
      maxWaitMs: this.#options.maxWaitMs,
      onSamples: (samples, sourceMs) => {
        if (this.#job === job && !this.#muted) this.#framer?.push(samples, sourceMs);
      },
      onEnd: (cause) => this.#onJobEnd(job, cause),
    });
    this.#job = job;
  }

  #stop(): void {
    this.#dropped += this.#sender?.dropped ?? 0;
    this.#sender?.close();
    this.#sender = undefined;
    this.#stopSource();
  }

  /** What goes on with the same stream of packets may come from somewhere else. */
  #stopSource(): void {
    this.#framer = undefined;
    this.#forwarder = undefined;
    const job = this.#job;
    if (!job) return;
    this.#dropped += job.counters.dropped;
    this.#job = undefined;
    void job.stop();
  }

  #onJobEnd(job: AudioDecoder, cause: string): void {
    if (this.#job !== job) return;
    this.#dropped += job.counters.dropped;
    this.#job = undefined;
    this.#log.error({ cause }, 'ingest audio decoder ended');
    if (this.deaths.note()) {
      if (this.#source) this.#startJob(this.#source);
      return;
    }
    const reason = `The audio decoder of the server failed three times within a minute: ${cause}`;
    this.#adopt({ outcome: 'refused', reason, steps: [] });
  }
}
