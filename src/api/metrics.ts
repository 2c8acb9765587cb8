import { createHash, timingSafeEqual } from 'node:crypto';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { mustHaveGrant } from '../room/grants.ts';
import { MetricsRegistry } from './metrics-registry.ts';
import { type MetricsSources, takeSample } from './metrics-sample.ts';
import type { TokenVerifier } from './tokens.ts';
import { bearer } from './twirp.ts';

export interface MetricsOptions extends MetricsSources {
  /** In demo mode, which is for this machine only, no token is needed. */
  readonly demo: boolean;
  readonly tokens: TokenVerifier;
  /** Lets its bearer read metrics, and nothing else; undefined: access tokens only. */
  readonly metricsToken: string | undefined;
}

/** However many ask, and however often: everything is asked once in so long. */
const KEPT_MS = 1_000;

/** GET /metrics, for Prometheus. Costs nothing until somebody asks for the first time. */
export function serveMetrics(app: FastifyInstance, options: MetricsOptions): void {
  const { demo, tokens, metricsToken, clock } = options;
  let registry: MetricsRegistry | undefined;
  let text: Promise<string> | undefined;

  app.get('/metrics', { schema: { hide: true } }, async (request, reply) => {
    if (!demo || request.headers.authorization !== undefined) await mustBePermitted(request);
    registry ??= new MetricsRegistry();
    text ??= render(registry);
    return reply
      .header('cache-control', 'no-store')
      .type(registry.contentType)
      .send(await text);
  });

  /** Kept from when it is there, so that samples never overlap. */
  async function render(into: MetricsRegistry): Promise<string> {
    try {
      return await into.render(await takeSample(options));
    } finally {
      clock.after(KEPT_MS, () => {
        text = undefined;
      });
    }
  }

  /** @throws PatchroomError 'unauthenticated' or 'forbidden' */
  async function mustBePermitted(request: FastifyRequest): Promise<void> {
    const shown = bearer(request);
    if (metricsToken !== undefined && isSame(shown, metricsToken)) return;
    mustHaveGrant(await tokens.verify(shown), 'roomList');
  }
}

/** Takes as long for a near miss as for anything else. */
function isSame(one: string, other: string): boolean {
  const digest = (text: string) => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(one), digest(other));
}
