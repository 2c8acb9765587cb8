import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import type { MediaPlane } from '../workers/media-plane.ts';

export const health = z.strictObject({
  status: z.enum(['ok', 'degraded']),
  hubWorkers: z.int().describe('Running processes that forward media'),
  mediaWorkers: z.int(),
});

/** GET /healthz: 200 while rooms can be served, 503 while no process is there to carry them. No token needed. */
export function serveHealth(app: FastifyInstance, plane: MediaPlane): void {
  app.get('/healthz', { schema: { hide: true } }, async (_request, reply) => {
    const { hubWorkers, mediaWorkers } = plane.health;
    const ok = hubWorkers.running > 0 && mediaWorkers.running > 0;
    return reply.code(ok ? 200 : 503).send({
      status: ok ? 'ok' : 'degraded',
      hubWorkers: hubWorkers.running,
      mediaWorkers: mediaWorkers.running,
    } satisfies z.infer<typeof health>);
  });
}
