import { randomBytes } from 'node:crypto';
import dns from 'node:dns';
import net, { type LookupFunction } from 'node:net';
import tls from 'node:tls';
import type { Clock } from '../../../src/gateway.ts';
import type { ProgramDescription, ProgramPacket } from '../../../src/media/program.ts';
import { RtmpError } from '../protocol/rtmp-error.ts';
import { ClientSession } from './client-session.ts';
import { connectionFailure } from './connection-failure.ts';
import type { PermittedAddresses } from './permitted-addresses.ts';
import type { RtmpAddress } from './rtmp-address.ts';

export interface ClientConnectionEvents {
  /** The server lets us publish. */
  live(): void;
  /** The server said no, or ended what was published, in its own words; it is closed after that. */
  refused(code: string, description: string): void;
  /** Instead of anything else: we may not connect to that address, so that there is no use in trying again. */
  notPermitted(reason: string): void;
  /** Once, whatever the cause: a sentence for people. Nothing comes after it. */
  closed(cause: string): void;
  /** What waited in this process was taken. */
  drained(): void;
}

/** A connection as a destination uses it. */
export interface ClientConnectionLike {
  /** Of what was sent, those that the system has not taken yet. */
  readonly queuedBytes: number;
  readonly bytesSent: number;
  /** Of those sent, as the server says; 0 while it says nothing. */
  readonly bytesAcknowledged: number;
  readonly acknowledges: boolean;
  /** The most bytes from one acknowledgement to the next, so far. */
  readonly largestAcknowledgementBytes: number;
  /** @param body - is not copied: must not change */
  media(kind: ProgramPacket['kind'], timestampMs: number, body: Buffer): void;
  metadata(description: ProgramDescription): void;
  /** Says that it is done, and closes within a second. */
  finish(): void;
  /** At once and without a word. */
  destroy(): void;
}

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

class NotPermittedError extends Error {}

/** One connection to an RTMP server: the socket, with or without TLS, and the session that is spoken on it. */
export class ClientConnection implements ClientConnectionLike {
  #events: ClientConnectionEvents;
  #clock: Clock;
  #address: RtmpAddress;
  #socket: net.Socket;
  #session: ClientSession;
  #bytesAcknowledged = 0;
  #largestAcknowledgementBytes = 0;
  #isCorked = false;
  #isOver = false;
  #discarded = 0;

  /** Begins to connect. No event comes before this has returned. */
  constructor(options: ClientConnectionOptions, events: ClientConnectionEvents) {
    const { address, clock } = options;
    this.#events = events;
    this.#clock = clock;
    this.#address = address;
    this.#session = new ClientSession(
      address,
      {
        send: (buffers) => this.#write(buffers),
        published: () => events.live(),
        refused: (code, description) => this.#onRefused(code, description),
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

  media(kind: ProgramPacket['kind'], timestampMs: number, body: Buffer): void {
    if (!this.#isOver) this.#session.media(kind, timestampMs, body);
  }

  metadata(description: ProgramDescription): void {
    if (!this.#isOver) this.#session.metadata(description);
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
  }

  #onRefused(code: string, description: string): void {
    if (this.#isOver) return;
    this.#events.refused(code, description);
    this.#end(`${this.#address.host} refused.`);
  }

  #onError(error: Error): void {
    if (this.#isOver) return;
    if (error instanceof NotPermittedError) {
      this.#isOver = true;
      this.#events.notPermitted(error.message);
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
