import { mustMakeSense } from '../../config/sanity.ts';
import type { Command } from './command.ts';
import { CONFIG_OPTION, givenConfig } from './config-option.ts';

export const start: Command = {
  name: 'start',
  summary: 'Starts Patchroom and runs it until Ctrl-C or SIGTERM.',
  operands: [],
  options: { config: CONFIG_OPTION },
  async run(given, terminal) {
    const config = givenConfig(given, terminal);
    if (!config.demo) mustMakeSense(config);
    // The server takes a second to load, which no other command needs.
    const { serve } = await import('./serve.ts');
    return serve(config, terminal);
  },
};
