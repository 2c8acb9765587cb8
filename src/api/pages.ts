import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import staticFiles from '@fastify/static';
import type { FastifyInstance, FastifyReply } from 'fastify';
import { PatchroomError } from '../base/errors.ts';

const FOLDER = fileURLToPath(new URL('../../dist/console', import.meta.url));

const POLICY = [
  "default-src 'self'",
  "img-src 'self' data:",
  "media-src 'self' blob:",
  "connect-src 'self' ws: wss:",
  "frame-ancestors 'self'",
].join('; ');

/** The browser page: the same one for every room, and its files. */
export async function servePages(app: FastifyInstance): Promise<void> {
  if (!fs.existsSync(path.join(FOLDER, 'index.html'))) {
    throw new PatchroomError('unavailable', 'The browser page is not built. Run "npm run setup".');
  }
  await app.register(staticFiles, {
    root: path.join(FOLDER, 'assets'),
    prefix: '/assets/',
    immutable: true, // their names carry a hash of their content
    maxAge: '365d',
  });
  const page = (_request: unknown, reply: FastifyReply) =>
    reply
      .headers({ 'content-security-policy': POLICY, 'cache-control': 'no-cache' })
      .sendFile('index.html', FOLDER, {
        cacheControl: false,
      });
  app.get('/', { schema: { hide: true } }, page);
  app.get('/:room', { schema: { hide: true } }, page);
}
