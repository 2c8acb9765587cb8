import { FrameBuffer } from './frame-buffer.ts';
import type { RtpPacket } from './rtp.ts';

/** Real ones have a tenth of it; what is longer costs memory and no more. */
const MAX_FRAME_BYTES = 2 * 1024 * 1024;

/** How frames of one codec are cut into payloads. Has to do with one frame at a time. */
export interface PayloadFormat<Frame> {
  /** Whether it can be the first payload of a frame. Asked when those before it are not known. */
  begins(payload: Buffer): boolean;
  /**
   * Takes the next payload of a frame, which is not empty.
   * @returns false when it is malformed, or out of place, or too much for the buffer
   */
  add(payload: Buffer, buffer: FrameBuffer): boolean;
  /**
   * The payloads were all of it; the next one is of another frame.
   * @param timestamp - of RTP, 32 bits, 90 kHz
   * @returns undefined when there is no picture in it
   */
  end(buffer: FrameBuffer, timestamp: number): Frame | 'malformed' | undefined;
  /** The frame will not be ended; the next payload is of another one. */
  reset(): void;
}

export interface FrameEvents<Frame> {
  /** What it refers to stays as it is until the depacketizer gets its next packet. */
  frame(frame: Frame): void;
  /** A frame is left out: some of it was missing, or malformed. Told once a frame, as early as it is known. */
  dropped(): void;
}

/**
 * Tells which packets are one frame: those with the same timestamp up to the marker bit (RFC 3550, section 5.1), or up to
 * another timestamp if the bit is missing. Packets without a payload are passed over: they are padding.
 */
export class FrameAssembly<Frame> {
  #format: PayloadFormat<Frame>;
  #events: FrameEvents<Frame>;
  #buffer = new FrameBuffer(MAX_FRAME_BYTES);
  /** Between frames, within one, or within the rest of one that is left out. */
  #state: 'between' | 'collecting' | 'skipping' = 'between';
  #timestamp = 0;
  /** The packets before the next one are not known. */
  #afterGap = true;
  /** The gap began within the frame with that timestamp. */
  #cutOff = false;
  #malformed = 0;

  constructor(format: PayloadFormat<Frame>, events: FrameEvents<Frame>) {
    this.#format = format;
    this.#events = events;
  }

  /** Frames that were left out because of what was in them. */
  get malformed(): number {
    return this.#malformed;
  }

  /** Takes the next packet in order. Never throws. */
  receive(packet: RtpPacket): void {
    const { payload, timestamp, marker } = packet;
    if (payload.length === 0) return;
    if (this.#state !== 'between' && timestamp !== this.#timestamp) this.#end();
    if (this.#state === 'between') this.#begin(payload, timestamp);
    if (this.#state === 'collecting' && !this.#format.add(payload, this.#buffer)) this.#break();
    if (marker) this.#end();
  }

  /** The packets before the next one are missing. */
  gap(): void {
    this.#cutOff = this.#state !== 'between';
    if (this.#state === 'collecting') this.#drop();
    this.#state = 'between';
    this.#afterGap = true;
  }

  #begin(payload: Buffer, timestamp: number): void {
    // The rest of the frame that the gap was in: it has been told.
    const isRest = this.#cutOff && timestamp === this.#timestamp;
    const isWhole = !this.#afterGap || this.#format.begins(payload);
    this.#cutOff = false;
    this.#afterGap = false;
    this.#timestamp = timestamp;
    this.#state = isRest || !isWhole ? 'skipping' : 'collecting';
    if (!isRest && !isWhole) this.#events.dropped();
  }

  #end(): void {
    const isWhole = this.#state === 'collecting';
    this.#state = 'between';
    if (!isWhole) return;
    const frame = this.#format.end(this.#buffer, this.#timestamp);
    this.#buffer.clear(); // its memory stays as it is for now
    if (frame === 'malformed') {
      this.#malformed++;
      this.#events.dropped();
    } else if (frame !== undefined) this.#events.frame(frame);
  }

  #break(): void {
    this.#state = 'skipping';
    this.#malformed++;
    this.#drop();
  }

  #drop(): void {
    this.#format.reset();
    this.#buffer.clear();
    this.#events.dropped();
  }
}
