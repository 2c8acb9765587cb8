import type { Clock, Logger } from '../../../src/gateway.ts';
import { parseAacConfig, parseMp3Header } from '../../../src/media/aac-config.ts';
import type { FlvAudio } from '../../../src/media/flv.ts';
import { AudioJob } from '../../../transcode/audio-job.ts';
import { ChildDeaths } from '../../../transcode/child-deaths.ts';
import { type AudioPlan, planAudio } from './audio-plan.ts';
import { AudioSender } from './audio-sender.ts';
import type { HubTarget } from './hub-stream.ts';
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

/** One publisher's sound on its way to the hub: decoded by a child, encoded as Opus; while somebody wants it. */
export class AudioPath {
  who = 'The encoder';
  readonly rate = new Rate();
  /** How often it became something else: another codec, or configuration. */
  changes = 0;
  readonly deaths: ChildDeaths;
  #muted = false;
  #options: AudioPathOptions;
  #clock: Clock;
  #log: Logger;
  #events: AudioPathEvents;
  #plan: AudioPlan | undefined;
  #codec = '';
  /** AudioSpecificConfig of AAC. */
  #config: Buffer | undefined;
  #format = '';
  #sender: AudioSender | undefined;
  #job: AudioJob | undefined;
  #dropped = 0;

  constructor(options: AudioPathOptions, clock: Clock, log: Logger, events: AudioPathEvents) {
    this.#options = options;
    this.#clock = clock;
    this.#log = log;
    this.#events = events;
    this.deaths = new ChildDeaths(clock);
  }

  get codec(): string {
    return this.#codec;
  }

  /** 'AAC-LC 48 kHz stereo' */
  get format(): string {
    return this.#format || this.#codec;
  }

  get job(): AudioJob | undefined {
    return this.#job;
  }

  get sender(): AudioSender | undefined {
    return this.#sender;
  }

  get dropped(): number {
    return this.#dropped + (this.#sender?.dropped ?? 0) + (this.#job?.counters.dropped ?? 0);
  }

  /** @param body - the whole FLV tag body that `audio` was read from @param sourceMs - mended */
  receive(audio: FlvAudio, body: Buffer, sourceMs: number, now: number): void {
    if (audio.codec !== this.#codec) this.#begin(audio);
    if (audio.packet === 'config') this.#configure(audio.data);
    else {
      this.rate.add(audio.data.length, now);
      if (this.#codec === 'MP3' && !this.#format) this.#describe(parseMp3Header(audio.data), 'MP3');
      if (this.#job) this.#job.feed(body, sourceMs);
    }
  }

  setMuted(muted: boolean): void {
    this.#muted = muted;
  }

  /** From now on there is somebody to send to. */
  open(target: HubTarget): void {
    this.close();
    this.#sender = new AudioSender(
      target,
      this.#options,
      this.#clock,
      (sourceMs) => this.#events.ready(sourceMs),
      () => this.close(),
    );
    this.#startJob();
  }

  /** Nobody wants it any more. */
  close(): void {
    this.#dropped += this.#sender?.dropped ?? 0;
    this.#sender?.close();
    this.#sender = undefined;
    this.#stopJob();
  }

  #begin({ codec }: FlvAudio): void {
    this.changes++;
    this.#codec = codec;
    this.#config = undefined;
    this.#format = '';
    this.#stopJob();
    this.#adopt(planAudio(this.who, codec));
    this.#startJob();
  }

  #configure(config: Buffer): void {
    // Encoders repeat it: only another one begins something new.
    if (this.#config?.equals(config)) return;
    this.changes++;
    this.#config = config;
    const read = parseAacConfig(config);
    this.#describe(read, read?.name ?? 'AAC');
    this.#stopJob();
    this.#startJob();
  }

  #describe(read: { readonly rate: number; readonly channels: number } | undefined, name: string): void {
    this.#format = read
      ? `${name} ${read.rate / 1000} kHz ${CHANNEL_WORDS[read.channels] ?? `${read.channels} channels`}`
      : name;
  }

  #adopt(plan: AudioPlan): void {
    this.#plan = plan;
    this.#log.info({ plan: plan.outcome, reason: plan.reason }, 'sound of an encoder');
    this.#events.planned(plan);
  }

  #startJob(): void {
    if (!this.#sender || this.#job || this.#plan?.outcome !== 'transcode') return;
    const codec = this.#codec === 'MP3' ? 'MP3' : 'AAC';
    if (codec === 'AAC' && !this.#config) return; // it comes first
    const job: AudioJob = new AudioJob({
      codec,
      config: this.#config,
      clock: this.#clock,
      maxWaitMs: this.#options.maxWaitMs,
      onSamples: (samples, sourceMs) => {
        if (this.#job === job && !this.#muted) this.#sender?.push(samples, sourceMs);
      },
      onEnd: (cause) => this.#onJobEnd(job, cause),
    });
    this.#job = job;
  }

  #stopJob(): void {
    const job = this.#job;
    if (!job) return;
    this.#dropped += job.counters.dropped;
    this.#job = undefined;
    void job.stop();
  }

  #onJobEnd(job: AudioJob, cause: string): void {
    if (this.#job !== job) return;
    this.#dropped += job.counters.dropped;
    this.#job = undefined;
    this.#log.error({ cause }, 'an audio decoder ended');
    if (this.deaths.note()) {
      this.#startJob();
      return;
    }
    const reason = `The audio decoder of the server failed three times within a minute: ${cause}`;
    this.#adopt({ outcome: 'refused', reason, steps: [] });
  }
}
