import type { Socket } from 'node:net';
import { createSecureContext, type SecureContext } from 'node:tls';
import { type MediaHost, type MediaModule, PatchroomError } from '../../src/gateway.ts';
import { ClientConnection } from './client/client-connection.ts';
import { Destination } from './client/destination.ts';
import { PermittedAddresses } from './client/permitted-addresses.ts';
import { maskedAddress, parseRtmpAddress } from './client/rtmp-address.ts';
import { Ingest } from './ingest/ingest.ts';
import { messages, type Notice, type Reply, type Request } from './messages.ts';
import { Connection } from './session/connection.ts';

type Body<T extends Request['type']> = Extract<Request, { type: T }>;

interface Session {
  readonly connection: Connection;
  readonly ingest: Ingest;
  /** SSRCs that it sends to hubs with: who stops sending must mean the stream that is sent. */
  readonly sending: { audio?: number; video?: number };
}

/** What one media worker has of RTMP: encoders, with a connection each and what comes on it, and pushes to CDNs. */
class EncoderMedia {
  #host: MediaHost<Notice>;
  #options: Body<'configure'> | undefined;
  #tls: SecureContext | undefined;
  #sessions = new Map<string, Session>();
  #relays = new Map<string, Destination>();

  constructor(host: MediaHost<Notice>) {
    this.#host = host;
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
        this.#mustGet(request.session).connection.admit();
        return {};
      case 'refuse':
        this.#sessions.get(request.session)?.connection.refuse(request.description);
        return {};
      case 'dismiss':
        this.#sessions.get(request.session)?.connection.dismiss(request.description);
        return {};
      case 'send': {
        const { kind, ssrc, payloadType, link } = request;
        const { ingest, sending } = this.#mustGet(request.session);
        ingest.open(kind, { link: this.#host.link(link), ssrc, payloadType });
        sending[kind] = ssrc;
        return {};
      }
      case 'unsend': {
        const session = this.#sessions.get(request.session);
        if (session?.sending[request.kind] === request.ssrc) session.ingest.close(request.kind);
        return {};
      }
      case 'mute':
        this.#mustGet(request.session).ingest.setMuted(request.kind, request.muted);
        return {};
      case 'statistics':
        return { statistics: this.#mustGet(request.session).ingest.statistics };
      case 'send-pictures': {
        const { ingest } = this.#mustGet(request.session);
        const { outlet, port, token } = request;
        ingest.addTap(
          outlet,
          this.#host.openPictures({ port, token }, () => ingest.removeTap(outlet)),
        );
        return {};
      }
      case 'unsend-pictures':
        this.#sessions.get(request.session)?.ingest.removeTap(request.outlet);
        return {};
      case 'relay':
        this.#relay(request);
        return {};
      case 'end-relay':
        this.#relays.get(request.relay)?.end();
        this.#relays.delete(request.relay);
        return {};
    }
  }

  async close(): Promise<void> {
    for (const { connection } of [...this.#sessions.values()]) connection.destroy();
    for (const relay of this.#relays.values()) relay.end();
    this.#relays.clear();
  }

  /** Begins to push a program to a CDN. */
  #relay({ relay, program, address: text }: Body<'relay'>): void {
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
      random: Math.random,
      log: this.#host.log.child({ relay, to: maskedAddress(text) }),
      connect: (events) => new ClientConnection({ address, permitted, clock }, events),
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
    const ingest = new Ingest(
      { video: { ...options.video, maxWaitMs }, audio: { bitrateBps: audioBitrateBps, maxWaitMs } },
      clock,
      this.#host.log.child({ session }),
      {
        encoder: (name) => notify({ type: 'encoder', session, name }),
        audio: (codec, { outcome, reason, steps }) =>
          notify({ type: 'track', session, kind: 'audio', codec, outcome, reason, steps: [...steps] }),
        video: (codec, size, { outcome, reason, steps }) =>
          notify({
            type: 'track',
            session,
            kind: 'video',
            codec,
            ...(size ? { width: size.width, height: size.height } : {}),
            outcome,
            reason,
            steps: [...steps],
          }),
      },
    );
    const tls = secure ? this.#tls : undefined;
    const connection = new Connection(socket, { silenceMs, ...(tls ? { tls } : {}) }, clock, {
      publish: ({ app, key }) => notify({ type: 'publish', session, app, key }),
      audio: (body, timestamp) => ingest.audio(body, timestamp),
      video: (body, timestamp) => ingest.video(body, timestamp),
      metadata: (values) => ingest.metadata(values),
      over: ({ how, text, error }) => {
        this.#sessions.delete(session);
        ingest.end();
        const { dropped } = connection;
        notify({ type: 'over', session, how, text, dropped, ...(error ? { error } : {}) });
      },
    });
    this.#sessions.set(session, { connection, ingest, sending: {} });
  }

  #mustGet(session: string): Session {
    const found = this.#sessions.get(session);
    if (!found) throw new PatchroomError('failed-precondition', `There is no session ${session} here.`);
    return found;
  }
}

const rtmpMedia: MediaModule<Request, Reply, Notice> = { messages, create: (host) => new EncoderMedia(host) };
export default rtmpMedia;
