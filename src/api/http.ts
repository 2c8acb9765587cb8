import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import proxyAddr from '@fastify/proxy-addr';
import swagger from '@fastify/swagger';
import fastify, { type FastifyInstance, type FastifyReply } from 'fastify';
import type { ServerCertificate } from '../base/certificate.ts';
import { PatchroomError } from '../base/errors.ts';
import type { Logger } from '../base/log.ts';
import { refuseUpgrade, type UpgradeHandler, type WebEntry } from '../gateway.ts';
import { fromFastify, httpStatus, problemDetails } from './problem.ts';

export interface HttpOptions {
  readonly bind: string;
  /** 0: any free one. */
  readonly port: number;
  /** PEM files. */
  readonly tls: ServerCertificate | undefined;
  /** Addresses and networks whose X-Forwarded-For is believed. */
  readonly trustProxy: readonly string[];
  /** Other sites whose pages may open WebSockets here and call what changes something. */
  readonly allowedOrigins: readonly string[];
  readonly demo: boolean;
  readonly version: string;
  readonly log: Logger;
}

const MAX_BODY_BYTES = 1024 * 1024;
const REQUEST_LIMIT_MS = 30_000;
const SAFE_METHODS = ['GET', 'HEAD', 'OPTIONS'];
/** Of routes, not of what was asked for: `/%61pi` leads to `/api` as well. */
const API_ROUTE = /^\/(api|twirp)\//;
/** Every answer has these: content is what it says it is, and addresses, which may hold tokens, are told to nobody. */
const SAFE_HEADERS = {
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'permissions-policy': 'camera=(self), microphone=(self), display-capture=(self), geolocation=()',
};
/** For pages of the sites in http.allowedOrigins (Fetch standard, section 3.2). */
const CORS_HEADERS = {
  vary: 'Origin',
  'access-control-allow-headers': 'authorization, content-type',
  'access-control-allow-methods': 'GET, POST, PUT, DELETE, OPTIONS',
  'access-control-max-age': '600',
};
const LOOPBACK_HOST = /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])(:\d+)?$/i;

/** The HTTP server: page, API and the browsers' WebSockets on one port. Routes are added by others before it listens. */
export class HttpServer implements WebEntry {
  readonly app: FastifyInstance;
  #options: HttpOptions;
  #upgrades = new Map<string, UpgradeHandler>();
  #trusts: (address: string, hop: number) => boolean;

  private constructor(app: FastifyInstance, options: HttpOptions) {
    this.app = app;
    this.#options = options;
    this.#trusts = proxyAddr.compile([...options.trustProxy]);
    app.server.on('upgrade', (request, socket, head) => this.#upgrade(request, socket, head));
  }

  static async create(options: HttpOptions): Promise<HttpServer> {
    const app = fastify({
      bodyLimit: MAX_BODY_BYTES,
      requestTimeout: REQUEST_LIMIT_MS,
      trustProxy: options.trustProxy.length > 0 ? [...options.trustProxy] : false,
      routerOptions: { maxParamLength: 256 },
      ...(options.tls ? { https: { ...options.tls } } : {}),
    }) as unknown as FastifyInstance;
    // Schemas describe the answers to people; what goes out is already of their types.
    app.setSerializerCompiler(() => (data) => JSON.stringify(data));
    app.setValidatorCompiler(() => () => true);
    await app.register(swagger, {
      openapi: {
        openapi: '3.1.0',
        info: {
          title: 'Patchroom',
          version: options.version,
          description: 'What LiveKit-compatible calls cannot tell.',
        },
        components: { securitySchemes: { token: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT' } } },
      },
    });
    app.addHook('onRequest', async (request, reply) => {
      reply.headers(SAFE_HEADERS);
      if (!permitsHost(options.demo, request.headers.host)) {
        throw new PatchroomError('forbidden', 'Demo mode answers on localhost and 127.0.0.1 only.');
      }
      const { origin } = request.headers;
      if (origin !== undefined && options.allowedOrigins.includes(origin) && isApi(request.url)) {
        reply.headers({ ...CORS_HEADERS, 'access-control-allow-origin': origin });
        if (request.method === 'OPTIONS') return reply.code(204).send();
      }
      const changes =
        !SAFE_METHODS.includes(request.method) && API_ROUTE.test(request.routeOptions.url ?? '');
      if (changes && !permitsOrigin(options.allowedOrigins, request.headers)) {
        options.log.warn({ origin: request.headers.origin }, 'API call from a page of another site refused');
        throw new PatchroomError(
          'forbidden',
          'Pages of other sites may not call this: their origin must be listed in http.allowedOrigins.',
        );
      }
    });
    app.setErrorHandler((error, _request, reply) => {
      const problem = fromFastify(error);
      if (problem.code === 'internal') options.log.error({ err: error }, 'request failed');
      return sendProblem(reply, problem);
    });
    app.setNotFoundHandler((request, reply) =>
      sendProblem(
        reply,
        new PatchroomError('not-found', `There is nothing at ${request.url.split('?')[0]}.`),
      ),
    );
    return new HttpServer(app, options);
  }

  onUpgrade(path: string, handler: UpgradeHandler): void {
    this.#upgrades.set(path, handler);
  }

  /** @returns the port. @throws PatchroomError in a sentence when it cannot listen */
  async listen(): Promise<number> {
    const { bind, port } = this.#options;
    await this.app.listen({ host: bind, port }).catch((error: NodeJS.ErrnoException) => {
      const why = error.code === 'EADDRINUSE' ? 'it is in use' : error.message;
      throw new PatchroomError(
        'unavailable',
        `Port ${port} on ${bind} cannot be used for HTTP: ${why}. Free it, or set http.port (or PATCHROOM_HTTP_PORT) to another.`,
      );
    });
    const address = this.app.server.address();
    return typeof address === 'object' && address !== null ? address.port : port;
  }

  async close(): Promise<void> {
    const closed = this.app.close();
    this.app.server.closeAllConnections();
    await closed;
  }

  #upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    socket.on('error', () => socket.destroy());
    const handler = this.#upgrades.get((request.url ?? '').split('?')[0]!);
    if (!handler) {
      refuseUpgrade(socket, '404 Not Found');
      return;
    }
    const { demo, allowedOrigins } = this.#options;
    if (!permitsHost(demo, request.headers.host) || !permitsOrigin(allowedOrigins, request.headers)) {
      this.#options.log.warn({ origin: request.headers.origin }, 'WebSocket from another site refused');
      refuseUpgrade(socket, '403 Forbidden');
      return;
    }
    handler(request, socket, head, proxyAddr(request, this.#trusts));
  }
}

function isApi(url: string): boolean {
  return url.startsWith('/api/') || url.startsWith('/twirp/');
}

function sendProblem(reply: FastifyReply, problem: PatchroomError): FastifyReply {
  return reply.code(httpStatus(problem)).type('application/problem+json').send(problemDetails(problem));
}

/** A page of another site must not use a visitor's network access to this server (RFC 6455, section 10.2). */
function permitsOrigin(allowed: readonly string[], { origin, host }: IncomingHttpHeaders): boolean {
  if (origin === undefined) return true; // not a browser
  if (allowed.includes(origin)) return true;
  return URL.canParse(origin) && new URL(origin).host === host;
}

/** In demo mode only loopback names, so that no foreign name that resolves to 127.0.0.1 gets in (DNS rebinding). */
function permitsHost(demo: boolean, host: string | undefined): boolean {
  return !demo || (host !== undefined && LOOPBACK_HOST.test(host));
}
