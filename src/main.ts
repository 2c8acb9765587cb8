// Starts Patchroom: reads arguments and environment, prints the ways in, ends on Ctrl-C or SIGTERM.
import fs from 'node:fs';
import { parseArgs } from 'node:util';
import { ConfigError, loadConfig } from '../config/load.ts';
import { gateways } from '../gateways/index.ts';
import { PatchroomError } from './errors.ts';
import { Server } from './server.ts';

const USAGE = `usage: npm start -- [--config FILE]

  --config FILE   the configuration (or PATCHROOM_CONFIG); without one, demo mode: this machine only
  --help          this text`;

const { version } = JSON.parse(fs.readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as {
  version: string;
};

async function main(): Promise<void> {
  const { values } = readArguments();
  if (values.help) {
    console.log(USAGE);
    return;
  }
  const config = loadConfig(values.config ?? process.env.PATCHROOM_CONFIG, process.env);
  const server = new Server(config, { version, gateways, workerBin: process.env.MEDIASOUP_WORKER_BIN });

  let exitCode = 0;
  const stop = () => void server.stop().then(() => process.exit(exitCode));
  process.on('SIGINT', stop);
  process.on('SIGTERM', stop);
  // Started by the set-up script, which was killed: nothing may be left running.
  process.on('disconnect', stop);
  process.on('uncaughtException', (error) => {
    server.log.fatal({ err: error }, 'a bug in Patchroom; ending');
    exitCode = 1;
    stop();
  });

  await server.start();
  const mode = config.demo ? ', demo mode (this machine only)' : '';
  const lines = server.waysIn.map(([name, address]) => `  ${name.padEnd(8)} ${address}`);
  console.log([`Patchroom ${version}${mode}`, ...lines].join('\n'));
}

function readArguments() {
  try {
    return parseArgs({ options: { config: { type: 'string' }, help: { type: 'boolean' } } });
  } catch (error) {
    throw new ConfigError(`${(error as Error).message}\n${USAGE}`);
  }
}

main().catch((error: unknown) => {
  const expected = error instanceof ConfigError || error instanceof PatchroomError;
  console.error(expected ? error.message : error);
  process.exit(1);
});
