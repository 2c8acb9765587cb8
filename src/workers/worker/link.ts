import dgram from 'node:dgram';
import type { MediaLink } from '../../media/media-link.ts';
import { feedbackTarget } from '../../media/rtp/rtcp-feedback.ts';
import { isRtcp, RTP_HEADER_BYTES } from '../../media/rtp/rtp.ts';
import type { WorkerStatistics } from '../messages.ts';

const LOOPBACK = '127.0.0.1';
/** Holds a key frame of some hundred packets while the loop is busy. The kernel may grant less. */
const SOCKET_BUFFER_BYTES = 4 * 1024 * 1024;

/** The media worker's end of a hub's PlainTransport: one UDP socket on loopback, demultiplexed by SSRC. */
export class Link implements MediaLink {
  readonly id: string;
  #socket: dgram.Socket;
  #hubPort: number;
  #streams = new Map<number, (packet: Buffer) => void>();
  /** By the SSRC of what is sent. */
  #feedback = new Map<number, (packet: Buffer) => void>();
  #closeListeners = new Set<() => void>();
  #received = 0;
  #sent = 0;
  #ignored = 0;
  #sendErrors = 0;
  #closed = false;

  private constructor(id: string, socket: dgram.Socket, hubPort: number) {
    this.id = id;
    this.#socket = socket;
    this.#hubPort = hubPort;
    socket.on('message', this.#onMessage);
    socket.on('error', () => this.#sendErrors++);
  }

  /** @throws the socket's error when none can be opened */
  static async open(id: string, hubPort: number): Promise<Link> {
    // A lookup of our own: dgram would ask the resolver for every packet's address, even a numeric one.
    const socket = dgram.createSocket({
      type: 'udp4',
      recvBufferSize: SOCKET_BUFFER_BYTES,
      sendBufferSize: SOCKET_BUFFER_BYTES,
      lookup: (host, _options, done) => done(null, host, 4),
    });
    await new Promise<void>((resolve, reject) => {
      socket.once('error', reject);
      socket.bind(0, LOOPBACK, () => {
        socket.removeListener('error', reject);
        resolve();
      });
    });
    return new Link(id, socket, hubPort);
  }

  get port(): number {
    return this.#socket.address().port;
  }

  get statistics(): WorkerStatistics['links'][number] {
    return {
      link: this.id,
      packetsReceived: this.#received,
      packetsSent: this.#sent,
      packetsIgnored: this.#ignored,
      sendErrors: this.#sendErrors,
    };
  }

  send(packet: Buffer): void {
    if (this.#closed) return;
    this.#sent++;
    this.#socket.send(packet, 0, packet.length, this.#hubPort, LOOPBACK, this.#onSent);
  }

  receive(ssrc: number, onPacket: (packet: Buffer) => void): () => void {
    this.#streams.set(ssrc, onPacket);
    return () => {
      if (this.#streams.get(ssrc) === onPacket) this.#streams.delete(ssrc);
    };
  }

  onFeedback(ssrc: number, listener: (packet: Buffer) => void): () => void {
    this.#feedback.set(ssrc, listener);
    return () => {
      if (this.#feedback.get(ssrc) === listener) this.#feedback.delete(ssrc);
    };
  }

  onClose(listener: () => void): () => void {
    this.#closeListeners.add(listener);
    return () => this.#closeListeners.delete(listener);
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#socket.close();
    this.#streams.clear();
    this.#feedback.clear();
    for (const listener of this.#closeListeners) listener();
    this.#closeListeners.clear();
  }

  #onSent = (error: Error | null): void => {
    if (error) this.#sendErrors++;
  };

  #onMessage = (packet: Buffer, from: dgram.RemoteInfo): void => {
    // Anybody on this machine can send here; only the hub's port is listened to.
    if (from.port !== this.#hubPort || packet.length < RTP_HEADER_BYTES) {
      this.#ignored++;
      return;
    }
    // RTP has its SSRC at 8, RTCP (the sender's) at 4: RFC 3550, sections 5.1 and 6.4.
    const rtcp = isRtcp(packet);
    const target = rtcp ? feedbackTarget(packet) : undefined;
    const onPacket =
      target === undefined
        ? this.#streams.get(packet.readUInt32BE(rtcp ? 4 : 8))
        : this.#feedback.get(target);
    if (!onPacket) {
      this.#ignored++;
      return;
    }
    this.#received++;
    onPacket(packet);
  };
}
