import type { FastifyInstance, FastifyRequest } from 'fastify';
import { z } from 'zod';
import type { Clock } from '../base/clock.ts';
import { PatchroomError } from '../base/errors.ts';
import type { Outputs } from '../outputs/outputs.ts';
import type { RoomDirectory } from '../room/directory.ts';
import { mustDirect, mustRecord, type RoomGrant } from '../room/grants.ts';
import type { Room } from '../room/room.ts';
import { jsonSchema } from './json-schema.ts';
import { findRelay, relayReport, relaysOf, reportRelay } from './relay-report.ts';
import type { TokenVerifier } from './tokens.ts';
import { bearer } from './twirp.ts';

export interface ProgramRouteOptions {
  /** In demo mode no token is needed. */
  readonly demo: boolean;
  readonly rooms: Pick<RoomDirectory, 'mustGet'>;
  readonly outputs: Pick<Outputs, 'start' | 'all' | 'update' | 'stop' | 'shown'>;
  readonly tokens: TokenVerifier;
  readonly clock: Clock;
}

const MAX_ADDRESS = 4096;

const roomParams = z.strictObject({ room: z.string() });
const relayParams = z.strictObject({ room: z.string(), id: z.string() });

const wantedProgram = z.strictObject({
  participant: z
    .string()
    .min(1)
    .max(256)
    .nullable()
    .describe('Identity of whose picture is shown; null: it is chosen by itself'),
});
const newRelay = z.strictObject({
  address: z
    .string()
    .min(1)
    .max(MAX_ADDRESS)
    .describe('Such as rtmp://live.example.com/app/stream-key; its key is never shown again'),
});

export const programReport = z
  .strictObject({
    pinned: z.string().nullable().describe('Identity of whose picture was asked for; he may not be there'),
    shown: z
      .strictObject({
        participant: z.string().describe('His identity'),
        track: z.string().describe('sid of his track'),
      })
      .nullable()
      .describe('What is shown now; null: the slate with the name of the room, or nothing goes out'),
  })
  .meta({ title: 'Program' });
export type ProgramReport = z.infer<typeof programReport>;

export const relayList = z.strictObject({ relays: z.array(relayReport) }).meta({ title: 'Relays' });

/** What goes out of a room, and where to: /api/rooms/<room>/program and /api/rooms/<room>/relays. */
export async function serveProgram(app: FastifyInstance, options: ProgramRouteOptions): Promise<void> {
  const { rooms, outputs, tokens, demo, clock } = options;
  const security = [{ token: [] }];

  app.get<{ Params: { room: string } }>(
    '/api/rooms/:room/program',
    {
      schema: {
        summary: "Whose picture the room's program shows",
        security,
        params: jsonSchema(roomParams),
        response: { 200: jsonSchema(programReport) },
      },
    },
    async (request) => {
      const { room } = request.params;
      await authorize(request, mustDirect);
      return reportProgram(rooms.mustGet(room));
    },
  );

  app.put<{ Params: { room: string } }>(
    '/api/rooms/:room/program',
    {
      onRequest: mustBeJson,
      schema: {
        summary: "Chooses whose picture the room's program shows",
        security,
        params: jsonSchema(roomParams),
        body: jsonSchema(wantedProgram),
        response: { 200: jsonSchema(programReport) },
      },
    },
    async (request) => {
      await authorize(request, mustDirect);
      const { participant } = parseBody(wantedProgram, request.body);
      const room = rooms.mustGet(request.params.room);
      if (participant !== null && !room.participant(participant)) {
        throw new PatchroomError('participant-not-found', `${participant} is not in the room ${room.name}.`);
      }
      room.pin(participant ?? undefined);
      return reportProgram(room);
    },
  );

  app.get<{ Params: { room: string } }>(
    '/api/rooms/:room/relays',
    {
      schema: {
        summary:
          'Where the room goes out to: every destination that runs, has failed, or ended within the last minute',
        security,
        params: jsonSchema(roomParams),
        response: { 200: jsonSchema(relayList) },
      },
    },
    async (request) => {
      await authorize(request, mustRecord);
      const room = rooms.mustGet(request.params.room);
      return { relays: relaysOf(outputs.all, room, clock.wallClock()).map(reportRelay) };
    },
  );

  app.post<{ Params: { room: string } }>(
    '/api/rooms/:room/relays',
    {
      onRequest: mustBeJson,
      schema: {
        summary: 'Sends the room out to an RTMP server',
        security,
        params: jsonSchema(roomParams),
        body: jsonSchema(newRelay),
        response: { 201: jsonSchema(relayReport) },
      },
    },
    async (request, reply) => {
      await authorize(request, mustRecord);
      const { address } = parseBody(newRelay, request.body);
      const output = await outputs.start(rooms.mustGet(request.params.room), { type: 'room' }, [address]);
      const destination = output.destinations[0];
      if (!destination) throw new Error(`${output.id} started without a destination`);
      return reply.code(201).send(reportRelay({ output, index: 0, destination }));
    },
  );

  app.delete<{ Params: { room: string; id: string } }>(
    '/api/rooms/:room/relays/:id',
    {
      schema: {
        summary: 'Ends a relay',
        security,
        params: jsonSchema(relayParams),
        response: { 204: { type: 'null', description: 'It is ended' } },
      },
    },
    async (request, reply) => {
      await authorize(request, mustRecord);
      const { output, destination } = findRelay(
        outputs.all,
        rooms.mustGet(request.params.room),
        request.params.id,
      );
      if (destination.status !== 'active') {
        throw new PatchroomError('failed-precondition', 'This relay has ended already.');
      }
      const isLast = output.destinations.filter(({ status }) => status === 'active').length === 1;
      await (isLast
        ? outputs.stop(output.id)
        : outputs.update(output.id, { add: [], remove: [destination.address] }));
      return reply.code(204).send();
    },
  );

  function reportProgram(room: Room): ProgramReport {
    const shown = outputs.shown(room);
    return {
      pinned: room.pinned ?? null,
      shown: shown ? { participant: shown.identity, track: shown.track } : null,
    };
  }

  /** In demo mode a token may be left out; one that is shown is checked all the same. */
  async function authorize(
    request: FastifyRequest<{ Params: { room: string } }>,
    check: (grant: RoomGrant, room: string) => void,
  ): Promise<void> {
    if (demo && request.headers.authorization === undefined) return;
    check(await tokens.verify(bearer(request)), request.params.room);
  }
}

/** A page of another site can send anything but JSON without asking the browser for leave. */
async function mustBeJson({ headers }: FastifyRequest): Promise<void> {
  if (/^application\/json\s*(;|$)/i.test(headers['content-type'] ?? '')) return;
  throw new PatchroomError(
    'invalid-request',
    'The body has to be JSON: send the header Content-Type: application/json.',
  );
}

/** @throws PatchroomError 'invalid-request' that names the field, and nothing of what was sent: it may be a secret */
function parseBody<T>(schema: z.ZodObject & z.ZodType<T>, body: unknown): T {
  const parsed = schema.safeParse(body);
  if (parsed.success) return parsed.data;
  const fields = Object.keys(schema.shape).join(', ');
  const [issue] = parsed.error.issues;
  const where = issue?.path.join('.');
  const problem =
    issue?.code === 'unrecognized_keys'
      ? 'it has other fields'
      : `${where ? `${where}: ` : ''}${issue?.message ?? 'it is not'}`;
  throw new PatchroomError('invalid-request', `The body has to be an object of ${fields}: ${problem}.`);
}
