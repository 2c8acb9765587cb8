import { type ConfigInput, configSchema, DEMO_KEYS } from '../../config/schema.ts';
import { gateways } from '../../gateways/index.ts';
import type { GatewayModule } from '../../src/gateway.ts';
import { Server } from '../../src/server.ts';

/** Of the non-demo test server. */
export const API_KEY = 'test-key';
export const API_SECRET = 'a-secret-for-tests-of-32-characters-and-more';

export interface TestServerOptions {
  readonly demo?: boolean;
  readonly gateways?: readonly GatewayModule[];
  readonly config?: Omit<Partial<ConfigInput>, 'api'>;
  /** Sections of gateways that the config file's schema does not know. */
  readonly sections?: Readonly<Record<string, unknown>>;
}

/** The whole product in this process, on loopback and free ports only, with its real worker processes. */
export async function startServer(options: TestServerOptions = {}): Promise<Server> {
  const { demo = true, config = {} } = options;
  const parsed = configSchema.parse({
    workers: { hubs: 1, media: 1 },
    log: { level: 'silent' },
    ...config,
    network: { bind: '127.0.0.1', ...config.network },
    http: { port: 0, ...config.http },
    webrtc: { port: 0, ...config.webrtc },
    sip: { port: 0, ...config.sip },
    rtmp: { port: 0, ...config.rtmp },
    api: { keys: { [API_KEY]: API_SECRET } },
  });
  const keys = demo ? { ...DEMO_KEYS } : parsed.api.keys;
  const server = new Server(
    { ...parsed, ...options.sections, demo, api: { keys } },
    {
      version: '0.0.0-test',
      gateways: options.gateways ?? gateways,
      workerBin: process.env.MEDIASOUP_WORKER_BIN,
    },
  );
  await server.start();
  return server;
}
