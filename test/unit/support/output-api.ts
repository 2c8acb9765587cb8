import type { LightMyRequestResponse } from 'fastify';
import { egressService } from '../../../src/api/egress-service.ts';
import { HttpServer } from '../../../src/api/http.ts';
import { serveProgram } from '../../../src/api/program-routes.ts';
import { TokenVerifier } from '../../../src/api/tokens.ts';
import { serveTwirp } from '../../../src/api/twirp.ts';
import { createLogger } from '../../../src/base/log.ts';
import type { ProgramSettings } from '../../../src/outputs/director.ts';
import { RoomDirectory } from '../../../src/room/directory.ts';
import type { Room } from '../../../src/room/room.ts';
import { FakeClock } from './fake-clock.ts';
import { FakeOutputs } from './fake-outputs.ts';
import { person, ROOM_OPTIONS } from './rooms.ts';
import { KEY, SECRET, sign } from './tokens.ts';

export interface Request {
  readonly method?: 'GET' | 'PUT' | 'POST' | 'DELETE';
  readonly url: string;
  /** An object is sent as JSON. */
  readonly body?: object | string;
  /** Of the token; undefined: there is no token. */
  readonly video?: object | undefined;
  readonly headers?: Record<string, string>;
}

export interface OutputApiOptions {
  readonly demo?: boolean;
  readonly allowedOrigins?: readonly string[];
  readonly made?: ProgramSettings;
}

/** The HTTP API of outputs without a socket, on outputs that go nowhere; ann is in the room `lounge`. */
export class OutputApi {
  readonly clock = new FakeClock();
  readonly outputs = new FakeOutputs();
  readonly rooms = new RoomDirectory({ defaults: ROOM_OPTIONS, maxRooms: 10 }, this.clock);
  readonly room: Room;
  #http: HttpServer;

  private constructor(http: HttpServer) {
    this.#http = http;
    this.room = this.rooms.open('lounge');
    this.room.join(person('ann'));
  }

  static async create({
    demo = false,
    allowedOrigins = [],
    made,
  }: OutputApiOptions = {}): Promise<OutputApi> {
    const log = createLogger('silent');
    const http = await HttpServer.create({
      bind: '127.0.0.1',
      port: 0,
      tls: undefined,
      trustProxy: [],
      allowedOrigins,
      demo,
      version: '0.0.0-test',
      log,
    });
    const api = new OutputApi(http);
    const { rooms, outputs, clock } = api;
    const tokens = new TokenVerifier({ [KEY]: SECRET });
    serveTwirp(http.app, { tokens, log, services: { Egress: egressService(rooms, outputs, made) } });
    await serveProgram(http.app, { demo, rooms, outputs, tokens, clock });
    http.app.get('/api/openapi.json', { schema: { hide: true } }, async () => http.app.swagger());
    return api;
  }

  async ask({ method = 'GET', url, body, headers, ...rest }: Request): Promise<LightMyRequestResponse> {
    // The root of the API permits it, where a test does not say otherwise.
    const { video = { roomRecord: true } } = rest;
    const bearer = 'video' in rest && rest.video === undefined ? undefined : await sign({ video });
    return this.#http.app.inject({
      method,
      url,
      headers: {
        ...(bearer === undefined ? {} : { authorization: `Bearer ${bearer}` }),
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    });
  }

  /** Calls a method of LiveKit's Egress. */
  egress(
    method: string,
    body: object | string,
    rest: Pick<Request, 'video' | 'headers'> = {},
  ): Promise<LightMyRequestResponse> {
    return this.ask({ method: 'POST', url: `/twirp/livekit.Egress/${method}`, body, ...rest });
  }
}
