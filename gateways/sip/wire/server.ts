import { createHash, randomUUID, timingSafeEqual } from 'node:crypto';
import net from 'node:net';
import { systemClock } from '../../../src/base/clock.ts';
import type { Clock, Logger } from '../../../src/gateway.ts';
import type { Application, Core } from '../engine/core.ts';
import { type SipMessage, type SipRequest, type SipResponse, serialize } from '../engine/message.ts';
import type { Flow } from '../engine/transport.ts';
import { encodeFrame, type Frame, FrameReader, MAX_FRAME_BYTES } from './frame.ts';
import { plainRequest } from './plain-request.ts';
import { parseTemplate } from './template.ts';

/** What drachtio-srf takes it for; from 0.8.2 on it knows ping. */
const VERSION = 'v0.9.0';
/** Whoever has not shown the secret until then is disconnected, and may not say more than that. */
const AUTHENTICATION_LIMIT_MS = 5_000;
const AUTHENTICATION_BYTES = 4_096;
const MAX_CONNECTIONS = 16;
/** An application that reads nothing is dropped when this much waits for it. */
const MAX_UNSENT_BYTES = 32 * 1024 * 1024;

/**
 * The server end of drachtio's wire protocol, on loopback, for one application: the control plane.
 * A second connection takes the place of the first; the calls of an application that is gone are ended.
 */
export class WireServer implements Application {
  #server: net.Server;
  #secret: string;
  #log: Logger;
  #clock: Clock;
  #core: Core | undefined;
  #sockets = new Set<net.Socket>();
  /** The one that has shown the secret. */
  #application: net.Socket | undefined;
  #routes = new Set<string>();

  private constructor(server: net.Server, secret: string, log: Logger, clock: Clock) {
    this.#server = server;
    this.#secret = secret;
    this.#log = log;
    this.#clock = clock;
    server.maxConnections = MAX_CONNECTIONS;
    server.on('connection', (socket) => this.#serve(socket));
  }

  /** Listens on loopback, at any free port. @param secret - without bars and line ends */
  static async open(secret: string, log: Logger, clock: Clock = systemClock): Promise<WireServer> {
    const server = net.createServer();
    await new Promise<void>((resolve, reject) =>
      server.once('error', reject).listen(0, '127.0.0.1', resolve),
    );
    return new WireServer(server, secret, log, clock);
  }

  /** Whom its requests and responses go to. */
  serve(core: Core): void {
    this.#core = core;
  }

  get port(): number {
    return (this.#server.address() as net.AddressInfo).port;
  }

  get connected(): boolean {
    return this.#application !== undefined;
  }

  takes(method: string): boolean {
    return this.#routes.has(method);
  }

  request(request: SipRequest, flow: Flow, transaction: string, dialog: string | undefined): void {
    this.#event('network', plainRequest(request), flow, transaction, dialog);
  }

  response(response: SipResponse, flow: Flow, transaction: string, dialog: string | undefined): void {
    this.#event('network', response, flow, transaction, dialog);
  }

  ended(bye: SipRequest, flow: Flow, dialog: string): void {
    this.#event('application', bye, flow, 'unsolicited', dialog);
  }

  /** Ends what the application has, and closes every socket. */
  async close(): Promise<void> {
    const closed = new Promise((resolve) => this.#server.close(resolve));
    this.#forgetApplication();
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }

  #serve(socket: net.Socket): void {
    const reader = new FrameReader(AUTHENTICATION_BYTES);
    const limit = this.#clock.after(AUTHENTICATION_LIMIT_MS, () => {
      if (socket !== this.#application) socket.destroy();
    });
    this.#sockets.add(socket);
    socket.setNoDelay(true);
    socket.on('error', () => {}); // 'close' follows
    socket.once('close', () => {
      limit.cancel();
      this.#sockets.delete(socket);
      if (socket !== this.#application) return;
      this.#log.warn('the application is gone: its calls are ended, new ones are answered 503');
      this.#forgetApplication();
    });
    socket.on('data', (bytes) => {
      try {
        for (const frame of reader.read(bytes)) {
          if (socket === this.#application) this.#obey(socket, frame);
          else if (this.#authenticate(socket, frame)) reader.permit(MAX_FRAME_BYTES);
          else return;
        }
      } catch (error) {
        this.#log.error({ err: error }, 'the wire protocol was broken; connection closed');
        socket.destroy();
      }
    });
  }

  /** There is one attempt a connection. */
  #authenticate(socket: net.Socket, { id, verb, fields }: Frame): boolean {
    const digest = (text: string) => createHash('sha256').update(text).digest();
    if (verb !== 'authenticate' || !timingSafeEqual(digest(fields[0] ?? ''), digest(this.#secret))) {
      this.#log.error('an application with a wrong secret was refused');
      socket.removeAllListeners('data');
      socket.end(encodeFrame(randomUUID(), 'response', [id, 'NOK', 'not authenticated']));
      socket.resume();
      return false;
    }
    this.#forgetApplication();
    this.#application = socket;
    this.#reply(socket, id, ['OK', `127.0.0.1:${this.port}`, VERSION, '']);
    return true;
  }

  #forgetApplication(): void {
    const application = this.#application;
    this.#application = undefined;
    this.#routes.clear();
    if (!application) return;
    application.destroy();
    this.#core?.applicationGone();
  }

  #obey(socket: net.Socket, frame: Frame): void {
    const { id, verb, fields, message } = frame;
    // drachtio-srf names methods in lower case; in SIP their case matters.
    const method = (fields[0] ?? '').toUpperCase();
    if (verb === 'sip' && message) this.#sip(socket, id, fields, message);
    else if (verb === 'route') {
      this.#routes.add(method);
      this.#reply(socket, id, ['OK']);
    } else if (verb === 'remove_route') {
      this.#routes.delete(method);
      this.#reply(socket, id, ['OK']);
    } else if (verb === 'ping') this.#reply(socket, id, ['OK']);
    else this.#reply(socket, id, ['NOK', `${verb} is not implemented`]);
  }

  /** A response or request to send. */
  #sip(
    socket: net.Socket,
    id: string,
    [transaction = '', dialog = '']: readonly string[],
    bytes: Buffer,
  ): void {
    try {
      const template = parseTemplate(bytes);
      const { headers, body } = template;
      const core = this.#core!;
      if (template.kind === 'response') {
        const sent = core.respond(transaction, template.status, template.reason, headers, body);
        this.#sent(socket, id, sent.response, sent.flow, transaction, sent.dialog);
      } else if (dialog === '') {
        this.#reply(socket, id, ['NOK', 'requests outside a dialog are not implemented']);
      } else {
        const sent = core.requestWithin(dialog, template.method, headers, body);
        this.#sent(socket, id, sent.request, sent.flow, sent.transaction, dialog);
      }
    } catch (error) {
      this.#reply(socket, id, ['NOK', (error as Error).message]);
    }
  }

  #sent(
    socket: net.Socket,
    id: string,
    message: SipMessage,
    flow: Flow,
    transaction: string,
    dialog = '',
  ): void {
    const bytes = serialize(message);
    this.#reply(socket, id, ['OK', 'application', ...describe(bytes, flow), transaction, dialog], bytes);
  }

  #reply(socket: net.Socket, id: string, fields: readonly string[], message?: Buffer): void {
    this.#write(socket, encodeFrame(randomUUID(), 'response', [id, ...fields], message));
  }

  #event(source: string, message: SipMessage, flow: Flow, transaction: string, dialog = ''): void {
    if (!this.#application) return;
    const bytes = serialize(message);
    const receivedOn = [flow.localAddress, String(flow.localPort)];
    const fields = [source, ...describe(bytes, flow), transaction, dialog, ...receivedOn];
    this.#write(this.#application, encodeFrame(randomUUID(), 'sip', fields, bytes));
  }

  #write(socket: net.Socket, bytes: Buffer): void {
    if (socket.writableLength > MAX_UNSENT_BYTES) socket.destroy();
    else socket.write(bytes);
  }
}

/** Size, protocol, address, port and time, as the wire protocol has them. */
function describe(bytes: Buffer, { protocol, address, port }: Flow): string[] {
  return [String(bytes.length), protocol, address, String(port), new Date().toISOString().slice(11, 23)];
}
