import { randomInt } from 'node:crypto';
import type { Clock, Timer } from '../../../src/gateway.ts';
import { AUDIO_LEVEL_BYTES, AUDIO_LEVEL_ID, writeAudioLevel } from '../../../src/media/audio-level.ts';
import { RTP_HEADER_BYTES, writeRtpHeader } from '../../../src/media/rtp.ts';
import { OpusStereoEncoder } from '../../../transcode/opus-codec.ts';
import type { HubTarget } from './hub-stream.ts';
import { levelOf } from './sound-level.ts';

const FRAME_MS = 20;
const CHANNELS = 2;
/** Of Opus, always (RFC 7587, section 4.1). */
const TICKS_PER_MS = 48;
const FRAME_TICKS = FRAME_MS * TICKS_PER_MS;
/** Sound that is so far from where it should be goes on from there; less is made up for little by little. */
const JUMP_TICKS = FRAME_TICKS;
/** What a frame may move the clock by without being heard: half a percent. */
const SLEW_TICKS = 5;
const PAYLOAD_AT = RTP_HEADER_BYTES + AUDIO_LEVEL_BYTES;
const MAX_PACKET_BYTES = 1500;
/** Louder than this counts as speech. */
const SPEECH_DB = -50;
/** The delay follows what is wanted by so much a frame, once it is off by more than the tolerance, ms. */
const DELAY_STEP_MS = 1;
const DELAY_TOLERANCE_MS = 15;

interface Slot {
  readonly packet: Buffer;
  bytes: number;
  dueAt: number;
}

/**
 * Encodes sound as Opus and sends it to the hub. It can be held back for a while, so that it does not come before the
 * pictures that it belongs to.
 */
export class AudioSender {
  /** That sound should be held back by, ms. */
  wantedDelayMs = 0;
  delayMs = 0;
  packetsSent = 0;
  /** Frames that had no room among those that wait. */
  dropped = 0;
  #target: HubTarget;
  #clock: Clock;
  #encoder: OpusStereoEncoder;
  #samples = new Int16Array(FRAME_TICKS * CHANNELS);
  #filled = 0;
  /** Source time of the first sample in it. */
  #frameMs = 0;
  #sequenceNumber = randomInt(65536);
  /** Of the frame to come; without turns at 2^32. Undefined before the first. */
  #ticks: number | undefined;
  #offset = randomInt(2 ** 31);
  #slots: Slot[];
  #head = 0;
  #waiting = 0;
  #timer: Timer | undefined;
  #forgetLink: () => void;
  #onFrame: (frameMs: number) => void;

  /**
   * @param maxWaitMs - the longest delay
   * @param onFrame - a frame is ready, with the source time at which it begins
   */
  constructor(
    target: HubTarget,
    options: { readonly bitrateBps: number; readonly maxWaitMs: number },
    clock: Clock,
    onFrame: (frameMs: number) => void,
    onClose: () => void,
  ) {
    this.#target = target;
    this.#clock = clock;
    this.#onFrame = onFrame;
    this.#encoder = new OpusStereoEncoder(options.bitrateBps);
    const count = Math.ceil(options.maxWaitMs / FRAME_MS) + 8;
    this.#slots = Array.from({ length: count }, () => ({
      packet: Buffer.alloc(MAX_PACKET_BYTES),
      bytes: 0,
      dueAt: 0,
    }));
    this.#forgetLink = target.link.onClose(onClose);
  }

  /** @param samples - left and right in turn, 48 kHz @param sourceMs - of the first one */
  push(samples: Int16Array, sourceMs: number): void {
    let at = 0;
    while (at < samples.length) {
      const here = sourceMs + at / CHANNELS / TICKS_PER_MS;
      const expected = this.#frameMs + this.#filled / CHANNELS / TICKS_PER_MS;
      if (this.#filled > 0 && Math.abs(here - expected) > FRAME_MS) this.#filled = 0; // what belonged to it did not come
      if (this.#filled === 0) this.#frameMs = here;
      const count = Math.min(samples.length - at, this.#samples.length - this.#filled);
      this.#samples.set(samples.subarray(at, at + count), this.#filled);
      this.#filled += count;
      at += count;
      if (this.#filled < this.#samples.length) return;
      this.#filled = 0;
      this.#encode();
    }
  }

  close(): void {
    this.#forgetLink();
    this.#timer?.cancel();
    this.#waiting = 0;
  }

  #encode(): void {
    this.#onFrame(this.#frameMs);
    const ticks = this.#place(this.#frameMs);
    if (ticks === undefined) {
      this.dropped++;
      return;
    }
    if (this.#waiting === this.#slots.length) {
      this.dropped++;
      return;
    }
    const slot = this.#slots[(this.#head + this.#waiting) % this.#slots.length]!;
    const { packet } = slot;
    const bytes = this.#encoder.encode(this.#samples, packet, PAYLOAD_AT);
    writeRtpHeader(packet, {
      payloadType: this.#target.payloadType,
      marker: false,
      sequenceNumber: this.#sequenceNumber,
      timestamp: (this.#offset + ticks) % 2 ** 32,
      ssrc: this.#target.ssrc,
    });
    this.#sequenceNumber = (this.#sequenceNumber + 1) & 0xffff;
    packet[0]! |= 0x10; // an extension follows
    const level = levelOf(this.#samples);
    writeAudioLevel(packet, RTP_HEADER_BYTES, AUDIO_LEVEL_ID, level, level > SPEECH_DB);
    slot.bytes = PAYLOAD_AT + bytes;
    this.#followDelay();
    slot.dueAt = this.#clock.now() + this.delayMs;
    this.#waiting++;
    this.#sendDue();
  }

  /** @returns the RTP time of a frame; undefined for one that lies before what was sent already */
  #place(frameMs: number): number | undefined {
    const wanted = Math.round(frameMs * TICKS_PER_MS);
    const next = this.#ticks ?? wanted;
    const off = wanted - next;
    if (off < -JUMP_TICKS) return undefined;
    const ticks = off > JUMP_TICKS ? wanted : next + Math.max(-SLEW_TICKS, Math.min(SLEW_TICKS, off));
    this.#ticks = ticks + FRAME_TICKS;
    return ticks;
  }

  #followDelay(): void {
    const off = this.wantedDelayMs - this.delayMs;
    if (Math.abs(off) > DELAY_TOLERANCE_MS) this.delayMs += Math.sign(off) * DELAY_STEP_MS;
    if (this.wantedDelayMs === 0 && this.delayMs <= DELAY_TOLERANCE_MS) this.delayMs = 0;
  }

  #sendDue = (): void => {
    const now = this.#clock.now();
    this.#timer?.cancel();
    this.#timer = undefined;
    while (this.#waiting > 0) {
      const slot = this.#slots[this.#head]!;
      if (slot.dueAt > now) {
        this.#timer = this.#clock.after(slot.dueAt - now, this.#sendDue);
        return;
      }
      this.#head = (this.#head + 1) % this.#slots.length;
      this.#waiting--;
      this.packetsSent++;
      this.#target.link.send(slot.packet.subarray(0, slot.bytes));
    }
  };
}
