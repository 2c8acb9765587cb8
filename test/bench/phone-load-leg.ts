import dgram from 'node:dgram';
import { once } from 'node:events';
import { isRtcp, RTP_HEADER_BYTES, writeRtpHeader } from '../../src/media/rtp/rtp.ts';
import type { Address } from '../peers/phone-line.ts';
import type { Recording } from './phone-load-recording.ts';
import { FRAME_SAMPLES, SILENCE } from './phone-load-sound.ts';

/** A step in sequence numbers that is no loss any more but another stream. */
const MAX_DROPOUT = 3000;

/** RTP of one caller: a socket, PCMU in 20 ms packets, and what is to be counted of what comes. */
export class LoadLeg {
  /** What it says next, if not silence. */
  readonly queue: Uint8Array[] = [];
  received = 0;
  /** By sequence numbers. */
  lost = 0;
  /** Keeps what it hears, where that is wanted. */
  recording: Recording | undefined;
  #socket: dgram.Socket;
  #packet = Buffer.alloc(RTP_HEADER_BYTES + FRAME_SAMPLES);
  #header;
  #next: number | undefined;
  #firstTimestamp = 0;
  #lastTimestamp = 0;
  #connected = false;

  private constructor(socket: dgram.Socket, ssrc: number) {
    this.#socket = socket;
    this.#header = { payloadType: 0, marker: false, sequenceNumber: 0, timestamp: 0, ssrc };
    socket.on('message', this.#onMessage);
  }

  static async open(address: string, ssrc: number): Promise<LoadLeg> {
    const socket = dgram.createSocket('udp4');
    socket.bind(0, address);
    await once(socket, 'listening');
    socket.on('error', () => {}); // ICMP's, when the other side has closed its port
    return new LoadLeg(socket, ssrc);
  }

  get port(): number {
    return this.#socket.address().port;
  }

  /** Frames between the first and the last that came which never were in a packet: ticks that were skipped. */
  get skipped(): number {
    if (this.received === 0) return 0;
    const frames = ((this.#lastTimestamp - this.#firstTimestamp) | 0) / FRAME_SAMPLES + 1;
    return Math.max(0, Math.round(frames) - this.received - this.lost);
  }

  /** Sends there, and hears only that, from now on. */
  async connect({ port, address }: Address): Promise<void> {
    this.#socket.connect(port, address);
    await once(this.#socket, 'connect');
    this.#connected = true;
  }

  /** Counts from here on. */
  reset(): void {
    this.received = 0;
    this.lost = 0;
    this.#next = undefined;
  }

  /** 20 ms of what is in the queue, or else of `otherwise`. */
  send(otherwise: Uint8Array = SILENCE): void {
    if (!this.#connected) return;
    const header = this.#header;
    writeRtpHeader(this.#packet, header);
    header.sequenceNumber = (header.sequenceNumber + 1) & 0xffff;
    header.timestamp = (header.timestamp + FRAME_SAMPLES) >>> 0;
    this.#packet.set(this.queue.shift() ?? otherwise, RTP_HEADER_BYTES);
    this.#socket.send(this.#packet);
  }

  close(): void {
    this.#connected = false;
    this.#socket.close();
  }

  #onMessage = (packet: Buffer): void => {
    if (isRtcp(packet) || packet.length < RTP_HEADER_BYTES) return;
    const number = packet.readUInt16BE(2);
    const timestamp = packet.readUInt32BE(4);
    const gap = (number - (this.#next ?? number)) & 0xffff;
    if (gap < MAX_DROPOUT) this.lost += gap;
    if (this.received === 0) this.#firstTimestamp = timestamp;
    this.#lastTimestamp = timestamp;
    this.#next = (number + 1) & 0xffff;
    this.received++;
    this.recording?.add(timestamp, packet.subarray(RTP_HEADER_BYTES), performance.now());
  };
}
