import type { Socket } from 'node:net';
import { createSecureContext, type SecureContext } from 'node:tls';
import { PermittedAddresses } from '../../src/base/permitted-addresses.ts';
import { type MediaHost, type MediaModule, PatchroomError } from '../../src/gateway.ts';
import { IngestEndpoints } from '../../src/ingest/ingest-endpoints.ts';
import { Destination } from '../../transcode/delivery/destination.ts';
import { RedirectingConnection } from './client/redirecting-connection.ts';
import { maskedAddress, parseRtmpAddress } from './client/rtmp-address.ts';
import { PublisherFeed } from './mapping/publisher-feed.ts';
import { messages, type Notice, type Reply, type Request } from './messages.ts';
import { Connection } from './server/connection.ts';

type Body<T extends Request['type']> = Extract<Request, { type: T }>;

/** What one media worker has of RTMP: encoders, with a connection each and what comes on it, and pushes to CDNs. */
class EncoderMedia {
  #host: MediaHost<Notice>;
  #options: Body<'configure'> | undefined;
  #tls: SecureContext | undefined;
  #ingests: IngestEndpoints;
  #connections = new Map<string, Connection>();
  #relays = new Map<string, Destination>();

  constructor(host: MediaHost<Notice>) {
    this.#host = host;
    this.#ingests = new IngestEndpoints(host);
  }

  async handle(request: Request, socket?: Socket): Promise<Reply> {
    switch (request.type) {
      case 'configure':
        this.#options = request;
        this.#tls = request.tls && createSecureContext(request.tls);
        return {};
      case 'accept':
        this.#accept(request, socket);
        return {};
      case 'admit':
        this.#mustGet(request.session).admit();
        return {};
      case 'refuse':
        this.#connections.get(request.session)?.refuse(request.description);
        return {};
      case 'dismiss':
        this.#connections.get(request.session)?.dismiss(request.description);
        return {};
      case 'yield':
        return { yields: (await this.#connections.get(request.session)?.yields(request.silentMs)) ?? true };
      case 'relay':
        this.#relay(request);
        return {};
      case 'end-relay':
        this.#relays.get(request.relay)?.end();
        this.#relays.delete(request.relay);
        return {};
      default:
        return this.#ingests.handle(request);
    }
  }

  async close(): Promise<void> {
    for (const connection of [...this.#connections.values()]) connection.destroy();
    for (const relay of this.#relays.values()) relay.end();
    this.#relays.clear();
  }

  /** Begins to push a program to a CDN. */
  #relay({ relay, program, address: text, originUs }: Body<'relay'>): void {
    const address = parseRtmpAddress(text);
    if (!this.#options || 'reason' in address) {
      throw new PatchroomError('internal', 'A relay comes before the settings, or has no address.');
    }
    const { notify, clock } = this.#host;
    const { everywhere, allow } = this.#options.relays;
    const permitted = new PermittedAddresses({ everything: everywhere, allow });
    const feed = this.#host.program(program);
    const destination: Destination = new Destination({
      feed,
      clock,
      maxLatenessMs: this.#options.relays.maxLatenessMs,
      originUs,
      random: Math.random,
      log: this.#host.log.child({ relay, to: maskedAddress(text) }),
      connect: (events) => new RedirectingConnection({ address, permitted, clock }, events),
      onChange: () => {
        // The first one comes before it is known here.
        queueMicrotask(() => {
          if (this.#relays.get(relay) === destination)
            notify({ type: 'relay', relay, report: destination.report });
        });
      },
      onFailed: (reason) => {
        this.#relays.delete(relay);
        notify({ type: 'relay-failed', relay, reason });
      },
    });
    this.#relays.set(relay, destination);
  }

  #accept({ session, secure }: Body<'accept'>, socket: Socket | undefined): void {
    const options = this.#options;
    // A connection that closed on its way here comes as nothing.
    if (!socket) throw new PatchroomError('failed-precondition', 'The connection is gone already.');
    if (!options || (secure && !this.#tls))
      throw new PatchroomError('internal', 'Encoders come before the settings.');
    const { notify, clock } = this.#host;
    const { maxWaitMs, audioBitrateBps, silenceMs } = options;
    /** What it publishes now goes there. */
    let feed: PublisherFeed | undefined;
    let malformed = 0;
    const endFeed = () => {
      feed?.end();
      malformed += feed?.malformed ?? 0;
      feed = undefined;
      this.#ingests.close(session);
    };
    const tls = secure ? this.#tls : undefined;
    const connection = new Connection(socket, { silenceMs, ...(tls ? { tls } : {}) }, clock, {
      publish: ({ app, key }) => {
        const video = { ...options.video, maxWaitMs };
        const audio = { bitrateBps: audioBitrateBps, maxWaitMs };
        feed = new PublisherFeed(this.#ingests.open(session, { video, audio }));
        notify({ type: 'publish', session, app, key });
      },
      audio: (body, timestamp) => feed?.audio(body, timestamp),
      video: (body, timestamp) => feed?.video(body, timestamp),
      metadata: (values) => feed?.metadata(values),
      unpublished: () => {
        endFeed();
        notify({ type: 'unpublished', session });
      },
      over: ({ how, text, error }) => {
        this.#connections.delete(session);
        endFeed();
        const dropped = connection.dropped + malformed;
        notify({ type: 'over', session, how, text, dropped, ...(error ? { error } : {}) });
      },
    });
    this.#connections.set(session, connection);
  }

  #mustGet(session: string): Connection {
    const found = this.#connections.get(session);
    if (!found) throw new PatchroomError('failed-precondition', `Session ${session} is not open here.`);
    return found;
  }
}

const rtmpMedia: MediaModule<Request, Reply, Notice> = { messages, create: (host) => new EncoderMedia(host) };
export default rtmpMedia;
