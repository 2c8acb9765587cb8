// Starts Patchroom: what the command line's `start` does, for those that need nothing else of it.
import { runCommandLine } from './cli/command-line.ts';
import { processTerminal } from './cli/terminal.ts';

process.exit(await runCommandLine(['start', ...process.argv.slice(2)], processTerminal(process.env)));
