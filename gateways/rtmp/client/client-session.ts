import type { ProgramDescription } from '../../../src/media/program.ts';
import { type AmfValue, EcmaArray, writeAmf0 } from '../protocol/amf0.ts';
import { ChunkReader } from '../protocol/chunk-reader.ts';
import { ChunkWriter } from '../protocol/chunk-writer.ts';
import { type Command, commandMessage, parseCommand } from '../protocol/command.ts';
import { ClientHandshake } from '../protocol/handshake.ts';
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
import { AcknowledgedBytes } from './acknowledged-bytes.ts';
import { peerWords } from './peer-words.ts';
import type { RtmpAddress } from './rtmp-address.ts';

export interface ClientSessionEvents {
  /** Bodies of media are in these as they were given: they must not change until they are written. */
  send(buffers: readonly Buffer[]): void;
  /** It is live: media may be sent. */
  published(): void;
  /**
   * The other side said no, or ended what was published; nothing is sent any more.
   * @param code - such as NetStream.Publish.BadName; '' where it gave none
   * @param description - in its own words, see peerWords; '' where it gave none
   * @param redirect - where it sends us instead (NetConnection.Connect.Rejected with ex.code 302), as it says it
   */
  refused(code: string, description: string, redirect?: string): void;
  /** @param bytes - that the other side has read, of `bytesSent`; more each time */
  acknowledged(bytes: number): void;
}

/** Low ones, as nginx-rtmp takes no chunk stream above 31. Audio and video have the ones that ffmpeg uses. */
const CSID = { commands: 3, audio: 4, data: 5, video: 6 } as const;
/** Most messages are one chunk then. Below 64 KiB, which is the most that some servers take. */
const CHUNK_BYTES = 60_000;
/**
 * The other side is to acknowledge each so many bytes: at 2.5 Mbit/s that is each 0.8 s, soon enough to tell a
 * stall from a slow second. nginx-rtmp acknowledges nothing unless it is told.
 */
const WINDOW_BYTES = 250_000;
/** A server's answers are small, and it cannot make us keep much. */
const LIMITS = { maxMessageBytes: 64 * 1024, maxBufferedBytes: 64 * 1024 };
/** Our side's commands by their number: answers have the number of what they answer. */
const TRANSACTION = {
  connect: 1,
  releaseStream: 2,
  FCPublish: 3,
  createStream: 4,
  publish: 5,
  FCUnpublish: 6,
  deleteStream: 7,
} as const;
/** They mean the end, whatever level they are said to have. */
const ENDS: ReadonlySet<string> = new Set([
  'NetConnection.Connect.Closed',
  'NetConnection.Connect.Rejected',
  'NetStream.Publish.BadName',
  'NetStream.Unpublish.Success',
]);
const MAX_REDIRECT_CHARACTERS = 1024;
const CODE = /^[A-Za-z]{1,40}(\.[A-Za-z]{1,40}){0,4}$/;

export type ClientSessionState = 'handshake' | 'connecting' | 'creating' | 'publishing' | 'live' | 'over';

/**
 * The client's side of a connection to a server that takes what we publish (RTMP 1.0, section 7.2): handshake,
 * connect, createStream, publish, and the media from then on. No sockets, no timers: bytes go in, and out by
 * `send`. The order of commands is that of OBS and ffmpeg, which all servers know.
 */
export class ClientSession {
  #state: ClientSessionState = 'handshake';
  #address: RtmpAddress;
  #events: ClientSessionEvents;
  #handshake: ClientHandshake;
  #isStarted = false;
  #reader = new ChunkReader(LIMITS);
  #writer = new ChunkWriter();
  #bytesSent = 0;
  #acknowledged = new AcknowledgedBytes();
  #hasWindow = false;
  /** The other side wants to know after so many bytes how many came; undefined until it says so. */
  #peerWindow: number | undefined;
  #acknowledgedToPeer = 0;
  /** The message stream that createStream gave; 0 before. */
  #streamId = 0;

  constructor(
    address: RtmpAddress,
    events: ClientSessionEvents,
    options: {
      /** So many random bytes. */
      random(bytes: number): Buffer;
      /** Milliseconds since any moment. */
      now(): number;
    },
  ) {
    this.#address = address;
    this.#events = events;
    this.#handshake = new ClientHandshake(options.random, options.now);
  }

  /** 'publishing' is asked for, 'live' granted. */
  get state(): ClientSessionState {
    return this.#state;
  }

  /** All bytes that were given to `send`, the handshake's included. */
  get bytesSent(): number {
    return this.#bytesSent;
  }

  /** Whether the other side acknowledges, in a way that makes sense: then, and only then, missing acknowledgements mean something. */
  get acknowledges(): boolean {
    return this.#acknowledged.isReliable;
  }

  /** Begins the handshake: once, when the connection stands. */
  start(): void {
    if (this.#isStarted) throw new Error('The session has been started already.');
    this.#isStarted = true;
    if (this.#state === 'handshake') this.#sendBuffers([this.#handshake.start()]);
  }

  /** Takes what came from the other side; nothing once it is over. @throws RtmpError: the connection has to end, and the session is over */
  receive(bytes: Buffer): void {
    if (this.#state === 'over') return;
    if (!this.#isStarted) throw new Error('The session has not been started.');
    try {
      this.#receive(bytes);
    } catch (error) {
      this.#state = 'over';
      throw error;
    }
  }

  /** What is to come, as onMetaData. Once live; nothing is sent once it is over. What is not known is left out. */
  metadata(description: ProgramDescription): void {
    if (!this.#mayPublish()) return;
    const payload = writeAmf0('@setDataFrame', 'onMetaData', new EcmaArray(metadataOf(description)));
    this.#send({ type: MESSAGE.dataAmf0, timestamp: 0, streamId: this.#streamId, payload }, CSID.data);
  }

  /**
   * One message of media. Once live; nothing is sent once it is over.
   * @param timestampMs - when it is decoded; is sent modulo 2^32
   * @param body - of an FLV tag; goes on to `send` without being copied
   */
  media(kind: 'audio' | 'video', timestampMs: number, body: Buffer): void {
    if (!this.#mayPublish()) return;
    const message = { type: MESSAGE[kind], timestamp: timestampMs, streamId: this.#streamId, payload: body };
    this.#send(message, CSID[kind]);
  }

  /** Says that there is nothing more to come, as far as anything was announced; then it is over. */
  finish(): void {
    if (this.#state === 'creating' || this.#state === 'publishing' || this.#state === 'live')
      this.#command('FCUnpublish', [this.#address.key]);
    if (this.#streamId > 0 && this.#state !== 'over') this.#command('deleteStream', [this.#streamId]);
    this.#state = 'over';
  }

  /** @throws when it is too early, as servers end connections for that */
  #mayPublish(): boolean {
    if (this.#state !== 'live' && this.#state !== 'over')
      throw new Error(`Nothing can be published while the session is ${this.#state}.`);
    return this.#state === 'live';
  }

  #receive(bytes: Buffer): void {
    let rest = bytes;
    if (this.#state === 'handshake') {
      const { send, done } = this.#handshake.read(bytes);
      if (send) this.#sendBuffers([send]);
      if (!done) return;
      this.#connect();
      rest = done.rest;
    }
    this.#reader.read(rest, (message) => {
      if (this.#state !== 'over') this.#receiveMessage(message);
    });
    this.#acknowledge();
  }

  #acknowledge(): void {
    const { bytesRead } = this.#reader;
    if (this.#peerWindow === undefined || this.#state === 'over') return;
    if (bytesRead - this.#acknowledgedToPeer < Math.max(1, this.#peerWindow)) return;
    this.#acknowledgedToPeer = bytesRead;
    this.#send(controlMessage.acknowledgement(bytesRead), CONTROL_CSID);
  }

  #connect(): void {
    this.#state = 'connecting';
    this.#send(controlMessage.setChunkSize(CHUNK_BYTES), CONTROL_CSID);
    const { app, tcUrl } = this.#address;
    const flashVer = 'FMLE/3.0 (compatible; Patchroom)';
    this.#command('connect', [], { app, type: 'nonprivate', flashVer, tcUrl });
  }

  #receiveMessage(message: RtmpMessage): void {
    switch (message.type) {
      case MESSAGE.commandAmf0:
      case MESSAGE.commandAmf3:
        this.#receiveCommand(parseCommand(message));
        break;
      case MESSAGE.acknowledgement:
        this.#receiveAcknowledgement(parseControlNumber(message));
        break;
      case MESSAGE.windowAcknowledgementSize:
        this.#peerWindow = parseControlNumber(message) ?? this.#peerWindow;
        break;
      case MESSAGE.setPeerBandwidth:
        this.#announceWindow();
        break;
      case MESSAGE.userControl: {
        const control = parseUserControl(message);
        if (control?.event === USER_CONTROL.pingRequest)
          this.#send(controlMessage.pingResponse(control.value), CONTROL_CSID);
        break;
      }
      default: // data, media, shared objects: nothing that concerns who only publishes
    }
  }

  #receiveAcknowledgement(said: number | undefined): void {
    if (said === undefined) return;
    const bytes = this.#acknowledged.read(said, this.#bytesSent);
    if (bytes !== undefined) this.#events.acknowledged(bytes);
  }

  /**
   * The answer to Set Peer Bandwidth too, which is due when the size is not the last one sent (section 5.4.5). It is
   * always ours: a larger one, as servers wish for, would bring acknowledgements each 16 s.
   */
  #announceWindow(): void {
    if (this.#hasWindow) return;
    this.#hasWindow = true;
    this.#send(controlMessage.windowAcknowledgementSize(WINDOW_BYTES), CONTROL_CSID);
  }

  #receiveCommand(command: Command): void {
    switch (command.name) {
      case '_result':
        this.#receiveResult(command);
        break;
      case '_error':
        this.#receiveError(command);
        break;
      case 'onStatus':
        this.#receiveStatus(propertiesOf(command.args[0]));
        break;
      case 'close': // of the connection (section 7.2.1)
        this.#refused(propertiesOf(command.args[0]));
        break;
      default: // onBWDone, onFCPublish and others that want no answer
    }
  }

  #receiveResult({ transaction, args }: Command): void {
    if (this.#state === 'connecting' && transaction === TRANSACTION.connect) {
      const information = propertiesOf(args[0]);
      if (information.level === 'error') this.#refused(information);
      else this.#createStream();
    } else if (this.#state === 'creating' && transaction === TRANSACTION.createStream) {
      this.#publish(args[0]);
    }
  }

  #createStream(): void {
    this.#state = 'creating';
    this.#announceWindow();
    this.#command('releaseStream', [this.#address.key]);
    this.#command('FCPublish', [this.#address.key]);
    this.#command('createStream', []);
  }

  #publish(streamId: AmfValue): void {
    if (typeof streamId !== 'number' || !Number.isInteger(streamId) || streamId < 1 || streamId > 0xffffffff)
      throw new RtmpError('command', 'The server answers createStream without the number of a stream.');
    this.#streamId = streamId;
    this.#state = 'publishing';
    this.#command('publish', [this.#address.key, 'live'], null, streamId);
  }

  /** Those for releaseStream and FCPublish say no more than that the server does not know these commands. */
  #receiveError({ transaction, args, object }: Command): void {
    const isOfConnect = this.#state === 'connecting' && transaction === TRANSACTION.connect;
    const isOfStream = this.#state === 'creating' && transaction === TRANSACTION.createStream;
    const isOfPublish = transaction === TRANSACTION.publish;
    if (isOfConnect || isOfStream || (isOfPublish && this.#state === 'publishing'))
      this.#refused(propertiesOf(args[0] ?? object));
  }

  #receiveStatus(information: { readonly [key: string]: AmfValue }): void {
    const { level, code } = information;
    if (level === 'error' || (typeof code === 'string' && ENDS.has(code))) this.#refused(information);
    else if (this.#state === 'publishing' && code === 'NetStream.Publish.Start') {
      this.#state = 'live';
      this.#events.published();
    }
  }

  #refused({ code, description, ex }: { readonly [key: string]: AmfValue }): void {
    this.#state = 'over';
    const known = typeof code === 'string' && CODE.test(code) ? code : '';
    this.#events.refused(known, peerWords(description, this.#address), redirectOf(ex));
  }

  #command(
    name: keyof typeof TRANSACTION,
    args: readonly AmfValue[],
    object: AmfValue = null,
    streamId = 0,
  ): void {
    this.#send(commandMessage(name, TRANSACTION[name], object, args, streamId), CSID.commands);
  }

  #send(message: RtmpMessage, csid: number): void {
    this.#sendBuffers(this.#writer.write(message, csid));
  }

  #sendBuffers(buffers: readonly Buffer[]): void {
    for (const { length } of buffers) this.#bytesSent += length;
    this.#events.send(buffers);
  }
}

/** The names are those of FLV's onMetaData (FLV 10.1, section E.5), bit rates in kbit/s, codecs as in the tags of FLV: AVC and AAC. */
function metadataOf(description: ProgramDescription): { [key: string]: AmfValue } {
  const { width, height, frameRate, videoBitrateBps, audioBitrateBps, audioSampleRate, audioChannels } =
    description;
  const values: { [key: string]: AmfValue } = {
    width,
    height,
    framerate: frameRate,
    videodatarate: videoBitrateBps === undefined ? undefined : videoBitrateBps / 1000,
    videocodecid: 7,
    audiodatarate: audioBitrateBps / 1000,
    audiosamplerate: audioSampleRate,
    audiosamplesize: 16,
    stereo: audioChannels === 2,
    audiocodecid: 10,
    encoder: 'Patchroom',
  };
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined));
}

/** Of an object; none of anything else, but for words alone, which are a description. */
function propertiesOf(value: AmfValue): { readonly [key: string]: AmfValue } {
  if (typeof value === 'string') return { description: value };
  if (value === null || typeof value !== 'object' || Array.isArray(value) || value instanceof Date) return {};
  return value;
}

/** @returns the address that a server redirects to, as nginx-rtmp, SRS and Adobe's servers say it */
function redirectOf(ex: AmfValue): string | undefined {
  const { code, redirect } = propertiesOf(ex ?? null);
  return code === 302 && typeof redirect === 'string' && redirect.length <= MAX_REDIRECT_CHARACTERS
    ? redirect
    : undefined;
}
