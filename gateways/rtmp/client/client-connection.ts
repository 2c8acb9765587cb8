import { randomBytes } from 'node:crypto';
import dns from 'node:dns';
import net, { type LookupFunction } from 'node:net';
import tls from 'node:tls';
import type { PermittedAddresses } from '../../../src/base/permitted-addresses.ts';
import type { Clock } from '../../../src/gateway.ts';
import type { AccessUnit, MediaFormat } from '../../../src/media/access-unit.ts';
import type { MediaKind } from '../../../src/media/codec.ts';
import { formatBody, unitBody, wholeMs } from '../../../src/media/containers/flv/flv-body.ts';
import type { ProgramDescription } from '../../../src/media/program.ts';
import type {
  DeliveryConnection,
  DeliveryConnectionEvents,
} from '../../../transcode/delivery/delivery-connection.ts';
import { RtmpError } from '../protocol/rtmp-error.ts';
import { ClientSession } from './client-session.ts';
import { connectionFailure } from './connection-failure.ts';
import { wantsLogin } from './peer-words.ts';
import type { RtmpAddress } from './rtmp-address.ts';

export interface ClientConnectionOptions {
  readonly address: RtmpAddress;
  readonly permitted: PermittedAddresses;
  readonly clock: Clock;
  /** Certificates that are trusted besides Node's, as PEM. */
  readonly ca?: string;
  /** Resolves names; the system's way unless given. */
  readonly resolve?: Resolve;
}

/** Like dns.lookup, for all addresses of a name. */
export type Resolve = (
  hostname: string,
  options: dns.LookupAllOptions,
  callback: (error: NodeJS.ErrnoException | null, addresses: dns.LookupAddress[]) => void,
) => void;

/** For what is said last to be read. */
const LINGER_MS = 1_000;
/** Of what it still sends when it is over: whoever goes on is cut off. */
const MAX_DISCARDED_BYTES = 1024 * 1024;
/** Who sends keeps below that, one frame of 16 MiB at the most included; beyond it are answers that the server does not read. */
const MAX_QUEUED_BYTES = 24 * 1024 * 1024;
/** For each of several addresses of a name, before the next is tried. */
const ADDRESS_LIMIT_MS = 1_000;

export type ConnectionEvents = Omit<DeliveryConnectionEvents, 'redirected'> & {
  /** The server sends us elsewhere; it is closed after that. @param url - as it says it */
  redirected(url: string): void;
};

class NotPermittedError extends Error {}

/** One connection to an RTMP server: the socket, with or without TLS, and the session that is spoken on it. */
export class ClientConnection implements DeliveryConnection {
  #events: ConnectionEvents;
  #clock: Clock;
  #address: RtmpAddress;
  #socket: net.Socket;
  #session: ClientSession;
  #bytesAcknowledged = 0;
  #largestAcknowledgementBytes = 0;
  #isCorked = false;
  #isOver = false;
  #discarded = 0;
  /** The formats that the server was told of. */
  #formats: Partial<Record<MediaKind, MediaFormat>> = {};
  /** Formats that are told with the first unit. */
  #announced: readonly MediaFormat[] = [];

  /** Begins to connect. No event comes before this has returned. */
  constructor(options: ClientConnectionOptions, events: ConnectionEvents) {
    const { address, clock } = options;
    this.#events = events;
    this.#clock = clock;
    this.#address = address;
    this.#session = new ClientSession(
      address,
      {
        send: (buffers) => this.#write(buffers),
        published: () => events.live(),
        refused: (code, description, redirect) => this.#onRefused(code, description, redirect),
        acknowledged: (bytes) => this.#onAcknowledged(bytes),
      },
      { random: randomBytes, now: () => clock.now() },
    );
    this.#socket = open(options);
    this.#socket.setNoDelay(true);
    this.#socket.once(address.secure ? 'secureConnect' : 'connect', () => {
      if (!this.#isOver) this.#session.start();
    });
    this.#socket.on('data', (bytes: Buffer) => this.#receive(bytes));
    this.#socket.on('drain', () => {
      if (!this.#isOver) events.drained();
    });
    this.#socket.on('error', (error) => this.#onError(error));
    this.#socket.once('end', () => this.#end(`${address.host} closed the connection.`));
    this.#socket.once('close', () => this.#end(`The connection to ${address.host} was lost.`));
  }

  get queuedBytes(): number {
    return this.#socket.writableLength;
  }

  get bytesSent(): number {
    return this.#session.bytesSent;
  }

  get bytesAcknowledged(): number {
    return this.#bytesAcknowledged;
  }

  get acknowledges(): boolean {
    return this.#session.acknowledges;
  }

  get largestAcknowledgementBytes(): number {
    return this.#largestAcknowledgementBytes;
  }

  /** Servers and players take a track for missing that is not announced in front of all media. */
  describe(description: ProgramDescription, formats: readonly MediaFormat[]): void {
    if (this.#isOver) return;
    this.#session.metadata(description);
    this.#announced = formats;
  }

  send(unit: AccessUnit, originUs: number): void {
    if (this.#isOver) return;
    const timestampMs = Math.max(0, wholeMs(unit.dtsUs) - wholeMs(originUs));
    for (const format of this.#announced) this.#begin(format, timestampMs);
    this.#announced = [];
    this.#begin(unit.format, timestampMs);
    this.#session.media(unit.format.kind, timestampMs, unitBody(unit));
  }

  /** What follows cannot be decoded without its format. */
  #begin(format: MediaFormat, timestampMs: number): void {
    if (format === this.#formats[format.kind]) return;
    this.#formats[format.kind] = format;
    this.#session.media(format.kind, timestampMs, formatBody(format));
  }

  finish(): void {
    if (this.#isOver) return;
    this.#session.finish();
    this.#end('The connection was closed.');
  }

  destroy(): void {
    this.#end('The connection was closed.');
    this.#socket.destroy();
  }

  #receive(bytes: Buffer): void {
    if (this.#isOver) {
      this.#discarded += bytes.length;
      if (this.#discarded > MAX_DISCARDED_BYTES) this.#socket.destroy();
      return;
    }
    try {
      this.#session.receive(bytes);
    } catch (error) {
      if (!(error instanceof RtmpError)) throw error;
      this.#end(error.message);
    }
  }

  /** What is written in one turn of the event loop goes to the system in one piece. */
  #write(buffers: readonly Buffer[]): void {
    const socket = this.#socket;
    if (socket.destroyed || socket.writableEnded) return;
    if (socket.writableLength > MAX_QUEUED_BYTES) {
      socket.destroy();
      return;
    }
    if (!this.#isCorked) {
      this.#isCorked = true;
      socket.cork();
      process.nextTick(() => {
        this.#isCorked = false;
        socket.uncork();
      });
    }
    for (const buffer of buffers) socket.write(buffer);
  }

  #onAcknowledged(bytes: number): void {
    const step = bytes - this.#bytesAcknowledged;
    this.#largestAcknowledgementBytes = Math.max(this.#largestAcknowledgementBytes, step);
    this.#bytesAcknowledged = bytes;
    if (!this.#isOver) this.#events.drained();
  }

  #onRefused(code: string, description: string, redirect: string | undefined): void {
    if (this.#isOver) return;
    if (redirect !== undefined) {
      this.#isOver = true;
      this.#linger();
      this.#events.redirected(redirect);
      return;
    }
    if (wantsLogin(description)) {
      this.#isOver = true;
      this.#linger();
      this.#events.hopeless(
        `${this.#address.host} wants a user name and a password (authmod), which Patchroom cannot send: use an address or a key without.`,
      );
      return;
    }
    this.#events.refused(code, description);
    this.#end(`${this.#address.host} refused.`);
  }

  #onError(error: Error): void {
    if (this.#isOver) return;
    if (error instanceof NotPermittedError) {
      this.#isOver = true;
      this.#events.hopeless(error.message);
    } else this.#end(connectionFailure(error, this.#address));
  }

  #end(cause: string): void {
    if (this.#isOver) return;
    this.#isOver = true;
    if (this.#socket.connecting) this.#socket.destroy();
    else if (!this.#socket.destroyed) this.#linger();
    this.#events.closed(cause);
  }

  #linger(): void {
    const socket = this.#socket;
    socket.end();
    const limit = this.#clock.after(LINGER_MS, () => socket.destroy());
    socket.once('close', () => limit.cancel());
  }
}

function open(options: ClientConnectionOptions): net.Socket {
  const { address, permitted, ca } = options;
  const { host, port } = address;
  const isLiteral = net.isIP(host) !== 0;
  if (isLiteral && !permitted.permits(host)) {
    const socket = new net.Socket();
    socket.destroy(notPermitted(host)); // told like other errors, after the constructor
    return socket;
  }
  const target = {
    host,
    port,
    lookup: permittedLookup(options),
    autoSelectFamily: true,
    autoSelectFamilyAttemptTimeout: ADDRESS_LIMIT_MS,
  };
  if (!address.secure) return net.connect(target);
  return tls.connect({
    ...target,
    // Neither an address nor a closing dot is a server name's (RFC 6066, section 3); the certificate has to be for the host in any case.
    ...(isLiteral ? {} : { servername: host.replace(/\.$/, '') }),
    ...(ca === undefined ? {} : { ca: [...tls.getCACertificates('default'), ca] }),
  });
}

/** Names are resolved here, so that what was looked at is also what is connected to. Literal addresses don't come here. */
function permittedLookup({ permitted, resolve = dns.lookup }: ClientConnectionOptions): LookupFunction {
  return (hostname, options, callback) => {
    resolve(hostname, { ...options, all: true }, (error, addresses) => {
      if (error) {
        callback(error, []);
        return;
      }
      const usable = addresses.filter((one) => permitted.permits(one.address));
      const [first] = usable;
      if (!first) callback(notPermitted(hostname), []);
      else if (options.all) callback(null, usable);
      else callback(null, first.address, first.family);
    });
  };
}

function notPermitted(host: string): NotPermittedError {
  return new NotPermittedError(`The address ${host} is private: allow it with outputs.allow.`);
}
