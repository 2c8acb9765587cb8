import { randomInt } from 'node:crypto';
import type { Clock, Timer } from '../../src/base/clock.ts';
import { AUDIO_LEVEL_BYTES, AUDIO_LEVEL_ID, writeAudioLevel } from '../../src/media/rtp/audio-level.ts';
import { RTP_HEADER_BYTES, writeRtpHeader } from '../../src/media/rtp/rtp.ts';
import type { HubTarget } from './hub-stream.ts';

const FRAME_MS = 20;
/** Audio that is further than a frame from where it should be goes on from there; less is made up for little by little. */
const JUMP_MS = FRAME_MS;
/** What a frame may move the clock by without being heard: half a percent. */
const SLEW_MS = 0.1;
const PAYLOAD_AT = RTP_HEADER_BYTES + AUDIO_LEVEL_BYTES;
const MAX_PACKET_BYTES = 1500;
/** The largest payload that a packet has room for. */
export const MAX_PAYLOAD_BYTES = MAX_PACKET_BYTES - PAYLOAD_AT;
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

export interface AudioSenderOptions {
  /** Of the RTP clock: 48 for Opus (RFC 7587, section 4.1), 8 for G.711. */
  readonly ticksPerMs: number;
  /** The longest delay. */
  readonly maxWaitMs: number;
}

/**
 * Sends encoded audio to the hub as RTP, with its level. It can be held back for a while, so that it does not come before
 * the video that it belongs to.
 */
export class AudioSender {
  /** That sound should be held back by, ms. */
  wantedDelayMs = 0;
  delayMs = 0;
  packetsSent = 0;
  /** Frames that had no room among those that wait, or in a packet. */
  dropped = 0;
  #target: HubTarget;
  #clock: Clock;
  #ticksPerMs: number;
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

  /** @param onFrame - a frame is ready, with the source time at which it begins */
  constructor(
    target: HubTarget,
    { ticksPerMs, maxWaitMs }: AudioSenderOptions,
    clock: Clock,
    onFrame: (frameMs: number) => void,
    onClose: () => void,
  ) {
    this.#ticksPerMs = ticksPerMs;
    this.#target = target;
    this.#clock = clock;
    this.#onFrame = onFrame;
    const count = Math.ceil(maxWaitMs / FRAME_MS) + 8;
    this.#slots = Array.from({ length: count }, () => ({
      packet: Buffer.alloc(MAX_PACKET_BYTES),
      bytes: 0,
      dueAt: 0,
    }));
    this.#forgetLink = target.link.onClose(onClose);
  }

  close(): void {
    this.#forgetLink();
    this.#timer?.cancel();
    this.#waiting = 0;
  }

  /**
   * @param frameMs - source time of its first sample @param ticks - how long it is, by the RTP clock
   * @param levelDb - dBFS @param write - puts the payload into a packet, and says how many bytes it has
   */
  send(frameMs: number, ticks: number, levelDb: number, write: (packet: Buffer, at: number) => number): void {
    this.#onFrame(frameMs);
    const timestamp = this.#place(frameMs, ticks);
    if (timestamp === undefined || this.#waiting === this.#slots.length) {
      this.dropped++;
      return;
    }
    const slot = this.#slots[(this.#head + this.#waiting) % this.#slots.length]!;
    const { packet } = slot;
    const bytes = write(packet, PAYLOAD_AT);
    writeRtpHeader(packet, {
      payloadType: this.#target.payloadType,
      marker: false,
      sequenceNumber: this.#sequenceNumber,
      timestamp: (this.#offset + timestamp) % 2 ** 32,
      ssrc: this.#target.ssrc,
    });
    this.#sequenceNumber = (this.#sequenceNumber + 1) & 0xffff;
    packet[0]! |= 0x10; // an extension follows
    writeAudioLevel(packet, RTP_HEADER_BYTES, AUDIO_LEVEL_ID, levelDb, levelDb > SPEECH_DB);
    slot.bytes = PAYLOAD_AT + bytes;
    this.#followDelay();
    slot.dueAt = this.#clock.now() + this.delayMs;
    this.#waiting++;
    this.#sendDue();
  }

  /** @returns the RTP time of a frame; undefined for one that lies before what was sent already */
  #place(frameMs: number, length: number): number | undefined {
    const wanted = Math.round(frameMs * this.#ticksPerMs);
    const next = this.#ticks ?? wanted;
    const off = wanted - next;
    const jump = JUMP_MS * this.#ticksPerMs;
    if (off < -jump) return undefined;
    const slew = Math.max(1, Math.round(SLEW_MS * this.#ticksPerMs));
    const ticks = off > jump ? wanted : next + Math.max(-slew, Math.min(slew, off));
    this.#ticks = ticks + length;
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
