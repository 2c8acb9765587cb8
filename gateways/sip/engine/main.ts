// The SIP engine's process: started by engine-process.ts, ends when told to or when the main process is gone.
import { createLogger, systemClock } from '../../../src/gateway.ts';
import { Engine } from './engine.ts';
import { type EngineRequest, type FromEngine, toEngine } from './process-messages.ts';

const log = createLogger('info').child({ process: 'SIP engine', pid: process.pid });
let engine: Engine | undefined;

async function handle(request: EngineRequest): Promise<unknown> {
  switch (request.type) {
    case 'start':
      log.level = request.options.logLevel;
      engine = await Engine.start(request.options, systemClock, log);
      return { port: engine.port, wirePort: engine.wirePort };
    case 'ping':
      return {};
    case 'counters':
      return engine?.counters ?? {};
    case 'end-dialogs':
      engine?.endDialogs(request.dialogs, request.reason);
      return {};
    case 'stop':
      await engine?.close();
      engine = undefined;
      return {};
  }
}

async function receive(message: unknown): Promise<void> {
  const parsed = toEngine.safeParse(message);
  if (!parsed.success) {
    log.error({ issues: parsed.error.issues }, 'message from the main process is malformed');
    return;
  }
  const { id, request } = parsed.data;
  const answer: FromEngine = await handle(request).then(
    (value) => ({ id, value }),
    (error: Error) => ({ id, error: error.message }),
  );
  process.send?.(answer, undefined, undefined, () => {});
}

process.on('message', (message) => void receive(message));
process.on('disconnect', () => void (engine?.close() ?? Promise.resolve()).finally(() => process.exit(0)));
// A terminal's Ctrl-C reaches the whole process group; the main process decides when this one ends.
process.on('SIGINT', () => {});
process.on('SIGTERM', () => {});
