import type { FastifyInstance, FastifyRequest } from 'fastify';
import { z } from 'zod';
import type { RoomDirectory } from '../room/directory.ts';
import { mustAdminister, mustHaveGrant } from '../room/grants.ts';
import type { MediaPlane } from '../workers/media-plane.ts';
import { jsonSchema } from './json-schema.ts';
import { reportRoom, roomReport, type ServerReport, serverReport } from './room-report.ts';
import type { TokenVerifier } from './tokens.ts';
import { bearer } from './twirp.ts';

export interface ReportOptions {
  readonly version: string;
  /** In demo mode no token is needed. */
  readonly demo: boolean;
  readonly rooms: RoomDirectory;
  readonly plane: MediaPlane;
  readonly tokens: TokenVerifier;
  /** What each gateway says of itself. */
  readonly gateways: () => Promise<ServerReport['gateways']>;
}

/** Our own read API: GET /api/rooms/<room>, GET /api/server, and the OpenAPI document of both. */
export async function serveReports(app: FastifyInstance, options: ReportOptions): Promise<void> {
  const { rooms, plane, tokens, demo, version, gateways } = options;
  const security = [{ token: [] }];

  app.get<{ Params: { room: string } }>(
    '/api/rooms/:room',
    {
      schema: {
        summary:
          'A room: participants, tracks, what each subscription does and why, and the processes that carry it',
        security,
        params: jsonSchema(z.strictObject({ room: z.string() })),
        response: { 200: jsonSchema(roomReport) },
      },
    },
    async (request) => {
      const { room } = request.params;
      if (needsToken(request)) mustAdminister(await tokens.verify(bearer(request)), room);
      return reportRoom(rooms.mustGet(room), plane);
    },
  );

  app.get(
    '/api/server',
    {
      schema: {
        summary: 'This server: its rooms and processes',
        security,
        response: { 200: jsonSchema(serverReport) },
      },
    },
    async (request): Promise<ServerReport> => {
      if (needsToken(request)) mustHaveGrant(await tokens.verify(bearer(request)), 'roomList');
      const { hubWorkers, mediaWorkers } = plane.health;
      return {
        version,
        demo,
        rooms: rooms.rooms.map(({ name, participants }) => ({ name, participants: participants.length })),
        workers: await plane.statistics(),
        gateways: await gateways(),
        workerDeaths: { hub: hubWorkers.deaths, media: mediaWorkers.deaths },
      };
    },
  );

  app.get('/api/openapi.json', { schema: { hide: true } }, async () => app.swagger());

  /** In demo mode a token may be left out; one that is shown is checked all the same. */
  function needsToken(request: FastifyRequest): boolean {
    return !demo || request.headers.authorization !== undefined;
  }
}
