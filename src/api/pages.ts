import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import staticFiles from '@fastify/static';
import type { FastifyInstance, FastifyReply } from 'fastify';
import { PatchroomError } from '../base/errors.ts';

const FOLDER = fileURLToPath(new URL('../../dist/console', import.meta.url));

const policyFor = (allowedOrigins: readonly string[]) =>
  [
    "default-src 'self'",
    "img-src 'self' data:",
    "media-src 'self' blob:",
    "connect-src 'self' ws: wss:",
    ["frame-ancestors 'self'", ...allowedOrigins].join(' '),
  ].join('; ');

/** The browser page: the same one for every room, and its files. */
/** @param allowedOrigins - sites that may show the page in a frame of theirs */
export async function servePages(
  app: FastifyInstance,
  allowedOrigins: readonly string[] = [],
): Promise<void> {
  if (!fs.existsSync(path.join(FOLDER, 'index.html'))) {
    throw new PatchroomError('unavailable', 'The browser page is not built. Run "npm run setup".');
  }
  await app.register(staticFiles, {
    root: path.join(FOLDER, 'assets'),
    prefix: '/assets/',
    immutable: true, // their names carry a hash of their content
    maxAge: '365d',
  });
  const policy = policyFor(allowedOrigins);
  const page = (_request: unknown, reply: FastifyReply) =>
    reply
      .headers({ 'content-security-policy': policy, 'cache-control': 'no-cache' })
      .sendFile('index.html', FOLDER, {
        cacheControl: false,
      });
  app.get('/', { schema: { hide: true } }, page);
  app.get('/:room', { schema: { hide: true } }, page);
  // What a person mistyped, such as /demo/ or /team/standup, is answered by the page as well; programs get a problem.
  app.get('/*', { schema: { hide: true } }, (request, reply) => {
    const wantsPage = request.headers.accept?.includes('text/html') ?? false;
    const isOurs = /^\/(api|twirp|assets|rtc)(\/|$)/.test(request.url);
    if (wantsPage && !isOurs) return page(request, reply);
    throw new PatchroomError('not-found', `There is nothing at ${request.url.split('?')[0]}.`);
  });
}
