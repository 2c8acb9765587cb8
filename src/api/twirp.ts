import type { Message, MessageType } from '@bufbuild/protobuf';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { asPatchroomError, PatchroomError } from '../base/errors.ts';
import type { Logger } from '../base/log.ts';
import type { RoomGrant } from '../room/grants.ts';
import { fromFastify, httpStatus, twirpError } from './problem.ts';
import type { TokenVerifier } from './tokens.ts';

type Encoding = 'json' | 'protobuf';

/** One method: bytes in, message out. */
interface Method {
  call(body: Buffer, encoding: Encoding, grant: RoomGrant): Promise<Message>;
}

/** A service's methods by name. */
export type Service = Readonly<Record<string, Method>>;

/** Binds a handler to its protobuf messages. */
export function rpc<I extends Message<I>, O extends Message<O>>(
  input: MessageType<I>,
  _output: MessageType<O>,
  handle: (request: I, grant: RoomGrant) => O | Promise<O>,
): Method {
  return {
    async call(body, encoding, grant) {
      return (await handle(decode(input, body, encoding), grant)) as unknown as Message;
    },
  };
}

function decode<I extends Message<I>>(type: MessageType<I>, body: Buffer, encoding: Encoding): I {
  try {
    return encoding === 'json'
      ? type.fromJsonString(body.toString('utf8') || '{}', { ignoreUnknownFields: true })
      : type.fromBinary(body);
  } catch (error) {
    throw new PatchroomError(
      'invalid-request',
      `The body is no ${type.typeName}: ${(error as Error).message}`,
    );
  }
}

export interface TwirpOptions {
  readonly tokens: TokenVerifier;
  /** By LiveKit's name of the service, such as `RoomService`. */
  readonly services: Readonly<Record<string, Service>>;
  readonly log: Logger;
}

/**
 * LiveKit's server API: POST /twirp/livekit.<Service>/<Method>, JSON or binary protobuf, with an access
 * token as bearer. https://twitchtv.github.io/twirp/docs/spec_v7.html
 */
export function serveTwirp(app: FastifyInstance, { tokens, services, log }: TwirpOptions): void {
  void app.register(async (scope) => {
    scope.removeAllContentTypeParsers();
    scope.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body));

    scope.post<{ Params: { service: string; method: string } }>(
      '/twirp/livekit.:service/:method',
      async (request, reply) => {
        const { service, method } = request.params;
        const encoding: Encoding = /^application\/protobuf\b/.test(request.headers['content-type'] ?? '')
          ? 'protobuf'
          : 'json';
        try {
          const found = methodOf(services, service, method);
          const grant = await tokens.verify(bearer(request));
          if (!found)
            throw new PatchroomError(
              'unimplemented',
              `livekit.${service}/${method} is not implemented by this server.`,
            );
          const body = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0);
          return send(reply, 200, encoding, await found.call(body, encoding, grant));
        } catch (error) {
          const problem = asPatchroomError(error);
          if (problem.code === 'internal')
            log.error({ err: problem.cause, service, method }, 'API call failed');
          return sendJson(reply, httpStatus(problem), JSON.stringify(twirpError(problem)));
        }
      },
    );

    scope.setErrorHandler((error, _request, reply) => {
      const problem = fromFastify(error);
      return sendJson(reply, httpStatus(problem), JSON.stringify(twirpError(problem)));
    });

    scope.all('/twirp/*', { schema: { hide: true } }, async (request, reply) =>
      sendJson(
        reply,
        404,
        JSON.stringify({
          code: 'bad_route',
          msg: `No such route: ${request.method} ${request.url.split('?')[0]}`,
        }),
      ),
    );
  });
}

function methodOf(services: TwirpOptions['services'], service: string, method: string): Method | undefined {
  const methods = Object.hasOwn(services, service) ? services[service] : undefined;
  return methods && Object.hasOwn(methods, method) ? methods[method] : undefined;
}

/** @throws PatchroomError 'unauthenticated' */
export function bearer(request: FastifyRequest): string {
  const match = /^Bearer\s+(\S+)$/i.exec(request.headers.authorization ?? '');
  if (!match)
    throw new PatchroomError('unauthenticated', 'An access token is needed: Authorization: Bearer <token>.');
  return match[1]!;
}

function send(reply: FastifyReply, status: number, encoding: Encoding, message: Message): FastifyReply {
  if (encoding === 'protobuf') {
    return reply
      .code(status)
      .header('content-type', 'application/protobuf')
      .send(Buffer.from(message.toBinary()));
  }
  // As LiveKit's own server writes it: names as in the .proto files, defaults included.
  return sendJson(reply, status, message.toJsonString({ emitDefaultValues: true, useProtoFieldName: true }));
}

/** Sent as bytes: for a text, fastify adds a charset to the type, and then LiveKit's SDK does not read the error. */
function sendJson(reply: FastifyReply, status: number, json: string): FastifyReply {
  return reply.code(status).header('content-type', 'application/json').send(Buffer.from(json));
}
