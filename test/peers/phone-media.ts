import dgram from 'node:dgram';
import { once } from 'node:events';
import { performance } from 'node:perf_hooks';
import type { CodecName } from './phone-codec.ts';
import type { Address } from './phone-line.ts';
import { PhoneReceiver } from './phone-receiver.ts';
import { buildSenderReport, parseRtcp, type RtcpReport } from './phone-rtcp.ts';
import type { Format, RemoteDescription } from './phone-sdp.ts';
import { PhoneSender } from './phone-sender.ts';
import type { Watch } from './phone-watch.ts';

const FRAME_MS = 20;
/** Frames from one RTCP report to the next: a second, more often than section 6.2 has it, so that tests need not wait. */
const FRAMES_A_REPORT = 50;

export interface Arrived {
  readonly report: RtcpReport;
  /** `address:port` */
  readonly source: string;
}

export interface Sound {
  readonly toneHz: number;
  readonly levelDb?: number;
}

/** A phone's sockets for RTP and RTCP, and the clock that moves its packets. */
export class PhoneMedia {
  readonly receiver = new PhoneReceiver();
  readonly reports: Arrived[] = [];
  sender: PhoneSender | undefined;
  /** RTP goes there instead of where the other side's SDP says. */
  detour: Address | undefined;
  isSending = false;
  isReporting = true;
  #rtp: dgram.Socket;
  #rtcp: dgram.Socket;
  #address: string;
  #sound: Sound;
  #watch: Watch;
  #remote: RemoteDescription | undefined;
  #timer: NodeJS.Timeout | undefined;
  #dueAt = 0;
  #frames = 0;
  #closed = false;

  private constructor(sockets: [dgram.Socket, dgram.Socket], address: string, sound: Sound, watch: Watch) {
    [this.#rtp, this.#rtcp] = sockets;
    this.#address = address;
    this.#sound = sound;
    this.#watch = watch;
    this.#rtp.on('message', this.#receiveRtp);
    this.#rtcp.on('message', this.#receiveRtcp);
  }

  /** @param watch - is told of everything that comes, and of every 20 ms that pass */
  static async open(address: string, sound: Sound, watch: Watch): Promise<PhoneMedia> {
    return new PhoneMedia(await openPair(address), address, sound, watch);
  }

  get rtpPort(): number {
    return this.#rtp.address().port;
  }

  get rtcpPort(): number {
    return this.#rtcp.address().port;
  }

  /** Starts sending, or goes on in another way. @throws when none of the formats is a voice codec */
  connect(remote: RemoteDescription, understood: readonly Format[], isSending: boolean): void {
    const voice = remote.formats.find(
      (format): format is Format & { name: CodecName } => format.name !== 'telephone-event',
    );
    if (!voice) throw new Error(`No codec in common: ${remote.media.join(', ')}`);
    this.#remote = remote;
    this.isSending = isSending;
    this.receiver.understand([...understood, ...remote.formats]);
    if (this.sender) this.sender.use(voice);
    else this.sender = new PhoneSender(voice, this.#sound.toneHz, this.#sound.levelDb);
    if (this.#timer) return;
    this.#dueAt = performance.now();
    this.#tick();
  }

  /** Resolves once the digit has been sent. @throws when the other side takes no digits */
  async press(digit: string, ms: number): Promise<void> {
    const events = this.#remote?.formats.filter(({ name }) => name === 'telephone-event') ?? [];
    const voice = this.#remote?.formats.find(({ name }) => name === this.sender?.codec);
    const format = events.find(({ rate }) => rate === voice?.rate) ?? events[0];
    if (!format || !this.sender) throw new Error('The other side takes no telephone-event');
    await this.sender.press(digit, ms, format);
  }

  /** Sends, and hears, at another port from now on; what comes to the old one is lost. @returns the port */
  async moveRtp(): Promise<number> {
    const socket = await openSocket(this.#address);
    this.#rtp.close();
    this.#rtp = socket;
    socket.on('message', this.#receiveRtp);
    return socket.address().port;
  }

  /** Sends a tone to the other side's port from a strange socket, in the call's codec, for so many packets. */
  async sendAs(
    socket: dgram.Socket,
    intruder: { toneHz: number; packets?: number; ssrc?: number },
  ): Promise<void> {
    const voice = this.#remote?.formats.find(({ name }) => name === this.sender?.codec);
    if (!this.#remote || !voice) throw new Error('The call has no media');
    const { port, address } = this.#remote;
    const format = voice as Format & { name: CodecName };
    const sender = new PhoneSender(format, intruder.toneHz, undefined, intruder.ssrc);
    const until = this.#frames + (intruder.packets ?? 50);
    let sent = this.#frames;
    await this.#watch.until(
      () => {
        for (; sent < this.#frames; sent++) {
          for (const packet of sender.frame()) socket.send(packet, port, address);
        }
        return this.#closed || this.#frames >= until;
      },
      (until - this.#frames) * FRAME_MS + 10_000,
      () => 'the clock of the phone stood still',
    );
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    clearTimeout(this.#timer);
    this.#rtp.close();
    this.#rtcp.close();
  }

  /** Paced by the clock, not by the timers: what one of them is late, the next is early. */
  #tick = (): void => {
    for (; this.#dueAt <= performance.now(); this.#dueAt += FRAME_MS) {
      this.#frames++;
      this.receiver.tick(performance.now());
      if (this.isSending) for (const packet of this.sender!.frame()) this.#sendRtp(packet);
      else this.sender!.skip();
      if (this.isReporting && this.#frames % FRAMES_A_REPORT === 0) this.#sendReport();
      this.#watch.changed();
    }
    if (!this.#closed) this.#timer = setTimeout(this.#tick, Math.max(0, this.#dueAt - performance.now()));
  };

  #sendRtp(packet: Buffer): void {
    const to = this.detour ?? this.#remote!;
    if (!this.#closed && to.port > 0 && to.address !== '0.0.0.0') this.#rtp.send(packet, to.port, to.address);
  }

  #sendReport(): void {
    const { sender } = this;
    const remote = this.#remote!;
    const report = buildSenderReport(
      {
        ssrc: sender!.ssrc,
        wallClockMs: Date.now(),
        rtpTimestamp: sender!.timestamp,
        packets: sender!.packets,
        octets: sender!.octets,
        block: this.receiver.block(performance.now()),
      },
      `phone-${sender!.ssrc}`,
    );
    if (remote.rtcpMux) this.#sendRtp(report);
    else if (!this.#closed && remote.port > 0 && remote.address !== '0.0.0.0') {
      this.#rtcp.send(report, remote.rtcpPort, remote.address);
    }
  }

  #receiveRtp = (packet: Buffer, from: Address): void => {
    // RFC 5761, section 4
    if (packet.length >= 8 && packet[1]! >= 192 && packet[1]! <= 223) {
      this.#receiveRtcp(packet, from);
      return;
    }
    this.receiver.receive(packet, `${from.address}:${from.port}`, performance.now());
    this.#watch.changed();
  };

  #receiveRtcp = (packet: Buffer, from: Address): void => {
    const reports = parseRtcp(packet);
    if (!reports) this.receiver.received.malformed++;
    for (const report of reports ?? []) {
      if (report.type === 'sender') this.receiver.reported(report.ntpMiddle, performance.now());
      this.reports.push({ report, source: `${from.address}:${from.port}` });
    }
    this.#watch.changed();
  };
}

async function openSocket(address: string, port = 0): Promise<dgram.Socket> {
  const socket = dgram.createSocket('udp4');
  socket.bind(port, address);
  try {
    await once(socket, 'listening');
  } catch (error) {
    socket.close();
    throw error;
  }
  socket.on('error', () => {});
  return socket;
}

/** An even port and the one above it (RFC 3550, section 11). */
async function openPair(address: string): Promise<[dgram.Socket, dgram.Socket]> {
  for (let attempt = 0; attempt < 50; attempt++) {
    const rtp = await openSocket(address);
    const { port } = rtp.address();
    const rtcp = port % 2 === 0 ? await openSocket(address, port + 1).catch(() => undefined) : undefined;
    if (rtcp) return [rtp, rtcp];
    rtp.close();
  }
  throw new Error(`No two neighbouring ports are free at ${address}`);
}
