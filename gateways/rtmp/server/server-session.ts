import type { AmfValue } from '../protocol/amf0.ts';
import { type ChunkLimits, ChunkReader } from '../protocol/chunk-reader.ts';
import { ChunkWriter } from '../protocol/chunk-writer.ts';
import { type Command, commandMessage, parseCommand, parseData, statusMessage } from '../protocol/command.ts';
import { ServerHandshake } from '../protocol/handshake.ts';
import type { RtmpMessage } from '../protocol/messages.ts';
import {
  CONTROL_CSID,
  controlMessage,
  MESSAGE,
  parseControlNumber,
  parseUserControl,
  USER_CONTROL,
} from '../protocol/messages.ts';
import { RtmpError } from '../protocol/rtmp-error.ts';

/** Who wants to publish, and with what. */
export interface PublishRequest {
  readonly app: string;
  readonly key: string;
  /** What the encoder says it is (connect's flashVer). */
  readonly encoder: string;
}

export interface ServerSessionEvents {
  send(buffers: readonly Buffer[]): void;
  /** Is to be answered with `admit` or `refuse`. */
  publish(request: PublishRequest): void;
  /** Bodies are the receiver's to keep. @param timestamp - ms, 32 bit unsigned */
  audio(body: Buffer, timestamp: number): void;
  video(body: Buffer, timestamp: number): void;
  /** onMetaData's values. */
  metadata(values: { readonly [key: string]: AmfValue }): void;
  /** It said that it is done; it may publish again. */
  unpublished(): void;
}

/** The chunk stream for commands and their answers, and the message stream that is published on. */
const COMMAND_CSID = 3;
const STATUS_CSID = 5;
const CHUNK_BYTES = 4096;
const WINDOW_BYTES = 2_500_000;
const MAX_TEXT = 1024;
/** Kept while it is decided who it is; encoders wait for the answer, so this is headers at the most. */
const MAX_HELD = 64;
const MAX_HELD_BYTES = 512 * 1024;
/** Of streams that createStream gives out: one is used. */
const MAX_STREAMS = 8;

/** Before it says what it publishes: commands are small, and strangers cannot make us keep much. */
const MAX_STRANGE_BYTES = 64 * 1024;
const MAX_STRANGE_CHUNK_STREAMS = 16;

type State = 'handshake' | 'connecting' | 'connected' | 'deciding' | 'publishing' | 'over';

/**
 * The server's side of one encoder's connection (RTMP 1.0, section 7.2): handshake, connect, createStream, publish,
 * and the media from then on. No sockets, no timers: bytes go in, and out by `send`. What a session that is not
 * publishing sends of media goes nowhere.
 */
export class ServerSession {
  state: State = 'handshake';
  /** Messages that were dropped: media while it was not publishing, and metadata that cannot be read. */
  dropped = 0;
  /** Messages that carry audio or video: a key belongs to whoever sends them. */
  mediaMessages = 0;
  #events: ServerSessionEvents;
  #handshake: ServerHandshake;
  #limits: Partial<ChunkLimits>;
  #reader: ChunkReader;
  #writer = new ChunkWriter();
  #app = '';
  #encoder = '';
  /** The number of the last message stream that was created, and how many of them are open. */
  #streams = 0;
  #openStreams = 0;
  /** The key that it publishes with, and the message stream on which it does. */
  #key = '';
  #publishOn = 0;
  #held: RtmpMessage[] = [];
  #heldBytes = 0;
  /** After so many bytes more the peer is told how many came. */
  #window = WINDOW_BYTES;
  #acknowledged = 0;

  constructor(
    events: ServerSessionEvents,
    options: {
      readonly limits?: Partial<ChunkLimits>;
      random(bytes: number): Buffer;
      now(): number;
    },
  ) {
    this.#events = events;
    this.#limits = options.limits ?? {};
    this.#reader = new ChunkReader(limitsForStrangers(this.#limits));
    this.#handshake = new ServerHandshake(options.random, options.now);
  }

  /** Takes what came from the peer. @throws RtmpError: the connection has to end */
  receive(bytes: Buffer): void {
    if (this.state === 'over') return;
    let rest = bytes;
    if (this.state === 'handshake') {
      const { send, done } = this.#handshake.read(bytes);
      if (send) this.#events.send([send]);
      if (!done) return;
      this.state = 'connecting';
      rest = done.rest;
    }
    this.#reader.read(rest, (message) => {
      if (this.state !== 'over') this.#receiveMessage(message);
    });
    if (this.#reader.bytesRead - this.#acknowledged >= this.#window / 2) {
      this.#acknowledged = this.#reader.bytesRead;
      this.#send(controlMessage.acknowledgement(this.#acknowledged), CONTROL_CSID);
    }
  }

  /** It may publish: what it sent meanwhile is delivered. */
  admit(): void {
    if (this.state !== 'deciding') return;
    this.state = 'publishing';
    this.#send(controlMessage.streamBegin(this.#publishOn), CONTROL_CSID);
    const description = 'You are live.';
    this.#status('status', 'NetStream.Publish.Start', description);
    const held = this.#held;
    this.#held = [];
    this.#heldBytes = 0;
    for (const message of held) this.#receiveMedia(message);
  }

  /** It may not, and why; nothing that it sends counts any more. @param code - such as NetStream.Publish.BadName, at which encoders give up */
  refuse(code: string, description: string): void {
    if (this.state !== 'deciding') return;
    this.#status('error', code, description);
    this.#end();
  }

  /** Ends what it publishes, or is about to, and says why. */
  dismiss(description: string): void {
    if (this.state === 'publishing') {
      this.#send(controlMessage.streamEof(this.#publishOn), CONTROL_CSID);
      this.#status('error', 'NetStream.Publish.Failed', description);
    } else if (this.state === 'deciding') this.#status('error', 'NetStream.Publish.BadName', description);
    else if (this.state === 'connected' || this.state === 'connecting')
      this.#status('error', 'NetConnection.Connect.Closed', description, 0);
    this.#end();
  }

  #end(): void {
    this.state = 'over';
    this.#held = [];
  }

  #receiveMessage(message: RtmpMessage): void {
    switch (message.type) {
      case MESSAGE.audio:
      case MESSAGE.video:
      case MESSAGE.dataAmf0:
      case MESSAGE.dataAmf3:
        this.#receiveMedia(message);
        break;
      case MESSAGE.commandAmf0:
      case MESSAGE.commandAmf3:
        this.#obey(parseCommand(message), message.streamId);
        break;
      case MESSAGE.windowAcknowledgementSize:
        this.#window = Math.max(1, parseControlNumber(message) ?? WINDOW_BYTES);
        break;
      case MESSAGE.userControl: {
        const control = parseUserControl(message);
        if (control?.event === USER_CONTROL.pingRequest) {
          this.#send(controlMessage.pingResponse(control.value), CONTROL_CSID);
        }
        break;
      }
      default: // acknowledgements, bandwidths, shared objects: nothing that concerns who only publishes
    }
  }

  #receiveMedia(message: RtmpMessage): void {
    if (isMedia(message)) this.mediaMessages++;
    if (this.state === 'deciding') this.#hold(message);
    else if (this.state !== 'publishing') this.dropped++;
    else if (message.type === MESSAGE.audio) this.#events.audio(message.payload, message.timestamp);
    else if (message.type === MESSAGE.video) this.#events.video(message.payload, message.timestamp);
    else this.#receiveData(message);
  }

  #hold(message: RtmpMessage): void {
    this.#heldBytes += message.payload.length;
    if (this.#held.length >= MAX_HELD || this.#heldBytes > MAX_HELD_BYTES) {
      throw new RtmpError('command', 'The encoder sends without waiting to be let in.');
    }
    this.#held.push(message);
  }

  #receiveData(message: RtmpMessage): void {
    const [name, ...values] = this.#readData(message);
    const [which, metadata] = name === '@setDataFrame' ? values : [name, values[0]];
    if (which !== 'onMetaData') return;
    if (
      metadata !== null &&
      typeof metadata === 'object' &&
      !Array.isArray(metadata) &&
      !(metadata instanceof Date)
    ) {
      this.#events.metadata(metadata);
    }
  }

  /** Nothing depends on metadata: what is no AMF there is left out, and the stream goes on. */
  #readData(message: RtmpMessage): AmfValue[] {
    try {
      return parseData(message);
    } catch (error) {
      if (!(error instanceof RtmpError)) throw error;
      this.dropped++;
      return [];
    }
  }

  #obey(command: Command, streamId: number): void {
    const { name, transaction, args } = command;
    if (this.state === 'connecting' && name !== 'connect') {
      throw new RtmpError('command', `The first command is ${name.slice(0, 40)}, not connect.`);
    }
    switch (name) {
      case 'connect':
        this.#connect(command);
        break;
      case 'createStream':
        this.#createStream(transaction);
        break;
      case 'publish':
        this.#publish(args[0], streamId);
        break;
      case 'play':
      case 'play2':
        this.#status(
          'error',
          'NetStream.Play.Failed',
          'Streams can be published here, not played.',
          streamId,
        );
        break;
      case 'FCUnpublish':
        if (isOrUnsaid(args[0], this.#key)) this.#unpublish();
        break;
      case 'deleteStream':
        this.#openStreams = Math.max(0, this.#openStreams - 1);
        if (isOrUnsaid(args[0], this.#publishOn)) this.#unpublish();
        break;
      case 'closeStream':
        if (streamId === 0 || streamId === this.#publishOn) this.#unpublish();
        break;
      case 'releaseStream':
      case 'FCPublish':
      case '_checkbw':
        // GStreamer numbers them 0: it wants no answer.
        if (transaction > 0) this.#answer(transaction, null, undefined);
        break;
      default:
        if (transaction > 0 && name !== '_result' && name !== '_error')
          this.#answerUnknown(name, transaction);
    }
  }

  #connect({ transaction, object }: Command): void {
    if (this.state !== 'connecting') throw new RtmpError('command', 'The encoder connects twice.');
    const properties = (object ?? {}) as { readonly [key: string]: AmfValue };
    this.#app = text(properties.app);
    this.#encoder = text(properties.flashVer);
    this.state = 'connected';
    this.#send(controlMessage.windowAcknowledgementSize(WINDOW_BYTES), CONTROL_CSID);
    this.#send(controlMessage.setPeerBandwidth(WINDOW_BYTES, 'dynamic'), CONTROL_CSID);
    this.#send(controlMessage.setChunkSize(CHUNK_BYTES), CONTROL_CSID);
    const encoding = properties.objectEncoding === 3 ? 3 : 0;
    this.#answer(
      transaction,
      { fmsVer: 'FMS/3,0,1,123', capabilities: 31 },
      {
        level: 'status',
        code: 'NetConnection.Connect.Success',
        description: 'Connection succeeded.',
        objectEncoding: encoding,
      },
    );
  }

  #createStream(transaction: number): void {
    if (this.#openStreams >= MAX_STREAMS)
      throw new RtmpError('command', 'The encoder creates too many streams.');
    this.#openStreams++;
    this.#streams++;
    this.#answer(transaction, null, this.#streams);
  }

  #publish(name: AmfValue, streamId: number): void {
    this.#publishOn = streamId;
    // One encoder, one stream, one connection.
    if (this.state !== 'connected') this.#fail('This connection publishes already.');
    if (typeof name !== 'string' || name === '') {
      this.#fail('There is no stream key: type it into the encoder.');
    }
    this.state = 'deciding';
    this.#key = name;
    this.#reader.limits = this.#limits;
    this.#events.publish({ app: this.#app, key: name.slice(0, MAX_TEXT), encoder: this.#encoder });
  }

  /** Says why what it wants to publish is not taken. @throws RtmpError, always */
  #fail(description: string): never {
    this.#status('error', 'NetStream.Publish.BadName', description);
    this.#end();
    throw new RtmpError('command', description);
  }

  /** What it publishes has ended; it may publish something else, as strange as it was before. */
  #unpublish(): void {
    if (this.state !== 'publishing' && this.state !== 'deciding') return;
    this.#status('status', 'NetStream.Unpublish.Success', 'The stream has ended.');
    this.state = 'connected';
    this.#held = [];
    this.#heldBytes = 0;
    this.#reader.limits = limitsForStrangers(this.#limits);
    this.#events.unpublished();
  }

  #answer(transaction: number, object: AmfValue, value: AmfValue): void {
    this.#send(commandMessage('_result', transaction, object, [value], 0), COMMAND_CSID);
  }

  #answerUnknown(name: string, transaction: number): void {
    const description = `There is no ${name.slice(0, 40)} here.`;
    const status = { level: 'error', code: 'NetConnection.Call.Failed', description };
    this.#send(commandMessage('_error', transaction, null, [status], 0), COMMAND_CSID);
  }

  #status(level: 'status' | 'error', code: string, description: string, streamId = this.#publishOn): void {
    this.#send(statusMessage(streamId, level, code, description), STATUS_CSID);
  }

  #send(message: RtmpMessage, csid: number): void {
    this.#events.send(this.#writer.write(message, csid));
  }
}

const INFO_FRAME = 5;

/** Audio and video that are more than empty, and no commands for players. */
function isMedia({ type, payload }: RtmpMessage): boolean {
  if (payload.length === 0) return false;
  return type === MESSAGE.audio || (type === MESSAGE.video && ((payload[0]! >> 4) & 7) !== INFO_FRAME);
}

/** Encoders that name no stream, or something that is none, mean the one that they have. */
function isOrUnsaid(value: AmfValue, own: string | number): boolean {
  return typeof value !== typeof own || value === own;
}

function limitsForStrangers(limits: Partial<ChunkLimits>): Partial<ChunkLimits> {
  const { maxMessageBytes = MAX_STRANGE_BYTES, maxBufferedBytes = MAX_STRANGE_BYTES } = limits;
  return {
    ...limits,
    maxChunkStreams: MAX_STRANGE_CHUNK_STREAMS,
    maxMessageBytes: Math.min(maxMessageBytes, MAX_STRANGE_BYTES),
    maxBufferedBytes: Math.min(maxBufferedBytes, MAX_STRANGE_BYTES),
  };
}

function text(value: AmfValue): string {
  return typeof value === 'string' ? value.slice(0, MAX_TEXT) : '';
}
