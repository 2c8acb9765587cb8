import { randomInt } from 'node:crypto';
import { Tone } from '../signals/tone.ts';
import { type CodecName, createCodec, type PhoneCodec } from './phone-codec.ts';
import type { Format } from './phone-sdp.ts';

/** RFC 4733, section 3.2 */
const DIGITS = '0123456789*#ABCD';

interface Press {
  readonly event: number;
  readonly payloadType: number;
  /** Of the event's first packet, as all of its packets have it. */
  readonly timestamp: number;
  /** Length of 20 ms in units of the event's clock. */
  readonly step: number;
  readonly frames: number;
  sent: number;
  readonly done: () => void;
}

/** The mouth of a phone: every 20 ms a packet of a tone, of silence or of a digit. */
export class PhoneSender {
  readonly ssrc: number;
  sound: 'tone' | 'silence' | 'nothing' = 'tone';
  packets = 0;
  octets = 0;
  #codec: PhoneCodec;
  #format: Format;
  #tone: Tone;
  #samples: Int16Array;
  #sequence = randomInt(0x10000);
  #timestamp = randomInt(2 ** 32);
  /** The next packet is the first after a pause (RFC 3551, section 4.1). */
  #resumes = true;
  #presses: Press[] = [];

  /** @param format - what the other side prefers */
  constructor(format: Format & { name: CodecName }, toneHz: number, levelDb?: number, ssrc?: number) {
    this.ssrc = ssrc ?? randomInt(2 ** 32);
    this.#format = format;
    this.#codec = createCodec(format.name);
    this.#tone = new Tone(format.rate, toneHz, levelDb);
    this.#samples = new Int16Array(format.rate / 50);
  }

  get codec(): CodecName {
    return this.#format.name as CodecName;
  }

  get timestamp(): number {
    return this.#timestamp;
  }

  /** The other side now wants this payload type or codec; the stream goes on (RFC 3264, section 8.3.2). */
  use(format: Format & { name: CodecName }): void {
    if (format.name !== this.#format.name) {
      this.#codec = createCodec(format.name);
      this.#tone = new Tone(format.rate, this.#tone.hz);
      this.#samples = new Int16Array(format.rate / 50);
    }
    this.#format = format;
  }

  /** Resolves once the digit's last packet has been made. */
  press(digit: string, ms: number, events: Format): Promise<void> {
    const event = DIGITS.indexOf(digit.toUpperCase());
    if (event < 0 || digit.length !== 1) return Promise.reject(new Error(`No digit: ${digit}`));
    return new Promise((done) => {
      const frames = Math.max(1, Math.round(ms / 20));
      const ahead = this.#presses.reduce((sum, press) => sum + press.frames - press.sent, 0);
      const timestamp = (this.#timestamp + ahead * this.#samples.length) >>> 0;
      const { payloadType, rate } = events;
      this.#presses.push({ event, payloadType, timestamp, step: rate / 50, frames, sent: 0, done });
    });
  }

  /** The packets of the next 20 ms. */
  frame(): Buffer[] {
    const [press] = this.#presses;
    const packets = press ? this.#digit(press) : this.#voice();
    this.#timestamp = (this.#timestamp + this.#samples.length) >>> 0;
    for (const packet of packets) this.octets += packet.length - 12;
    this.packets += packets.length;
    return packets;
  }

  /** Time passes without anything sent. */
  skip(): void {
    this.#tone.fill(this.#samples);
    this.#timestamp = (this.#timestamp + this.#samples.length) >>> 0;
    this.#resumes = true;
  }

  #voice(): Buffer[] {
    this.#tone.fill(this.#samples);
    if (this.sound === 'nothing') {
      this.#resumes = true;
      return [];
    }
    if (this.sound === 'silence') this.#samples.fill(0);
    const payload = this.#codec.encode(this.#samples);
    const packet = this.#packet(this.#format.payloadType, this.#timestamp, this.#resumes, payload);
    this.#resumes = false;
    return [packet];
  }

  /** RFC 4733, section 2.5: the first packet thrice, updates, and the end thrice. */
  #digit(press: Press): Buffer[] {
    const isFirst = press.sent === 0;
    press.sent++;
    const isLast = press.sent === press.frames;
    const payload = Buffer.from([press.event, 10, 0, 0]);
    payload.writeUInt16BE(press.sent * press.step, 2);
    const packets: Buffer[] = [];
    for (let copy = isFirst ? 3 : isLast ? 0 : 1; copy > 0; copy--) {
      const marker = isFirst && packets.length === 0;
      packets.push(this.#packet(press.payloadType, press.timestamp, marker, payload));
    }
    if (isLast) {
      payload[1] = 0x80 | payload[1]!;
      for (let copy = 0; copy < 3; copy++) {
        packets.push(this.#packet(press.payloadType, press.timestamp, false, payload));
      }
      this.#presses.shift();
      press.done();
    }
    return packets;
  }

  #packet(payloadType: number, timestamp: number, marker: boolean, payload: Uint8Array): Buffer {
    const packet = Buffer.alloc(12 + payload.length);
    packet[0] = 0x80;
    packet[1] = payloadType | (marker ? 0x80 : 0);
    packet.writeUInt16BE(this.#sequence, 2);
    packet.writeUInt32BE(timestamp, 4);
    packet.writeUInt32BE(this.ssrc, 8);
    packet.set(payload, 12);
    this.#sequence = (this.#sequence + 1) & 0xffff;
    return packet;
  }
}
