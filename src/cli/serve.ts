import fs from 'node:fs';
import type { Config } from '../../config/schema.ts';
import { gateways } from '../../gateways/index.ts';
import { Server } from '../server.ts';
import type { Terminal } from './terminal.ts';

const { version } = JSON.parse(fs.readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
  version: string;
};

/** Prints the ways in. @returns the exit code, once the server was told to end and has. @throws PatchroomError in a sentence */
export async function serve(config: Config, terminal: Terminal): Promise<number> {
  const workerBin = terminal.environment.MEDIASOUP_WORKER_BIN;
  const server = new Server(config, { version, gateways, workerBin });
  const ended = new Promise<number>((resolve) => {
    let exitCode = 0;
    const stop = () => void server.stop().then(() => resolve(exitCode));
    process.on('SIGINT', stop);
    process.on('SIGTERM', stop);
    // Started by the set-up script, which was killed: nothing may be left running.
    process.on('disconnect', stop);
    process.on('uncaughtException', (error) => {
      server.log.fatal({ err: error }, 'a bug in Patchroom; ending');
      exitCode = 1;
      stop();
    });
  });
  const started = server.start().then(() => {
    const mode = config.demo ? ', demo mode (this machine only)' : '';
    const lines = server.waysIn.map(([name, address]) => `  ${name.padEnd(8)} ${address}`);
    terminal.print([`Patchroom ${version}${mode}`, ...lines].join('\n'));
    return ended;
  });
  // A start that hangs does not keep it from ending.
  return Promise.race([ended, started]);
}
