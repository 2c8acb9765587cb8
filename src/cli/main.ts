// The command line: everything that ./patchroom and `npm run patchroom` can do.
import { runCommandLine } from './command-line.ts';
import { processTerminal } from './terminal.ts';

process.exit(await runCommandLine(process.argv.slice(2), processTerminal(process.env)));
