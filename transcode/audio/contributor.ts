import { OPUS_DTX_BYTES } from '../../src/media/opus-packet.ts';
import { decodingRate } from './audio-codec.ts';
import { DecodedStream } from './decoded-stream.ts';
import { JitterBuffer, type JitterCounters } from './jitter-buffer.ts';
import { type AudioCodecName, channelsOf, FRAME_MS, type MixFormat, samplesPerFrame } from './mix-format.ts';
import { ResampledStream } from './resampled-stream.ts';
import { levelOf, levelOfALaw, levelOfMuLaw, VoiceActivity } from './voice-activity.ts';

/** Where a contributor's packets come from: a gateway in this process, or the room's hub. */
export type Origin = 'gateway' | 'hub';

/** 20 ms in samples of 8 kHz. */
const UNITS_PER_FRAME = samplesPerFrame(8000);
const UNITS_PER_MS = UNITS_PER_FRAME / FRAME_MS;

/** What each tick counts in the average delay: it is one of about a second. */
const DELAY_SHARE = FRAME_MS / 1000;

const LEVEL_METERS: Partial<Record<AudioCodecName, (payload: Uint8Array) => number>> = {
  PCMU: levelOfMuLaw,
  PCMA: levelOfALaw,
};

/**
 * One who can be heard in a mix: takes packets as they arrive, and has a frame for every tick while he
 * speaks. While he is silent, or nobody wants to hear him, his packets cost a look at their level.
 */
export class Contributor {
  readonly origin: Origin;
  readonly codec: AudioCodecName;
  /** Payloads that could not be decoded. */
  undecodable = 0;
  #muted = false;
  /** Tells a packet's level without decoding it, where that is possible. */
  #meter: ((payload: Uint8Array) => number) | undefined;
  /** Whether his packets' levels are known as they arrive, by the meter or because they bring them. */
  #knowsLevels: boolean;
  #activity = new VoiceActivity();
  #buffer = new JitterBuffer();
  /** By what they decode to. */
  #streams = new Map<MixFormat, DecodedStream>();
  #resampled = new Map<MixFormat, ResampledStream>();
  /** Tells how loud he is, when his packets don't. */
  #metered: DecodedStream | undefined;
  /** Decoded and not yet used, in samples of 8 kHz. */
  #queued = 0;
  #speaking = false;
  /** Packets are in the jitter buffer, or were a moment ago. */
  #playing = false;
  /** Whether this tick has a frame. */
  #audible = false;
  #levelDb = -127;
  #lastUnits = UNITS_PER_FRAME;
  /** Average, ms; undefined before anything of this spurt was played. */
  #delayMs: number | undefined;
  /** The last packet before he spoke: decoded first, so that a codec with memory does not start from nothing. */
  #before: Buffer | undefined;

  constructor(codec: AudioCodecName, origin: Origin) {
    this.codec = codec;
    this.origin = origin;
    this.#meter = LEVEL_METERS[codec];
    this.#knowsLevels = this.#meter !== undefined;
  }

  get jitter(): Readonly<JitterCounters> & { readonly depth: number } {
    return { ...this.#buffer.counters, depth: this.#buffer.depth };
  }

  /** Level of his last packet, dBFS: -127 to 0. */
  get levelDb(): number {
    return this.#levelDb;
  }

  get speaking(): boolean {
    return this.#speaking && !this.#muted;
  }

  /** How long his sound waits from `receive` until it is played, ms: the average of about a second. 0 while he is silent. */
  get delayMs(): number {
    return this.speaking ? Math.max(0, this.#delayMs ?? 0) : 0;
  }

  /** Whether it has a frame at this tick. */
  get audible(): boolean {
    return this.#audible;
  }

  /** How many decoders run for him. */
  get decoders(): number {
    return this.#streams.size;
  }

  set muted(muted: boolean) {
    this.#muted = muted;
    if (muted) this.#stop();
  }

  /** What he is wanted in: mono of which rates, and stereo; none: nobody hears him. */
  setRates(formats: ReadonlySet<MixFormat>): void {
    const needed = new Set([...formats].map((format) => decodingRate(this.codec, format)));
    for (const format of this.#streams.keys()) if (!needed.has(format)) this.#streams.delete(format);
    for (const format of needed) {
      if (this.#streams.has(format)) continue;
      const stream = new DecodedStream(this.codec, format);
      stream.pad(this.#queued); // all of them have equally much
      this.#streams.set(format, stream);
    }
    for (const format of this.#resampled.keys()) if (!formats.has(format)) this.#resampled.delete(format);
    for (const format of formats) {
      const decoded = decodingRate(this.codec, format);
      if (decoded === format || this.#resampled.has(format)) continue;
      this.#resampled.set(format, new ResampledStream(this.#streams.get(decoded)!, format));
    }
    const streams = [...this.#streams.values()];
    // Mono if there is any: whether phones hear him must not depend on who else listens in stereo.
    this.#metered = streams.find((stream) => channelsOf(stream.format) === 1) ?? streams[0];
    if (formats.size === 0) this.#stop();
  }

  /**
   * A packet as it arrived.
   * @param payload - kept until it is played
   * @param levelDb - as its sender says (RFC 6464), dBFS
   */
  receive(sequenceNumber: number, payload: Buffer, levelDb?: number): void {
    if (this.#muted) return;
    const level = levelDb ?? this.#meter?.(payload);
    if (level !== undefined) {
      this.#levelDb = level;
      this.#speaking = this.#activity.next(level);
      this.#knowsLevels = true;
    }
    if (this.#streams.size === 0) return;
    if (level === undefined ? payload.length > OPUS_DTX_BYTES || this.#playing : this.#speaking) {
      if (!this.#playing) this.#begin();
      this.#buffer.push(sequenceNumber, payload);
    } else this.#before = payload;
  }

  /** At each tick, before frames are read. @returns whether he is heard in it */
  advance(): boolean {
    this.#audible = this.#playing && this.#fill();
    if (this.#audible) for (const stream of this.#resampled.values()) stream.advance();
    return this.#audible;
  }

  /** This tick's frame, if he is audible; valid until the next tick. @returns undefined in a format that he is not wanted in */
  frame(format: MixFormat): Int16Array | undefined {
    const from = decodingRate(this.codec, format);
    return from === format ? this.#streams.get(format)?.frame : this.#resampled.get(format)?.frame;
  }

  /** Makes sure that every stream has a frame. @returns whether he is heard */
  #fill(): boolean {
    for (const stream of this.#streams.values()) stream.advance();
    this.#queued = Math.max(0, this.#queued - UNITS_PER_FRAME);
    while (this.#queued < UNITS_PER_FRAME) {
      if (!this.#speaking && this.#knowsLevels && this.#buffer.depth === 0) return this.#end();
      const pulled = this.#buffer.pull();
      // Empty with packets in it: it waits as long as the latest ones are expected to need.
      if (pulled.outcome === 'empty') return this.#buffer.depth > 0 ? false : this.#end();
      this.#queued += pulled.outcome === 'frame' ? this.#decode(pulled.payload) : this.#conceal(pulled.next);
    }
    this.#measureDelay();
    return this.#knowsLevels || this.#listen();
  }

  /**
   * Sound waits on average for as long as what waits takes to play (Little's law). A packet's first sample waits half a
   * packet less than its average one.
   */
  #measureDelay(): void {
    const waitingUnits = this.#queued + (this.#buffer.depth - 0.5) * this.#lastUnits;
    const delayMs = waitingUnits / UNITS_PER_MS;
    if (this.#delayMs === undefined) this.#delayMs = delayMs;
    else this.#delayMs += (delayMs - this.#delayMs) * DELAY_SHARE;
  }

  /** Tells by the decoded sound whether he speaks. */
  #listen(): boolean {
    if (!this.#metered) return false;
    this.#levelDb = levelOf(this.#metered.frame);
    this.#speaking = this.#activity.next(this.#levelDb);
    return this.#speaking;
  }

  /** @returns how much it was, in samples of 8 kHz */
  #decode(payload: Buffer): number {
    let units = 0;
    for (const stream of this.#streams.values()) units = stream.decode(payload);
    if (units === 0) {
      this.undecodable++;
      return this.#conceal(undefined);
    }
    this.#lastUnits = units;
    return units;
  }

  #conceal(next: Buffer | undefined): number {
    for (const stream of this.#streams.values()) stream.conceal(this.#lastUnits, next);
    return this.#lastUnits;
  }

  #begin(): void {
    this.#playing = true;
    if (this.#before) for (const stream of this.#streams.values()) stream.prime(this.#before);
    this.#before = undefined;
  }

  /** A pause: what comes next begins anew. */
  #end(): false {
    this.#speaking = false;
    this.#playing = false;
    this.#queued = 0;
    this.#delayMs = undefined;
    this.#buffer.reset();
    for (const stream of this.#streams.values()) stream.clear();
    for (const stream of this.#resampled.values()) stream.reset();
    return false;
  }

  #stop(): void {
    this.#before = undefined;
    this.#end();
    this.#audible = false;
  }
}
