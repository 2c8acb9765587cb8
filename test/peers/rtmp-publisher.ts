import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import net from 'node:net';
import { setTimeout as delay, setImmediate as turnOfTheLoop } from 'node:timers/promises';
import tls from 'node:tls';
import type { FlvTag } from './flv-clip.ts';
import {
  type AmfValue,
  ChunkReader,
  ChunkWriter,
  decodeAmf,
  encodeAmf,
  MessageType,
  type RtmpMessage,
  uint32,
} from './rtmp-wire.ts';

export interface RtmpPublisherOptions {
  readonly port: number;
  /** 127.0.0.1 if not said. */
  readonly host?: string;
  /** RTMPS; any certificate is taken. */
  readonly tls?: boolean;
  /** 'live' if not said. */
  readonly app?: string;
  /** Another address of loopback to come from, such as 127.0.0.2. */
  readonly localAddress?: string;
  /** More for the connect command's object, or other values than the usual ones. */
  readonly connectValues?: Readonly<Record<string, AmfValue>>;
}

export interface RtmpStatus {
  readonly level: string;
  readonly code: string;
  readonly description: string;
}

export interface PlayOptions {
  /** Each tag at its time, counted from the first one; otherwise as fast as the server takes them. */
  readonly paced: boolean;
  /** Added to each timestamp; does not change the pace. */
  readonly offsetMs?: number;
  /** From a tag's timestamp (with the offset) to the one that is sent; does not change the pace. */
  readonly mapTimestamp?: (timestampMs: number) => number;
  /** Called after each tag was written. */
  readonly onTag?: (tag: FlvTag) => void;
}

const HANDSHAKE_BYTES = 1536;
const PING_REQUEST = 6;
const PING_RESPONSE = 7;
const CONTROL = 2;
const COMMANDS = 3;
/** librtmp, and so OBS, sends audio, video and metadata all on this chunk stream. */
const MEDIA = 4;
/** How many `playFlv` sends without a look at anything else. */
const TAGS_IN_A_TURN = 32;
/** What OBS sets. */
const OBS_CHUNK_BYTES = 4096;

/** Our own RTMP encoder without a codec: sends what it is given, in the order of OBS, right or wrong. */
export class RtmpPublisher {
  readonly socket: net.Socket;
  /** Resolves when the connection is gone, however. */
  readonly closed: Promise<void>;
  /** Every onStatus, oldest first. */
  readonly statuses: RtmpStatus[] = [];
  /** Every message of the server, oldest first, whatever its type. */
  readonly received: RtmpMessage[] = [];
  /** How many acknowledgements the server sent; nginx-rtmp sends none before `announceWindow`. */
  acknowledgements = 0;
  /** The byte count in the last of them. */
  acknowledgedBytes = 0;
  /** How many pings it was sent; all are answered. */
  pings = 0;
  /** What createStream gave; 1 before that. */
  streamId = 1;
  /** Chunk streams of the media. */
  chunkStreams = { audio: MEDIA, video: MEDIA, data: MEDIA };
  #reader = new ChunkReader();
  #writer = new ChunkWriter();
  #app: string;
  #key = '';
  #transaction = 0;
  #hasStream = false;
  #isClosed = false;
  #results = new Map<number, (answer: unknown[]) => void>();
  #statusWaiters: ((status: RtmpStatus) => void)[] = [];

  private constructor(socket: net.Socket, app: string) {
    this.socket = socket;
    this.#app = app;
    socket.on('error', () => {}); // 'close' follows
    this.closed = new Promise((resolve) => {
      socket.once('close', () => {
        this.#isClosed = true;
        resolve();
      });
    });
  }

  /**
   * Opens a connection: TCP, TLS if wanted, handshake, Set Chunk Size, connect.
   * @throws when the server closes before that is done or refuses the connect command, with its code
   */
  static async connect(options: RtmpPublisherOptions): Promise<RtmpPublisher> {
    const { port, host = '127.0.0.1', app = 'live', localAddress } = options;
    const where = { port, host, localAddress };
    const socket = options.tls ? tls.connect({ ...where, rejectUnauthorized: false }) : net.connect(where);
    const publisher = new RtmpPublisher(socket, app);
    await publisher.#orClosed(once(socket, options.tls ? 'secureConnect' : 'connect'), 'could be opened');
    await publisher.#shakeHands();
    publisher.chunkBytes = OBS_CHUNK_BYTES;
    await publisher.#sendConnect(`${options.tls ? 'rtmps' : 'rtmp'}://${host}:${port}/${app}`, options);
    return publisher;
  }

  /** How much it puts into one chunk. Setting it sends Set Chunk Size. */
  get chunkBytes(): number {
    return this.#writer.chunkBytes;
  }

  set chunkBytes(bytes: number) {
    this.#sendControl(MessageType.setChunkSize, uint32(bytes));
    this.#writer.chunkBytes = bytes;
  }

  /** Asks the server to acknowledge each so many bytes (Window Acknowledgement Size). OBS and ffmpeg do not. */
  announceWindow(bytes: number): void {
    this.#sendControl(MessageType.windowAcknowledgementSize, uint32(bytes));
  }

  /**
   * In the order of OBS: releaseStream, FCPublish, createStream (once), publish.
   * @returns the code of the first status that came: NetStream.Publish.Start, NetStream.Publish.BadName, …
   * @throws when the connection closes before one comes
   */
  async publish(key: string): Promise<string> {
    this.#key = key;
    this.sendCommand('releaseStream', ++this.#transaction, null, key);
    this.sendCommand('FCPublish', ++this.#transaction, null, key);
    await this.createStream();
    const status = new Promise<RtmpStatus>((resolve) => this.#statusWaiters.push(resolve));
    const transaction = ++this.#transaction;
    const error = this.#result(transaction).then(([name, , , info]) => {
      if (name !== '_error') return status; // some servers answer the command as well
      return statusFrom(info);
    });
    this.sendMessage(
      COMMANDS,
      MessageType.commandAmf0,
      encodeAmf('publish', transaction, null, key, this.#app),
    );
    return (await this.#orClosed(Promise.race([status, error]), 'said whether it may publish')).code;
  }

  /** Asks for a message stream, once; `publish` does it too. */
  async createStream(): Promise<number> {
    if (!this.#hasStream) {
      const transaction = ++this.#transaction;
      const result = this.#result(transaction);
      this.sendCommand('createStream', transaction, null);
      const [name, , , id] = await this.#orClosed(result, 'gave a stream');
      if (name !== '_result' || typeof id !== 'number') throw new Error('The server gave no message stream.');
      this.streamId = id;
      this.#hasStream = true;
    }
    return this.streamId;
  }

  /** Sends onMetaData as OBS does: @setDataFrame with an ECMA array. */
  sendMetadata(values: Readonly<Record<string, AmfValue>>): void {
    const array = new Map(Object.entries(values));
    const payload = encodeAmf('@setDataFrame', 'onMetaData', array);
    this.sendMessage(this.chunkStreams.data, MessageType.dataAmf0, payload);
  }

  /** @returns whether more may be sent at once; otherwise the socket's 'drain' follows */
  sendVideo(body: Buffer, timestampMs: number): boolean {
    return this.sendMessage(this.chunkStreams.video, MessageType.video, body, timestampMs);
  }

  /** @returns whether more may be sent at once; otherwise the socket's 'drain' follows */
  sendAudio(body: Buffer, timestampMs: number): boolean {
    return this.sendMessage(this.chunkStreams.audio, MessageType.audio, body, timestampMs);
  }

  /** A command on message stream 0. Does not wait for an answer. */
  sendCommand(name: string, transaction: number, ...values: AmfValue[]): void {
    const payload = encodeAmf(name, transaction, ...values);
    this.sendMessage(COMMANDS, MessageType.commandAmf0, payload, 0, 0);
  }

  /** Any message, cut into chunks. @returns whether more may be sent at once */
  sendMessage(
    chunkStream: number,
    type: number,
    payload: Buffer,
    timestampMs = 0,
    streamId = this.streamId,
  ): boolean {
    return this.sendRaw(this.#writer.encode({ chunkStream, type, payload, timestampMs, streamId }));
  }

  /** Any bytes, as they are. @returns whether more may be sent at once */
  sendRaw(bytes: Buffer): boolean {
    return this.socket.writable && this.socket.write(bytes);
  }

  /** Sends tags until they end or the connection does; endless ones until `close` or `destroy`. */
  async playFlv(tags: Iterable<FlvTag>, options: PlayOptions): Promise<void> {
    const { offsetMs = 0, mapTimestamp = (timestampMs) => timestampMs } = options;
    let begin: number | undefined;
    let sent = 0;
    for (const tag of tags) {
      if (options.paced) {
        begin ??= performance.now() - tag.timestampMs;
        const waitMs = begin + tag.timestampMs - performance.now();
        if (waitMs > 0) await Promise.race([delay(waitMs), this.closed]);
      }
      if (this.#isClosed || !this.socket.writable) return;
      const goesOn = this.#sendTag(tag, mapTimestamp(tag.timestampMs + offsetMs));
      options.onTag?.(tag);
      if (!goesOn) await this.#drained();
      // A server that takes everything at once would leave no turn to timers and to reading.
      if (++sent % TAGS_IN_A_TURN === 0) await turnOfTheLoop();
    }
  }

  /** Ends the stream as OBS does and leaves the connection open. */
  unpublish(): void {
    this.sendCommand('FCUnpublish', ++this.#transaction, null, this.#key);
    this.sendCommand('deleteStream', ++this.#transaction, null, this.streamId);
    this.#hasStream = false;
  }

  /** Sends what is left, then closes its direction (FIN). */
  async close(): Promise<void> {
    this.socket.end();
    await this.closed;
  }

  /** Cuts the connection (RST). */
  async destroy(): Promise<void> {
    // A TLS socket has no reset of its own.
    if (this.socket instanceof tls.TLSSocket) this.socket.destroy();
    else this.socket.resetAndDestroy();
    await this.closed;
  }

  #sendTag(tag: FlvTag, timestampMs: number): boolean {
    if (tag.type === 'video') return this.sendVideo(tag.body, timestampMs);
    if (tag.type === 'audio') return this.sendAudio(tag.body, timestampMs);
    const payload = Buffer.concat([encodeAmf('@setDataFrame'), tag.body]);
    return this.sendMessage(this.chunkStreams.data, MessageType.dataAmf0, payload, timestampMs);
  }

  async #drained(): Promise<void> {
    let stop: () => void = () => {};
    const drained = new Promise<void>((resolve) => {
      stop = resolve;
      this.socket.once('drain', resolve);
    });
    await Promise.race([drained, this.closed]);
    this.socket.off('drain', stop);
  }

  async #shakeHands(): Promise<void> {
    const hello = Buffer.concat([Buffer.alloc(8), randomBytes(HANDSHAKE_BYTES - 8)]);
    this.socket.write(Buffer.concat([Buffer.from([3]), hello]));
    const done = new Promise<void>((resolve) => {
      let bytes = Buffer.alloc(0);
      const take = (more: Buffer) => {
        bytes = Buffer.concat([bytes, more]);
        if (bytes.length < 1 + 2 * HANDSHAKE_BYTES) return;
        this.socket.off('data', take);
        this.socket.write(bytes.subarray(1, 1 + HANDSHAKE_BYTES)); // C2 is S1
        this.socket.on('data', (chunk: Buffer) => this.#take(chunk));
        this.#take(bytes.subarray(1 + 2 * HANDSHAKE_BYTES));
        resolve();
      };
      this.socket.on('data', take);
    });
    await this.#orClosed(done, 'finished the handshake');
  }

  async #sendConnect(tcUrl: string, options: RtmpPublisherOptions): Promise<void> {
    const transaction = ++this.#transaction;
    const result = this.#result(transaction);
    const flashVer = 'FMLE/3.0 (compatible; FMSc/1.0)';
    this.sendCommand('connect', transaction, {
      ...{ app: this.#app, type: 'nonprivate', flashVer, swfUrl: tcUrl, tcUrl },
      ...options.connectValues,
    });
    const [name, , , info] = await this.#orClosed(result, 'answered connect');
    if (name === '_result') return;
    const { code, description } = statusFrom(info);
    this.socket.destroy();
    throw new Error(`The server refused the connection: ${code} ${description}`);
  }

  #take(bytes: Buffer): void {
    for (const message of this.#reader.push(bytes)) {
      this.received.push(message);
      this.#takeMessage(message);
    }
  }

  #takeMessage({ type, payload }: RtmpMessage): void {
    if (type === MessageType.acknowledgement) {
      this.acknowledgements++;
      this.acknowledgedBytes = payload.readUInt32BE(0);
    } else if (type === MessageType.userControl && payload.readUInt16BE(0) === PING_REQUEST) {
      this.pings++;
      const response = Buffer.from(payload);
      response.writeUInt16BE(PING_RESPONSE);
      this.#sendControl(MessageType.userControl, response);
    } else if (type === MessageType.commandAmf0) {
      const answer = decodeAmf(payload);
      if (answer[0] === 'onStatus') {
        const status = statusFrom(answer[3]);
        this.statuses.push(status);
        for (const waiter of this.#statusWaiters.splice(0)) waiter(status);
      } else if (answer[0] === '_result' || answer[0] === '_error') {
        this.#results.get(answer[1] as number)?.(answer);
        this.#results.delete(answer[1] as number);
      }
    }
  }

  #sendControl(type: number, payload: Buffer): void {
    this.sendMessage(CONTROL, type, payload, 0, 0);
  }

  #result(transaction: number): Promise<unknown[]> {
    return new Promise((resolve) => this.#results.set(transaction, resolve));
  }

  async #orClosed<T>(promise: Promise<T>, before: string): Promise<T> {
    promise.catch(() => {}); // the socket's error, which its close follows
    const closed = this.closed.then((): T => {
      throw new Error(`The connection was closed before the server ${before}.`);
    });
    return Promise.race([promise, closed]);
  }
}

function statusFrom(info: unknown): RtmpStatus {
  return { level: '', code: '', description: '', ...(info as Partial<RtmpStatus> | undefined) };
}
